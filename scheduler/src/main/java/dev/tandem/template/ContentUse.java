package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// How a template treats the `content` of messages, found in its tree as vLLM finds its "content format": requests bring
/// content in forms that not every template can take.
///
/// @param iterated some loop walks a message's content, so it takes a list of parts
/// @param testedForNone the content is compared with None somewhere, so it takes None
record ContentUse(boolean iterated, boolean testedForNone) {
    static ContentUse of(List<Statement> body) {
        Finder finder = new Finder();
        // Twice: a macro may use a name that is assigned from content further down.
        finder.visit(body);
        finder.visit(body);
        return new ContentUse(finder.iterated, finder.testedForNone);
    }

    private static final class Finder {
        /// Variables that hold content; `content` itself is what macros call their parameter.
        private final Set<String> names = new HashSet<>(Set.of("content"));

        private boolean iterated;
        private boolean testedForNone;

        void visit(List<Statement> body) {
            for (Statement statement : body) {
                switch (statement) {
                    case Statement.If choice -> {
                        choice.branches()
                                .forEach(
                                        branch -> {
                                            visit(branch.test());
                                            visit(branch.body());
                                        });
                        visit(choice.otherwise());
                    }
                    case Statement.For loop -> {
                        iterated |= isContent(loop.iterable());
                        visit(loop.iterable());
                        visit(loop.body());
                        visit(loop.otherwise());
                    }
                    case Statement.Assign assign -> {
                        visit(assign.value());
                        if (assign.target() instanceof Statement.Target.Variable variable
                                && isContent(assign.value())) {
                            names.add(variable.name());
                        }
                    }
                    case Statement.SetBlock block -> visit(block.body());
                    case Statement.MacroDefinition macro -> visit(macro.body());
                    case Statement.CallBlock block -> visit(block.body());
                    case Statement.FilterBlock block -> visit(block.body());
                    case Statement.With with -> visit(with.body());
                    case Statement.Generation generation -> visit(generation.body());
                    case Statement.Print print -> visit(print.value());
                    case Statement.Do action -> visit(action.value());
                    case Statement.Data ignored -> {}
                    case Statement.Break ignored -> {}
                    case Statement.Continue ignored -> {}
                }
            }
        }

        /// Looks for comparisons with None in the parts of an expression where templates write them.
        private void visit(@Nullable Expression expression) {
            switch (expression) {
                case Expression.Test test ->
                        testedForNone |= test.name().equals("none") && isContent(test.operand());
                case Expression.Compare compare ->
                        testedForNone |=
                                isContent(compare.first())
                                        && compare.operands()
                                                .contains(new Expression.Literal(null));
                case Expression.Not not -> visit(not.operand());
                case Expression.And and -> {
                    visit(and.left());
                    visit(and.right());
                }
                case Expression.Or or -> {
                    visit(or.left());
                    visit(or.right());
                }
                case Expression.Binary binary -> {
                    visit(binary.left());
                    visit(binary.right());
                }
                case Expression.Conditional choice -> {
                    visit(choice.test());
                    visit(choice.value());
                    visit(choice.otherwise());
                }
                case null, default -> {}
            }
        }

        private boolean isContent(@Nullable Expression expression) {
            return switch (expression) {
                case Expression.Name name -> names.contains(name.name());
                case Expression.Attribute attribute -> attribute.name().equals("content");
                case Expression.Subscript subscript ->
                        subscript.index() instanceof Expression.Literal literal
                                && "content".equals(literal.value());
                case Expression.Filter filter -> isContent(filter.operand());
                case Expression.Slice slice -> isContent(slice.object());
                case null, default -> false;
            };
        }
    }
}
