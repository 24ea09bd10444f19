/// Chooses among replicas that could all do the work. Pure: no clock, thread, random source or I/O.
@NullMarked
package dev.tandem.routing;

import org.jspecify.annotations.NullMarked;
