package dev.tandem.record;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;
import dev.tandem.core.Outputs;
import dev.tandem.core.StepPlan;

/// A rolling 64-bit hash over everything that the core decided, event by event: two runs with equal hashes decided the
/// same, in the same order. Names a run, proves a replay; guards against mistakes, not against attackers.
///
/// One step is `h = (h ^ item) * k; h ^= h >>> 32` with an odd `k`: each step is a bijection of `h`, so a difference never
/// cancels against itself, and order matters. The lengths of all lists go in before their items, so that borders between
/// lists count. Log-probabilities stay out: the core hands them through without a look.
///
/// Allocates nothing; a few nanoseconds an item. Not thread-safe.
public final class DecisionHash {
    private static final long START = 0x7a6d_9c3f_51e8_b204L;
    private static final long STEP = 0x9e37_79b9_7f4a_7c15L; // 2^64 / golden ratio, odd
    private static final long SPREAD = 0xd6e8_feb8_6659_fd93L;

    private long hash = START;

    /// Takes in one call of the core.
    ///
    /// @param commands what the call returned, unchanged since
    public void add(Event event, long nowNanos, Commands commands) {
        long h = step(hash, kind(event), nowNanos);
        h =
                step(
                        h,
                        both(commands.grants().size(), commands.aborts().size()),
                        both(commands.plans().size(), commands.outputs().size()));
        h =
                step(
                        h,
                        both(commands.finished().size(), commands.failed().size()),
                        commands.disconnects().size());
        h = grants(h, commands);
        h = plans(h, commands);
        h = outputs(h, commands.outputs());
        hash = endings(h, commands);
    }

    /// The hash of all calls so far.
    public long value() {
        return hash;
    }

    /// The hash of all calls so far as people see it: 16 hexadecimal digits.
    public String text() {
        return text(hash);
    }

    public static String text(long hash) {
        String digits = Long.toHexString(hash);
        return "0".repeat(16 - digits.length()) + digits;
    }

    /// A number for each kind of event that never changes its meaning; recordings use it too.
    static int kind(Event event) {
        return switch (event) {
            case Event.Submit submit -> 1;
            case Event.Cancel cancel -> 2;
            case Event.ReplicaJoined joined -> 3;
            case Event.ReplicaLost lost -> 4;
            case Event.StepDone done -> 5;
            case Event.SendEnded ended -> 6;
            case Event.LeaseEnded ended -> 7;
            case Event.Tick tick -> 8;
        };
    }

    private static long step(long h, long item) {
        long mixed = (h ^ item) * STEP;
        return mixed ^ (mixed >>> 32);
    }

    /// Two numbers in one step.
    private static long step(long h, long first, long second) {
        return step(h, first * SPREAD + second);
    }

    private static long both(int first, int second) {
        return (long) first << 32 | second;
    }

    private static long step(long h, int[] items) {
        long next = step(h, items.length);
        for (int item : items) {
            next = step(next, item);
        }
        return next;
    }

    private static long step(long h, String text) {
        return step(h, text.length(), text.hashCode());
    }

    private static long grants(long h, Commands commands) {
        long next = h;
        for (int i = 0; i < commands.grants().size(); i++) {
            Commands.Grant grant = commands.grants().get(i);
            next = step(next, grant.receiver().id(), grant.lease());
            next = step(next, grant.writerIncarnation(), grant.deadlineMillis());
            next = step(next, grant.blocks());
        }
        for (int i = 0; i < commands.aborts().size(); i++) {
            Commands.Abort abort = commands.aborts().get(i);
            next = step(next, abort.replica().id(), abort.lease());
        }
        return next;
    }

    private static long plans(long h, Commands commands) {
        long next = h;
        for (int i = 0; i < commands.plans().size(); i++) {
            next = plan(next, commands.plans().get(i));
        }
        return next;
    }

    private static long plan(long h, StepPlan plan) {
        long next = step(h, both(plan.replica().id(), plan.sends().size()), plan.number());
        next =
                step(
                        next,
                        both(plan.ends().size(), plan.starts().size()),
                        both(plan.appends(), plan.rows()));
        for (int i = 0; i < plan.ends().size(); i++) {
            next = step(next, plan.ends().getLong(i));
        }
        for (int i = 0; i < plan.starts().size(); i++) {
            StepPlan.Start start = plan.starts().get(i);
            next = step(next, start.sequence().id(), start.sequence().known());
            next = step(next, start.computed());
            next = step(next, start.blocks());
        }
        for (int i = 0; i < plan.appends(); i++) {
            next = step(next, plan.appendSequence(i), plan.appendedBlocks(i));
            for (int k = 0; k < plan.appendedBlocks(i); k++) {
                next = step(next, plan.appendedBlock(i, k));
            }
        }
        for (int row = 0; row < plan.rows(); row++) {
            long extent = (long) plan.rowFrom(row) << 32 | (long) plan.rowCount(row) << 1;
            next = step(next, plan.rowSequence(row), extent | (plan.rowSamples(row) ? 1 : 0));
        }
        return sends(next, plan);
    }

    private static long sends(long h, StepPlan plan) {
        long next = h;
        for (int i = 0; i < plan.sends().size(); i++) {
            StepPlan.Send send = plan.sends().get(i);
            next =
                    step(
                            next,
                            send.lease(),
                            (long) send.receiver().id() << 1 | (send.last() ? 1 : 0));
            next = step(next, send.blocks());
            next = step(next, send.slots());
        }
        return next;
    }

    private static long outputs(long h, Outputs outputs) {
        long next = h;
        for (int i = 0; i < outputs.size(); i++) {
            long token = (long) outputs.token(i) << 32 | outputs.cachedTokens(i) & 0xffff_ffffL;
            next = step(next, outputs.sequence(i), token);
        }
        return next;
    }

    private static long endings(long h, Commands commands) {
        long next = h;
        for (int i = 0; i < commands.finished().size(); i++) {
            Commands.Finished finished = commands.finished().get(i);
            next = step(next, finished.sequence(), finished.reason().ordinal());
        }
        for (int i = 0; i < commands.failed().size(); i++) {
            Commands.Failed failed = commands.failed().get(i);
            next = step(next, failed.sequence(), failed.category().ordinal());
            next = step(next, failed.retryAfterMillis());
            next = step(next, failed.code());
            next = step(next, failed.message());
        }
        for (int i = 0; i < commands.disconnects().size(); i++) {
            Commands.Disconnect disconnect = commands.disconnects().get(i);
            next = step(next, disconnect.replica());
            next = step(next, disconnect.reason());
        }
        return next;
    }
}
