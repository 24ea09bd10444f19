/// Tokenizer and incremental detokenizer.
@NullMarked
package dev.tandem.text;

import org.jspecify.annotations.NullMarked;
