package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.routing.Health.State;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OutlierEjectionTest {
    private static final long MILLI = 1_000_000;
    private final HealthBook book = new HealthBook(16, 30_000 * MILLI);
    private final SlowStart slowStart = new SlowStart(SlowStart.Options.defaults());
    private final OutlierEjection ejection =
            new OutlierEjection(OutlierEjection.Options.defaults(), book, slowStart, 2);
    private final Health[] workers = new Health[6];

    @BeforeEach
    void join() {
        for (int i = 0; i < workers.length; i++) {
            workers[i] = book.joined("worker-" + i);
        }
    }

    @Test
    void fiveErrorsInARowEjectAndASuccessBetweenDoesNot() {
        fail(workers[0], 4, 0);
        workers[0].recordSuccess(1, 0);
        fail(workers[0], 4, 0);
        assertThat(workers[0].state()).isEqualTo(State.ADMITTED);
        fail(workers[0], 1, 0);
        assertThat(workers[0].state()).isEqualTo(State.EJECTED);
    }

    @Test
    void aHighErrorRateEjectsOnceEnoughIsKnown() {
        for (int i = 0; i < 9; i++) {
            workers[0].recordSuccess(1, 0);
            fail(workers[0], 1, 0);
        }
        assertThat(workers[0].state()).isEqualTo(State.ADMITTED); // 18 outcomes
        workers[0].recordSuccess(1, 0);
        fail(workers[0], 1, 0);
        assertThat(workers[0].state()).isEqualTo(State.EJECTED);
    }

    @Test
    void aReplicaFarSlowerThanItsPeersIsEjected() {
        for (int i = 0; i < 6; i++) {
            observe(workers[i], i == 2 ? 2.5 : 1 + 0.05 * i);
        }
        ejection.evaluate(0);
        for (int i = 0; i < 6; i++) {
            assertThat(workers[i].state()).isEqualTo(i == 2 ? State.EJECTED : State.ADMITTED);
        }
    }

    @Test
    void peersThatDifferWidelyHaveNoOutlier() {
        for (int i = 0; i < 6; i++) {
            observe(workers[i], 1 + 0.5 * i); // median 2.25, MAD 0.75: limit 6
        }
        ejection.evaluate(0);
        assertThat(outNow()).isZero();
        observe(workers[5], 7);
        ejection.evaluate(0);
        assertThat(workers[5].state()).isEqualTo(State.EJECTED);
    }

    @Test
    void twoReplicasAreNoPeers() {
        observe(workers[0], 1);
        observe(workers[1], 100);
        ejection.evaluate(0);
        assertThat(outNow()).isZero();
    }

    @Test
    void atMostHalfIsEjectedAndNeverTheLast() {
        for (Health worker : workers) {
            fail(worker, 10, 0);
        }
        assertThat(outNow()).isEqualTo(3);
        for (int i = 3; i < 6; i++) {
            book.lost(workers[i], 1);
            ejection.lost(workers[i], 1);
            assertThat(outNow()).isEqualTo((5 - i + 3) / 2);
        }
        book.lost(workers[0], 2);
        ejection.lost(workers[0], 2);
        book.lost(workers[1], 2);
        ejection.lost(workers[1], 2);
        assertThat(outNow()).isZero();
        fail(workers[2], 10, 3);
        assertThat(workers[2].state()).isEqualTo(State.ADMITTED);
    }

    @Test
    void poolsAreJudgedApart() {
        workers[0].pool = 1;
        fail(workers[0], 10, 0);
        assertThat(workers[0].state()).as("the only one of its pool").isEqualTo(State.ADMITTED);
    }

    @Test
    void ejectionsGetLongerUpToTheMaximumAndAreForgiven() {
        Health worker = workers[0];
        fail(worker, 5, 0);
        assertThat(ejection.isProbeDue(worker, 9_999 * MILLI)).isFalse();
        long now = 0;
        for (int times = 1; times <= 40; times++) {
            long length = Math.min(10_000L * times, 300_000);
            assertThat(ejection.isProbeDue(worker, now + length * MILLI - 1)).isFalse();
            now += length * MILLI;
            ejection.probe(worker, times, now);
            ejection.failed(worker, times, now);
        }
        now += 300_000 * MILLI;
        ejection.probe(worker, 99, now);
        ejection.succeeded(worker, 99, 1, now);
        assertThat(worker.timesEjected).isEqualTo(41);
        for (int i = 1; i <= 38; i++) {
            ejection.evaluate(now + i * 60_000 * MILLI);
        }
        assertThat(worker.timesEjected).isEqualTo(3);
    }

    @Test
    void exactlyOneProbeIsSentAndItsOutcomeDecides() {
        Health worker = workers[0];
        fail(worker, 5, 0);
        long now = 10_000 * MILLI;
        assertThat(ejection.isProbeDue(worker, now)).isTrue();
        ejection.probe(worker, 7, now);
        assertThat(worker.state()).isEqualTo(State.PROBING);
        assertThat(ejection.isProbeDue(worker, now)).isFalse();
        assertThatThrownBy(() -> ejection.probe(worker, 8, now))
                .isInstanceOf(IllegalStateException.class);
        ejection.succeeded(worker, 6, 1, now); // an old one that comes late
        ejection.failed(worker, 5, now);
        assertThat(worker.state()).isEqualTo(State.PROBING);
        ejection.succeeded(worker, 7, 1, now);
        assertThat(worker.state()).isEqualTo(State.ADMITTED);
        assertThat(worker.weight()).as("with slow start").isEqualTo(0.1);
        assertThat(worker.errorRate()).isZero();
    }

    @Test
    void aSlowProbeFails() {
        for (int i = 0; i < 6; i++) {
            observe(workers[i], i == 0 ? 9 : 1);
        }
        ejection.evaluate(0);
        assertThat(workers[0].state()).isEqualTo(State.EJECTED);
        ejection.probe(workers[0], 7, 10_000 * MILLI);
        ejection.succeeded(workers[0], 7, 9, 10_001 * MILLI);
        assertThat(workers[0].state()).isEqualTo(State.EJECTED);
        assertThat(workers[0].timesEjected).isEqualTo(2);
    }

    @Test
    void aProbeWithoutAnswerFailsAndAnAbandonedOneIsRepeated() {
        Health worker = workers[0];
        fail(worker, 5, 0);
        ejection.probe(worker, 7, 10_000 * MILLI);
        ejection.abandoned(worker, 6);
        assertThat(worker.state()).isEqualTo(State.PROBING);
        ejection.abandoned(worker, 7);
        assertThat(ejection.isProbeDue(worker, 10_000 * MILLI)).isTrue();
        ejection.probe(worker, 8, 10_000 * MILLI);
        ejection.evaluate(39_999 * MILLI);
        assertThat(worker.state()).isEqualTo(State.PROBING);
        ejection.evaluate(40_000 * MILLI);
        assertThat(worker.state()).isEqualTo(State.EJECTED);
        assertThat(ejection.isProbeDue(worker, 59_999 * MILLI)).isFalse();
    }

    private void fail(Health worker, int times, long nowNanos) {
        for (int i = 0; i < times; i++) {
            worker.recordError(nowNanos);
            ejection.failed(worker, 1000 + i, nowNanos);
        }
    }

    private static void observe(Health worker, double ratio) {
        for (int i = 0; i < 100; i++) {
            worker.recordSuccess(ratio, 0);
        }
    }

    private int outNow() {
        int out = 0;
        for (Health worker : workers) {
            out += worker.isPresent() && worker.state() != State.ADMITTED ? 1 : 0;
        }
        return out;
    }
}
