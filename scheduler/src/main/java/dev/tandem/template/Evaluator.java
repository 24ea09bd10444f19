package dev.tandem.template;

import dev.tandem.template.Expression.CallArguments;
import dev.tandem.template.Expression.CompareOperator;

import org.jspecify.annotations.Nullable;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Evaluates expressions within a scope. One thread, one rendering.
final class Evaluator {
    private final Budget budget;
    private final Supplier<LocalDateTime> clock;

    Evaluator(Budget budget, Supplier<LocalDateTime> clock) {
        this.budget = budget;
        this.clock = clock;
    }

    Budget budget() {
        return budget;
    }

    LocalDateTime now() {
        return clock.get();
    }

    @Nullable Object evaluate(Expression expression, Scope scope) {
        budget.step();
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> lookUp(name.name(), scope);
            case Expression.ListLiteral list -> evaluateAll(list.items(), scope);
            case Expression.TupleLiteral tuple -> PyTuple.of(evaluateAll(tuple.items(), scope));
            case Expression.DictLiteral dict -> dict(dict, scope);
            case Expression.Attribute a ->
                    Attributes.attribute(budget, evaluate(a.object(), scope), a.name());
            case Expression.Subscript s ->
                    Attributes.element(
                            budget, evaluate(s.object(), scope), evaluate(s.index(), scope));
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.Call call ->
                    call(evaluate(call.callee(), scope), arguments(call.arguments(), scope));
            case Expression.Filter filter -> filter(filter, null, scope);
            case Expression.Test test ->
                    Tests.test(
                            this,
                            test.name(),
                            evaluate(test.operand(), scope),
                            arguments(test.arguments(), scope));
            case Expression.Not not -> !Values.truth(evaluate(not.operand(), scope));
            case Expression.And and -> {
                Object left = evaluate(and.left(), scope);
                yield Values.truth(left) ? evaluate(and.right(), scope) : left;
            }
            case Expression.Or or -> {
                Object left = evaluate(or.left(), scope);
                yield Values.truth(left) ? left : evaluate(or.right(), scope);
            }
            case Expression.Unary unary -> sign(unary.negative(), evaluate(unary.operand(), scope));
            case Expression.Binary binary ->
                    binary(binary, evaluate(binary.left(), scope), evaluate(binary.right(), scope));
            case Expression.Concat concat -> {
                TextBuilder text = budget.text();
                for (Expression part : concat.parts()) {
                    text.append(PyRepr.str(budget, evaluate(part, scope)));
                }
                yield text.toString();
            }
            case Expression.Compare compare -> compare(compare, scope);
            case Expression.Conditional choice -> choose(choice, scope);
        };
    }

    private @Nullable Object lookUp(String name, Scope scope) {
        Object value = scope.find(name);
        if (!Scope.isMissing(value)) {
            return value;
        }
        PyCallable global = Globals.find(name);
        return global != null ? global : Undefined.name(name);
    }

    private List<Object> evaluateAll(List<Expression> items, Scope scope) {
        List<Object> values = new ArrayList<>(items.size());
        for (Expression item : items) {
            Values.add(values, evaluate(item, scope));
        }
        return values;
    }

    private Map<Object, Object> dict(Expression.DictLiteral literal, Scope scope) {
        Map<Object, Object> dict = new LinkedHashMap<>();
        for (int i = 0; i < literal.keys().size(); i++) {
            Object key = evaluate(literal.keys().get(i), scope);
            Object same = Values.keyIn(dict, key);
            Values.put(dict, same == null ? key : same, evaluate(literal.values().get(i), scope));
        }
        return dict;
    }

    private @Nullable Object slice(Expression.Slice slice, Scope scope) {
        Object object = evaluate(slice.object(), scope);
        return Attributes.slice(
                budget,
                object,
                bound(slice.start(), scope),
                bound(slice.stop(), scope),
                bound(slice.step(), scope));
    }

    private @Nullable Long bound(@Nullable Expression expression, Scope scope) {
        Object value = expression == null ? null : evaluate(expression, scope);
        return value == null ? null : (Long) Values.index(value);
    }

    private @Nullable Object choose(Expression.Conditional choice, Scope scope) {
        if (Values.truth(evaluate(choice.test(), scope))) {
            return evaluate(choice.value(), scope);
        }
        Expression otherwise = choice.otherwise();
        return otherwise != null
                ? evaluate(otherwise, scope)
                : new Undefined(
                        "the inline if-expression evaluated to false and no else section was"
                                + " defined.");
    }

    private Object sign(boolean negative, @Nullable Object operand) {
        PyOps.refuseUndefined(operand);
        if (operand == null || !PyNumbers.isNumber(operand)) {
            throw PyError.runtime(
                    "bad operand type for unary %s: '%s'"
                            .formatted(negative ? "-" : "+", Values.typeName(operand)));
        }
        return negative ? PyNumbers.negate(operand) : PyNumbers.add(operand, 0L);
    }

    private Object binary(Expression.Binary binary, @Nullable Object left, @Nullable Object right) {
        return switch (binary.operator()) {
            case ADD -> PyOps.add(budget, left, right);
            case MULTIPLY -> PyOps.multiply(budget, left, right);
            case MODULO ->
                    Values.isText(left)
                            ? PercentFormat.format(budget, left, right)
                            : arithmetic(binary, left, right);
            case SUBTRACT, DIVIDE, FLOOR_DIVIDE, POWER -> arithmetic(binary, left, right);
        };
    }

    private static Object arithmetic(
            Expression.Binary binary, @Nullable Object left, @Nullable Object right) {
        PyOps.refuseUndefined(left, right);
        if (left == null
                || right == null
                || !PyNumbers.isNumber(left)
                || !PyNumbers.isNumber(right)) {
            throw PyError.operands(binary.operator().symbol, left, right);
        }
        return switch (binary.operator()) {
            case ADD -> PyNumbers.add(left, right);
            case SUBTRACT -> PyNumbers.subtract(left, right);
            case MULTIPLY -> PyNumbers.multiply(left, right);
            case DIVIDE -> PyNumbers.divide(left, right);
            case FLOOR_DIVIDE -> PyNumbers.floorDivide(left, right);
            case MODULO -> PyNumbers.modulo(left, right);
            case POWER -> PyNumbers.power(left, right);
        };
    }

    private boolean compare(Expression.Compare compare, Scope scope) {
        Object left = evaluate(compare.first(), scope);
        for (int i = 0; i < compare.operators().size(); i++) {
            Object right = evaluate(compare.operands().get(i), scope);
            if (!holds(compare.operators().get(i), left, right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    boolean holds(CompareOperator operator, @Nullable Object left, @Nullable Object right) {
        return switch (operator) {
            case EQUAL -> PyOps.equal(budget, left, right);
            case NOT_EQUAL -> !PyOps.equal(budget, left, right);
            case IN -> PyOps.contains(budget, right, left);
            case NOT_IN -> !PyOps.contains(budget, right, left);
            case LESS -> PyOps.compare(budget, operator.symbol, left, right) < 0;
            case LESS_OR_EQUAL -> PyOps.compare(budget, operator.symbol, left, right) <= 0;
            case GREATER -> PyOps.compare(budget, operator.symbol, left, right) == 1;
            case GREATER_OR_EQUAL -> {
                int order = PyOps.compare(budget, operator.symbol, left, right);
                yield order == 0 || order == 1;
            }
        };
    }

    private Arguments arguments(CallArguments arguments, Scope scope) {
        if (arguments.isEmpty()) {
            return Arguments.NONE;
        }
        List<Object> positional = evaluateAll(arguments.positional(), scope);
        Map<String, Object> named = new LinkedHashMap<>();
        for (Expression.Keyword keyword : arguments.named()) {
            Values.put(named, keyword.name(), evaluate(keyword.value(), scope));
        }
        if (arguments.star() != null) {
            PyOps.iterate(budget, evaluate(arguments.star(), scope))
                    .forEachRemaining(positional::add);
        }
        if (arguments.doubleStar() != null) {
            if (!(evaluate(arguments.doubleStar(), scope) instanceof Map<?, ?> map)) {
                throw PyError.runtime("argument after ** must be a mapping");
            }
            for (Map.Entry<Object, Object> entry : Values.map(map).entrySet()) {
                if (!(entry.getKey() instanceof String name)) {
                    throw PyError.runtime("keywords must be strings");
                }
                if (named.containsKey(name)) {
                    throw PyError.runtime(
                            "got multiple values for keyword argument '" + name + "'");
                }
                Values.put(named, name, entry.getValue());
            }
        }
        return new Arguments(positional, named);
    }

    @Nullable Object call(@Nullable Object callee, Arguments arguments) {
        return switch (callee) {
            case PyCallable callable -> {
                budget.enter();
                try {
                    yield callable.call(this, arguments);
                } finally {
                    budget.leave();
                }
            }
            case Undefined undefined -> throw undefined.failure();
            case null, default ->
                    throw PyError.runtime(
                            "'" + Values.typeName(callee) + "' object is not callable");
        };
    }

    /// The call of a call block: the block's body goes along as `caller`.
    @Nullable Object callWith(Expression.Call call, Macro caller, Scope scope) {
        Object callee = evaluate(call.callee(), scope);
        return call(callee, arguments(call.arguments(), scope).with("caller", caller));
    }

    /// @param innermost the value for a chain of filters that has no operand of its own
    @Nullable Object filter(Expression.Filter filter, @Nullable Object innermost, Scope scope) {
        Object operand =
                switch (filter.operand()) {
                    case null -> innermost;
                    case Expression.Filter inner -> filter(inner, innermost, scope);
                    case Expression other -> evaluate(other, scope);
                };
        budget.step();
        return Filters.apply(this, filter.name(), operand, arguments(filter.arguments(), scope));
    }
}
