package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.transport.LayerProgress;
import dev.tandem.wire.BlockAppend;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LogitBias;
import dev.tandem.wire.Row;
import dev.tandem.wire.Sampling;
import dev.tandem.wire.SequenceStart;
import dev.tandem.wire.StepPlan;
import dev.tandem.wire.StepResult;

import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

class StepExecutorTest {
    private static final int BLOCKS = 32;
    private static final int SEQUENCES_MAX = 4;
    private static final int STEP_TOKENS_MAX = 40;

    private final ToyBackend backend = new ToyBackend();
    private final KvPool pool = KvPools.privateMemory(ToyBackend.SHAPE, BLOCKS);
    private final List<KvSend> sends = new ArrayList<>();
    private final List<LayerProgress> progress = new ArrayList<>();
    private final Clock clock = new Clock();
    private final StepExecutor executor =
            new StepExecutor(
                    backend, pool, SEQUENCES_MAX, STEP_TOKENS_MAX, 1, this::send, clock::tick);
    private long number;

    @AfterEach
    void close() {
        pool.close();
    }

    @Test
    void aWholePromptThenDecodesGiveTheTokensOfTheModel() {
        int[] prompt = {5, 17, 3, 88, 41, 6};
        List<Integer> actual = new ArrayList<>();

        actual.addAll(ok(plan().addStarts(start(1, prompt, 3, 9)).addRows(row(1, 0, 6))));
        actual.addAll(ok(plan().addRows(row(1, 6, 1))));
        actual.addAll(ok(plan().addAppends(append(1, 20)).addRows(row(1, 7, 1))));
        actual.addAll(ok(plan().addRows(row(1, 8, 1))));

        assertThat(actual).isEqualTo(generate(prompt, 4, sampling().build()));
    }

    @Test
    void aChunkedPromptInABatchGivesTheSameTokens() {
        int[] prompt = {5, 17, 3, 88, 41, 6, 9, 10, 11};
        int[] other = {1, 2};
        ok(
                plan().addStarts(start(1, prompt, 30, 2, 7))
                        .addStarts(start(2, other, 0))
                        .addRows(chunk(1, 0, 3))
                        .addRows(row(2, 0, 2)));
        ok(plan().addRows(row(2, 2, 1)).addRows(chunk(1, 3, 2)));

        StepResult last = execute(plan().addRows(row(1, 5, 4)).addRows(row(2, 3, 1)));

        assertThat(last.getError()).isEmpty();
        assertThat(last.getSequencesList()).containsExactly(1L, 2L);
        assertThat(last.getTokensList())
                .containsExactly(
                        generate(prompt, 1, sampling().build()).getFirst(),
                        generate(other, 3, sampling().build()).getLast());
    }

    @Test
    void samplingAndPenaltiesSurviveARecomputeElsewhere() {
        int[] prompt = {5, 17, 3};
        Sampling sampling =
                sampling()
                        .setTemperature(1)
                        .setSeed(99)
                        .setFrequencyPenalty(1.5f)
                        .setRepetitionPenalty(1.2f)
                        .build();
        List<Integer> expected = generate(prompt, 6, sampling);
        List<Integer> actual = new ArrayList<>();
        SequenceStart.Builder start = start(1, prompt, 0, 1, 2).setSampling(sampling);
        actual.addAll(ok(plan().addStarts(start).addRows(row(1, 0, 3))));
        actual.addAll(ok(plan().addRows(row(1, 3, 1))));
        actual.addAll(ok(plan().addRows(row(1, 4, 1))));

        // Preempted: everything known is computed again, into other blocks, in the same plan as the
        // end.
        int[] known = Arrays.copyOf(prompt, 6);
        for (int i = 0; i < 3; i++) {
            known[3 + i] = actual.get(i);
        }
        SequenceStart.Builder again =
                start(1, known, 9, 8, 7).setPromptTokens(3).setSampling(sampling);
        actual.addAll(ok(plan().addEnds(1).addStarts(again).addRows(row(1, 0, 6))));
        actual.addAll(ok(plan().addRows(row(1, 6, 1))));
        actual.addAll(ok(plan().addRows(row(1, 7, 1))));

        assertThat(actual).isEqualTo(expected);
    }

    @Test
    void computedTokensAreReadFromTheBlocksNamed() {
        int[] prompt = {5, 17, 3, 88, 41, 6};
        ok(plan().addStarts(start(1, prompt, 3, 9)).addRows(row(1, 0, 6)));

        // Shares the full block 3 as a prefix hit and computes the rest into a block of its own.
        List<Integer> hit =
                ok(
                        plan().addEnds(1)
                                .addStarts(start(2, prompt, 3, 12).setComputed(4))
                                .addRows(row(2, 4, 2)));

        assertThat(hit).isEqualTo(generate(prompt, 1, sampling().build()));
    }

    @Test
    void logprobsStandBesideTheSequencesThatAskedForThem() {
        Sampling asks = sampling().setLogprobs(true).setTopLogprobs(2).build();
        StepResult result =
                execute(
                        plan().addStarts(start(1, new int[] {1}, 0))
                                .addStarts(start(2, new int[] {2}, 1).setSampling(asks))
                                .addStarts(start(3, new int[] {3}, 2))
                                .addRows(row(1, 0, 1))
                                .addRows(row(2, 0, 1))
                                .addRows(row(3, 0, 1)));

        assertThat(result.getLogprobsCount()).isEqualTo(3);
        assertThat(result.getLogprobs(0).getTopTokensCount()).isZero();
        assertThat(result.getLogprobs(1).getTopTokens(0)).isEqualTo(result.getTokens(1));
        assertThat(result.getLogprobs(1).getTopLogprobs(0))
                .isEqualTo(result.getLogprobs(1).getLogprob());
        assertThat(result.getLogprobs(2).getTopTokensCount()).isZero();
    }

    @Test
    void sendsAreGivenBeforeTheRowsInOrderAndStagesAreTimed() {
        KvSend first = KvSend.newBuilder().setLease(1).addBlocks(0).addSlots(0).build();
        KvSend second = KvSend.newBuilder().setLease(2).addBlocks(0).addSlots(3).build();

        StepResult result =
                execute(
                        plan().addStarts(start(1, new int[] {1}, 0))
                                .addRows(row(1, 0, 1))
                                .addSends(first)
                                .addSends(second));

        assertThat(sends).containsExactly(first, second);
        assertThat(progress).extracting(LayerProgress::layersReady).containsExactly(1, 1);
        assertThat(backend.forwards).isEqualTo(1);
        // Clock reads: begin, forward begins, forward ends, sampling ends, end; 10 ns apart.
        assertThat(result.getNanos().getForward()).isEqualTo(10);
        assertThat(result.getNanos().getSample()).isEqualTo(10);
        assertThat(result.getNanos().getTotal()).isEqualTo(40);
    }

    /// Nothing is computed when the send is given; that tells a layer that is read too early.
    private void send(KvSend send, LayerProgress layers) {
        assertThat(layers.layersReady()).isZero();
        sends.add(send);
        progress.add(layers);
    }

    @Test
    void sendsOfAPlanWithoutRowsCanGoAtOnce() {
        ok(plan().addSends(KvSend.newBuilder().setLease(1).addBlocks(0).addSlots(0)));

        assertThat(progress).extracting(LayerProgress::layersReady).containsExactly(1);
    }

    @Test
    void aPlanWithoutRowsNeedsNoForward() {
        ok(plan().addStarts(start(1, new int[] {1}, 0)));

        assertThat(backend.forwards).isZero();
        assertThat(executor.liveSequences()).isEqualTo(1);
    }

    @Test
    void plansOutOfOrderDoNotCountAndRefusedOnesDo() {
        StepResult gap = executor.execute(StepPlan.newBuilder().setNumber(2).build());
        assertThat(gap.getError()).isEqualTo("plan 2 after plan 0");
        assertThat(executor.plansDone()).isZero();

        StepResult refused =
                executor.execute(StepPlan.newBuilder().setNumber(1).addEnds(9).build());
        assertThat(refused.getError()).contains("sequence 9 is unknown");
        assertThat(executor.plansDone()).isEqualTo(1);

        StepResult repeated = executor.execute(StepPlan.newBuilder().setNumber(1).build());
        assertThat(repeated.getError()).isEqualTo("plan 1 after plan 1");
        assertThat(executor.execute(StepPlan.newBuilder().setNumber(2).build()).getError())
                .isEmpty();
    }

    @Test
    void aPoolOfAnotherShapeIsRefused() {
        try (var other = KvPools.privateMemory(new KvShape(1, 1, 8, 1), 2)) {
            Assertions.assertThatIllegalArgumentException()
                    .isThrownBy(
                            () ->
                                    new StepExecutor(
                                            backend, other, 1, 1, 1, this::send, clock::tick))
                    .withMessageContaining("blockTokens=8");
        }
    }

    static Stream<Arguments> badPlans() {
        return Stream.of(
                bad("ends: sequence 7 is unknown", p -> p.addEnds(7)),
                bad("ends: sequence 1 stands twice", p -> p.addEnds(1).addEnds(1)),
                bad("sequence 1 is live already", p -> p.addStarts(start(1, new int[] {1}, 20))),
                bad(
                        "starts: sequence 5 stands twice",
                        p ->
                                p.addStarts(start(5, new int[] {1}, 20))
                                        .addStarts(start(5, new int[] {1}, 21))),
                bad(
                        "5 sequences would be live, the limit is 4",
                        p -> {
                            for (int i = 0; i < 2; i++) {
                                p.addStarts(start(5 + i, new int[] {1}, 20 + i));
                            }
                        }),
                bad("0 tokens", p -> p.addStarts(start(5, new int[] {}, 20))),
                bad("65 tokens are not in 1..64", p -> p.addStarts(start(5, new int[65], 20))),
                bad("token 97 is not below", p -> p.addStarts(start(5, new int[] {97}, 20))),
                bad(
                        "token 4294967295 is not below",
                        p -> p.addStarts(start(5, new int[] {-1}, 20))),
                bad(
                        "prompt of 2 tokens, 1 tokens",
                        p -> p.addStarts(start(5, new int[] {1}, 20).setPromptTokens(2))),
                bad(
                        "prompt of 0 tokens",
                        p -> p.addStarts(start(5, new int[] {1}, 20).setPromptTokens(0))),
                bad(
                        "2 tokens computed of 1",
                        p -> p.addStarts(start(5, new int[] {1}, 20).setComputed(2))),
                bad(
                        "1 blocks don't hold the 5 tokens",
                        p -> p.addStarts(start(5, new int[6], 20).setComputed(5))),
                bad("block 32 is not below 32", p -> p.addStarts(start(5, new int[] {1}, 32))),
                bad("block 20 stands twice", p -> p.addStarts(start(5, new int[] {1}, 20, 20))),
                bad("temperature NaN", p -> p.addStarts(drawn(s -> s.setTemperature(Float.NaN)))),
                bad("temperature -1", p -> p.addStarts(drawn(s -> s.setTemperature(-1)))),
                bad("top_k 4294967295", p -> p.addStarts(drawn(s -> s.setTopK(-1)))),
                bad("top_p 1.5", p -> p.addStarts(drawn(s -> s.setTopP(1.5f)))),
                bad("min_p -0.1", p -> p.addStarts(drawn(s -> s.setMinP(-0.1f)))),
                bad(
                        "repetition_penalty 0.0",
                        p -> p.addStarts(drawn(s -> s.setRepetitionPenalty(0)))),
                bad(
                        "is not finite",
                        p ->
                                p.addStarts(
                                        drawn(s -> s.setPresencePenalty(Float.POSITIVE_INFINITY)))),
                bad("top_logprobs 21", p -> p.addStarts(drawn(s -> s.setTopLogprobs(21)))),
                bad(
                        "logit_bias names token 97",
                        p ->
                                p.addStarts(
                                        drawn(
                                                s ->
                                                        s.addLogitBias(
                                                                LogitBias.newBuilder()
                                                                        .setToken(97))))),
                bad("appends: sequence 7 is unknown", p -> p.addAppends(append(7, 20))),
                bad("appends: sequence 1 is unknown", p -> p.addEnds(1).addAppends(append(1, 20))),
                bad(
                        "appends: sequence 1 stands twice",
                        p -> p.addAppends(append(1, 20)).addAppends(append(1, 21))),
                bad("block 99 is not below", p -> p.addAppends(append(1, 99))),
                bad("block 2 stands twice", p -> p.addAppends(append(1, 2))),
                bad("rows: sequence 7 is unknown", p -> p.addRows(row(7, 0, 1))),
                bad("rows: sequence 1 is unknown", p -> p.addEnds(1).addRows(row(1, 6, 1))),
                bad(
                        "rows: sequence 1 stands twice",
                        p -> p.addRows(row(1, 6, 1)).addRows(row(1, 6, 1))),
                bad("from 5, but 6 tokens are computed", p -> p.addRows(row(1, 5, 1))),
                bad("from 7, but 6 tokens are computed", p -> p.addRows(row(1, 7, 1))),
                bad("tokens 6 to 8 of 7 known", p -> p.addRows(row(1, 6, 2))),
                bad("tokens 6 to 6 of 7 known", p -> p.addRows(row(1, 6, 0))),
                bad("of 7 known", p -> p.addRows(row(1, 6, -1))),
                bad(
                        "1 blocks don't hold 5 tokens",
                        p -> p.addStarts(start(5, new int[5], 20)).addRows(row(5, 0, 5))),
                bad(
                        "samples after token 2, but 3 are known",
                        p -> p.addStarts(start(5, new int[3], 20)).addRows(row(5, 0, 2))),
                bad(
                        "block 2 is written by another row too",
                        p ->
                                p.addStarts(start(5, new int[3], 2))
                                        .addRows(row(1, 6, 1))
                                        .addRows(row(5, 0, 3))),
                bad(
                        "44 tokens, the limit of a plan is 40",
                        p ->
                                p.addStarts(
                                                start(
                                                        5,
                                                        new int[41],
                                                        10,
                                                        11,
                                                        12,
                                                        13,
                                                        14,
                                                        15,
                                                        16,
                                                        17,
                                                        18,
                                                        19,
                                                        20))
                                        .addRows(row(5, 0, 41))),
                bad(
                        "lease 3: 1 blocks, 2 slots",
                        p ->
                                p.addSends(
                                        KvSend.newBuilder()
                                                .setLease(3)
                                                .addBlocks(1)
                                                .addSlots(0)
                                                .addSlots(1))),
                bad(
                        "lease 3: block 40 is not below",
                        p ->
                                p.addSends(
                                        KvSend.newBuilder()
                                                .setLease(3)
                                                .addBlocks(40)
                                                .addSlots(0))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badPlans")
    void aBadPlanIsRefusedAndNothingOfItIsApplied(
            String expectedError, Consumer<StepPlan.Builder> mistake) {
        int[] prompt = {5, 17, 3, 88, 41, 6};
        List<Integer> tokens = new ArrayList<>();
        int[] other = {1, 2, 3};
        tokens.addAll(
                ok(
                        plan().addStarts(start(1, prompt, 3, 2))
                                .addStarts(start(2, other, 5))
                                .addRows(row(1, 0, 6))));

        // Good parts stand before and after the mistake; none of them may show.
        StepPlan.Builder bad = plan();
        bad.addStarts(start(4, other, 6)).addAppends(append(2, 7)).addRows(row(2, 0, 3));
        mistake.accept(bad);
        bad.addSends(KvSend.newBuilder().setLease(1).addBlocks(1).addSlots(0));
        StepResult refused = execute(bad);

        assertThat(refused.getError()).contains(expectedError);
        assertThat(refused.getTokensList()).isEmpty();
        assertThat(sends).isEmpty();
        assertThat(backend.forwards).isEqualTo(1);
        assertThat(executor.liveSequences()).isEqualTo(2);
        tokens.addAll(ok(plan().addRows(row(1, 6, 1))));
        tokens.addAll(ok(plan().addAppends(append(1, 7)).addRows(row(1, 7, 1))));
        assertThat(tokens).isEqualTo(generate(prompt, 3, sampling().build()));
        // Block 7 was not appended to sequence 2 either, and its row did not run.
        assertThat(ok(plan().addAppends(append(2, 8)).addRows(row(2, 0, 3))))
                .isEqualTo(generate(other, 1, sampling().build()));
    }

    @Test
    void aSequenceEndsAtTheContext() {
        int[] tokens = new int[64];
        int[] blocks = new int[17];
        Arrays.setAll(blocks, i -> i);
        ok(plan().addStarts(start(1, tokens, blocks)).addRows(chunk(1, 0, 40)));
        assertThat(ok(plan().addRows(row(1, 40, 24)))).hasSize(1);

        StepResult past = execute(plan().addRows(row(1, 64, 1)));

        assertThat(past.getError()).contains("token 65 is past the context of 64");
    }

    private StepPlan.Builder plan() {
        return StepPlan.newBuilder().setNumber(++number);
    }

    private StepResult execute(StepPlan.Builder plan) {
        StepResult result = executor.execute(plan.build());
        assertThat(result.getNumber()).isEqualTo(number);
        return result;
    }

    private List<Integer> ok(StepPlan.Builder plan) {
        StepResult result = execute(plan);
        assertThat(result.getError()).isEmpty();
        return result.getTokensList();
    }

    /// The model's tokens after a prompt, computed without executor, pool or batch.
    private static List<Integer> generate(int[] prompt, int count, Sampling sampling) {
        var sampler = new Sampler(ToyBackend.VOCABULARY);
        var state = new SamplingState(sampling);
        int[] tokens = Arrays.copyOf(prompt, prompt.length + count);
        for (int token : prompt) {
            state.addPrompt(token);
        }
        List<Integer> output = new ArrayList<>();
        for (int position = prompt.length; position < tokens.length; position++) {
            tokens[position] =
                    sampler.sample(ToyBackend.logitsAfter(tokens, position), 0, state, position);
            state.addOutput(tokens[position]);
            output.add(tokens[position]);
        }
        return output;
    }

    private static Arguments bad(String error, Consumer<StepPlan.Builder> mistake) {
        return Arguments.of(error, mistake);
    }

    private static SequenceStart.Builder drawn(Consumer<Sampling.Builder> change) {
        Sampling.Builder sampling = sampling();
        change.accept(sampling);
        return start(5, new int[] {1}, 20).setSampling(sampling);
    }

    private static Sampling.Builder sampling() {
        return Sampling.newBuilder().setTopP(1).setRepetitionPenalty(1);
    }

    private static SequenceStart.Builder start(long sequence, int[] tokens, int... blocks) {
        var start =
                SequenceStart.newBuilder()
                        .setSequence(sequence)
                        .setPromptTokens(tokens.length)
                        .setSampling(sampling());
        for (int token : tokens) {
            start.addTokens(token);
        }
        for (int block : blocks) {
            start.addBlocks(block);
        }
        return start;
    }

    private static BlockAppend append(long sequence, int block) {
        return BlockAppend.newBuilder().setSequence(sequence).addBlocks(block).build();
    }

    private static Row row(long sequence, int from, int count) {
        return chunk(sequence, from, count).toBuilder().setSample(true).build();
    }

    private static Row chunk(long sequence, int from, int count) {
        return Row.newBuilder().setSequence(sequence).setFrom(from).setCount(count).build();
    }

    private static final class Clock {
        private long nanos;

        long tick() {
            nanos += 10;
            return nanos;
        }
    }
}
