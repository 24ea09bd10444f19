package dev.tandem.template;

import dev.tandem.template.TemplateException.Kind;

import org.jspecify.annotations.Nullable;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// A compiled chat template. Renders byte for byte what Python's jinja2 3.1 renders in the environment that Hugging Face
/// transformers makes for chats (immutable sandbox, `trim_blocks`, `lstrip_blocks`, loop controls). Immutable, safe to
/// use from any thread.
public final class ChatTemplate {
    /// Longer sources are refused; real ones have up to about 20,000 characters.
    public static final int SOURCE_CHARS_MAX = 1 << 20;

    private final List<Statement> body;
    private final TemplateLimits limits;
    private final ContentUse contentUse;

    private ChatTemplate(List<Statement> body, TemplateLimits limits) {
        this.body = body;
        this.limits = limits;
        this.contentUse = ContentUse.of(body);
    }

    /// @throws TemplateException of kind SYNTAX
    public static ChatTemplate compile(String source) {
        return compile(source, TemplateLimits.DEFAULT);
    }

    /// @throws TemplateException of kind SYNTAX
    public static ChatTemplate compile(String source, TemplateLimits limits) {
        if (source.length() > SOURCE_CHARS_MAX) {
            throw new TemplateException(
                    Kind.SYNTAX, "the template is longer than " + SOURCE_CHARS_MAX + " characters");
        }
        return new ChatTemplate(Parser.parse(source), limits);
    }

    /// Renders with the wall clock for `strftime_now`.
    ///
    /// @see #render(Map, Supplier)
    public String render(Map<String, ? extends @Nullable Object> variables) {
        return render(variables, LocalDateTime::now);
    }

    /// @param variables by name; values are String, Boolean, Long, Integer, Double, BigInteger, List, Map (its order is
    ///     kept) and null for Python's None; a name that is absent is undefined. Nothing of them is kept or changed.
    /// @param clock what `strftime_now` formats
    /// @throws TemplateException of kind RAISE_EXCEPTION when the template refuses the input, RUNTIME when it fails or
    ///     exceeds its limits
    public String render(
            Map<String, ? extends @Nullable Object> variables, Supplier<LocalDateTime> clock) {
        try {
            Scope scope = new Scope(null);
            variables.forEach(
                    (name, value) -> scope.set(name, Values.copyOf(value, limits.valueDepthMax())));
            return new Interpreter(new Budget(limits), clock).render(body, scope);
        } catch (StackOverflowError tooDeep) {
            // Values that a template nests in a loop are walked by recursion.
            throw PyError.limit("values nested too deeply");
        }
    }

    /// How the template treats a message's `content`.
    ContentUse contentUse() {
        return contentUse;
    }
}
