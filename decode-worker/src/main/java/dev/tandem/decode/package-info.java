/// The decode worker process.
@NullMarked
package dev.tandem.decode;

import org.jspecify.annotations.NullMarked;
