package dev.tandem.template;

/// A template that can't be compiled or rendered. The fault is the request's or the model folder's, never ours.
public final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Where the refusal comes from.
    public enum Kind {
        /// The template called `raise_exception`: the message is the template author's.
        RAISE_EXCEPTION,
        /// The template failed while it was rendered, such as on an undefined value.
        RUNTIME,
        /// The template's source can't be parsed.
        SYNTAX
    }

    private final Kind kind;

    public TemplateException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
