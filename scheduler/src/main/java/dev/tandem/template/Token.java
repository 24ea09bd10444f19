package dev.tandem.template;

/// A lexical token.
///
/// @param text a name, an operator, or a literal's value: a string without its quotes and escapes, a number without
///     underscores
/// @param line counted from 1
record Token(Type type, String text, int line) {
    enum Type {
        DATA,
        VARIABLE_BEGIN,
        VARIABLE_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean isName(String name) {
        return type == Type.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return type == Type.OPERATOR && text.equals(operator);
    }

    /// For messages.
    String describe() {
        return switch (type) {
            case DATA -> "template data";
            case VARIABLE_BEGIN, BLOCK_BEGIN -> "begin of a tag";
            case VARIABLE_END -> "end of print statement";
            case BLOCK_END -> "end of statement block";
            case END -> "end of template";
            case STRING -> "string '" + text + "'";
            case NAME, INTEGER, FLOAT, OPERATOR -> "'" + text + "'";
        };
    }
}
