@NullMarked
package dev.tandem.sim.campaign;

import org.jspecify.annotations.NullMarked;
