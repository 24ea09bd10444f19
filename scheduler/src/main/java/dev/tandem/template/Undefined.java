package dev.tandem.template;

/// The value of a name, attribute or element that does not exist: prints as nothing, is false and empty; any other use
/// fails with `message` (Jinja's default `Undefined`).
record Undefined(String message) {
    static Undefined name(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    TemplateException failure() {
        return PyError.runtime(message);
    }
}
