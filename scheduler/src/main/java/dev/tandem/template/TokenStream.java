package dev.tandem.template;

import dev.tandem.template.Token.Type;

import java.util.List;

/// The parser's place in the tokens, and its limit on nesting.
final class TokenStream {
    /// Blocks and parentheses inside each other, and operators after each other in one expression.
    static final int NESTING_MAX = 200;

    private final List<Token> tokens;
    private int position;
    private int nesting;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(position);
    }

    Token look() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    Token previous() {
        return tokens.get(Math.max(position - 1, 0));
    }

    Token next() {
        Token token = current();
        if (position < tokens.size() - 1) {
            position++;
        }
        return token;
    }

    boolean is(Type type) {
        return current().type() == type;
    }

    boolean isName(String name) {
        return current().isName(name);
    }

    boolean isOperator(String operator) {
        return current().isOperator(operator);
    }

    boolean skipName(String name) {
        boolean found = isName(name);
        if (found) {
            next();
        }
        return found;
    }

    boolean skipOperator(String operator) {
        boolean found = isOperator(operator);
        if (found) {
            next();
        }
        return found;
    }

    Token expect(Type type, String what) {
        if (!is(type)) {
            throw failure("expected " + what + ", got " + current().describe());
        }
        return next();
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw failure("expected '" + operator + "', got " + current().describe());
        }
    }

    void enter() {
        if (++nesting > NESTING_MAX) {
            throw failure("nested deeper than " + NESTING_MAX);
        }
    }

    void leave() {
        nesting--;
    }

    TemplateException failure(String message) {
        return new TemplateException(
                TemplateException.Kind.SYNTAX, message + " (line " + current().line() + ")");
    }
}
