package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.tandem.device.Backend;
import dev.tandem.device.LayerListener;
import dev.tandem.device.Logits;
import dev.tandem.device.RaggedBatch;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.Hello;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.Row;
import dev.tandem.wire.Sampling;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.SequenceStart;
import dev.tandem.wire.StepPlan;
import dev.tandem.wire.StepResult;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerMessage.MessageCase;
import dev.tandem.wire.WorkerRole;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A worker against a coordinator on a real socket.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class WorkerProcessTest {
    private static final int BLOCKS = 16;
    private static final int[] PROMPT = {5, 17, 3};

    private final BlockingQueue<FakeTransport> transports = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
    private TestCoordinator coordinator;
    private @Nullable WorkerProcess worker;

    @BeforeEach
    void listen() throws IOException {
        coordinator = new TestCoordinator(0);
    }

    @AfterEach
    void stop() throws Exception {
        WorkerProcess started = worker;
        if (started != null) {
            started.stop("the test is over");
            exitCode.get(60, TimeUnit.SECONDS);
        }
        coordinator.close();
    }

    @Test
    void joinsWithItsFactsAndExecutesPlansSentAhead() throws Exception {
        run(new ToyBackend());
        TestCoordinator.Connection stream = coordinator.nextConnection();
        Hello hello = stream.next(MessageCase.HELLO).getHello();
        assertThat(hello.getWorker()).isEqualTo("worker-1");
        assertThat(hello.getIncarnation()).isNotZero();
        assertThat(hello.getRole()).isEqualTo(WorkerRole.WORKER_ROLE_DECODE);
        assertThat(hello.getModel().getFingerprint()).isEqualTo("f1e2");
        assertThat(hello.getModel().getVocabulary()).isEqualTo(ToyBackend.VOCABULARY);
        assertThat(hello.getModel().getContextTokensMax()).isEqualTo(ToyBackend.CONTEXT_TOKENS_MAX);
        assertThat(hello.getLayout()).isEqualTo(ToyBackend.SHAPE.toWire());
        assertThat(hello.getBlocks()).isEqualTo(BLOCKS);
        assertThat(hello.getSequencesMax()).isEqualTo(4);
        assertThat(hello.getStepTokensMax()).isEqualTo(64);
        assertThat(hello.getZone()).isEqualTo("zone-a");
        assertThat(hello.getDevice().getFlopsPerSecond()).isEqualTo(2e9);
        assertThat(hello.getModel().getFlopsPerToken()).isEqualTo(4);
        assertThat(hello.getModel().getFlopsPerPair()).isEqualTo(5);
        assertThat(hello.getModel().getWeightBytes()).isEqualTo(6);
        assertThat(hello.getEndpoints(0).getAddress()).isEqualTo("127.0.0.1:7");

        stream.welcome(50);
        stream.plan(promptPlan(1));
        stream.plan(decodePlan(2, 3)); // computes a token that this side has not seen
        StepResult first = stream.next(MessageCase.STEP_RESULT).getStepResult();
        StepResult second = stream.next(MessageCase.STEP_RESULT).getStepResult();

        assertThat(first.getError()).isEmpty();
        assertThat(first.getTokensList()).containsExactly(expectedToken(PROMPT));
        assertThat(second.getNumber()).isEqualTo(2);
        assertThat(second.getTokensList())
                .containsExactly(expectedToken(5, 17, 3, first.getTokens(0)));
        long told = stream.next(MessageCase.HEARTBEAT).getHeartbeat().getPlansDone();
        while (told < 2) {
            told = stream.next(MessageCase.HEARTBEAT).getHeartbeat().getPlansDone();
        }
        assertThat(told).isEqualTo(2);
    }

    @Test
    void aBadPlanIsAnsweredAndTheNextOneExecuted() throws Exception {
        run(new ToyBackend());
        TestCoordinator.Connection stream = welcomed();
        stream.plan(decodePlan(1, 0));
        stream.plan(promptPlan(2));

        assertThat(stream.next(MessageCase.STEP_RESULT).getStepResult().getError())
                .isEqualTo("rows: sequence 1 is unknown");
        assertThat(stream.next(MessageCase.STEP_RESULT).getStepResult().getTokensList())
                .containsExactly(expectedToken(PROMPT));
    }

    @Test
    void aBrokenStreamEndsEverythingHeldAndANewIncarnationJoins() throws Exception {
        run(new ToyBackend());
        TestCoordinator.Connection stream = coordinator.nextConnection();
        long incarnation = stream.next(MessageCase.HELLO).getHello().getIncarnation();
        stream.welcome(50);
        stream.tell(grant(11, 4));
        stream.plan(promptPlan(1));
        stream.next(MessageCase.STEP_RESULT);

        stream.breakStream();

        TestCoordinator.Connection again = coordinator.nextConnection();
        assertThat(again.next(MessageCase.HELLO).getHello().getIncarnation())
                .isNotZero()
                .isNotEqualTo(incarnation);
        FakeTransport old = transports.take();
        assertThat(old.registry.isClosed()).isTrue();
        assertThat(old.sender.closed).isTrue();
        assertThat(old.receiverClosed).isTrue();
        again.welcome(50);
        again.plan(decodePlan(1, 3)); // numbers start anew, and the sequence is forgotten
        again.plan(promptPlan(2));
        assertThat(again.next(MessageCase.STEP_RESULT).getStepResult().getError())
                .isEqualTo("rows: sequence 1 is unknown");
        assertThat(again.next(MessageCase.STEP_RESULT).getStepResult().getTokensList())
                .containsExactly(expectedToken(PROMPT));
    }

    @Test
    void findsACoordinatorThatStartsAgain() throws Exception {
        run(new ToyBackend());
        welcomed();
        int port = coordinator.port();
        coordinator.close();

        coordinator = new TestCoordinator(port);

        TestCoordinator.Connection stream = welcomed();
        stream.plan(promptPlan(1));
        assertThat(stream.next(MessageCase.STEP_RESULT).getStepResult().getTokensList())
                .containsExactly(expectedToken(PROMPT));
    }

    @Test
    void leasesAndSendsAreReportedOnceEach() throws Exception {
        run(new ToyBackend());
        TestCoordinator.Connection stream = welcomed();
        FakeTransport transport = transports.take();
        stream.tell(grant(11, 4));
        stream.tell(
                CoordinatorMessage.newBuilder()
                        .setLeaseAbort(LeaseAbort.newBuilder().setLease(11)));
        LeaseUpdate aborted = stream.next(MessageCase.LEASE_UPDATE).getLeaseUpdate();
        assertThat(aborted.getLease()).isEqualTo(11);
        stream.tell(grant(12)); // no blocks: the registry refuses it
        LeaseUpdate refused = stream.next(MessageCase.LEASE_UPDATE).getLeaseUpdate();
        assertThat(refused.getLease()).isEqualTo(12);
        assertThat(refused.getOutcome()).isEqualTo(LeaseOutcome.LEASE_OUTCOME_ABORTED);

        stream.plan(promptPlan(1).addSends(send(21, true)).addSends(send(22, false)));
        SendResult committed = stream.next(MessageCase.SEND_RESULT).getSendResult();
        assertThat(committed.getLease()).isEqualTo(21);
        assertThat(committed.getCommitted()).isTrue();

        stream.next(MessageCase.STEP_RESULT); // by now both sends have been handed over
        transport.sender.full = true;
        stream.plan(decodePlan(2, 3).addSends(send(22, true)));
        SendResult failed = stream.next(MessageCase.SEND_RESULT).getSendResult();
        assertThat(failed.getLease()).isEqualTo(22);
        assertThat(failed.getCommitted()).isFalse();
        assertThat(failed.getError()).contains("full");

        // The sender took a part of lease 22 before: its own word about it would be the second one.
        transport.sender.full = false;
        transport.sender.end(22, false);
        stream.plan(
                StepPlan.newBuilder()
                        .setNumber(3)
                        .addSends(send(22, true))
                        .addSends(send(23, true)));
        assertThat(stream.next(MessageCase.SEND_RESULT).getSendResult().getLease()).isEqualTo(23);
        assertThat(transport.sender.taken)
                .extracting(KvSend::getLease)
                .containsExactly(21L, 22L, 23L);
    }

    @Test
    void aStopSaysGoodbyeAndEndsWithZero() throws Exception {
        WorkerProcess started = run(new ToyBackend());
        TestCoordinator.Connection stream = welcomed();

        started.stop("SIGTERM");

        assertThat(stream.next(MessageCase.GOODBYE).getGoodbye().getReason()).isEqualTo("SIGTERM");
        assertThat(stream.awaitEnd()).isEqualTo("completed");
        assertThat(exitCode.get(60, TimeUnit.SECONDS)).isZero();
        assertThat(transports.take().registry.isClosed()).isTrue();
    }

    @Test
    void aStopBeforeTheWelcomeIsHeard() throws Exception {
        WorkerProcess started = run(new ToyBackend());
        coordinator.nextConnection().next(MessageCase.HELLO);

        started.stop("SIGTERM");

        assertThat(exitCode.get(60, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void aFailingBackendEndsTheWorkerWithOne() throws Exception {
        run(new FailingBackend());
        TestCoordinator.Connection stream = welcomed();
        stream.plan(promptPlan(1));

        assertThat(stream.next(MessageCase.GOODBYE).getGoodbye().getReason())
                .contains("the device fell off");
        assertThat(exitCode.get(60, TimeUnit.SECONDS)).isEqualTo(1);
    }

    @Test
    void plansFarAheadOfTheResultsEndTheStream() throws Exception {
        var gate = new CompletableFuture<Void>();
        run(new GatedBackend(gate));
        TestCoordinator.Connection stream = welcomed();
        stream.plan(promptPlan(1));
        for (int number = 2; number < 100; number++) {
            stream.plan(StepPlan.newBuilder().setNumber(number));
        }
        stream.tell(grant(12)); // behind the plans: when it is heard, they have been queued or have
        // ended the stream
        assertThat(transports.take().registry.asked.take()).isEqualTo(12);
        gate.complete(null);

        assertThat(stream.awaitEnd()).contains("CANCELLED");
        assertThat(coordinator.nextConnection().next(MessageCase.HELLO).getHello().getWorker())
                .isEqualTo("worker-1");
    }

    @Test
    void memoryForNoBlockIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                new WorkerProcess(
                                        options(ToyBackend.SHAPE.blockBytes() - 1),
                                        new LoadedModel(
                                                new ToyBackend(),
                                                "f1e2",
                                                1,
                                                1,
                                                new ModelWork(1, 1, 1)),
                                        this::kvSide))
                .withMessageContaining("one block of 32 bytes");
    }

    private WorkerProcess run(Backend backend) {
        var started =
                new WorkerProcess(
                        options(BLOCKS * ToyBackend.SHAPE.blockBytes() + 1),
                        new LoadedModel(backend, "f1e2", 2e9, 3e9, new ModelWork(4, 5, 6)),
                        this::kvSide);
        Thread.ofPlatform().name("engine").start(() -> exitCode.complete(started.run()));
        worker = started;
        return started;
    }

    private TestCoordinator.Connection welcomed() throws InterruptedException {
        TestCoordinator.Connection stream = coordinator.nextConnection();
        stream.next(MessageCase.HELLO);
        stream.welcome(50);
        return stream;
    }

    private KvSide kvSide(long incarnation, KvShape shape, int blocks) {
        var transport = new FakeTransport();
        transports.add(transport);
        return transport.kvSide(shape, blocks);
    }

    private WorkerOptions options(long kvBytesMax) {
        return new WorkerOptions(
                "worker-1",
                WorkerRole.WORKER_ROLE_DECODE,
                Path.of("unused"),
                "127.0.0.1",
                coordinator.port(),
                "127.0.0.1",
                0,
                "zone-a",
                "cpu",
                kvBytesMax,
                ToyBackend.SHAPE.blockTokens(),
                4,
                64,
                1,
                List.of(TransportKind.TRANSPORT_KIND_GRPC));
    }

    private static StepPlan.Builder promptPlan(long number) {
        var start =
                SequenceStart.newBuilder()
                        .setSequence(1)
                        .setPromptTokens(PROMPT.length)
                        .addBlocks(3)
                        .addBlocks(1)
                        .setSampling(Sampling.newBuilder().setTopP(1).setRepetitionPenalty(1));
        for (int token : PROMPT) {
            start.addTokens(token);
        }
        return StepPlan.newBuilder().setNumber(number).addStarts(start).addRows(row(0, 3));
    }

    private static StepPlan.Builder decodePlan(long number, int from) {
        return StepPlan.newBuilder().setNumber(number).addRows(row(from, 1));
    }

    private static Row row(int from, int count) {
        return Row.newBuilder()
                .setSequence(1)
                .setFrom(from)
                .setCount(count)
                .setSample(true)
                .build();
    }

    private static KvSend send(long lease, boolean last) {
        return KvSend.newBuilder().setLease(lease).addBlocks(3).addSlots(0).setLast(last).build();
    }

    private static CoordinatorMessage.Builder grant(long lease, Integer... blocks) {
        return CoordinatorMessage.newBuilder()
                .setLeaseGrant(
                        LeaseGrant.newBuilder()
                                .setLease(lease)
                                .addAllBlocks(List.of(blocks))
                                .setDeadlineMillis(60_000));
    }

    /// Greedy, from the toy's own logits.
    private static int expectedToken(int... tokens) {
        Sampling greedy = Sampling.newBuilder().setTopP(1).setRepetitionPenalty(1).build();
        return new Sampler(ToyBackend.VOCABULARY)
                .sample(
                        ToyBackend.logitsAfter(tokens, tokens.length),
                        0,
                        new SamplingState(greedy),
                        tokens.length);
    }

    /// The toy with another forward.
    private abstract static class OtherBackend implements Backend {
        final ToyBackend toy = new ToyBackend();

        @Override
        public String deviceName() {
            return toy.deviceName();
        }

        @Override
        public int vocabulary() {
            return toy.vocabulary();
        }

        @Override
        public int contextTokensMax() {
            return toy.contextTokensMax();
        }

        @Override
        public KvShape kvShape() {
            return toy.kvShape();
        }

        @Override
        public void close() {}
    }

    private static final class FailingBackend extends OtherBackend {
        @Override
        public Logits forward(RaggedBatch batch, KvPool pool, LayerListener listener) {
            throw new IllegalStateException("the device fell off");
        }
    }

    private static final class GatedBackend extends OtherBackend {
        private final CompletableFuture<Void> gate;

        GatedBackend(CompletableFuture<Void> gate) {
            this.gate = gate;
        }

        @Override
        public Logits forward(RaggedBatch batch, KvPool pool, LayerListener listener) {
            gate.join();
            return toy.forward(batch, pool, listener);
        }
    }
}
