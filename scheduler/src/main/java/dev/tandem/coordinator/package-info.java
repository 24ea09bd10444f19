/// The coordinator process around the core.
@NullMarked
package dev.tandem.coordinator;

import org.jspecify.annotations.NullMarked;
