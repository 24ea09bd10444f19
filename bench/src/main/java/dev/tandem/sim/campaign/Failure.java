package dev.tandem.sim.campaign;

import dev.tandem.sim.Arrival;
import dev.tandem.sim.fault.Fault;
import dev.tandem.sim.fault.FaultKind;

import java.util.Set;

/// A seed whose run broke a promise.
///
/// @param problem what the run of the whole scenario said
/// @param shrunk a smaller scenario that breaks a promise too
/// @param shrunkProblem which one
/// @param tries runs that shrinking took
public record Failure(
        Scenario scenario, Throwable problem, Scenario shrunk, Throwable shrunkProblem, int tries) {

    public long seed() {
        return scenario.seed();
    }

    /// For people: the problem, the command that repeats it, and what is needed for it.
    public String text(Set<FaultKind> kinds) {
        StringBuilder text = new StringBuilder();
        text.append("seed ")
                .append(seed())
                .append(": ")
                .append(problem.getMessage() == null ? problem : problem.getMessage());
        text.append("\nrepeat: ").append(command(kinds));
        text.append(
                "\nshrunk in %d runs from %d requests and %d faults to %d and %d: %s"
                        .formatted(
                                tries,
                                scenario.arrivals().size(),
                                scenario.faults().faults().size(),
                                shrunk.arrivals().size(),
                                shrunk.faults().faults().size(),
                                shrunkProblem.getMessage()));
        for (int i = 0; i < shrunk.cluster().replicas().size(); i++) {
            var replica = shrunk.cluster().replicas().get(i);
            text.append(
                    "\n  replica %d: %s, %d blocks of %d tokens, %d sequences, %d tokens a step"
                            .formatted(
                                    i,
                                    replica.role(),
                                    replica.blocks(),
                                    replica.blockTokens(),
                                    replica.sequencesMax(),
                                    replica.stepTokensMax()));
        }
        text.append("\n  ").append(shrunk.options());
        long sequence = 0;
        for (Arrival arrival : shrunk.arrivals()) {
            text.append(
                    "\n  request %d at %.3f ms: %d tokens, %d to generate"
                            .formatted(
                                    ++sequence,
                                    arrival.nanos() / 1e6,
                                    arrival.prompt().length(),
                                    arrival.outputTokens()));
            if (arrival.cancelAfterNanos() > 0) {
                text.append(
                        ", goes away after %.3f ms".formatted(arrival.cancelAfterNanos() / 1e6));
            }
        }
        for (Fault fault : shrunk.faults().faults()) {
            text.append("\n  ").append(fault);
        }
        return text.toString();
    }

    private String command(Set<FaultKind> kinds) {
        StringBuilder names = new StringBuilder();
        if (kinds.size() == FaultKind.values().length) {
            names.append("all");
        } else if (kinds.isEmpty()) {
            names.append("none");
        } else {
            for (FaultKind kind : FaultKind.values()) {
                if (kinds.contains(kind)) {
                    names.append(names.isEmpty() ? "" : ",").append(kind.text());
                }
            }
        }
        return "./tandem simulate --faults %s --seeds %d..%d".formatted(names, seed(), seed());
    }
}
