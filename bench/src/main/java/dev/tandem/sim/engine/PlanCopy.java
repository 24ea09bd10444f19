package dev.tandem.sim.engine;

import dev.tandem.core.Sequence;
import dev.tandem.core.StepPlan;

/// What a plan says, copied out of the core's reusable buffer as the wire would. Immutable.
record PlanCopy(
        long number,
        long[] ends,
        Start[] starts,
        Append[] appends,
        long[] rowSequences,
        int[] rowFrom,
        int[] rowCount,
        boolean[] rowSamples,
        Send[] sends) {

    record Start(long sequence, int[] tokens, int computed, int[] blocks, long seed) {}

    record Append(long sequence, int[] blocks) {}

    record Send(long lease, int[] blocks, int[] slots, boolean last) {}

    static PlanCopy of(StepPlan plan) {
        int rows = plan.rows();
        long[] sequences = new long[rows];
        int[] from = new int[rows];
        int[] count = new int[rows];
        boolean[] samples = new boolean[rows];
        for (int row = 0; row < rows; row++) {
            sequences[row] = plan.rowSequence(row);
            from[row] = plan.rowFrom(row);
            count[row] = plan.rowCount(row);
            samples[row] = plan.rowSamples(row);
        }
        return new PlanCopy(
                plan.number(),
                plan.ends().toLongArray(),
                starts(plan),
                appends(plan),
                sequences,
                from,
                count,
                samples,
                sends(plan));
    }

    private static Start[] starts(StepPlan plan) {
        Start[] starts = new Start[plan.starts().size()];
        for (int i = 0; i < starts.length; i++) {
            StepPlan.Start start = plan.starts().get(i);
            Sequence sequence = start.sequence();
            int[] tokens = new int[sequence.known()];
            for (int k = 0; k < tokens.length; k++) {
                tokens[k] = sequence.token(k);
            }
            starts[i] =
                    new Start(
                            sequence.id(),
                            tokens,
                            start.computed(),
                            start.blocks().clone(),
                            sequence.sampling().seed());
        }
        return starts;
    }

    private static Append[] appends(StepPlan plan) {
        Append[] appends = new Append[plan.appends()];
        for (int i = 0; i < appends.length; i++) {
            int[] blocks = new int[plan.appendedBlocks(i)];
            for (int k = 0; k < blocks.length; k++) {
                blocks[k] = plan.appendedBlock(i, k);
            }
            appends[i] = new Append(plan.appendSequence(i), blocks);
        }
        return appends;
    }

    private static Send[] sends(StepPlan plan) {
        Send[] sends = new Send[plan.sends().size()];
        for (int i = 0; i < sends.length; i++) {
            StepPlan.Send send = plan.sends().get(i);
            sends[i] =
                    new Send(
                            send.lease(), send.blocks().clone(), send.slots().clone(), send.last());
        }
        return sends;
    }
}
