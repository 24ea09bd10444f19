/// The simulator: the production core under virtual time.
@NullMarked
package dev.tandem.sim;

import org.jspecify.annotations.NullMarked;
