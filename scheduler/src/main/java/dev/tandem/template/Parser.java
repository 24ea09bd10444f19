package dev.tandem.template;

import dev.tandem.template.Statement.Signature;
import dev.tandem.template.Statement.Target;
import dev.tandem.template.Token.Type;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Parses a template's statements into a tree. What Jinja needs other files for (`include`, `extends`, `import`,
/// `block`) is refused: a chat template is one file.
final class Parser {
    private final TokenStream tokens;
    private final ExpressionParser expressions;

    private Parser(List<Token> tokens) {
        this.tokens = new TokenStream(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    /// @throws TemplateException of kind SYNTAX
    static List<Statement> parse(String source) {
        Parser parser = new Parser(Lexer.tokens(source));
        List<Statement> body = parser.body();
        if (!parser.tokens.is(Type.END)) {
            throw parser.tokens.failure(
                    "Encountered unknown tag '" + parser.tokens.current().text() + "'");
        }
        return body;
    }

    /// Statements up to the end of the template or to a tag whose name is one of `ends`; that name is the current
    /// token then.
    private List<Statement> body(String... ends) {
        List<Statement> body = new ArrayList<>();
        tokens.enter();
        while (true) {
            Token token = tokens.current();
            switch (token.type()) {
                case DATA -> body.add(new Statement.Data(tokens.next().text()));
                case VARIABLE_BEGIN -> {
                    tokens.next();
                    body.add(new Statement.Print(expressions.tuple(true, null, false)));
                    tokens.expect(Type.VARIABLE_END, "end of print statement");
                }
                case BLOCK_BEGIN -> {
                    tokens.next();
                    if (List.of(ends).contains(tokens.current().text()) && tokens.is(Type.NAME)) {
                        tokens.leave();
                        return body;
                    }
                    body.add(statement());
                    tokens.expect(Type.BLOCK_END, "end of statement block");
                }
                case END -> {
                    if (ends.length > 0) {
                        throw tokens.failure(
                                "Unexpected end of template. Looking for "
                                        + String.join(" or ", ends));
                    }
                    tokens.leave();
                    return body;
                }
                case VARIABLE_END, BLOCK_END, NAME, STRING, INTEGER, FLOAT, OPERATOR ->
                        throw tokens.failure("unexpected " + token.describe());
            }
        }
    }

    /// A body in its tag: from before the `%}` of the opening tag to after the name of the closing one.
    private List<Statement> blockBody(String end) {
        tokens.expect(Type.BLOCK_END, "end of statement block");
        List<Statement> body = body(end);
        tokens.next();
        return body;
    }

    private Statement statement() {
        String tag = tokens.expect(Type.NAME, "a tag name").text();
        return switch (tag) {
            case "if" -> ifStatement();
            case "for" -> forStatement();
            case "set" -> setStatement();
            case "macro" -> macro();
            case "call" -> callBlock();
            case "filter" -> {
                Expression.Filter filter = expressions.filters();
                yield new Statement.FilterBlock(filter, blockBody("endfilter"));
            }
            case "with" -> with();
            case "generation" -> new Statement.Generation(blockBody("endgeneration"));
            case "print" -> new Statement.Print(expressions.tuple(true, null, false));
            case "do" -> new Statement.Do(expressions.tuple(true, null, false));
            case "break" -> new Statement.Break();
            case "continue" -> new Statement.Continue();
            default -> throw tokens.failure("Encountered unknown tag '" + tag + "'");
        };
    }

    private Statement ifStatement() {
        List<Statement.Branch> branches = new ArrayList<>();
        do {
            Expression test = expressions.tuple(false, null, false);
            tokens.expect(Type.BLOCK_END, "end of statement block");
            branches.add(new Statement.Branch(test, body("elif", "else", "endif")));
        } while (tokens.next().isName("elif"));
        List<Statement> otherwise = lastTagWas("else") ? blockBody("endif") : List.of();
        return new Statement.If(branches, otherwise);
    }

    private boolean lastTagWas(String name) {
        return tokens.previous().isName(name);
    }

    private Statement forStatement() {
        Target target = target("in", false);
        if (!tokens.skipName("in")) {
            throw tokens.failure("expected 'in', got " + tokens.current().describe());
        }
        Expression iterable = expressions.tuple(false, "recursive", false);
        Expression filter = tokens.skipName("if") ? expressions.expression() : null;
        boolean recursive = tokens.skipName("recursive");
        tokens.expect(Type.BLOCK_END, "end of statement block");
        List<Statement> body = body("endfor", "else");
        tokens.next();
        List<Statement> otherwise = lastTagWas("else") ? blockBody("endfor") : List.of();
        return new Statement.For(target, iterable, filter, recursive, body, otherwise);
    }

    private Statement setStatement() {
        Target target = target(null, true);
        if (tokens.skipOperator("=")) {
            return new Statement.Assign(target, expressions.tuple(true, null, false));
        }
        Expression.Filter filter = tokens.skipOperator("|") ? expressions.filters() : null;
        return new Statement.SetBlock(target, filter, blockBody("endset"));
    }

    /// A name, a namespace's attribute where allowed, or several of them with commas or in parentheses.
    private Target target(@Nullable String end, boolean namespaces) {
        List<Target> targets = new ArrayList<>();
        boolean isTuple = false;
        do {
            boolean ended =
                    tokens.isOperator("=") || tokens.isOperator(")") || tokens.is(Type.BLOCK_END);
            if (isTuple && (ended || (end != null && tokens.isName(end)))) {
                break;
            }
            targets.add(oneTarget(namespaces));
            isTuple |= tokens.isOperator(",");
        } while (tokens.skipOperator(","));
        return isTuple ? new Target.Tuple(targets) : targets.getFirst();
    }

    private Target oneTarget(boolean namespaces) {
        tokens.enter();
        try {
            if (tokens.skipOperator("(")) {
                Target inner = target(null, namespaces);
                tokens.expectOperator(")");
                return inner;
            }
            String name = assignable();
            if (namespaces && tokens.skipOperator(".")) {
                return new Target.NamespaceAttribute(
                        name, tokens.expect(Type.NAME, "a name").text());
            }
            return new Target.Variable(name);
        } finally {
            tokens.leave();
        }
    }

    private String assignable() {
        String name = tokens.expect(Type.NAME, "a name").text();
        return switch (name) {
            case "true", "True", "false", "False", "none", "None" ->
                    throw tokens.failure("can't assign to '" + name + "'");
            default -> name;
        };
    }

    private Statement macro() {
        String name = assignable();
        expressions.enterMacro();
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        parameters(parameters, defaults);
        List<Statement> body = blockBody("endmacro");
        Signature signature = new Signature(name, parameters, defaults, expressions.leaveMacro());
        return new Statement.MacroDefinition(signature, body);
    }

    private Statement callBlock() {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        expressions.enterMacro();
        if (tokens.isOperator("(")) {
            parameters(parameters, defaults);
        }
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw tokens.failure("expected call");
        }
        List<Statement> body = blockBody("endcall");
        Signature caller = new Signature("caller", parameters, defaults, expressions.leaveMacro());
        return new Statement.CallBlock(caller, call, body);
    }

    private void parameters(List<String> parameters, List<Expression> defaults) {
        tokens.expectOperator("(");
        while (!tokens.isOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",");
            }
            parameters.add(assignable());
            if (tokens.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw tokens.failure("non-default argument follows default argument");
            }
        }
        tokens.next();
    }

    private Statement with() {
        List<Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.is(Type.BLOCK_END)) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",");
            }
            targets.add(oneTarget(false));
            tokens.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Statement.With(targets, values, blockBody("endwith"));
    }
}
