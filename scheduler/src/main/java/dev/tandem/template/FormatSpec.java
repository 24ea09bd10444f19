package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/// Python's format mini-language for strings and numbers (`[[fill]align][sign][#][0][width][,][.precision][type]`).
///
/// @param fill one code point
/// @param align one of `<`, `>`, `^`, `=`, or 0 for the type's own
/// @param sign one of `-`, `+`, space
/// @param grouping `,` or `_` between thousands, 0 for none
/// @param precision digits, -1 when not given
/// @param type the presentation type, 0 when not given
record FormatSpec(
        String fill,
        char align,
        char sign,
        boolean alternate,
        int width,
        char grouping,
        int precision,
        char type) {
    private static final int DIGITS_MAX = 1000;

    static FormatSpec parse(String spec) {
        int i = 0;
        String fill = " ";
        char align = 0;
        int first = spec.isEmpty() ? 0 : Character.charCount(spec.codePointAt(0));
        if (spec.length() > first && "<>^=".indexOf(spec.charAt(first)) >= 0) {
            fill = spec.substring(0, first);
            align = spec.charAt(first);
            i = first + 1;
        } else if (!spec.isEmpty() && "<>^=".indexOf(spec.charAt(0)) >= 0) {
            align = spec.charAt(0);
            i = 1;
        }
        char sign = '-';
        if (i < spec.length() && "+- ".indexOf(spec.charAt(i)) >= 0) {
            sign = spec.charAt(i++);
        }
        boolean alternate = i < spec.length() && spec.charAt(i) == '#';
        i += alternate ? 1 : 0;
        if (i < spec.length() && spec.charAt(i) == '0') {
            fill = align == 0 ? "0" : fill;
            align = align == 0 ? '=' : align;
            i++;
        }
        int digits = digitsEnd(spec, i);
        int width = digits > i ? number(spec.substring(i, digits), Integer.MAX_VALUE) : 0;
        i = digits;
        char grouping = 0;
        if (i < spec.length() && (spec.charAt(i) == ',' || spec.charAt(i) == '_')) {
            grouping = spec.charAt(i++);
        }
        int precision = -1;
        if (i < spec.length() && spec.charAt(i) == '.') {
            digits = digitsEnd(spec, ++i);
            if (digits == i) {
                throw PyError.runtime("Format specifier missing precision");
            }
            precision = number(spec.substring(i, digits), Integer.MAX_VALUE);
            i = digits;
        }
        char type = i < spec.length() ? spec.charAt(i++) : 0;
        if (i < spec.length()) {
            throw PyError.runtime("Invalid format specifier '" + spec + "'");
        }
        return new FormatSpec(fill, align, sign, alternate, width, grouping, precision, type);
    }

    private static int digitsEnd(String text, int from) {
        int i = from;
        while (i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9') {
            i++;
        }
        return i;
    }

    static int number(String digits, int max) {
        if (digits.length() > 9 || Integer.parseInt(digits) > max) {
            throw PyError.runtime("Too many decimal digits in format string");
        }
        return Integer.parseInt(digits);
    }

    String apply(Budget budget, @Nullable Object value) {
        if (value != null
                && PyNumbers.isNumber(value)
                && !(value instanceof Boolean && type == 0)) {
            boolean real = value instanceof Double || (type != 0 && "eEfFgG%".indexOf(type) >= 0);
            return real ? real(budget, PyNumbers.real(value)) : integer(budget, value);
        }
        if (value instanceof Undefined || Values.isText(value) || value instanceof Boolean) {
            if (type != 0 && type != 's') {
                throw unknown(value);
            }
            String text = PyRepr.str(budget, value);
            boolean cut = precision >= 0 && precision < PyText.length(text);
            return pad(budget, "", cut ? PyText.slice(text, 0, precision) : text, '<');
        }
        if (width != 0 || type != 0 || align != 0) {
            throw PyError.runtime(
                    "unsupported format string passed to "
                            + Values.typeName(value)
                            + ".__format__");
        }
        return PyRepr.str(budget, value);
    }

    private TemplateException unknown(@Nullable Object value) {
        return PyError.runtime(
                "Unknown format code '%s' for object of type '%s'"
                        .formatted(type, Values.typeName(value)));
    }

    private String integer(Budget budget, Object value) {
        java.math.BigInteger number = PyNumbers.big(value);
        String digits =
                switch (type) {
                    case 0, 'd', 'n' -> number.abs().toString();
                    case 'x' -> (alternate ? "0x" : "") + number.abs().toString(16);
                    case 'X' -> (alternate ? "0X" : "") + PyText.upper(number.abs().toString(16));
                    case 'o' -> (alternate ? "0o" : "") + number.abs().toString(8);
                    case 'b' -> (alternate ? "0b" : "") + number.abs().toString(2);
                    case 'c' -> Character.toString(codePoint(number));
                    default -> throw unknown(value);
                };
        return pad(budget, signOf(number.signum() < 0), grouped(digits), '>');
    }

    private static int codePoint(java.math.BigInteger number) {
        if (number.signum() < 0
                || number.bitLength() > 21
                || !Character.isValidCodePoint(number.intValue())) {
            throw PyError.runtime("%c arg not in range(0x110000)");
        }
        return number.intValue();
    }

    private String real(Budget budget, double value) {
        boolean negative = value < 0 || (value == 0 && 1 / value < 0);
        double magnitude = Math.abs(value);
        if (precision > DIGITS_MAX) {
            throw PyError.limit("more than " + DIGITS_MAX + " digits of a number");
        }
        String digits;
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            digits = PyRepr.real(magnitude) + (type == '%' ? "%" : "");
        } else {
            digits =
                    switch (type) {
                        case 'f', 'F' -> fixed(magnitude, precision < 0 ? 6 : precision);
                        case '%' -> fixed(magnitude * 100, precision < 0 ? 6 : precision) + "%";
                        case 'e', 'E' -> scientific(magnitude, precision < 0 ? 6 : precision);
                        case 'g', 'G', 'n' ->
                                general(
                                        magnitude,
                                        precision < 0 ? 6 : Math.max(precision, 1),
                                        false);
                        case 0 ->
                                precision < 0
                                        ? PyRepr.real(magnitude)
                                        : general(magnitude, Math.max(precision, 1), true);
                        default -> throw unknown(value);
                    };
        }
        String cased = type == 'E' || type == 'G' || type == 'F' ? PyText.upper(digits) : digits;
        return pad(budget, signOf(negative), grouped(cased), '>');
    }

    private static String fixed(double value, int places) {
        return new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
    }

    private static String scientific(double value, int places) {
        if (value == 0) {
            return fixed(0, places) + "e+00";
        }
        BigDecimal rounded =
                new BigDecimal(value).round(new MathContext(places + 1, RoundingMode.HALF_EVEN));
        String digits = rounded.unscaledValue().toString();
        int exponent = digits.length() - 1 - rounded.scale();
        digits =
                digits.length() > places + 1
                        ? digits.substring(0, places + 1)
                        : digits + "0".repeat(places + 1 - digits.length());
        String fraction = places > 0 ? "." + digits.substring(1) : "";
        return "%s%se%s%02d"
                .formatted(
                        digits.charAt(0), fraction, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    private static String general(double value, int significant, boolean keepOneDecimal) {
        String scientific = scientific(value, significant - 1);
        int exponent = Integer.parseInt(scientific.substring(scientific.indexOf('e') + 1));
        if (exponent < -4 || exponent >= significant - (keepOneDecimal ? 1 : 0)) {
            int e = scientific.indexOf('e');
            return trimZeros(scientific.substring(0, e)) + scientific.substring(e);
        }
        String fixed = trimZeros(fixed(value, Math.max(significant - 1 - exponent, 0)));
        return keepOneDecimal && fixed.indexOf('.') < 0 ? fixed + ".0" : fixed;
    }

    private static String trimZeros(String digits) {
        return digits.indexOf('.') < 0 ? digits : digits.replaceFirst("\\.?0+$", "");
    }

    private String signOf(boolean negative) {
        return negative ? "-" : sign == '-' ? "" : String.valueOf(sign);
    }

    private String grouped(String digits) {
        if (grouping == 0) {
            return digits;
        }
        int end = 0;
        while (end < digits.length() && Character.isDigit(digits.charAt(end))) {
            end++;
        }
        StringBuilder out = new StringBuilder(digits);
        for (int i = end - 3; i > 0; i -= 3) {
            out.insert(i, grouping);
        }
        return out.toString();
    }

    private String pad(Budget budget, String prefix, String body, char ownAlign) {
        int missing = Math.max(width - PyText.length(prefix) - PyText.length(body), 0);
        char side = align == 0 ? ownAlign : align;
        int left =
                switch (side) {
                    case '<' -> 0;
                    case '^' -> missing / 2;
                    default -> missing;
                };
        TextBuilder out = budget.text();
        if (side == '=') {
            return out.append(prefix).repeat(fill, missing).append(body).toString();
        }
        return out.repeat(fill, left)
                .append(prefix)
                .append(body)
                .repeat(fill, missing - left)
                .toString();
    }
}
