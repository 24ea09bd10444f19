package dev.tandem.template;

import dev.tandem.template.Token.Type;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Cuts a template into tokens as Jinja's lexer does with `trim_blocks` and `lstrip_blocks` set: the line feed after a
/// `{% %}` or `{# #}` goes, so does the white space before one at the start of its line, `-` strips all white space at
/// its side, `+` keeps it. `{% raw %}` is resolved here.
final class Lexer {
    private static final String[] OPERATORS = { // longest first
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
        "}", ">", "<", "=", ".", ":", "|", ",", ";"
    };

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int position;
    private int line = 1;
    private int lineCountedTo;

    /// Whether the text that follows begins a line: at the start, and after a tag whose end took a line feed.
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String source) {
        String text = source.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
        while (lexer.position < lexer.source.length()) {
            lexer.textAndTag();
        }
        lexer.add(Type.END, "");
        return lexer.tokens;
    }

    private void textAndTag() {
        int open = nextOpening(position);
        if (open < 0) {
            data(source.substring(position));
            position = source.length();
            return;
        }
        char kind = source.charAt(open + 1);
        char sign = signAt(open + 2);
        String text = source.substring(position, open);
        data(stripBefore(text, sign, kind != '{'));
        position = open + 2 + (sign == 0 ? 0 : 1);
        lineStarting = false;
        switch (kind) {
            case '#' -> comment();
            case '{' -> tag(Type.VARIABLE_BEGIN, Type.VARIABLE_END);
            default -> {
                int raw = rawTagEnd("raw", position);
                if (raw >= 0) {
                    position = raw;
                    rawText();
                } else {
                    tag(Type.BLOCK_BEGIN, Type.BLOCK_END);
                }
            }
        }
    }

    private int nextOpening(int from) {
        for (int at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1)) {
            if (at + 1 < source.length() && "{%#".indexOf(source.charAt(at + 1)) >= 0) {
                return at;
            }
        }
        return -1;
    }

    private char signAt(int at) {
        char c = at < source.length() ? source.charAt(at) : 0;
        return c == '-' || c == '+' ? c : 0;
    }

    private String stripBefore(String text, char sign, boolean isBlock) {
        if (sign == '-') {
            return PyText.strip(text, null, false, true);
        }
        if (sign == 0 && isBlock) {
            int lineStart = text.lastIndexOf('\n') + 1;
            boolean startsLine = lineStart > 0 || lineStarting;
            if (startsLine && PyText.allMatch(text.substring(lineStart), PyText::isSpace)) {
                return text.substring(0, lineStart);
            }
        }
        return text;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            add(Type.DATA, text);
        }
    }

    private void add(Type type, String text) {
        for (; lineCountedTo < position; lineCountedTo++) {
            if (source.charAt(lineCountedTo) == '\n') {
                line++;
            }
        }
        tokens.add(new Token(type, text, line));
    }

    private void comment() {
        int end = source.indexOf("#}", position);
        if (end < 0) {
            throw failure("Missing end of comment tag");
        }
        char sign = end > position ? signAt(end - 1) : 0;
        position = end + 2;
        afterTag(sign, true);
    }

    /// @return the position after `raw %}` or `endraw %}` when that is what stands at `at`, else -1
    private int rawTagEnd(String name, int at) {
        int i = skipSpace(at);
        if (!source.startsWith(name, i)) {
            return -1;
        }
        i = skipSpace(i + name.length());
        boolean isEnd = name.startsWith("end");
        if (source.startsWith("-%}", i)) {
            return skipSpace(i + 3);
        }
        if (isEnd && source.startsWith("+%}", i)) {
            return i + 3;
        }
        if (source.startsWith("%}", i)) {
            return isEnd && source.startsWith("\n", i + 2) ? i + 3 : i + 2;
        }
        return -1;
    }

    private void rawText() {
        if (position == source.length()) { // Jinja accepts it, too
            return;
        }
        lineStarting = source.charAt(position - 1) == '\n';
        for (int open = source.indexOf("{%", position);
                open >= 0;
                open = source.indexOf("{%", open + 1)) {
            char sign = signAt(open + 2);
            int end = rawTagEnd("endraw", open + 2 + (sign == 0 ? 0 : 1));
            if (end >= 0) {
                data(stripBefore(source.substring(position, open), sign, true));
                position = end;
                lineStarting = source.charAt(end - 1) == '\n';
                return;
            }
        }
        throw failure("Missing end of raw directive");
    }

    private int skipSpace(int at) {
        int i = at;
        while (i < source.length() && PyText.isSpace(source.charAt(i))) {
            i++;
        }
        return i;
    }

    private void afterTag(char sign, boolean isBlock) {
        if (sign == '-') {
            position = skipSpace(position);
        } else if (sign == 0 && isBlock && source.startsWith("\n", position)) {
            position++;
        }
        lineStarting = source.charAt(position - 1) == '\n';
    }

    private void tag(Type begin, Type end) {
        boolean isBlock = begin == Type.BLOCK_BEGIN;
        String close = isBlock ? "%}" : "}}";
        Deque<Character> open = new ArrayDeque<>();
        add(begin, "");
        while (true) {
            position = skipSpace(position);
            if (position == source.length()) {
                throw failure("unexpected end of template, expected '" + close + "'");
            }
            if (open.isEmpty()) {
                char sign = signAt(position);
                if (sign == '+' && !isBlock) {
                    sign = 0;
                }
                int at = position + (sign == 0 ? 0 : 1);
                if (source.startsWith(close, at)) {
                    position = at + 2;
                    add(end, "");
                    afterTag(sign, isBlock);
                    return;
                }
            }
            expressionToken(open);
        }
    }

    private void expressionToken(Deque<Character> open) {
        int c = source.codePointAt(position);
        if (c >= '0' && c <= '9') {
            number();
        } else if (c == '_' || Character.isLetter(c)) {
            int start = position;
            while (position < source.length() && isNamePart(source.codePointAt(position))) {
                position += Character.charCount(source.codePointAt(position));
            }
            add(Type.NAME, source.substring(start, position));
        } else if (c == '\'' || c == '"') {
            string((char) c);
        } else {
            operator(open);
        }
    }

    private static boolean isNamePart(int c) {
        return c == '_'
                || Character.isLetterOrDigit(c)
                || Character.getType(c) == Character.NON_SPACING_MARK;
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, position)) {
                switch (operator) {
                    case "(" -> open.push(')');
                    case "[" -> open.push(']');
                    case "{" -> open.push('}');
                    case ")", "]", "}" -> {
                        if (open.isEmpty() || open.pop() != operator.charAt(0)) {
                            throw failure("unexpected '" + operator + "'");
                        }
                    }
                    default -> {}
                }
                position += operator.length();
                add(Type.OPERATOR, operator);
                return;
            }
        }
        throw failure("unexpected char '" + Character.toString(source.codePointAt(position)) + "'");
    }

    private void number() {
        int start = position;
        char prefix =
                start + 1 < source.length() ? Character.toLowerCase(source.charAt(start + 1)) : 0;
        int radix =
                source.charAt(start) != '0'
                        ? 10
                        : prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 10;
        if (radix != 10 && digitsEnd(start + 2, radix) > start + 2) {
            position = digitsEnd(start + 2, radix);
            String digits = source.substring(start + 2, position).replace("_", "");
            add(Type.INTEGER, new BigInteger(digits, radix).toString());
            return;
        }
        int end = digitsEnd(start, 10);
        boolean isReal = false;
        boolean afterDot = start > 0 && source.charAt(start - 1) == '.'; // `a.0.1` holds no float
        if (!afterDot) {
            if (end + 1 < source.length()
                    && source.charAt(end) == '.'
                    && digitsEnd(end + 1, 10) > end + 1) {
                end = digitsEnd(end + 1, 10);
                isReal = true;
            }
            if (end < source.length() && Character.toLowerCase(source.charAt(end)) == 'e') {
                int exponent = end + 1 + (signAt(end + 1) == 0 ? 0 : 1);
                if (digitsEnd(exponent, 10) > exponent) {
                    end = digitsEnd(exponent, 10);
                    isReal = true;
                }
            }
        }
        position = end;
        add(isReal ? Type.FLOAT : Type.INTEGER, source.substring(start, end).replace("_", ""));
    }

    /// The end of a run of digits with single underscores between them.
    private int digitsEnd(int from, int radix) {
        int i = from;
        while (i < source.length()) {
            char c = source.charAt(i);
            boolean underscore =
                    c == '_'
                            && i > from
                            && i + 1 < source.length()
                            && Character.digit(source.charAt(i + 1), radix) >= 0;
            if (!underscore && (c > 0x7f || Character.digit(c, radix) < 0)) {
                return i;
            }
            i++;
        }
        return i;
    }

    private void string(char quote) {
        int start = ++position;
        boolean escaped = false;
        while (position < source.length() && source.charAt(position) != quote) {
            boolean escape = source.charAt(position) == '\\';
            escaped |= escape;
            position += escape ? 2 : 1;
        }
        if (position >= source.length()) {
            position = source.length();
            throw failure("unexpected end of template in a string");
        }
        String text = source.substring(start, position++);
        add(Type.STRING, escaped ? unescape(text) : text);
    }

    /// Python's string escapes (its `unicode-escape` codec); an unknown one stays as it is.
    private String unescape(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\' || i + 1 == text.length()) {
                out.append(c);
                continue;
            }
            char escape = text.charAt(++i);
            int simple = "ntr\\'\"abfv".indexOf(escape);
            if (simple >= 0) {
                out.append("\n\t\r\\'\"\u0007\b\f\u000b".charAt(simple));
            } else if (escape >= '0' && escape <= '7') {
                int end = i;
                while (end < text.length()
                        && end < i + 3
                        && text.charAt(end) >= '0'
                        && text.charAt(end) <= '7') {
                    end++;
                }
                out.appendCodePoint(Integer.parseInt(text.substring(i, end), 8));
                i = end - 1;
            } else if (escape == 'x' || escape == 'u' || escape == 'U') {
                int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
                out.appendCodePoint(hexadecimal(text, i + 1, digits));
                i += digits;
            } else if (escape != '\n') { // a line continued
                out.append('\\').append(escape);
            }
        }
        return out.toString();
    }

    private int hexadecimal(String text, int from, int digits) {
        try {
            int codePoint =
                    Integer.parseInt(text, from, Math.min(from + digits, text.length()), 16);
            if (from + digits <= text.length() && Character.isValidCodePoint(codePoint)) {
                return codePoint;
            }
        } catch (NumberFormatException | IndexOutOfBoundsException notHexadecimal) {
            // the same message as for too few digits
        }
        throw failure("a string holds an escape of fewer than " + digits + " hexadecimal digits");
    }

    private TemplateException failure(String message) {
        add(Type.END, ""); // counts the lines
        return new TemplateException(
                TemplateException.Kind.SYNTAX, message + " (line " + line + ")");
    }
}
