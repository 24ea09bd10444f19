package dev.tandem.sim.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.tandem.admission.Lane;
import dev.tandem.sim.Arrival;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The generator's statistics; the bounds are wide enough for any seed.
final class SyntheticTraceTest {
    private static final long SEED = Long.getLong("tandem.seed", 1);
    private static final String REPEAT = "repeat with -Dtandem.seed=" + SEED;
    private static final int ROWS = 40_000;

    private record Sample(double meanGap, double variation, double meanInput, double meanOutput) {}

    private static Sample sample(String spec) {
        SyntheticTrace trace = SyntheticSpec.parse("requests=" + ROWS + "," + spec, SEED);
        double[] gaps = new double[ROWS - 1];
        double input = 0;
        double output = 0;
        long last = 0;
        var row = new TraceRow();
        try (RowReader reader = trace.open()) {
            for (int i = 0; reader.next(row); i++) {
                if (i > 0) {
                    gaps[i - 1] = (row.nanos() - last) / 1e9;
                }
                last = row.nanos();
                input += row.inputTokens();
                output += row.outputTokens();
            }
        }
        double mean = Arrays.stream(gaps).average().orElse(0);
        double variance = Arrays.stream(gaps).map(g -> (g - mean) * (g - mean)).sum() / gaps.length;
        return new Sample(mean, Math.sqrt(variance) / mean, input / ROWS, output / ROWS);
    }

    @Test
    void gapsHaveTheMeanAndTheVariationAskedFor() {
        gaps("arrivals=poisson,rate=20", 0.05, 1, 0.03);
        gaps("arrivals=constant,rate=20", 0.05, 0, 1e-6);
        gaps("arrivals=gamma:3,rate=20", 0.05, 3, 0.3);
        gaps("arrivals=gamma:0.5,rate=20", 0.05, 0.5, 0.02);
    }

    private static void gaps(String spec, double mean, double variation, double tolerance) {
        Sample sample = sample(spec);
        assertThat(sample.meanGap())
                .as("%s, %s", spec, REPEAT)
                .isCloseTo(mean, within(mean * (0.03 + 0.03 * variation)));
        assertThat(sample.variation())
                .as("%s, %s", spec, REPEAT)
                .isCloseTo(variation, within(tolerance));
    }

    @Test
    void onOffKeepsItsRateAndItsPauses() {
        SyntheticTrace trace =
                SyntheticSpec.parse("requests=20000,arrivals=on-off:2:6,rate=50", SEED);
        var row = new TraceRow();
        long last = 0;
        try (RowReader reader = trace.open()) {
            while (reader.next(row)) {
                last = row.nanos();
                assertThat(last / 1e9 % 8).as(REPEAT).isLessThanOrEqualTo(2 + 1e-6);
            }
        }
        assertThat(20_000 / (last / 1e9)).as(REPEAT).isCloseTo(50, within(3.0));
    }

    @Test
    void lengthsHaveTheirMeans() {
        Sample fixed = sample("input=fixed:77,output=uniform:10:30");
        assertThat(fixed.meanInput()).isEqualTo(77);
        assertThat(fixed.meanOutput()).as(REPEAT).isCloseTo(20, within(0.3));
        Sample lognormal = sample("input=lognormal:1000:0.5,output=lognormal:50:1");
        assertThat(lognormal.meanInput())
                .as(REPEAT)
                .isCloseTo(1000 * Math.exp(0.125), within(20.0));
        assertThat(lognormal.meanOutput()).as(REPEAT).isCloseTo(50 * Math.exp(0.5), within(4.0));
    }

    @Test
    void drawsTheLengthsOfArxivAsTheyAre() {
        String data = System.getProperty("tandem.data");
        Assumptions.assumeTrue(data != null, "-Dtandem.data names no folder with the traces");
        Path file =
                Path.of(
                        data,
                        "traces/vidur-arxiv-summarization/arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv");
        Lengths.Pairs pairs = Lengths.Pairs.read(file);
        assertThat(pairs.size()).isEqualTo(28_257);
        assertThat(pairs.input(0)).isEqualTo(3772);
        assertThat(pairs.output(0)).isEqualTo(54);
        double input = 0;
        for (int i = 0; i < pairs.size(); i++) {
            input += pairs.input(i);
        }
        double mean = input / pairs.size();
        assertThat(sample("pairs=" + file).meanInput())
                .as(REPEAT)
                .isCloseTo(mean, within(0.02 * mean));
    }

    @Test
    void groupsShareTheirPrefixByZipf() {
        SyntheticTrace trace =
                SyntheticSpec.parse("requests=20000,input=fixed:100,prefixes=10:64:1:0.5", SEED);
        Map<Long, Integer> firsts = new HashMap<>();
        Map<Long, Integer> fifths = new HashMap<>();
        try (var workload = new TraceWorkload(trace, WorkloadOptions.all(16, SEED))) {
            for (Arrival a = workload.next(); a != null; a = workload.next()) {
                firsts.merge(a.prompt().hashes()[0], 1, Integer::sum);
                fifths.merge(a.prompt().hashes()[4 * 4], 1, Integer::sum);
            }
        }
        List<Integer> shared =
                firsts.values().stream().filter(n -> n > 1).sorted((a, b) -> b - a).toList();
        assertThat(shared).as(REPEAT).hasSize(10);
        double harmonic = 0;
        for (int k = 1; k <= 10; k++) {
            harmonic += 1.0 / k;
        }
        assertThat((double) shared.getFirst())
                .as(REPEAT)
                .isCloseTo(10_000 / harmonic, within(350.0));
        assertThat(shared.stream().mapToInt(n -> n).sum()).as(REPEAT).isBetween(9600, 10_400);
        assertThat(fifths.values()).as("behind the prefix everything is different").containsOnly(1);
    }

    @Test
    void tenantsGetTheirSharesAtEveryRate() {
        TenantMix mix = TenantMix.parse("shop:3:interactive,crawler:1:batch:bulk");
        SyntheticTrace trace = SyntheticSpec.parse("requests=20000", SEED);
        var options = new WorkloadOptions(0, 0, 0, 1, 1, 0, false, mix, 0, 16, SEED);
        int shop = 0;
        try (var slow = new TraceWorkload(trace, options);
                var fast = new TraceWorkload(trace, options.withScale(5))) {
            for (Arrival a = slow.next(); a != null; a = slow.next()) {
                Arrival same = Objects.requireNonNull(fast.next());
                assertThat(same.terms()).isEqualTo(a.terms());
                assertThat(same.nanos()).isEqualTo((long) (a.nanos() / 5.0));
                if (a.terms().tenant().equals("shop")) {
                    assertThat(a.terms().lane()).isEqualTo(Lane.INTERACTIVE);
                    shop++;
                } else {
                    assertThat(a.terms().workload()).isEqualTo("bulk");
                }
            }
        }
        assertThat(shop / 20_000.0).as(REPEAT).isCloseTo(0.75, within(0.02));
    }

    @Test
    void theSameSeedGivesTheSameRowsAndAnotherOneOthers() {
        SyntheticTrace one = SyntheticSpec.parse("requests=50", SEED);
        SyntheticTrace same = SyntheticSpec.parse("requests=50", SEED);
        SyntheticTrace other = SyntheticSpec.parse("requests=50", SEED + 1);
        assertThat(text(same)).isEqualTo(text(one)).isNotEqualTo(text(other));
    }

    private static String text(Trace trace) {
        var text = new StringBuilder();
        var row = new TraceRow();
        try (RowReader reader = trace.open()) {
            while (reader.next(row)) {
                text.append(row.nanos()).append(' ').append(row.inputTokens()).append(' ');
                text.append(row.outputTokens()).append('\n');
            }
        }
        return text.toString();
    }

    @Test
    void poissonTimesReplaceRecordedOnesAtTheSameRate() {
        SyntheticTrace constant =
                SyntheticSpec.parse("requests=20000,arrivals=constant,rate=5", SEED);
        var options = new WorkloadOptions(0, 0, 0, 1, 1, 10, true, TenantMix.none(), 0, 16, SEED);
        double last = 0;
        double squares = 0;
        try (var workload = new TraceWorkload(constant, options)) {
            for (Arrival a = workload.next(); a != null; a = workload.next()) {
                double gap = a.nanos() / 1e9 - last;
                squares += gap * gap;
                last = a.nanos() / 1e9;
            }
        }
        double mean = last / 19_999;
        assertThat(mean).as(REPEAT).isCloseTo(0.1, within(0.004));
        assertThat(squares / 19_999 / (mean * mean)).as(REPEAT).isCloseTo(2, within(0.15));
    }

    @Test
    void saysWhatIsWrongWithASpecification() {
        refused("speed=3", "speed=3");
        refused("arrivals=gamma", "arrivals must be poisson");
        refused("arrivals=gamma:0", "variation must be more than 0");
        refused("rate=fast", "rate: \"fast\" is not a number");
        refused("rate=0", "rate must be more than 0");
        refused("input=normal:3", "input must be fixed:N");
        refused("output=uniform:9:3", "no length from 9 to 3");
        refused("prefixes=3", "prefixes must be GROUPS:TOKENS");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TenantMix.parse("shop:0"))
                .withMessageContaining("share of tenant shop");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TenantMix.parse("shop:1:fast"))
                .withMessageContaining("\"fast\"");
    }

    private static void refused(String spec, String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SyntheticSpec.parse(spec, 1))
                .withMessageContaining(reason);
    }
}
