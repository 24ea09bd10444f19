package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Set;

/// A piece of a template's body. Immutable.
sealed interface Statement {
    /// Text as it stands.
    record Data(String text) implements Statement {}

    record Print(Expression value) implements Statement {}

    record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

    record Branch(Expression test, List<Statement> body) {}

    /// @param filter elements for which it is false are left out, null for none
    record For(
            Target target,
            Expression iterable,
            @Nullable Expression filter,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record Assign(Target target, Expression value) implements Statement {}

    /// @param filter applied to the text of the body, null for none
    record SetBlock(Target target, Expression.@Nullable Filter filter, List<Statement> body)
            implements Statement {}

    record MacroDefinition(Signature signature, List<Statement> body) implements Statement {}

    /// `{% call(parameters) macro() %}body{% endcall %}`: the body becomes the macro's `caller`.
    record CallBlock(Signature caller, Expression.Call call, List<Statement> body)
            implements Statement {}

    record FilterBlock(Expression.Filter filter, List<Statement> body) implements Statement {}

    record With(List<Target> targets, List<Expression> values, List<Statement> body)
            implements Statement {}

    /// The `generation` block of Hugging Face transformers: renders as its body, in a scope of its own.
    record Generation(List<Statement> body) implements Statement {}

    record Do(Expression value) implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /// @param defaults of the last parameters
    /// @param uses the names that the body reads: `caller`, `varargs` and `kwargs` exist only for macros that use them
    record Signature(
            String name, List<String> parameters, List<Expression> defaults, Set<String> uses) {}

    /// What an assignment assigns to.
    sealed interface Target {
        record Variable(String name) implements Target {}

        record NamespaceAttribute(String namespace, String attribute) implements Target {}

        record Tuple(List<Target> targets) implements Target {}
    }
}
