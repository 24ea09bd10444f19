package dev.tandem.sim.engine;

import dev.tandem.core.Event;
import dev.tandem.core.StepPlan;
import dev.tandem.sim.cost.StepShape;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// One plan on its way through a worker, from its arrival to its result. Reused.
final class PlanSlot {
    long number;
    long durationNanos;
    int samples;
    long[] sequences = new long[64];
    int[] tokens = new int[64];
    int sends;
    long[] sendLease = new long[4];
    int[] sendReceiver = new int[4];
    int[] sendBlocks = new int[4];
    boolean[] sendLast = new boolean[4];

    /// Everything that the plan says, where workers check it.
    @Nullable PlanCopy copy;

    /// Reads what costs time and what has to be answered; the tokens are made up.
    void read(StepPlan plan, StepShape shape) {
        number = plan.number();
        shape.clear();
        int rows = plan.rows();
        if (rows > sequences.length) {
            sequences = new long[rows * 2];
            tokens = new int[rows * 2];
        }
        int sampled = 0;
        for (int row = 0; row < rows; row++) {
            int from = plan.rowFrom(row);
            int count = plan.rowCount(row);
            boolean samples = plan.rowSamples(row);
            if (samples) {
                long sequence = plan.rowSequence(row);
                sequences[sampled] = sequence;
                tokens[sampled++] = madeUpToken(sequence, from + count);
            }
            if (samples && count == 1) {
                shape.addDecode(from + 1);
            } else {
                shape.addPrefill(from, count, samples);
            }
        }
        this.samples = sampled;
        sends = 0;
        for (int i = 0; i < plan.sends().size(); i++) {
            addSend(plan.sends().get(i));
        }
    }

    private void addSend(StepPlan.Send send) {
        if (sends == sendLease.length) {
            sendLease = Arrays.copyOf(sendLease, sends * 2);
            sendReceiver = Arrays.copyOf(sendReceiver, sends * 2);
            sendBlocks = Arrays.copyOf(sendBlocks, sends * 2);
            sendLast = Arrays.copyOf(sendLast, sends * 2);
        }
        sendLease[sends] = send.lease();
        sendReceiver[sends] = send.receiver().id();
        sendBlocks[sends] = send.blocks().length;
        sendLast[sends] = send.last();
        sends++;
    }

    /// Never a stop token, and different enough that no two sequences share a prefix by it.
    private static int madeUpToken(long sequence, int position) {
        long mixed = (sequence * 0x9E3779B97F4A7C15L + position) * 0xBF58476D1CE4E5B9L;
        return (int) (mixed >>> 40);
    }

    Event.StepDone result(int replica) {
        return new Event.StepDone(replica, number, samples, sequences, tokens, null, durationNanos);
    }
}
