package dev.tandem.sim.fault;

/// What breaks in a run, and when.
public record FaultPlan() {
    private static final FaultPlan NONE = new FaultPlan();

    public static FaultPlan none() {
        return NONE;
    }
}
