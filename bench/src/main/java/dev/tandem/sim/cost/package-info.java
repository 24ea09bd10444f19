/// How long a step takes: models of a GPU's time, and how well they predict measured servers.
@NullMarked
package dev.tandem.sim.cost;

import org.jspecify.annotations.NullMarked;
