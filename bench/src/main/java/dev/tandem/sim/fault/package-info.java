/// What breaks in a simulated run.
@NullMarked
package dev.tandem.sim.fault;

import org.jspecify.annotations.NullMarked;
