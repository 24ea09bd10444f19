package dev.tandem.template;

import dev.tandem.template.Expression.BinaryOperator;
import dev.tandem.template.Expression.CallArguments;
import dev.tandem.template.Expression.CompareOperator;
import dev.tandem.template.Expression.Keyword;
import dev.tandem.template.Token.Type;

import org.jspecify.annotations.Nullable;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Parses expressions with the precedence and the peculiarities of Jinja's own parser (3.1): `~` binds closer than `+`,
/// filters closer than a sign's operand but not within it, keywords are also names where they can't be keywords.
final class ExpressionParser {
    private final TokenStream tokens;

    /// One set of names read per macro that is being parsed, innermost first.
    private final Deque<Set<String>> namesRead = new ArrayDeque<>();

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    void enterMacro() {
        namesRead.push(new HashSet<>());
    }

    /// @return the names read since the matching [#enterMacro]
    Set<String> leaveMacro() {
        Set<String> names = namesRead.pop();
        if (!namesRead.isEmpty()) {
            namesRead.element().addAll(names);
        }
        return Set.copyOf(names);
    }

    Expression expression() {
        return expression(true);
    }

    Expression expression(boolean withConditional) {
        tokens.enter();
        try {
            return withConditional ? conditional() : or();
        } finally {
            tokens.leave();
        }
    }

    /// One expression, or several with commas between them, which make a tuple.
    ///
    /// @param end a name that ends the tuple, null for none
    Expression tuple(boolean withConditional, @Nullable String end, boolean parenthesized) {
        List<Expression> items = new ArrayList<>();
        boolean isTuple = false;
        while (true) {
            if (!items.isEmpty() && !tokens.skipOperator(",")) {
                break;
            }
            isTuple |= !items.isEmpty();
            if (isTupleEnd(end)) {
                break;
            }
            items.add(expression(withConditional));
        }
        if (!isTuple) {
            if (!items.isEmpty()) {
                return items.getFirst();
            }
            if (!parenthesized) {
                throw tokens.failure("expected an expression, got " + tokens.current().describe());
            }
        }
        return new Expression.TupleLiteral(List.copyOf(items));
    }

    private boolean isTupleEnd(@Nullable String end) {
        return tokens.is(Type.VARIABLE_END)
                || tokens.is(Type.BLOCK_END)
                || tokens.isOperator(")")
                || (end != null && tokens.isName(end));
    }

    private Expression conditional() {
        Expression value = or();
        int chained = 0;
        while (tokens.skipName("if")) {
            Expression test = or();
            Expression otherwise = tokens.skipName("else") ? expression() : null;
            value = new Expression.Conditional(test, value, otherwise);
            limitChain(++chained);
        }
        return value;
    }

    private Expression or() {
        Expression left = and();
        for (int chained = 0; tokens.skipName("or"); limitChain(++chained)) {
            left = new Expression.Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        for (int chained = 0; tokens.skipName("and"); limitChain(++chained)) {
            left = new Expression.And(left, not());
        }
        return left;
    }

    private Expression not() {
        if (!tokens.isName("not")) {
            return compare();
        }
        tokens.enter();
        try {
            tokens.next();
            return new Expression.Not(not());
        } finally {
            tokens.leave();
        }
    }

    private Expression compare() {
        Expression first = sum();
        List<CompareOperator> operators = new ArrayList<>();
        List<Expression> operands = new ArrayList<>();
        for (CompareOperator operator = compareOperator();
                operator != null;
                operator = compareOperator()) {
            operators.add(operator);
            operands.add(sum());
        }
        return operators.isEmpty() ? first : new Expression.Compare(first, operators, operands);
    }

    private @Nullable CompareOperator compareOperator() {
        if (tokens.skipName("in")) {
            return CompareOperator.IN;
        }
        if (tokens.isName("not") && tokens.look().isName("in")) {
            tokens.next();
            tokens.next();
            return CompareOperator.NOT_IN;
        }
        for (CompareOperator operator : CompareOperator.values()) {
            if (tokens.skipOperator(operator.symbol)) {
                return operator;
            }
        }
        return null;
    }

    private Expression sum() {
        Expression left = concat();
        for (int chained = 0;
                tokens.isOperator("+") || tokens.isOperator("-");
                limitChain(++chained)) {
            BinaryOperator operator =
                    tokens.next().text().equals("+") ? BinaryOperator.ADD : BinaryOperator.SUBTRACT;
            left = new Expression.Binary(operator, left, concat());
        }
        return left;
    }

    private Expression concat() {
        Expression first = product();
        if (!tokens.isOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>();
        parts.add(first);
        while (tokens.skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concat(parts);
    }

    private Expression product() {
        Expression left = power();
        for (int chained = 0; ; limitChain(++chained)) {
            BinaryOperator operator =
                    switch (tokens.is(Type.OPERATOR) ? tokens.current().text() : "") {
                        case "*" -> BinaryOperator.MULTIPLY;
                        case "/" -> BinaryOperator.DIVIDE;
                        case "//" -> BinaryOperator.FLOOR_DIVIDE;
                        case "%" -> BinaryOperator.MODULO;
                        default -> null;
                    };
            if (operator == null) {
                return left;
            }
            tokens.next();
            left = new Expression.Binary(operator, left, power());
        }
    }

    private Expression power() {
        Expression left = unary(true);
        for (int chained = 0; tokens.skipOperator("**"); limitChain(++chained)) {
            left = new Expression.Binary(BinaryOperator.POWER, left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        tokens.enter();
        try {
            Expression value;
            if (tokens.isOperator("-") || tokens.isOperator("+")) {
                boolean negative = tokens.next().text().equals("-");
                value = new Expression.Unary(negative, unary(false));
            } else {
                value = primary();
            }
            value = postfix(value);
            return withFilters ? filtersAndTests(value) : value;
        } finally {
            tokens.leave();
        }
    }

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.type()) {
            case NAME -> name(token.text());
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.is(Type.STRING)) { // literals next to each other are one
                    text.append(tokens.next().text());
                }
                yield new Expression.Literal(text.toString());
            }
            case INTEGER -> new Expression.Literal(integer(token.text()));
            case FLOAT -> new Expression.Literal(Double.parseDouble(token.text()));
            case OPERATOR ->
                    switch (token.text()) {
                        case "(" -> {
                            Expression tuple = tuple(true, null, true);
                            tokens.expectOperator(")");
                            yield tuple;
                        }
                        case "[" -> new Expression.ListLiteral(listItems());
                        case "{" -> dict();
                        default -> throw tokens.failure("unexpected " + token.describe());
                    };
            case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END ->
                    throw tokens.failure("expected an expression, got " + token.describe());
        };
    }

    private Object integer(String digits) {
        if (digits.length() > 4300) {
            throw tokens.failure("an integer of more than 4300 digits");
        }
        return PyNumbers.normal(new BigInteger(digits));
    }

    private Expression name(String name) {
        return switch (name) {
            case "true", "True" -> new Expression.Literal(true);
            case "false", "False" -> new Expression.Literal(false);
            case "none", "None" -> new Expression.Literal(null);
            default -> {
                if (!namesRead.isEmpty()) {
                    namesRead.element().add(name);
                }
                yield new Expression.Name(name);
            }
        };
    }

    private List<Expression> listItems() {
        List<Expression> items = new ArrayList<>();
        while (!tokens.isOperator("]")) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
            }
            if (!tokens.isOperator("]")) {
                items.add(expression());
            }
        }
        tokens.next();
        return items;
    }

    private Expression dict() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.isOperator("}")) {
            if (!keys.isEmpty()) {
                tokens.expectOperator(",");
            }
            if (!tokens.isOperator("}")) {
                keys.add(expression());
                tokens.expectOperator(":");
                values.add(expression());
            }
        }
        tokens.next();
        return new Expression.DictLiteral(keys, values);
    }

    private Expression postfix(Expression operand) {
        Expression value = operand;
        for (int chained = 0; ; limitChain(++chained)) {
            if (tokens.skipOperator(".")) {
                Token attribute = tokens.next();
                value =
                        switch (attribute.type()) {
                            case NAME -> new Expression.Attribute(value, attribute.text());
                            case INTEGER ->
                                    new Expression.Subscript(
                                            value,
                                            new Expression.Literal(integer(attribute.text())));
                            default -> throw tokens.failure("expected name or number");
                        };
            } else if (tokens.skipOperator("[")) {
                value = subscript(value);
            } else if (tokens.isOperator("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression object) {
        Expression start = tokens.isOperator(":") ? null : expression();
        if (start != null && !tokens.isOperator(":")) {
            if (!tokens.isOperator(",")) {
                tokens.expectOperator("]");
                return new Expression.Subscript(object, start);
            }
            List<Expression> items = new ArrayList<>(List.of(start));
            while (tokens.skipOperator(",")) {
                items.add(expression());
            }
            tokens.expectOperator("]");
            return new Expression.Subscript(object, new Expression.TupleLiteral(items));
        }
        tokens.expectOperator(":");
        Expression stop = tokens.isOperator(":") || tokens.isOperator("]") ? null : expression();
        Expression step = null;
        if (tokens.skipOperator(":") && !tokens.isOperator("]")) {
            step = expression();
        }
        tokens.expectOperator("]");
        return new Expression.Slice(object, start, stop, step);
    }

    private Expression filtersAndTests(Expression operand) {
        Expression value = operand;
        for (int chained = 0; ; limitChain(++chained)) {
            if (tokens.isOperator("|")) {
                tokens.next();
                value = filter(value);
            } else if (tokens.skipName("is")) {
                value = test(value);
            } else if (tokens.isOperator("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    /// A filter's name and arguments, after the `|`.
    Expression.Filter filter(@Nullable Expression operand) {
        String name = dottedName();
        CallArguments arguments = tokens.isOperator("(") ? arguments() : CallArguments.NONE;
        return new Expression.Filter(operand, name, arguments);
    }

    /// The chain of filters of a block; its first has no operand.
    Expression.Filter filters() {
        Expression.Filter filter = filter(null);
        for (int chained = 0; tokens.skipOperator("|"); limitChain(++chained)) {
            filter = filter(filter);
        }
        return filter;
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(tokens.expect(Type.NAME, "a name").text());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.expect(Type.NAME, "a name").text());
        }
        return name.toString();
    }

    private Expression test(Expression operand) {
        boolean negated = tokens.skipName("not");
        String name = dottedName();
        CallArguments arguments = CallArguments.NONE;
        if (tokens.isOperator("(")) {
            arguments = arguments();
        } else if (startsTestArgument()) {
            if (tokens.isName("is")) {
                throw tokens.failure("You cannot chain multiple tests with is");
            }
            arguments = new CallArguments(List.of(postfix(primary())), List.of(), null, null);
        }
        Expression test = new Expression.Test(operand, name, arguments);
        return negated ? new Expression.Not(test) : test;
    }

    private boolean startsTestArgument() {
        return switch (tokens.current().type()) {
            case NAME -> !tokens.isName("else") && !tokens.isName("or") && !tokens.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> tokens.isOperator("[") || tokens.isOperator("{");
            case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END -> false;
        };
    }

    private CallArguments arguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        List<Keyword> named = new ArrayList<>();
        Expression star = null;
        Expression doubleStar = null;
        boolean first = true;
        while (!tokens.isOperator(")")) {
            if (!first) {
                tokens.expectOperator(",");
                if (tokens.isOperator(")")) {
                    break;
                }
            }
            first = false;
            if (tokens.isOperator("*") && star == null && doubleStar == null) {
                tokens.next();
                star = expression();
            } else if (tokens.isOperator("**") && doubleStar == null) {
                tokens.next();
                doubleStar = expression();
            } else if (tokens.is(Type.NAME)
                    && tokens.look().isOperator("=")
                    && doubleStar == null) {
                String name = tokens.next().text();
                tokens.next();
                named.add(new Keyword(name, expression()));
            } else if (star == null && doubleStar == null && named.isEmpty()) {
                positional.add(expression());
            } else {
                throw tokens.failure("invalid syntax for function call expression");
            }
        }
        tokens.next();
        return new CallArguments(positional, named, star, doubleStar);
    }

    /// Chains nest to the left, so that evaluating them recurses as deep as they are long.
    private void limitChain(int length) {
        if (length > TokenStream.NESTING_MAX) {
            throw tokens.failure(
                    "more than " + TokenStream.NESTING_MAX + " operators after each other");
        }
    }
}
