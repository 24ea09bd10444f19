package dev.tandem.template;

import dev.tandem.template.TemplateException.Kind;

import org.jspecify.annotations.Nullable;

/// Failures of a rendering, in Python's words where it has them. Each method makes the exception; the caller throws it.
final class PyError {
    private PyError() {}

    static TemplateException runtime(String message) {
        return new TemplateException(Kind.RUNTIME, message);
    }

    /// The rendering used more than its [TemplateLimits] allow.
    static TemplateException limit(String what) {
        return new TemplateException(Kind.RUNTIME, "the template needs too much: " + what);
    }

    static TemplateException operands(
            String operator, @Nullable Object left, @Nullable Object right) {
        return runtime(
                "unsupported operand type(s) for %s: '%s' and '%s'"
                        .formatted(operator, Values.typeName(left), Values.typeName(right)));
    }

    static TemplateException notIterable(@Nullable Object value) {
        return runtime("'" + Values.typeName(value) + "' object is not iterable");
    }

    static TemplateException notAnInteger(@Nullable Object value) {
        return runtime(
                "'" + Values.typeName(value) + "' object cannot be interpreted as an integer");
    }
}
