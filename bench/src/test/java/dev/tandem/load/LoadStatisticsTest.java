package dev.tandem.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class LoadStatisticsTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Offset<Double> THREE_DIGITS = within(10.0);

    @Test
    void latenciesCountFromWhenARequestWasDue() {
        var statistics = new LoadStatistics();
        statistics.requestStarted();
        // Due at 1 s, started at 4 s; first text at 5 s, last at 8 s, end at 9 s; 4 tokens.
        statistics.requestEnded(
                new RequestResult(
                        SECOND,
                        4 * SECOND,
                        5 * SECOND,
                        8 * SECOND,
                        9 * SECOND,
                        10,
                        4,
                        false,
                        null));
        LoadReport.Figures f = statistics.figures(SECOND);
        assertThat(f.ttft().p50Millis()).isCloseTo(4_000, THREE_DIGITS);
        assertThat(f.tpot().p50Millis()).isCloseTo(1_000, THREE_DIGITS);
        assertThat(f.endToEnd().p99Millis()).isCloseTo(8_000, THREE_DIGITS);
        assertThat(f.startsLateMillisMax()).isEqualTo(3_000);
        assertThat(f.seconds()).isEqualTo(8);
        assertThat(f.outputTokensPerSecond()).isEqualTo(0.5);
        assertThat(f.requestsPerSecond()).isEqualTo(0.125);
    }

    @Test
    void aFailureHasNoLatencyAndASingleTokenNoTpot() {
        var statistics = new LoadStatistics();
        statistics.requestEnded(
                new RequestResult(0, 0, SECOND, SECOND, SECOND, 1, 9, false, "http 500"));
        statistics.requestEnded(
                new RequestResult(0, 0, SECOND, SECOND, 2 * SECOND, 1, 1, false, null));
        LoadReport.Figures f = statistics.figures(0);
        assertThat(f.completed()).isEqualTo(1);
        assertThat(f.failed()).isEqualTo(1);
        assertThat(f.ttft().count()).isEqualTo(1);
        assertThat(f.tpot().count()).isZero();
        assertThat(f.outputTokens()).isEqualTo(1);
    }

    @Test
    void kindsOfErrorsAreBounded() {
        var statistics = new LoadStatistics();
        for (int i = 0; i < 100; i++) {
            statistics.requestEnded(new RequestResult(0, 0, 0, 0, 1, 0, 0, true, "kind " + i));
        }
        assertThat(statistics.figures(0).errors()).hasSize(33).containsEntry("other", 68L);
    }
}
