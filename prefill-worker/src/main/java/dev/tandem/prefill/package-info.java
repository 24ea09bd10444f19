/// The prefill worker process.
@NullMarked
package dev.tandem.prefill;

import org.jspecify.annotations.NullMarked;
