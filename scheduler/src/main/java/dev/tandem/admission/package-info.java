/// Who may come in, and who goes first.
@NullMarked
package dev.tandem.admission;

import org.jspecify.annotations.NullMarked;
