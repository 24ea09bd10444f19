package dev.tandem.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tandem.admission.FairQueue.Decision;
import dev.tandem.admission.Lane;
import dev.tandem.admission.TenantAccounts;
import dev.tandem.admission.Terms;

import org.junit.jupiter.api.Test;

import java.util.Set;

/// What the queue can tell of its own future.
class WaitingQueueTest {
    private static final long MILLIS = 1_000_000;
    private static final long SECONDS = 1_000 * MILLIS;
    private static final int LOOKS = 8;

    private final CoreOptions options = CoreOptions.defaults();
    private final TenantAccounts accounts = new TenantAccounts(options.admission());
    private final WaitingQueue queue = new WaitingQueue(options);
    private long now = 100 * SECONDS;
    private long nextId = 1;

    @Test
    void onlySmallerRanksOfTheSameLaneGoBefore() {
        add(300, now + 100 * MILLIS);
        Sequence far = add(5_000, now + 900 * MILLIS);
        assertThat(queue.tokensBefore(Lane.DEFAULT, now)).isZero();
        assertThat(queue.tokensBefore(Lane.DEFAULT, now + 500 * MILLIS)).isEqualTo(300);
        assertThat(queue.tokensBefore(Lane.DEFAULT, now + SECONDS)).isEqualTo(5_300);
        assertThat(queue.tokensBefore(Lane.BATCH, now + SECONDS)).isZero();
        queue.remove(far, now);
        assertThat(queue.tokensBefore(Lane.DEFAULT, now + SECONDS)).isEqualTo(300);
        takeAll();
        assertThat(queue.tokensBefore(Lane.DEFAULT, now + SECONDS)).isZero();
    }

    @Test
    void aLongPromptAlsoWaitsForShortOnesThatAreStillToCome() {
        for (int i = 0; i < 1_000; i++) { // 10,000 tokens a second
            now += 10 * MILLIS;
            add(100, now);
            takeAll();
        }
        long ahead = 20_000;
        double rate = 20_000;
        assertThat(waitOf(1_000, ahead, rate, 0)).as("nobody may overtake").isEqualTo(1);
        assertThat(waitOf(1_000, ahead, rate, 0.5))
                .as("overtaken for half a second less the short prompt's own stretch")
                .isCloseTo(1 + 0.5 * (1 - 0.104) / 2, within(0.02));
        assertThat(waitOf(1_000, ahead, rate, 100))
                .as("half of the rate is for them: near twice as long (to the rounds), never more")
                .isBetween(1.75, 2.0);
        assertThat(waitOf(50, ahead, rate, 100)).as("nobody is shorter").isEqualTo(1);
    }

    private double waitOf(int promptTokens, long ahead, double rate, double stretchSeconds) {
        return queue.overtaken(Lane.DEFAULT, promptTokens, ahead, rate, stretchSeconds);
    }

    @Test
    void whoComesAndGoesAtOnceSaysNothingOfTheSpeedOfABacklog() {
        for (int i = 0; i < 1_000; i++) {
            now += 10 * MILLIS;
            add(100, now);
            takeAll();
        }
        for (int i = 0; i < 20; i++) { // 100 tokens each 100 ms, and always some are left
            add(100, now);
            add(100, now);
            now += 100 * MILLIS;
            queue.visit(new TakeOne()::visit, LOOKS, now);
        }
        assertThat(queue.drainTokensPerSecond(now)).isCloseTo(1_000, within(60.0));
    }

    private final class TakeOne {
        private boolean taken;

        Decision visit(Sequence sequence) {
            if (taken) {
                return Decision.STOP;
            }
            taken = true;
            queue.taking(sequence);
            return Decision.TAKE;
        }
    }

    private void takeAll() {
        queue.visit(
                sequence -> {
                    queue.taking(sequence);
                    return Decision.TAKE;
                },
                LOOKS,
                now);
    }

    private Sequence add(int promptTokens, long rankNanos) {
        var terms = new Terms("", "", Lane.DEFAULT, "", "", 0, 0);
        var submit =
                new Event.Submit(
                        nextId++,
                        Prompt.of(new int[promptTokens]),
                        16,
                        SamplingParameters.greedy(),
                        Set.of(),
                        terms);
        var request =
                options.admission()
                        .request(
                                submit.sequence(), terms, accounts.open("", now), promptTokens, 16);
        Sequence sequence =
                new Sequence(submit, request, new int[0], new PrefixHasher(), now, rankNanos);
        queue.add(sequence, now);
        return sequence;
    }
}
