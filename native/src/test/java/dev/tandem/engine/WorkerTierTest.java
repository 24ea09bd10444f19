package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;

import dev.tandem.kv.tier.TierOptions;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.Row;
import dev.tandem.wire.Sampling;
import dev.tandem.wire.SequenceStart;
import dev.tandem.wire.StepPlan;
import dev.tandem.wire.StepResult;
import dev.tandem.wire.TierLoad;
import dev.tandem.wire.TierReport;
import dev.tandem.wire.TierStore;
import dev.tandem.wire.WorkerMessage.MessageCase;
import dev.tandem.wire.WorkerRole;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A worker's tiers, asked over a real socket: a prefix that was stored and brought back into other blocks gives the
/// token that it gave before, in the same stream, in the next one and in the next process.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class WorkerTierTest {
    private static final int[] PROMPT = {5, 17, 3, 8, 2}; // one full block, and one token
    private static final ByteString HASH = ByteString.copyFrom(new byte[32]);
    private static final Sampling GREEDY =
            Sampling.newBuilder().setTopP(1).setRepetitionPenalty(1).build();

    @TempDir Path folder;

    /// The worker and its end.
    private record Running(WorkerProcess worker, CompletableFuture<Integer> exitCode) {}

    private Running run(TestCoordinator coordinator) {
        long blockBytes = ToyBackend.SHAPE.blockBytes();
        var options =
                new WorkerOptions(
                        "worker-1",
                        WorkerRole.WORKER_ROLE_DECODE,
                        Path.of("unused"),
                        "127.0.0.1",
                        coordinator.port(),
                        "127.0.0.1",
                        0,
                        "",
                        "cpu",
                        16 * blockBytes,
                        ToyBackend.SHAPE.blockTokens(),
                        4,
                        64,
                        1,
                        List.of(),
                        TransferOptions.DEFAULT,
                        new TierOptions(2 * blockBytes, folder, 64 + 3 * (blockBytes + 64)));
        var worker =
                new WorkerProcess(
                        options,
                        new LoadedModel(new ToyBackend(), "f1e2", 1, 1, new ModelWork(1, 1, 1)),
                        (incarnation, shape, blocks) -> new FakeTransport().kvSide(shape, blocks));
        var exitCode = new CompletableFuture<Integer>();
        Thread.ofPlatform().name("engine").start(() -> exitCode.complete(worker.run()));
        return new Running(worker, exitCode);
    }

    private static void stop(Running running) throws Exception {
        running.worker().stop("the test is over");
        assertThat(running.exitCode().get(60, TimeUnit.SECONDS)).isZero();
    }

    private static TestCoordinator.Connection welcomed(TestCoordinator coordinator)
            throws InterruptedException {
        TestCoordinator.Connection stream = coordinator.nextConnection();
        assertThat(stream.next(MessageCase.HELLO).getHello().getTierBlocks()).isEqualTo(5);
        stream.welcome(50);
        return stream;
    }

    @Test
    void aPrefixComesBackWithItsToken() throws Exception {
        try (var coordinator = new TestCoordinator(0)) {
            Running running = run(coordinator);
            try {
                TestCoordinator.Connection stream = welcomed(coordinator);
                stream.plan(plan(1, 0, 3, 1)); // computes the prompt in blocks 3 and 1
                int token = result(stream).getTokens(0);
                assertThat(token).isEqualTo(expectedToken());
                store(stream, 7, 3);
                assertThat(report(stream))
                        .isEqualTo(TierReport.newBuilder().setRequest(7).setBlocks(1).build());
                store(stream, 8, 3, 4, 5); // pushes the first down to disk
                assertThat(report(stream).getBlocks()).isEqualTo(3);

                load(stream, 9, 12);
                assertThat(report(stream).getBlocks()).isEqualTo(1);
                stream.plan(plan(2, 4, 12, 13)); // takes the block as computed
                assertThat(result(stream).getTokens(0)).isEqualTo(token);

                stream.breakStream();
                TestCoordinator.Connection again = welcomed(coordinator);
                assertThat(report(again).getStored().size()).isEqualTo(3 * 32);
                load(again, 1, 9);
                assertThat(report(again).getBlocks()).isEqualTo(1);
                again.plan(plan(1, 4, 9, 8));
                assertThat(result(again).getTokens(0)).isEqualTo(token);
                store(again, 2, 4, 5, 6, 4); // so that the first goes down again
                assertThat(report(again).getBlocks()).isEqualTo(4);
            } finally {
                stop(running);
            }
        }
        try (var coordinator = new TestCoordinator(0)) {
            Running running = run(coordinator);
            try {
                TestCoordinator.Connection stream = welcomed(coordinator);
                assertThat(report(stream).getStored().toByteArray())
                        .as("found on disk")
                        .startsWith(HASH.toByteArray());
                load(stream, 1, 2);
                assertThat(report(stream).getBlocks()).isEqualTo(1);
                stream.plan(plan(1, 4, 2, 3));
                assertThat(result(stream).getTokens(0)).isEqualTo(expectedToken());
            } finally {
                stop(running);
            }
        }
    }

    private static StepPlan.Builder plan(long number, int computed, int... blocks) {
        var start =
                SequenceStart.newBuilder()
                        .setSequence(number)
                        .setPromptTokens(PROMPT.length)
                        .setComputed(computed)
                        .setSampling(GREEDY);
        for (int token : PROMPT) {
            start.addTokens(token);
        }
        for (int block : blocks) {
            start.addBlocks(block);
        }
        return StepPlan.newBuilder()
                .setNumber(number)
                .addStarts(start)
                .addRows(
                        Row.newBuilder()
                                .setSequence(number)
                                .setFrom(computed)
                                .setCount(PROMPT.length - computed)
                                .setSample(true));
    }

    private static StepResult result(TestCoordinator.Connection stream)
            throws InterruptedException {
        StepResult result = stream.next(MessageCase.STEP_RESULT).getStepResult();
        assertThat(result.getError()).isEmpty();
        return result;
    }

    private static TierReport report(TestCoordinator.Connection stream)
            throws InterruptedException {
        return stream.next(MessageCase.TIER_REPORT).getTierReport();
    }

    /// Under a hash that is the block's number, apart from block 3: that has [#HASH].
    private static void store(TestCoordinator.Connection stream, long request, int... blocks) {
        var store = TierStore.newBuilder().setRequest(request);
        ByteString hashes = ByteString.EMPTY;
        for (int block : blocks) {
            store.addBlocks(block);
            byte[] hash = new byte[32];
            hash[0] = (byte) (block == 3 ? 0 : block);
            hashes = hashes.concat(ByteString.copyFrom(hash));
        }
        stream.tell(CoordinatorMessage.newBuilder().setTierStore(store.setHashes(hashes)));
    }

    private static void load(TestCoordinator.Connection stream, long request, int block) {
        stream.tell(
                CoordinatorMessage.newBuilder()
                        .setTierLoad(
                                TierLoad.newBuilder()
                                        .setRequest(request)
                                        .addBlocks(block)
                                        .setHashes(HASH)));
    }

    private static int expectedToken() {
        return new Sampler(ToyBackend.VOCABULARY)
                .sample(
                        ToyBackend.logitsAfter(PROMPT, PROMPT.length),
                        0,
                        new SamplingState(GREEDY),
                        PROMPT.length);
    }
}
