package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/// Python's view of text: counted and cut by code points, with its own idea of white space, lines and case.
final class PyText {
    private PyText() {}

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /// Code points `[from, to)`, both already within the text.
    static String slice(String text, int from, int to) {
        if (length(text) == text.length()) {
            return text.substring(from, to);
        }
        int start = text.offsetByCodePoints(0, from);
        return text.substring(start, text.offsetByCodePoints(start, to - from));
    }

    static boolean allMatch(String text, IntPredicate predicate) {
        return text.codePoints().allMatch(predicate);
    }

    /// `str.isspace` of one code point.
    static boolean isSpace(int c) {
        return switch (c) {
            case ' ',
                    '\t',
                    '\n',
                    0x0b,
                    '\f',
                    '\r',
                    0x1c,
                    0x1d,
                    0x1e,
                    0x1f,
                    0x85,
                    0xa0,
                    0x1680,
                    0x2028,
                    0x2029,
                    0x202f,
                    0x205f,
                    0x3000 ->
                    true;
            default -> c >= 0x2000 && c <= 0x200a;
        };
    }

    private static boolean isLineEnd(char c) {
        return switch (c) {
            case '\n', '\r', 0x0b, '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029 -> true;
            default -> false;
        };
    }

    /// @param chars the code points to take off, null for white space
    static String strip(String text, @Nullable String chars, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end) {
            int c = text.codePointAt(start);
            if (!isStripped(c, chars)) {
                break;
            }
            start += Character.charCount(c);
        }
        while (right && end > start) {
            int c = text.codePointBefore(end);
            if (!isStripped(c, chars)) {
                break;
            }
            end -= Character.charCount(c);
        }
        return text.substring(start, end);
    }

    private static boolean isStripped(int c, @Nullable String chars) {
        return chars == null ? isSpace(c) : chars.indexOf(c) >= 0;
    }

    static List<String> lines(String text, boolean keepEnds) {
        List<String> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            if (isLineEnd(text.charAt(i))) {
                int end = i;
                if (text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
                lines.add(text.substring(start, keepEnds ? i + 1 : end));
                start = i + 1;
            }
        }
        if (start < text.length()) {
            lines.add(text.substring(start));
        }
        return lines;
    }

    /// `str.split`.
    ///
    /// @param separator null for runs of white space
    /// @param splitsMax negative for no limit
    static List<String> split(String text, @Nullable String separator, long splitsMax) {
        return separator == null
                ? splitSpace(text, splitsMax)
                : splitAt(text, separator, splitsMax);
    }

    private static List<String> splitAt(String text, String separator, long splitsMax) {
        List<String> parts = new ArrayList<>();
        int start = 0;
        int at = text.indexOf(separator);
        while (at >= 0 && (splitsMax < 0 || parts.size() < splitsMax)) {
            parts.add(text.substring(start, at));
            start = at + separator.length();
            at = text.indexOf(separator, start);
        }
        parts.add(text.substring(start));
        return parts;
    }

    private static List<String> splitSpace(String text, long splitsMax) {
        List<String> parts = new ArrayList<>();
        int i = 0;
        while (true) {
            while (i < text.length() && isSpace(text.charAt(i))) {
                i++;
            }
            if (i == text.length()) {
                return parts;
            }
            if (splitsMax >= 0 && parts.size() >= splitsMax) {
                parts.add(text.substring(i));
                return parts;
            }
            int start = i;
            while (i < text.length() && !isSpace(text.charAt(i))) {
                i++;
            }
            parts.add(text.substring(start, i));
        }
    }

    /// `str.rsplit`: as [#split], but the limit counts from the end.
    static List<String> splitFromEnd(String text, @Nullable String separator, long splitsMax) {
        if (splitsMax < 0) {
            return split(text, separator, -1);
        }
        List<String> parts = new ArrayList<>();
        int end = text.length();
        while (true) {
            if (separator == null) {
                while (end > 0 && isSpace(text.charAt(end - 1))) {
                    end--;
                }
                if (end == 0) {
                    return parts.reversed();
                }
            }
            int start = parts.size() < splitsMax ? lastSeparatorEnd(text, separator, end) : -1;
            if (start < 0) {
                parts.add(text.substring(0, end));
                return parts.reversed();
            }
            parts.add(text.substring(start, end));
            end = start - (separator == null ? 1 : separator.length());
        }
    }

    private static int lastSeparatorEnd(String text, @Nullable String separator, int end) {
        if (separator != null) {
            int at =
                    end < separator.length()
                            ? -1
                            : text.lastIndexOf(separator, end - separator.length());
            return at < 0 ? -1 : at + separator.length();
        }
        int i = end;
        while (i > 0 && !isSpace(text.charAt(i - 1))) {
            i--;
        }
        return i == 0 ? -1 : i;
    }

    /// `str.replace`; an empty `old` is found between all code points.
    static String replace(
            Budget budget, String text, String old, String replacement, long countMax) {
        TextBuilder out = budget.text();
        long left = countMax < 0 ? Long.MAX_VALUE : countMax;
        int start = 0;
        if (old.isEmpty()) {
            while (left > 0) {
                out.append(replacement);
                left--;
                if (start == text.length()) {
                    return out.toString();
                }
                int c = text.codePointAt(start);
                out.appendCodePoint(c);
                start += Character.charCount(c);
            }
            return out.append(text.substring(start)).toString();
        }
        budget.scan(text, old);
        int at = text.indexOf(old);
        if (at < 0 || left == 0) {
            return text;
        }
        while (at >= 0 && left-- > 0) {
            out.append(text.substring(start, at)).append(replacement);
            start = at + old.length();
            at = text.indexOf(old, start);
        }
        return out.append(text.substring(start)).toString();
    }

    static int count(String text, String needle) {
        if (needle.isEmpty()) {
            return length(text) + 1;
        }
        int count = 0;
        for (int at = text.indexOf(needle);
                at >= 0;
                at = text.indexOf(needle, at + needle.length())) {
            count++;
        }
        return count;
    }

    static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.codePointAt(0);
        return titleCase(first) + lower(text.substring(Character.charCount(first)));
    }

    private static String titleCase(int c) {
        int title = Character.toTitleCase(c);
        String one = Character.toString(c);
        String upper = upper(one);
        // One that grows, such as the German sharp s, keeps only its first letter large.
        return title == c && upper.length() > one.length()
                ? upper.charAt(0) + lower(upper.substring(1))
                : Character.toString(title);
    }

    /// `str.title`: a letter after anything without case becomes large, all others small.
    static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean within = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            out.append(within ? lower(Character.toString(c)) : titleCase(c));
            within = isCased(c);
            i += Character.charCount(c);
        }
        return out.toString();
    }

    static String swapCase(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints()
                .mapToObj(
                        c ->
                                Character.isUpperCase(c)
                                        ? lower(Character.toString(c))
                                        : upper(Character.toString(c)))
                .forEach(out::append);
        return out.toString();
    }

    static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints()
                        .noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints()
                        .noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    static boolean isTitle(String text) {
        boolean within = false;
        boolean any = false;
        for (int c : text.codePoints().toArray()) {
            boolean large = Character.isUpperCase(c) || Character.isTitleCase(c);
            if ((large && within) || (!large && isCased(c) && !within)) {
                return false;
            }
            within = isCased(c);
            any |= within;
        }
        return any;
    }

    /// `str.isidentifier`, near enough: letters, digits and underscores, no digit first.
    static boolean isIdentifier(String text) {
        return !text.isEmpty()
                && (Character.isLetter(text.codePointAt(0)) || text.charAt(0) == '_')
                && allMatch(text, c -> Character.isLetterOrDigit(c) || c == '_');
    }

    static boolean isNumeric(int c) {
        return switch (Character.getType(c)) {
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
                    true;
            default -> false;
        };
    }

    /// `str.isdigit`: decimal digits and superscripts and the like, which Unicode types as other numbers.
    static boolean isDigit(int c) {
        return Character.isDigit(c)
                || c == 0xb2
                || c == 0xb3
                || c == 0xb9
                || c == 0x2070
                || (c >= 0x2074 && c <= 0x2079)
                || (c >= 0x2080 && c <= 0x2089)
                || (c >= 0x2460 && c <= 0x2468);
    }
}
