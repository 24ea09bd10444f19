package dev.tandem.coordinator;

import dev.tandem.core.Commands;
import dev.tandem.core.Replica;
import dev.tandem.core.SamplingParameters;
import dev.tandem.core.Sequence;
import dev.tandem.core.StepPlan;
import dev.tandem.wire.BlockAppend;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.Hello;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LogitBias;
import dev.tandem.wire.Row;
import dev.tandem.wire.Sampling;
import dev.tandem.wire.SequenceStart;

import org.jspecify.annotations.Nullable;

import java.util.function.Function;

/// Turns the core's commands into messages to workers. Stateless but for the look-up of a receiver's hello.
final class PlanEncoder {
    private final Function<Replica, @Nullable Hello> helloOf;
    private final int leaseMillis;

    PlanEncoder(Function<Replica, @Nullable Hello> helloOf, int leaseMillis) {
        this.helloOf = helloOf;
        this.leaseMillis = leaseMillis;
    }

    CoordinatorMessage plan(StepPlan plan) {
        var message = dev.tandem.wire.StepPlan.newBuilder().setNumber(plan.number());
        for (int i = 0; i < plan.ends().size(); i++) {
            message.addEnds(plan.ends().getLong(i));
        }
        for (StepPlan.Start start : plan.starts()) {
            message.addStarts(start(start));
        }
        for (int append = 0; append < plan.appends(); append++) {
            var blocks = BlockAppend.newBuilder().setSequence(plan.appendSequence(append));
            for (int i = 0; i < plan.appendedBlocks(append); i++) {
                blocks.addBlocks(plan.appendedBlock(append, i));
            }
            message.addAppends(blocks);
        }
        for (int row = 0; row < plan.rows(); row++) {
            message.addRows(
                    Row.newBuilder()
                            .setSequence(plan.rowSequence(row))
                            .setFrom(plan.rowFrom(row))
                            .setCount(plan.rowCount(row))
                            .setSample(plan.rowSamples(row)));
        }
        for (StepPlan.Send send : plan.sends()) {
            message.addSends(send(send));
        }
        return CoordinatorMessage.newBuilder().setStepPlan(message).build();
    }

    CoordinatorMessage grant(Commands.Grant grant) {
        var message =
                LeaseGrant.newBuilder()
                        .setLease(grant.lease())
                        .setWriterIncarnation(grant.writerIncarnation())
                        .setDeadlineMillis(grant.deadlineMillis());
        for (int block : grant.blocks()) {
            message.addBlocks(block);
        }
        return CoordinatorMessage.newBuilder().setLeaseGrant(message).build();
    }

    CoordinatorMessage abort(Commands.Abort abort) {
        return CoordinatorMessage.newBuilder()
                .setLeaseAbort(LeaseAbort.newBuilder().setLease(abort.lease()))
                .build();
    }

    private static SequenceStart start(StepPlan.Start start) {
        Sequence sequence = start.sequence();
        var message =
                SequenceStart.newBuilder()
                        .setSequence(sequence.id())
                        .setPromptTokens(sequence.promptTokens())
                        .setComputed(start.computed())
                        .setSampling(sampling(sequence.sampling()));
        for (int i = 0; i < sequence.known(); i++) {
            message.addTokens(sequence.token(i));
        }
        for (int block : start.blocks()) {
            message.addBlocks(block);
        }
        return message.build();
    }

    private KvSend send(StepPlan.Send send) {
        var message =
                KvSend.newBuilder()
                        .setLease(send.lease())
                        .setLast(send.last())
                        .setReceiverIncarnation(send.receiver().facts().incarnation())
                        .setDeadlineMillis(leaseMillis);
        Hello receiver = helloOf.apply(send.receiver());
        if (receiver != null) {
            message.addAllEndpoints(receiver.getEndpointsList());
        } // else lost meanwhile: the writer finds no endpoint and reports the lease as failed
        for (int i = 0; i < send.blocks().length; i++) {
            message.addBlocks(send.blocks()[i]);
            message.addSlots(send.slots()[i]);
        }
        return message.build();
    }

    private static Sampling sampling(SamplingParameters parameters) {
        var message =
                Sampling.newBuilder()
                        .setTemperature(parameters.temperature())
                        .setTopK(parameters.topK())
                        .setTopP(parameters.topP())
                        .setMinP(parameters.minP())
                        .setRepetitionPenalty(parameters.repetitionPenalty())
                        .setPresencePenalty(parameters.presencePenalty())
                        .setFrequencyPenalty(parameters.frequencyPenalty())
                        .setSeed(parameters.seed())
                        .setLogprobs(parameters.logprobs())
                        .setTopLogprobs(parameters.topLogprobs());
        parameters
                .logitBias()
                .forEach(
                        (token, bias) ->
                                message.addLogitBias(
                                        LogitBias.newBuilder().setToken(token).setBias(bias)));
        return message.build();
    }
}
