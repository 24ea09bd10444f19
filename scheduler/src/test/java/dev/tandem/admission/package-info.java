@NullMarked
package dev.tandem.admission;

import org.jspecify.annotations.NullMarked;
