/// What breaks in a simulated run: kinds of faults, single faults, and plans of them drawn from a seed. Data only; the engine
/// ([dev.tandem.sim.engine]) lets them happen.
@NullMarked
package dev.tandem.sim.fault;

import org.jspecify.annotations.NullMarked;
