package dev.tandem.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;

class ThreadTeamTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void everyPartRunsOnceInEveryJob(int threads) {
        try (var team = new ThreadTeam(threads)) {
            for (int job = 0; job < 3000; job++) {
                int parts = job % 37;
                var runs = new AtomicIntegerArray(37);
                team.run(parts, (part, thread) -> runs.incrementAndGet(part));
                for (int part = 0; part < runs.length(); part++) {
                    assertThat(runs.get(part))
                            .as("job %d part %d", job, part)
                            .isEqualTo(part < parts ? 1 : 0);
                }
            }
        }
    }

    @Test
    void partsRunAtTheSameTimeOnThreadsOfTheirOwn() {
        try (var team = new ThreadTeam(3)) {
            var all = new CountDownLatch(3);
            var byThread = new AtomicIntegerArray(3);
            team.run(
                    3,
                    (part, thread) -> {
                        all.countDown();
                        try {
                            all.await(); // ends only if all three parts are running
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                        byThread.incrementAndGet(thread);
                    });
            assertThat(byThread.toString()).isEqualTo("[1, 1, 1]");
        }
    }

    @Test
    void aFailedPartFailsTheJobAndTheTeamGoesOn() {
        try (var team = new ThreadTeam(2)) {
            assertThatThrownBy(
                            () ->
                                    team.run(
                                            8,
                                            (part, thread) -> {
                                                if (part == 5) {
                                                    throw new IllegalArgumentException("part 5");
                                                }
                                            }))
                    .hasRootCauseMessage("part 5");
            var runs = new AtomicIntegerArray(8);
            team.run(8, (part, thread) -> runs.incrementAndGet(part));
            assertThat(runs.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1, 1]");
        }
    }
}
