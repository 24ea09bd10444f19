/// What makes a Tandem process stop, the same for coordinator and workers: a signal, or the death of the parent that
/// started it. See [dev.tandem.process.ProcessLife].
@NullMarked
package dev.tandem.process;

import org.jspecify.annotations.NullMarked;
