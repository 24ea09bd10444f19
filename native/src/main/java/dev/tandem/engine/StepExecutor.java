package dev.tandem.engine;

import dev.tandem.device.Backend;
import dev.tandem.device.LayerListener;
import dev.tandem.device.Logits;
import dev.tandem.device.RaggedBatch;
import dev.tandem.kv.KvPool;
import dev.tandem.transport.LayerProgress;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.Row;
import dev.tandem.wire.SequenceStart;
import dev.tandem.wire.StageNanos;
import dev.tandem.wire.StepPlan;
import dev.tandem.wire.StepResult;
import dev.tandem.wire.TokenLogprobs;

import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/// Executes numbered plans on a backend and holds the sequences that they speak of. A plan is checked as a whole
/// first; a refused one changes nothing, uses up its number and is answered by [StepResult#getError]. A plan out
/// of order is refused too and does not count.
///
/// A sampled token is appended to its sequence at once, so the next plan may compute it before the coordinator
/// has seen it. Every result is a function of the plans alone (and the nanoseconds of the clock).
///
/// Not thread-safe: the engine thread owns it, with the backend. The pool is also written by block receivers, but
/// the coordinator names a block in a plan only when nobody else writes it.
final class StepExecutor {
    private static final Logger LOG = LoggerFactory.getLogger(StepExecutor.class);

    private final Backend backend;
    private final KvPool pool;
    private final BiConsumer<KvSend, LayerProgress> sends;
    private final int groupLayers;
    private final LongSupplier nanoClock;
    private final PlanValidator validator;
    private final Sampler sampler;
    private final Long2ObjectHashMap<SequenceState> live = new Long2ObjectHashMap<>();
    private final RaggedBatch batch = new RaggedBatch();
    private long plansDone;

    /// @param backend not closed here, likewise the pool
    /// @param sequencesMax sequences live at once
    /// @param stepTokensMax tokens in one plan
    /// @param groupLayers layers of KV that are sent together while the next ones are computed
    /// @param sends takes the sends of a plan before its rows are computed, in order, with what tells of the layers done;
    ///     must not block
    /// @param nanoClock monotonic, nanoseconds
    /// @throws IllegalArgumentException the pool's blocks have another shape than the backend's
    StepExecutor(
            Backend backend,
            KvPool pool,
            int sequencesMax,
            int stepTokensMax,
            int groupLayers,
            BiConsumer<KvSend, LayerProgress> sends,
            LongSupplier nanoClock) {
        if (!pool.shape().equals(backend.kvShape())) {
            throw new IllegalArgumentException(
                    "the pool's blocks are " + pool.shape() + ", the model's " + backend.kvShape());
        }
        this.backend = backend;
        this.pool = pool;
        this.groupLayers = groupLayers;
        this.sends = sends;
        this.nanoClock = nanoClock;
        this.validator =
                new PlanValidator(
                        new EngineLimits(
                                backend.vocabulary(),
                                backend.contextTokensMax(),
                                pool.shape().blockTokens(),
                                pool.blocks(),
                                sequencesMax,
                                stepTokensMax));
        this.sampler = new Sampler(backend.vocabulary());
    }

    /// Executes one plan, or refuses it.
    ///
    /// @throws RuntimeException the backend failed; what the executor holds is then undefined, and the worker must
    ///     leave
    StepResult execute(StepPlan plan) {
        var result = StepResult.newBuilder().setNumber(plan.getNumber());
        if (plan.getNumber() != plansDone + 1) {
            return result.setError(
                            "plan %s after plan %d"
                                    .formatted(Long.toUnsignedString(plan.getNumber()), plansDone))
                    .build();
        }
        plansDone++;
        String problem = validator.problem(plan, live);
        if (problem != null) {
            return result.setError(problem).build();
        }
        long begin = nanoClock.getAsLong();
        applyDeltas(plan);
        long forwardBegin = nanoClock.getAsLong();
        LayerProgress progress = beginSends(plan);
        Logits logits = plan.getRowsCount() == 0 ? null : forward(plan, progress);
        if (progress != null) {
            progress.complete();
        }
        long forwardEnd = nanoClock.getAsLong();
        if (logits != null) {
            sample(plan, logits, result);
        }
        long sampleEnd = nanoClock.getAsLong();
        return result.setNanos(
                        StageNanos.newBuilder()
                                .setForward(forwardEnd - forwardBegin)
                                .setSample(sampleEnd - forwardEnd)
                                .setTotal(nanoClock.getAsLong() - begin))
                .build();
    }

    /// Number of the last plan executed or refused in its turn.
    long plansDone() {
        return plansDone;
    }

    int liveSequences() {
        return live.size();
    }

    private void applyDeltas(StepPlan plan) {
        for (int i = 0; i < plan.getEndsCount(); i++) {
            live.remove(plan.getEnds(i));
        }
        for (int i = 0; i < plan.getStartsCount(); i++) {
            SequenceStart start = plan.getStarts(i);
            live.put(start.getSequence(), new SequenceState(start));
        }
        for (int i = 0; i < plan.getAppendsCount(); i++) {
            SequenceState state = live.get(plan.getAppends(i).getSequence());
            for (int k = 0; k < plan.getAppends(i).getBlocksCount(); k++) {
                state.addBlock(plan.getAppends(i).getBlocks(k));
            }
        }
    }

    /// Gives the plan's sends away, so that they go out layer by layer.
    private @Nullable LayerProgress beginSends(StepPlan plan) {
        if (plan.getSendsCount() == 0) {
            return null;
        }
        var progress = new LayerProgress(pool.shape().layers(), groupLayers);
        for (int i = 0; i < plan.getSendsCount(); i++) {
            sends.accept(plan.getSends(i), progress);
        }
        return progress;
    }

    private Logits forward(StepPlan plan, @Nullable LayerProgress progress) {
        batch.clear();
        for (int i = 0; i < plan.getRowsCount(); i++) {
            Row row = plan.getRows(i);
            SequenceState state = live.get(row.getSequence());
            batch.addRow(
                    state.tokens,
                    row.getFrom(),
                    row.getCount(),
                    state.blocks,
                    state.blockCount,
                    row.getSample());
        }
        Logits logits =
                backend.forward(
                        batch, pool, progress == null ? LayerListener.NONE : progress::layersDone);
        for (int i = 0; i < plan.getRowsCount(); i++) {
            live.get(plan.getRows(i).getSequence()).computed += plan.getRows(i).getCount();
        }
        return logits;
    }

    private void sample(StepPlan plan, Logits logits, StepResult.Builder result) {
        int logitsRow = 0;
        boolean anyLogprobs = false;
        for (int i = 0; i < plan.getRowsCount(); i++) {
            if (!plan.getRows(i).getSample()) {
                continue;
            }
            SequenceState state = live.get(plan.getRows(i).getSequence());
            int token = sampler.sample(logits, logitsRow, state.sampling, state.size);
            if (sampler.lastRowWasBroken()) {
                LOG.warn(
                        "sequence {}: no usable logits for token {}; drew token {}",
                        state.sequence,
                        state.size,
                        token);
            }
            result.addSequences(state.sequence).addTokens(token);
            if (state.sampling.logprobs && !anyLogprobs) {
                anyLogprobs = true;
                for (int k = 0; k < logitsRow; k++) {
                    result.addLogprobs(TokenLogprobs.getDefaultInstance());
                }
            }
            if (anyLogprobs) {
                result.addLogprobs(
                        state.sampling.logprobs
                                ? sampler.logprobs(token, state.sampling.topLogprobs)
                                : TokenLogprobs.getDefaultInstance());
            }
            state.addOutput(token);
            logitsRow++;
        }
    }
}
