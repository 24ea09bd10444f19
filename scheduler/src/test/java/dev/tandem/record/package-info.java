@NullMarked
package dev.tandem.record;

import org.jspecify.annotations.NullMarked;
