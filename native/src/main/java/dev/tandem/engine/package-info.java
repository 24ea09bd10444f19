/// Executes numbered step plans on a backend.
@NullMarked
package dev.tandem.engine;

import org.jspecify.annotations.NullMarked;
