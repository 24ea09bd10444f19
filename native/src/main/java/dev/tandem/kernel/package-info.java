/// Arithmetic on the CPU: vector kernels, each beside its scalar reference.
@NullMarked
package dev.tandem.kernel;

import org.jspecify.annotations.NullMarked;
