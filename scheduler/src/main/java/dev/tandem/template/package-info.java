/// Chat templates: a Jinja engine.
@NullMarked
package dev.tandem.template;

import org.jspecify.annotations.NullMarked;
