package dev.tandem.engine;

import dev.tandem.wire.BlockAppend;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.Row;
import dev.tandem.wire.SequenceStart;
import dev.tandem.wire.StepPlan;

import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongHashSet;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// Checks a whole plan against what the worker holds, before any of it is applied, so that a wrong plan changes
/// nothing: no sequence, no block, no token. A sequence is named at most once in each part of a plan. A block may
/// stand in several tables (a shared prefix), but not twice in one, and no two rows of a plan write the same one.
///
/// Reuses its buffers. Owned by the engine thread.
final class PlanValidator {
    private static final long NONE = -1;

    private final EngineLimits limits;
    private final LongHashSet ends = new LongHashSet();
    private final Long2LongHashMap starts = new Long2LongHashMap(NONE); // sequence -> index
    private final Long2LongHashMap appends = new Long2LongHashMap(NONE); // sequence -> index
    private final LongHashSet rows = new LongHashSet();

    /// `stamps[block] == stamp` means that the block was seen in the check that goes on.
    private final int[] stamps;

    private int stamp;

    PlanValidator(EngineLimits limits) {
        this.limits = limits;
        this.stamps = new int[limits.blocks()];
    }

    /// Says what is wrong with a plan.
    ///
    /// @param live what the worker holds before the plan
    /// @return the first mistake, in words; null when it can be applied as a whole
    @Nullable String problem(StepPlan plan, Long2ObjectHashMap<SequenceState> live) {
        ends.clear();
        starts.clear();
        appends.clear();
        rows.clear();
        String problem = endsProblem(plan, live);
        problem = problem != null ? problem : startsProblem(plan, live);
        problem = problem != null ? problem : appendsProblem(plan, live);
        problem = problem != null ? problem : rowsProblem(plan, live);
        return problem != null ? problem : sendsProblem(plan);
    }

    private @Nullable String endsProblem(StepPlan plan, Long2ObjectHashMap<SequenceState> live) {
        for (int i = 0; i < plan.getEndsCount(); i++) {
            long sequence = plan.getEnds(i);
            if (!live.containsKey(sequence)) {
                return "ends: sequence " + sequence + " is unknown";
            }
            if (!ends.add(sequence)) {
                return "ends: sequence " + sequence + " stands twice";
            }
        }
        return null;
    }

    private @Nullable String startsProblem(StepPlan plan, Long2ObjectHashMap<SequenceState> live) {
        for (int i = 0; i < plan.getStartsCount(); i++) {
            SequenceStart start = plan.getStarts(i);
            long sequence = start.getSequence();
            if (live.containsKey(sequence) && !ends.contains(sequence)) {
                return "starts: sequence " + sequence + " is live already";
            }
            if (starts.put(sequence, i) != NONE) {
                return "starts: sequence " + sequence + " stands twice";
            }
            String problem = startProblem(start);
            if (problem != null) {
                return "starts: sequence " + sequence + ": " + problem;
            }
        }
        int after = live.size() - plan.getEndsCount() + plan.getStartsCount();
        return after > limits.sequencesMax()
                ? "%d sequences would be live, the limit is %d"
                        .formatted(after, limits.sequencesMax())
                : null;
    }

    private @Nullable String startProblem(SequenceStart start) {
        int tokens = start.getTokensCount();
        if (tokens < 1 || tokens > limits.contextTokensMax()) {
            return "%d tokens are not in 1..%d".formatted(tokens, limits.contextTokensMax());
        }
        for (int i = 0; i < tokens; i++) {
            if (Integer.compareUnsigned(start.getTokens(i), limits.vocabulary()) >= 0) {
                return "token %s is not below the vocabulary of %d"
                        .formatted(
                                Integer.toUnsignedString(start.getTokens(i)), limits.vocabulary());
            }
        }
        if (start.getPromptTokens() < 1 || start.getPromptTokens() > tokens) {
            return "prompt of %s tokens, %d tokens in all"
                    .formatted(Integer.toUnsignedString(start.getPromptTokens()), tokens);
        }
        if (Integer.compareUnsigned(start.getComputed(), tokens) > 0) {
            return "%s tokens computed of %d"
                    .formatted(Integer.toUnsignedString(start.getComputed()), tokens);
        }
        stamp++;
        String problem = blocksProblem(start.getBlocksList());
        if (problem != null) {
            return problem;
        }
        if ((long) start.getBlocksCount() * limits.blockTokens() < start.getComputed()) {
            return "%d blocks don't hold the %d tokens computed"
                    .formatted(start.getBlocksCount(), start.getComputed());
        }
        return SamplingState.problem(start.getSampling(), limits.vocabulary());
    }

    private @Nullable String appendsProblem(StepPlan plan, Long2ObjectHashMap<SequenceState> live) {
        for (int i = 0; i < plan.getAppendsCount(); i++) {
            BlockAppend append = plan.getAppends(i);
            long sequence = append.getSequence();
            if (!isKnown(sequence, live)) {
                return "appends: sequence " + sequence + " is unknown";
            }
            if (appends.put(sequence, i) != NONE) {
                return "appends: sequence " + sequence + " stands twice";
            }
            stamp++;
            long startIndex = starts.get(sequence);
            if (startIndex != NONE) {
                SequenceStart start = plan.getStarts((int) startIndex);
                for (int k = 0; k < start.getBlocksCount(); k++) {
                    stamps[start.getBlocks(k)] = stamp;
                }
            } else {
                SequenceState state = live.get(sequence);
                for (int k = 0; k < state.blockCount; k++) {
                    stamps[state.blocks[k]] = stamp;
                }
            }
            String problem = blocksProblem(append.getBlocksList());
            if (problem != null) {
                return "appends: sequence " + sequence + ": " + problem;
            }
        }
        return null;
    }

    private @Nullable String rowsProblem(StepPlan plan, Long2ObjectHashMap<SequenceState> live) {
        long stepTokens = 0;
        stamp++; // from here: blocks written by this plan
        for (int i = 0; i < plan.getRowsCount(); i++) {
            Row row = plan.getRows(i);
            long sequence = row.getSequence();
            if (!isKnown(sequence, live)) {
                return "rows: sequence " + sequence + " is unknown";
            }
            if (!rows.add(sequence)) {
                return "rows: sequence " + sequence + " stands twice";
            }
            String problem = rowProblem(row, plan, live);
            if (problem != null) {
                return "rows: sequence " + sequence + ": " + problem;
            }
            stepTokens += row.getCount();
        }
        return stepTokens > limits.stepTokensMax()
                ? "rows: %d tokens, the limit of a plan is %d"
                        .formatted(stepTokens, limits.stepTokensMax())
                : null;
    }

    private @Nullable String rowProblem(
            Row row, StepPlan plan, Long2ObjectHashMap<SequenceState> live) {
        long sequence = row.getSequence();
        long startIndex = starts.get(sequence);
        SequenceStart start = startIndex == NONE ? null : plan.getStarts((int) startIndex);
        SequenceState state = live.get(sequence);
        int known = start != null ? start.getTokensCount() : state.size;
        int computed = start != null ? start.getComputed() : state.computed;
        int blocks = start != null ? start.getBlocksCount() : state.blockCount;
        long appendIndex = appends.get(sequence);
        int appended =
                appendIndex == NONE ? 0 : plan.getAppends((int) appendIndex).getBlocksCount();
        if (row.getFrom() != computed) {
            return "from %s, but %d tokens are computed"
                    .formatted(Integer.toUnsignedString(row.getFrom()), computed);
        }
        long end = (long) row.getFrom() + Integer.toUnsignedLong(row.getCount());
        if (row.getCount() == 0 || end > known) {
            return "tokens %d to %d of %d known".formatted(row.getFrom(), end, known);
        }
        if (end > limits.contextTokensMax()) {
            return "token %d is past the context of %d".formatted(end, limits.contextTokensMax());
        }
        if ((long) (blocks + appended) * limits.blockTokens() < end) {
            return "%d blocks don't hold %d tokens".formatted(blocks + appended, end);
        }
        if (row.getSample() && end != known) {
            return "samples after token %d, but %d are known".formatted(end, known);
        }
        for (int k = row.getFrom() / limits.blockTokens();
                (long) k * limits.blockTokens() < end;
                k++) {
            int block;
            if (k >= blocks) {
                block = plan.getAppends((int) appendIndex).getBlocks(k - blocks);
            } else {
                block = start != null ? start.getBlocks(k) : state.blocks[k];
            }
            if (stamps[block] == stamp) {
                return "block " + block + " is written by another row too";
            }
            stamps[block] = stamp;
        }
        return null;
    }

    private @Nullable String sendsProblem(StepPlan plan) {
        for (int i = 0; i < plan.getSendsCount(); i++) {
            KvSend send = plan.getSends(i);
            String lease = "sends: lease " + Long.toUnsignedString(send.getLease()) + ": ";
            if (send.getBlocksCount() != send.getSlotsCount()) {
                return lease
                        + "%d blocks, %d slots"
                                .formatted(send.getBlocksCount(), send.getSlotsCount());
            }
            stamp++;
            String problem = blocksProblem(send.getBlocksList());
            if (problem != null) {
                return lease + problem;
            }
        }
        return null;
    }

    /// Whether the sequence is live after the plan's ends and starts.
    private boolean isKnown(long sequence, Long2ObjectHashMap<SequenceState> live) {
        return starts.get(sequence) != NONE
                || (live.containsKey(sequence) && !ends.contains(sequence));
    }

    /// In range, and none stamped already; stamps them.
    private @Nullable String blocksProblem(List<Integer> blocks) {
        for (int i = 0; i < blocks.size(); i++) {
            int block = blocks.get(i);
            if (Integer.compareUnsigned(block, limits.blocks()) >= 0) {
                return "block %s is not below %d"
                        .formatted(Integer.toUnsignedString(block), limits.blocks());
            }
            if (stamps[block] == stamp) {
                return "block " + block + " stands twice";
            }
            stamps[block] = stamp;
        }
        return null;
    }
}
