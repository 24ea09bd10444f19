/// What one replica does in a step.
@NullMarked
package dev.tandem.batching;

import org.jspecify.annotations.NullMarked;
