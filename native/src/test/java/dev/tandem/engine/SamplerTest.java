package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tandem.device.Logits;
import dev.tandem.wire.LogitBias;
import dev.tandem.wire.Sampling;
import dev.tandem.wire.TokenLogprobs;

import org.junit.jupiter.api.Test;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

class SamplerTest {
    private static final double TOLERANCE = 1e-6;

    @Test
    void agreesWithEveryReferenceCase() throws Exception {
        JsonNode reference = reference();
        var sampler = new Sampler(reference.get("vocab").asInt());
        int compared = 0;
        for (JsonNode expected : reference.get("cases")) {
            JsonNode vector = reference.get("vectors").get(expected.get("vector").asInt());
            sampler.computeDistribution(logits(vector), 0, state(expected.get("params"), vector));

            var actual = new TreeMap<Integer, Double>();
            for (int i = 0; i < sampler.supportSize(); i++) {
                if (sampler.probability(i) > 0) {
                    actual.put(sampler.supportToken(i), sampler.probability(i));
                }
            }
            String name = "case " + expected.get("id") + " " + expected.get("params");
            var support = new ArrayList<Integer>();
            expected.get("support").forEach(id -> support.add(id.asInt()));
            assertThat(actual.keySet()).as(name).containsExactlyInAnyOrderElementsOf(support);
            for (int i = 0; i < support.size(); i++) {
                assertThat(actual.get(support.get(i)))
                        .as(name)
                        .isCloseTo(expected.get("probs").get(i).asDouble(), within(TOLERANCE));
            }
            compared++;
        }
        assertThat(compared).isEqualTo(500);
    }

    @Test
    void logprobsAreThoseOfTheRawLogits() throws Exception {
        JsonNode reference = reference();
        var sampler = new Sampler(reference.get("vocab").asInt());
        for (JsonNode vector : reference.get("vectors")) {
            Sampling sampling =
                    plain().setTemperature(0.5f)
                            .setTopK(3)
                            .addLogitBias(LogitBias.newBuilder().setToken(5).setBias(50))
                            .build();
            int token = sampler.sample(logits(vector), 0, new SamplingState(sampling), 0);
            assertThat(token).isEqualTo(5);

            TokenLogprobs actual = sampler.logprobs(token, 20);

            double[] expected = doubles(vector.get("raw_logprobs"));
            List<Integer> falling =
                    IntStream.range(0, expected.length)
                            .boxed()
                            .sorted(Comparator.comparingDouble((Integer id) -> -expected[id]))
                            .limit(20)
                            .toList();
            assertThat((double) actual.getLogprob()).isCloseTo(expected[5], within(TOLERANCE));
            assertThat(actual.getTopTokensList()).isEqualTo(falling);
            for (int i = 0; i < 20; i++) {
                assertThat((double) actual.getTopLogprobs(i))
                        .isCloseTo(expected[falling.get(i)], within(TOLERANCE));
            }
        }
    }

    @Test
    void tiesGoToTheLowestId() {
        float[] flat = new float[10];
        flat[3] = flat[7] = flat[9] = 2;
        var sampler = new Sampler(10);
        Logits row = logits(flat);

        assertThat(sampler.sample(row, 0, new SamplingState(plain().build()), 0)).isEqualTo(3);
        assertThat(sampler.logprobs(3, 5).getTopTokensList()).containsExactly(3, 7, 9, 0, 1);

        // A top-p that two of the three equal tokens fill keeps the lower two.
        double share = Math.exp(2) / (3 * Math.exp(2) + 7);
        Sampling half = plain().setTemperature(1).setTopP((float) (1.5 * share)).build();
        sampler.computeDistribution(row, 0, new SamplingState(half));
        assertThat(support(sampler)).containsExactly(3, 7);
    }

    @Test
    void topPZeroKeepsTheMostProbable() {
        var sampler = new Sampler(4);
        Sampling sampling = plain().setTemperature(1).setTopP(0).build();

        assertThat(sampler.sample(logits(0, 1, 5, 5), 0, new SamplingState(sampling), 9))
                .isEqualTo(2);
    }

    @Test
    void drawsFollowTheDistribution() {
        var sampler = new Sampler(5);
        float[] row = {0.3f, -1, 2, 0, 1.1f};
        var state = new SamplingState(plain().setTemperature(1).setSeed(77).build());
        int draws = 100_000;
        int[] counts = new int[5];
        for (int position = 0; position < draws; position++) {
            counts[sampler.sample(logits(row), 0, state, position)]++;
        }

        double sum = 0;
        for (float logit : row) {
            sum += Math.exp(logit);
        }
        for (int id = 0; id < 5; id++) {
            double probability = Math.exp(row[id]) / sum;
            double sigma = Math.sqrt(draws * probability * (1 - probability));
            assertThat((double) counts[id])
                    .isCloseTo(draws * probability, within(4 * sigma)); // the seed is fixed
        }
    }

    @Test
    void notANumberIsNeverDrawnAndABrokenRowIsTold() {
        var sampler = new Sampler(4);
        var state = new SamplingState(plain().setTemperature(1).build());
        float nan = Float.NaN;
        float minus = Float.NEGATIVE_INFINITY;

        sampler.computeDistribution(logits(nan, 1, minus, 2), 0, state);
        assertThat(sampler.probability(0)).isZero();
        assertThat(sampler.probability(2)).isZero();
        assertThat(sampler.lastRowWasBroken()).isFalse();

        assertThat(sampler.sample(logits(nan, 1, Float.POSITIVE_INFINITY, 2), 0, state, 1))
                .isEqualTo(2);
        assertThat(sampler.sample(logits(nan, nan, minus, nan), 0, state, 1)).isZero();
        assertThat(sampler.lastRowWasBroken()).isTrue();
    }

    /// A plain reading of the rules with full sorts, over vocabularies and settings that the reference lacks.
    @Test
    void agreesWithAFullSortOnRandomRows() throws Throwable {
        Seeds.run("SamplerTest", SamplerTest::compareWithFullSort);
    }

    private static void compareWithFullSort(Random random) {
        for (int round = 0; round < 300; round++) {
            int vocabulary = 2 + random.nextInt(3000);
            float spread = random.nextFloat() * 8;
            boolean coarse = random.nextBoolean(); // many equal logits
            float[] row = new float[vocabulary];
            for (int id = 0; id < vocabulary; id++) {
                float logit = (float) random.nextGaussian() * spread;
                row[id] = coarse ? Math.round(logit) : logit;
            }
            Sampling sampling =
                    plain().setTemperature(0.3f + random.nextFloat())
                            .setTopK(random.nextBoolean() ? 0 : 1 + random.nextInt(vocabulary))
                            .setTopP(random.nextBoolean() ? 1 : random.nextFloat())
                            .setMinP(random.nextBoolean() ? 0 : random.nextFloat() * 0.2f)
                            .build();
            var sampler = new Sampler(vocabulary);

            sampler.computeDistribution(logits(row), 0, new SamplingState(sampling));

            // A mass right at the cut may fall on either side by rounding: one token more or less.
            int expected = fullSortSupport(row, sampling);
            assertThat(sampler.supportSize())
                    .as("round %d, %d tokens, %s", round, vocabulary, sampling)
                    .isBetween(expected - 1, expected + 1);
            Integer[] kept = Arrays.copyOf(falling(row), sampler.supportSize());
            Arrays.sort(kept);
            assertThat(Arrays.equals(support(sampler), kept))
                    .as("the most probable, ascending: round %d, %s", round, sampling)
                    .isTrue();
        }
    }

    private static int fullSortSupport(float[] row, Sampling sampling) {
        Integer[] falling = falling(row);
        int kept = row.length;
        if (sampling.getTopK() > 0 && sampling.getTopK() < kept) {
            float threshold = row[falling[sampling.getTopK() - 1]];
            kept = (int) Arrays.stream(falling).filter(id -> row[id] >= threshold).count();
        }
        double[] weights = new double[kept];
        double total = 0;
        for (int i = 0; i < kept; i++) {
            weights[i] = Math.exp((row[falling[i]] - row[falling[0]]) / sampling.getTemperature());
            total += weights[i];
        }
        if (sampling.getTopP() < 1) {
            double before = 0;
            int stay = 0;
            while (stay < kept && (stay == 0 || before < sampling.getTopP() * total)) {
                before += weights[stay++];
            }
            kept = stay;
        }
        while (weights[kept - 1] < sampling.getMinP()) {
            kept--;
        }
        return kept;
    }

    private static Integer[] falling(float[] row) {
        return IntStream.range(0, row.length)
                .boxed()
                .sorted(
                        Comparator.comparingDouble((Integer id) -> -row[id])
                                .thenComparing(Comparator.naturalOrder()))
                .toArray(Integer[]::new);
    }

    private static Integer[] support(Sampler sampler) {
        return IntStream.range(0, sampler.supportSize())
                .mapToObj(sampler::supportToken)
                .toArray(Integer[]::new);
    }

    private static Sampling.Builder plain() {
        return Sampling.newBuilder().setTopP(1).setRepetitionPenalty(1);
    }

    private static SamplingState state(JsonNode params, JsonNode vector) {
        var sampling =
                plain().setTemperature((float) params.path("temperature").asDouble(1))
                        .setTopK(params.path("top_k").asInt(0))
                        .setTopP((float) params.path("top_p").asDouble(1))
                        .setMinP((float) params.path("min_p").asDouble(0))
                        .setRepetitionPenalty((float) params.path("repetition_penalty").asDouble(1))
                        .setPresencePenalty((float) params.path("presence_penalty").asDouble(0))
                        .setFrequencyPenalty((float) params.path("frequency_penalty").asDouble(0));
        params.path("logit_bias")
                .properties()
                .forEach(
                        bias ->
                                sampling.addLogitBias(
                                        LogitBias.newBuilder()
                                                .setToken(Integer.parseInt(bias.getKey()))
                                                .setBias((float) bias.getValue().asDouble())));
        var state = new SamplingState(sampling.build());
        vector.get("prompt_ids").forEach(id -> state.addPrompt(id.asInt()));
        vector.get("output_ids").forEach(id -> state.addOutput(id.asInt()));
        return state;
    }

    private static Logits logits(JsonNode vector) {
        double[] values = doubles(vector.get("logits"));
        float[] row = new float[values.length];
        for (int id = 0; id < row.length; id++) {
            row[id] = (float) values[id];
        }
        return logits(row);
    }

    private static Logits logits(float... row) {
        return new Logits(MemorySegment.ofArray(row), 1, row.length);
    }

    private static double[] doubles(JsonNode array) {
        double[] values = new double[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asDouble();
        }
        return values;
    }

    private static JsonNode reference() throws Exception {
        try (InputStream in = SamplerTest.class.getResourceAsStream("/reference/samplers.json")) {
            return new ObjectMapper().readTree(Objects.requireNonNull(in));
        }
    }
}
