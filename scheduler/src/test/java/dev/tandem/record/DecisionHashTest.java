package dev.tandem.record;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.core.Commands;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.Event;
import dev.tandem.core.FinishReason;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

class DecisionHashTest {
    private static final Event TICK = new Event.Tick();

    @Test
    void sameRunsAreEqualAndOthersDiffer() {
        Set<Long> hashes = new HashSet<>();
        for (long seed = 0; seed < 20; seed++) {
            long hash = Traffic.hash(seed, 2_000, -1).value();
            assertThat(Traffic.hash(seed, 2_000, -1).value()).as("seed %d", seed).isEqualTo(hash);
            hashes.add(hash);
        }
        assertThat(hashes).hasSize(20);
    }

    @Test
    void oneOtherTokenShows() {
        List<Event> events = Traffic.events(3, 400);
        long hash = Traffic.hash(3, 400, -1).value();
        int tried = 0;
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i) instanceof Event.StepDone done && done.samples() > 0 && wanted(i)) {
                assertThat(Traffic.hash(3, 400, i).value()).as("event %d", i).isNotEqualTo(hash);
                tried++;
            }
        }
        assertThat(tried).isGreaterThan(10);
    }

    /// Whether the first token of this result reaches a client: a late one does not.
    private static boolean wanted(int event) {
        List<Boolean> wanted = new ArrayList<>();
        Traffic.run(
                3,
                event + 1,
                new Traffic.Listener() {
                    @Override
                    public void before(Event e, long nowNanos) {}

                    @Override
                    public void after(Event e, long nowNanos, Commands commands) {
                        wanted.add(
                                e instanceof Event.StepDone done
                                        && commands.outputs().size() > 0
                                        && commands.outputs().sequence(0) == done.sequences()[0]);
                    }
                });
        return wanted.get(event);
    }

    @Test
    void everyListEveryFieldAndTheOrderCount() {
        Commands.Finished stop = new Commands.Finished(1, FinishReason.STOP);
        Commands.Finished other = new Commands.Finished(2, FinishReason.STOP);
        List<Consumer<Commands>> variants =
                List.of(
                        c -> {},
                        c -> c.finished().add(stop),
                        c -> c.finished().add(new Commands.Finished(1, FinishReason.LENGTH)),
                        c -> c.finished().addAll(List.of(stop, other)),
                        c -> c.finished().addAll(List.of(other, stop)),
                        c -> c.failed().add(failed(1, "a", "b", 0)),
                        c -> c.failed().add(failed(1, "ab", "", 0)),
                        c -> c.failed().add(failed(1, "a", "b", 1)),
                        c -> c.disconnects().add(new Commands.Disconnect(1, "a")),
                        c -> c.disconnects().add(new Commands.Disconnect(1, "b")));
        Set<Long> hashes = new HashSet<>();
        for (Consumer<Commands> variant : variants) {
            Commands commands = new Commands();
            variant.accept(commands);
            hashes.add(hash(TICK, 5, commands));
        }
        hashes.add(hash(TICK, 6, new Commands()));
        hashes.add(hash(new Event.Cancel(1), 5, new Commands()));
        assertThat(hashes).hasSize(variants.size() + 2);
    }

    private static Commands.Failed failed(long id, String code, String message, long retryMillis) {
        return new Commands.Failed(id, ErrorCategory.USER, code, message, retryMillis);
    }

    private static long hash(Event event, long nanos, Commands commands) {
        DecisionHash hash = new DecisionHash();
        hash.add(event, nanos, commands);
        return hash.value();
    }

    /// A changed algorithm makes old recordings differ: then their version has to change too.
    @Test
    void theAlgorithmIsPinned() {
        DecisionHash hash = new DecisionHash();
        assertThat(hash.text()).isEqualTo("7a6d9c3f51e8b204");
        hash.add(TICK, 123_456_789, new Commands());
        assertThat(hash.text()).isEqualTo("96a5a38975503a87");
        assertThat(DecisionHash.text(1)).isEqualTo("0000000000000001");
    }
}
