/// The whole system under test: coordinator and workers with real weights, real sockets and real shared memory; in one
/// JVM where only the messages matter, as separate processes where their life does.
@NullMarked
package dev.tandem.e2e;

import org.jspecify.annotations.NullMarked;
