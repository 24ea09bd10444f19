package dev.tandem.sim.goodput;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;

/// The search on systems whose answer is known.
final class GoodputSearchTest {
    private static final long SEED = Long.getLong("tandem.seed", 1);
    private static final String REPEAT = "repeat with -Dtandem.seed=" + SEED;

    @TempDir Path folder;

    private static Trial.Outcome outcome(double... shares) {
        long[] met = new long[shares.length];
        for (int i = 0; i < met.length; i++) {
            met[i] = Math.round(shares[i] * 1_000_000);
        }
        return new Trial.Outcome(1_000_000, met, 1_000_000, 0, 1, 0, 0);
    }

    /// M/M/1: the sojourn time is exponential with the rate `mu - lambda`, so a share `s` meets a bound `T` up to
    /// `lambda = mu + ln(1 - s) / T`.
    @Test
    void findsTheAnswerOfAQueueWithinTheTolerance() {
        double mu = 100;
        double[] bounds = {0.1, 0.5, 2};
        Trial queue =
                rate -> {
                    double[] shares = new double[bounds.length];
                    for (int i = 0; i < bounds.length; i++) {
                        shares[i] = rate >= mu ? 0 : 1 - Math.exp(-(mu - rate) * bounds[i]);
                    }
                    return outcome(shares);
                };
        var search = new GoodputSearch(RateGrid.standard(), 0.9, queue);
        for (int cell = 0; cell < bounds.length; cell++) {
            double exact = mu + Math.log(0.1) / bounds[cell];
            GoodputSearch.Answer answer = search.search(cell);
            assertThat(answer.ratePerSecond()).isBetween(exact / 1.02, exact);
            assertThat(answer.monotone()).isTrue();
        }
        assertThat(search.tried()).as("cells share their runs").hasSizeLessThan(30);
    }

    /// M/D/1 simulated by Lindley's recursion with common random numbers; the answer is where the exact curve crosses,
    /// found by trying every rate of the grid.
    @Test
    void findsTheSameAnswerAsTryingEveryRate() {
        var grid = new RateGrid(1, 0.02, 255);
        Trial queue = rate -> outcome(shareOfWaitsWithin(rate, 0.010, 0.040));
        var search = new GoodputSearch(grid, 0.9, queue);
        int best = -1;
        for (int i = 0; i < grid.size(); i++) {
            best = queue.run(grid.rate(i)).share(0) >= 0.9 ? i : best;
        }
        assertThat(search.search(0).index()).as(REPEAT).isEqualTo(best);
        assertThat(grid.rate(best)).as(REPEAT).isBetween(50.0, 99.0);
    }

    private static double shareOfWaitsWithin(double rate, double serviceSeconds, double bound) {
        var random = new SplittableRandom(SEED);
        double wait = 0;
        int within = 0;
        int requests = 20_000;
        for (int i = 0; i < requests; i++) {
            within += wait + serviceSeconds <= bound ? 1 : 0;
            double gap = -Math.log(1 - random.nextDouble()) / rate;
            wait = Math.max(0, wait + serviceSeconds - gap);
        }
        return (double) within / requests;
    }

    @Test
    void goesOnAboveADip() {
        var grid = new RateGrid(1, 0.02, 511);
        Trial dips = rate -> outcome(rate > 400 || rate > 300 && rate < 310 ? 0.5 : 0.95);
        var search = new GoodputSearch(grid, 0.9, dips);
        // The bisection happens to land in the dip for no grid point it tries first, or the guards
        // find the way out.
        GoodputSearch.Answer answer = search.search(0);
        assertThat(answer.ratePerSecond()).isCloseTo(400, within(8.0));
        var narrow =
                new GoodputSearch(new RateGrid(305.0 / Math.pow(1.02, 255), 0.02, 511), 0.9, dips);
        GoodputSearch.Answer fromTheDip = narrow.search(0);
        assertThat(fromTheDip.monotone()).isFalse();
        assertThat(fromTheDip.ratePerSecond()).isCloseTo(400, within(8.0));
    }

    @Test
    void saysWhenEvenTheLowestRateIsTooMuch() {
        var search = new GoodputSearch(RateGrid.standard(), 0.9, rate -> outcome(0.2));
        GoodputSearch.Answer answer = search.search(0);
        assertThat(answer.index()).isEqualTo(-1);
        assertThat(answer.ratePerSecond()).isZero();
    }

    @Test
    void aStoredRunIsNotRunAgainAndATornLineIs() throws IOException {
        Path file = folder.resolve("state.jsonl");
        var runs = new AtomicInteger();
        List<Double> rates = new ArrayList<>();
        Trial counting =
                rate -> {
                    runs.incrementAndGet();
                    rates.add(rate);
                    return outcome(rate < 7 ? 0.95 : 0.1);
                };
        var first =
                new GoodputSearch(
                        RateGrid.standard(), 0.9, new TrialStore(file).remembering("a", counting));
        GoodputSearch.Answer answer = first.search(0);
        int needed = runs.get();
        assertThat(needed).isPositive();
        String text = Files.readString(file);
        Files.writeString(file, text.substring(0, text.length() - 20));
        var again =
                new GoodputSearch(
                        RateGrid.standard(), 0.9, new TrialStore(file).remembering("a", counting));
        assertThat(again.search(0)).isEqualTo(answer);
        assertThat(runs.get()).isEqualTo(needed + 1);
        assertThat(rates.getLast()).isEqualTo(rates.get(needed - 1));
        new GoodputSearch(RateGrid.standard(), 0.9, new TrialStore(file).remembering("b", counting))
                .search(0);
        assertThat(runs.get()).as("another key is another run").isEqualTo(2 * needed + 1);
    }
}
