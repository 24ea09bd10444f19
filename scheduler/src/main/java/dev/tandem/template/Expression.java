package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// An expression of a template. Immutable.
sealed interface Expression {
    record Literal(@Nullable Object value) implements Expression {}

    record Name(String name) implements Expression {}

    record ListLiteral(List<Expression> items) implements Expression {}

    record TupleLiteral(List<Expression> items) implements Expression {}

    record DictLiteral(List<Expression> keys, List<Expression> values) implements Expression {}

    /// `object.name`: an attribute first, else an element.
    record Attribute(Expression object, String name) implements Expression {}

    /// `object[index]`: an element first, else an attribute.
    record Subscript(Expression object, Expression index) implements Expression {}

    /// `object[start:stop:step]`.
    record Slice(
            Expression object,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step)
            implements Expression {}

    record Call(Expression callee, CallArguments arguments) implements Expression {}

    /// @param operand null only within a filter block, whose text takes its place
    record Filter(@Nullable Expression operand, String name, CallArguments arguments)
            implements Expression {}

    record Test(Expression operand, String name, CallArguments arguments) implements Expression {}

    record Not(Expression operand) implements Expression {}

    record And(Expression left, Expression right) implements Expression {}

    record Or(Expression left, Expression right) implements Expression {}

    record Unary(boolean negative, Expression operand) implements Expression {}

    record Binary(BinaryOperator operator, Expression left, Expression right)
            implements Expression {}

    record Concat(List<Expression> parts) implements Expression {}

    /// `first < second < ...`: as many operators as operands.
    record Compare(Expression first, List<CompareOperator> operators, List<Expression> operands)
            implements Expression {}

    record Conditional(Expression test, Expression value, @Nullable Expression otherwise)
            implements Expression {}

    enum BinaryOperator {
        ADD("+"),
        SUBTRACT("-"),
        MULTIPLY("*"),
        DIVIDE("/"),
        FLOOR_DIVIDE("//"),
        MODULO("%"),
        POWER("**");

        final String symbol;

        BinaryOperator(String symbol) {
            this.symbol = symbol;
        }
    }

    enum CompareOperator {
        EQUAL("=="),
        NOT_EQUAL("!="),
        LESS("<"),
        LESS_OR_EQUAL("<="),
        GREATER(">"),
        GREATER_OR_EQUAL(">="),
        IN("in"),
        NOT_IN("not in");

        final String symbol;

        CompareOperator(String symbol) {
            this.symbol = symbol;
        }
    }

    /// @param star what `*` spreads
    /// @param doubleStar what `**` spreads
    record CallArguments(
            List<Expression> positional,
            List<Keyword> named,
            @Nullable Expression star,
            @Nullable Expression doubleStar) {
        static final CallArguments NONE = new CallArguments(List.of(), List.of(), null, null);

        boolean isEmpty() {
            return positional.isEmpty() && named.isEmpty() && star == null && doubleStar == null;
        }
    }

    record Keyword(String name, Expression value) {}
}
