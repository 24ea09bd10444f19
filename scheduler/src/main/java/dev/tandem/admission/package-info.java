/// Who may be served, and in which order.
@NullMarked
package dev.tandem.admission;

import org.jspecify.annotations.NullMarked;
