package dev.tandem.template;

import dev.tandem.template.Expression.CompareOperator;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/// Jinja's tests: what stands after `is`, and the names that `select` and its like take.
final class Tests {
    private Tests() {}

    static boolean exists(String name) {
        return switch (name) {
            case "odd",
                    "even",
                    "divisibleby",
                    "defined",
                    "undefined",
                    "filter",
                    "test",
                    "none",
                    "boolean",
                    "false",
                    "true",
                    "integer",
                    "float",
                    "lower",
                    "upper",
                    "string",
                    "mapping",
                    "number",
                    "sequence",
                    "iterable",
                    "callable",
                    "sameas",
                    "escaped",
                    "in",
                    "==",
                    "eq",
                    "equalto",
                    "!=",
                    "ne",
                    ">",
                    "gt",
                    "greaterthan",
                    "ge",
                    ">=",
                    "<",
                    "lt",
                    "lessthan",
                    "<=",
                    "le" ->
                    true;
            default -> false;
        };
    }

    static boolean test(
            Evaluator evaluator, String name, @Nullable Object value, Arguments arguments) {
        if (!exists(name)) {
            throw PyError.runtime("No test named '" + name + "' found.");
        }
        CompareOperator comparison = comparison(name);
        if (comparison != null) {
            Object other = arguments.bind(name, 1, "other").get(0);
            return evaluator.holds(comparison, value, other);
        }
        return switch (name) {
            case "divisibleby" -> {
                Object divisor = arguments.bind(name, 1, "num").get(0);
                yield isZero(remainder(value, divisor));
            }
            case "sameas" -> isSame(value, arguments.bind(name, 1, "other").get(0));
            default -> {
                arguments.bind(name, 0);
                yield unary(evaluator, name, value);
            }
        };
    }

    private static @Nullable CompareOperator comparison(String name) {
        return switch (name) {
            case "==", "eq", "equalto" -> CompareOperator.EQUAL;
            case "!=", "ne" -> CompareOperator.NOT_EQUAL;
            case ">", "gt", "greaterthan" -> CompareOperator.GREATER;
            case ">=", "ge" -> CompareOperator.GREATER_OR_EQUAL;
            case "<", "lt", "lessthan" -> CompareOperator.LESS;
            case "<=", "le" -> CompareOperator.LESS_OR_EQUAL;
            case "in" -> CompareOperator.IN;
            default -> null;
        };
    }

    private static boolean unary(Evaluator evaluator, String name, @Nullable Object value) {
        return switch (name) {
            case "odd" -> !isZero(remainder(value, 2L));
            case "even" -> isZero(remainder(value, 2L));
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "boolean" -> value instanceof Boolean;
            case "true" -> value instanceof Boolean b && b;
            case "false" -> value instanceof Boolean b && !b;
            case "integer" -> PyNumbers.isInteger(value) && !(value instanceof Boolean);
            case "float" -> value instanceof Double;
            case "number" -> PyNumbers.isNumber(value);
            case "string" -> Values.isText(value);
            case "mapping" -> value instanceof Map;
            case "lower" -> PyText.isLower(PyRepr.str(evaluator.budget(), value));
            case "upper" -> PyText.isUpper(PyRepr.str(evaluator.budget(), value));
            case "iterable" -> PyOps.isIterable(value);
            case "sequence" ->
                    Values.isText(value)
                            || value instanceof List
                            || value instanceof PyTuple
                            || value instanceof Map
                            || value instanceof PyRange
                            || value instanceof Undefined;
            case "callable" -> value instanceof PyCallable || value instanceof Undefined;
            case "escaped" -> value instanceof Markup;
            case "filter" -> value instanceof String s && Filters.exists(s);
            case "test" -> value instanceof String s && exists(s);
            default -> throw new IllegalStateException("no test " + name);
        };
    }

    private static Object remainder(@Nullable Object value, @Nullable Object divisor) {
        PyOps.refuseUndefined(value, divisor);
        if (value == null
                || divisor == null
                || !PyNumbers.isNumber(value)
                || !PyNumbers.isNumber(divisor)) {
            throw PyError.operands("%", value, divisor);
        }
        return PyNumbers.modulo(value, divisor);
    }

    private static boolean isZero(Object number) {
        return PyNumbers.compare(number, 0L) == 0;
    }

    /// Python's `is`; equal small values of one type are one object there.
    @SuppressWarnings("ReferenceEquality") // that is what the test asks
    private static boolean isSame(@Nullable Object value, @Nullable Object other) {
        boolean plain =
                value instanceof String || value instanceof Boolean || value instanceof Long;
        return value == other || (plain && value != null && value.equals(other));
    }
}
