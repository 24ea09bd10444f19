package dev.tandem.template;

import org.jspecify.annotations.Nullable;

/// Anything that a template can call: globals, macros, methods of values.
interface PyCallable {
    @Nullable Object call(Evaluator evaluator, Arguments arguments);
}
