package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.math.BigDecimal;
import java.math.BigInteger;

/// Arithmetic of Python's int, float and bool (an int in all but its printing). Ints grow without overflow, up to
/// [#INT_BITS_MAX].
final class PyNumbers {
    static final int INT_BITS_MAX = 1 << 16;

    private static final BigInteger LONG_MIN = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger LONG_MAX = BigInteger.valueOf(Long.MAX_VALUE);

    private PyNumbers() {}

    static boolean isNumber(@Nullable Object value) {
        return value instanceof Long
                || value instanceof Double
                || value instanceof Boolean
                || value instanceof BigInteger;
    }

    static boolean isInteger(@Nullable Object value) {
        return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
    }

    /// Ints that fit are kept as Long, so that equal ints are equal objects.
    static Object normal(BigInteger value) {
        if (value.bitLength() > INT_BITS_MAX) {
            throw PyError.limit("integers of more than " + INT_BITS_MAX + " bits");
        }
        return value.compareTo(LONG_MIN) >= 0 && value.compareTo(LONG_MAX) <= 0
                ? (Object) value.longValue()
                : value;
    }

    static BigInteger big(Object value) {
        return switch (value) {
            case BigInteger b -> b;
            case Long l -> BigInteger.valueOf(l);
            case Boolean b -> b ? BigInteger.ONE : BigInteger.ZERO;
            default -> throw PyError.notAnInteger(value);
        };
    }

    static double real(Object value) {
        return switch (value) {
            case Double d -> d;
            case Long l -> l;
            case Boolean b -> b ? 1 : 0;
            case BigInteger b -> {
                double d = b.doubleValue();
                if (Double.isInfinite(d)) {
                    throw PyError.runtime("int too large to convert to float");
                }
                yield d;
            }
            default -> throw PyError.runtime("must be real number, not " + Values.typeName(value));
        };
    }

    /// Exact also between an int and a float; 2 where one is NaN, which is neither less, equal nor greater.
    static int compare(Object left, Object right) {
        if (left instanceof Long a && right instanceof Long b) {
            return Long.compare(a, b);
        }
        if (isInteger(left) && isInteger(right)) {
            return big(left).compareTo(big(right));
        }
        if (left instanceof Double a && right instanceof Double b) {
            return a.isNaN() || b.isNaN() ? 2 : Double.compare(a + 0.0, b + 0.0);
        }
        double real = left instanceof Double d ? d : (Double) right;
        if (Double.isNaN(real)) {
            return 2;
        }
        if (Double.isInfinite(real)) {
            return left instanceof Double == real > 0 ? 1 : -1;
        }
        return exact(left).compareTo(exact(right));
    }

    private static BigDecimal exact(Object value) {
        return value instanceof Double d ? new BigDecimal(d) : new BigDecimal(big(value));
    }

    static Object add(Object left, Object right) {
        if (left instanceof Long a && right instanceof Long b) {
            long sum = a + b;
            return ((a ^ sum) & (b ^ sum)) < 0 ? normal(big(a).add(big(b))) : (Object) sum;
        }
        return bothIntegers(left, right)
                ? normal(big(left).add(big(right)))
                : (Object) (real(left) + real(right));
    }

    static Object subtract(Object left, Object right) {
        return bothIntegers(left, right)
                ? normal(big(left).subtract(big(right)))
                : (Object) (real(left) - real(right));
    }

    static Object multiply(Object left, Object right) {
        return bothIntegers(left, right)
                ? normal(big(left).multiply(big(right)))
                : (Object) (real(left) * real(right));
    }

    static Object divide(Object left, Object right) {
        double divisor = real(right);
        if (divisor == 0) {
            throw PyError.runtime("division by zero");
        }
        if (bothIntegers(left, right)
                && (left instanceof BigInteger || right instanceof BigInteger)) {
            return new BigDecimal(big(left))
                    .divide(new BigDecimal(big(right)), java.math.MathContext.DECIMAL128)
                    .doubleValue();
        }
        return real(left) / divisor;
    }

    static Object floorDivide(Object left, Object right) {
        if (bothIntegers(left, right)) {
            BigInteger divisor = big(right);
            requireNotZero(divisor.signum() != 0, "integer division or modulo by zero");
            BigInteger[] parts = big(left).divideAndRemainder(divisor);
            boolean down = parts[1].signum() != 0 && parts[1].signum() != divisor.signum();
            return normal(down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
        }
        double divisor = real(right);
        requireNotZero(divisor != 0, "float floor division by zero");
        double value = real(left);
        double quotient = (value - realModulo(value, divisor)) / divisor;
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    /// The remainder has the sign of the divisor.
    static Object modulo(Object left, Object right) {
        if (bothIntegers(left, right)) {
            BigInteger divisor = big(right);
            requireNotZero(divisor.signum() != 0, "integer modulo by zero");
            BigInteger remainder = big(left).remainder(divisor);
            boolean shift = remainder.signum() != 0 && remainder.signum() != divisor.signum();
            return normal(shift ? remainder.add(divisor) : remainder);
        }
        requireNotZero(real(right) != 0, "float modulo");
        return realModulo(real(left), real(right));
    }

    private static double realModulo(double value, double divisor) {
        double remainder = value % divisor;
        if (remainder == 0) {
            return Math.copySign(0.0, divisor);
        }
        return remainder < 0 != divisor < 0 ? remainder + divisor : remainder;
    }

    static Object power(Object left, Object right) {
        if (bothIntegers(left, right) && big(right).signum() >= 0) {
            BigInteger base = big(left);
            BigInteger exponent = big(right);
            boolean small = base.abs().compareTo(BigInteger.ONE) <= 0;
            if (small) {
                boolean odd = exponent.testBit(0);
                return normal(
                        exponent.signum() == 0 ? BigInteger.ONE : odd ? base : base.multiply(base));
            }
            if (exponent.bitLength() > 31
                    || (long) (base.abs().bitLength() - 1) * exponent.intValue() > INT_BITS_MAX) {
                throw PyError.limit("integers of more than " + INT_BITS_MAX + " bits");
            }
            return normal(base.pow(exponent.intValue()));
        }
        double base = real(left);
        double exponent = real(right);
        requireNotZero(base != 0 || exponent >= 0, "0.0 cannot be raised to a negative power");
        if (base < 0 && exponent != Math.rint(exponent)) {
            throw PyError.runtime("complex numbers are not supported");
        }
        return Math.pow(base, exponent);
    }

    static Object negate(Object value) {
        return value instanceof Double d ? (Object) (-d) : normal(big(value).negate());
    }

    static Object absolute(Object value) {
        return value instanceof Double d ? (Object) Math.abs(d) : normal(big(value).abs());
    }

    /// `int(value)` of a float: towards zero.
    static Object truncate(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            throw PyError.runtime("cannot convert float " + PyRepr.real(value) + " to integer");
        }
        return normal(new BigDecimal(value).toBigInteger());
    }

    /// `int(text, base)`, with underscores between digits and, where the base allows, a prefix such as 0x.
    ///
    /// @return null where the text is no such number
    static @Nullable Object parseInteger(String text, int base) {
        String digits = PyText.strip(text, null, true, true);
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        int radix = base;
        String lower =
                digits.length() > 2
                        ? digits.substring(0, 2).toLowerCase(java.util.Locale.ROOT)
                        : "";
        int prefixed =
                switch (lower) {
                    case "0x" -> 16;
                    case "0o" -> 8;
                    case "0b" -> 2;
                    default -> 0;
                };
        if (prefixed != 0 && (base == 0 || base == prefixed)) {
            radix = prefixed;
            digits = digits.substring(digits.charAt(2) == '_' ? 3 : 2);
        } else if (base == 0) {
            radix = 10;
        }
        boolean underscores =
                digits.startsWith("_") || digits.endsWith("_") || digits.contains("__");
        digits = digits.replace("_", "");
        if (digits.isEmpty() || underscores || !PyText.allMatch(digits, digitOf(radix))) {
            return null;
        }
        if (digits.length() > 4300) { // as sys.int_info.default_max_str_digits
            throw PyError.runtime("Exceeds the limit (4300 digits) for integer string conversion");
        }
        BigInteger value = new BigInteger(digits, radix);
        return normal(negative ? value.negate() : value);
    }

    private static java.util.function.IntPredicate digitOf(int radix) {
        if (radix < 2 || radix > 36) {
            throw PyError.runtime("int() base must be >= 2 and <= 36, or 0");
        }
        return codePoint -> Character.digit(codePoint, radix) >= 0;
    }

    /// `float(text)`; null where the text is no number.
    static @Nullable Double parseReal(String text) {
        String body = PyText.strip(text, null, true, true);
        String lower = body.toLowerCase(java.util.Locale.ROOT);
        String unsigned =
                lower.startsWith("-") || lower.startsWith("+") ? lower.substring(1) : lower;
        double sign = lower.startsWith("-") ? -1 : 1;
        if (unsigned.equals("inf") || unsigned.equals("infinity")) {
            return sign * Double.POSITIVE_INFINITY;
        }
        if (unsigned.equals("nan")) {
            return Double.NaN;
        }
        boolean plain =
                !unsigned.isEmpty()
                        && PyText.allMatch(unsigned, c -> "0123456789._e+-".indexOf(c) >= 0);
        boolean underscores =
                unsigned.startsWith("_") || unsigned.endsWith("_") || unsigned.contains("__");
        if (!plain || underscores) {
            return null;
        }
        try {
            return sign * Double.parseDouble(unsigned.replace("_", ""));
        } catch (NumberFormatException notANumber) {
            return null;
        }
    }

    private static boolean bothIntegers(Object left, Object right) {
        return isInteger(left) && isInteger(right);
    }

    private static void requireNotZero(boolean notZero, String message) {
        if (!notZero) {
            throw PyError.runtime(message);
        }
    }
}
