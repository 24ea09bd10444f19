/// Moves KV blocks between workers under leases.
@NullMarked
package dev.tandem.transport;

import org.jspecify.annotations.NullMarked;
