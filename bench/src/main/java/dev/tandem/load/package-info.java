/// Load generator for OpenAI-compatible endpoints.
@NullMarked
package dev.tandem.load;

import org.jspecify.annotations.NullMarked;
