package dev.tandem.sim.engine;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;
import dev.tandem.core.Outputs;
import dev.tandem.core.StepPlan;

/// A running hash over the times and the decisions of a run. Allocates nothing.
final class DecisionTrace {
    private long hash = 1;

    void add(Event event, Commands commands, long nanos) {
        word(nanos);
        for (int i = 0; i < commands.plans().size(); i++) {
            plan(commands.plans().get(i));
        }
        Outputs outputs = commands.outputs();
        for (int i = 0; i < outputs.size(); i++) {
            word(outputs.sequence(i) << 24 ^ outputs.token(i));
        }
        for (int i = 0; i < commands.grants().size(); i++) {
            word(commands.grants().get(i).lease());
        }
        for (int i = 0; i < commands.finished().size(); i++) {
            word(commands.finished().get(i).sequence());
        }
        for (int i = 0; i < commands.failed().size(); i++) {
            word(~commands.failed().get(i).sequence());
        }
    }

    private void plan(StepPlan plan) {
        word((long) plan.replica().id() << 40 ^ plan.number());
        for (int row = 0; row < plan.rows(); row++) {
            word(plan.rowSequence(row) << 20 ^ (long) plan.rowFrom(row) << 10 ^ plan.rowCount(row));
        }
        for (int append = 0; append < plan.appends(); append++) {
            for (int i = 0; i < plan.appendedBlocks(append); i++) {
                word(plan.appendedBlock(append, i));
            }
        }
    }

    private void word(long value) {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15L;
        hash ^= hash >>> 32;
    }

    long hash() {
        return hash;
    }
}
