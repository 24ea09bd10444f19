package dev.tandem.sim.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/// The geometry of charts.
final class ChartTest {
    private static final double LEFT = 70;
    private static final double RIGHT = 570;
    private static final double TOP = 44;
    private static final double BOTTOM = 384;

    @Test
    void aLineHasItsPointsWhereTheyBelong() {
        Svg svg =
                Svg.parse(
                        new Chart("t <&> \"q\"", "x & more", false, "y", false)
                                .line("a<b", new double[] {0, 5, 10}, new double[] {0, 50, 100})
                                .line("c", new double[] {}, new double[] {})
                                .bound("objective", 5)
                                .svg());
        assertThat(svg.polylines()).hasSize(2);
        assertThat(svg.polylines().get(0)).hasSize(3);
        assertThat(svg.polylines().get(1)).isEmpty();
        assertThat(svg.polylines().get(0).get(0)).containsExactly(LEFT, BOTTOM);
        assertThat(svg.polylines().get(0).get(1)).containsExactly(320, 214);
        assertThat(svg.polylines().get(0).get(2)).containsExactly(RIGHT, TOP);
        assertThat(svg.ticks())
                .containsExactly("0", "2", "4", "6", "8", "10", "0", "20", "40", "60", "80", "100");
        assertThat(svg.legend()).containsExactly("a<b", "c", "objective");
    }

    @Test
    void aLogarithmicAxisHasATickPerDecade() {
        Svg svg =
                Svg.parse(
                        new Chart("t", "x", true, "y", false)
                                .line("a", new double[] {3, 300, 30_000}, new double[] {0, 0.5, 1})
                                .svg());
        assertThat(svg.ticks()).startsWith("1", "10", "100", "1000", "10k", "100k");
        double middle = LEFT + Math.log10(300) / 5 * (RIGHT - LEFT);
        assertThat(svg.polylines().getFirst().get(1)[0]).isCloseTo(middle, within(0.06));
    }

    @Test
    void longLinesAreThinnedButKeepTheirEnds() {
        double[] x = new double[10_001];
        double[] y = new double[10_001];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
            y[i] = i;
        }
        Svg svg = Svg.parse(new Chart("t", "x", false, "y", false).line("a", x, y).svg());
        var points = svg.polylines().getFirst();
        assertThat(points.size()).isBetween(1_000, 2_001);
        assertThat(points.getFirst()).containsExactly(LEFT, BOTTOM);
        assertThat(points.getLast()).containsExactly(RIGHT, TOP);
    }

    @Test
    void aDistributionRisesToOne() {
        var histogram = new Histogram(3);
        for (int i = 1; i <= 1000; i++) {
            histogram.recordValue(i * 1000L);
        }
        Chart chart = new Chart("t", "ms", true, "share", false);
        Plots.addShares(chart, "a", histogram);
        var points = Svg.parse(chart.svg()).polylines().getFirst();
        assertThat(points).hasSizeGreaterThan(500);
        assertThat(points.getLast()[1]).isEqualTo(TOP);
        for (int i = 1; i < points.size(); i++) {
            assertThat(points.get(i)[1]).isLessThanOrEqualTo(points.get(i - 1)[1]);
        }
    }

    @Test
    void emptyChartsAreDrawnAndWrongOnesRefused() {
        assertThat(Svg.parse(new Chart("t", "x", false, "y", false).svg()).polylines()).isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                new Chart("t", "x", false, "y", false)
                                        .line("a", new double[1], new double[2]));
    }
}
