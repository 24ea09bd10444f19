package dev.tandem.sim.cost;

/// How long a worker's device takes for a step: the part of a worker that the simulator replaces by a model.
///
/// A pure function: equal shapes cost equal time on every run. Called once per simulated step, so implementations prepare their
/// tables when they are made; a call allocates nothing and takes well under 100 ns. Safe to share between threads.
public interface StepCost {
    /// @param shape read, not kept
    /// @return nanoseconds from the start of the step until its tokens are on the host; 0 for an empty step
    long nanos(StepShape shape);
}
