/// Proof of what the core decided: a hash over its decisions, recordings of its events, and their replay.
@NullMarked
package dev.tandem.record;

import org.jspecify.annotations.NullMarked;
