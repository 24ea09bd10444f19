@NullMarked
package dev.tandem.sim.engine;

import org.jspecify.annotations.NullMarked;
