package dev.tandem.template;

import dev.tandem.template.Statement.Target;

import org.jspecify.annotations.Nullable;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Supplier;

/// Runs a template's statements once. One thread, one rendering.
final class Interpreter {
    /// How a statement ended.
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private final Budget budget;
    private final Evaluator evaluator;
    private TextBuilder out;

    Interpreter(Budget budget, Supplier<LocalDateTime> clock) {
        this.budget = budget;
        this.evaluator = new Evaluator(budget, clock);
        this.out = budget.output();
    }

    String render(List<Statement> body, Scope scope) {
        run(body, scope);
        return out.toString();
    }

    /// Runs a body and gives its text instead of writing it.
    String capture(List<Statement> body, Scope scope) {
        TextBuilder enclosing = out;
        budget.enter();
        out = budget.text();
        try {
            run(body, scope);
            return out.toString();
        } finally {
            out = enclosing;
            budget.leave();
        }
    }

    private Flow run(List<Statement> body, Scope scope) {
        for (Statement statement : body) {
            Flow flow = run(statement, scope);
            if (flow != Flow.NEXT) {
                return flow;
            }
        }
        return Flow.NEXT;
    }

    private Flow run(Statement statement, Scope scope) {
        budget.step();
        switch (statement) {
            case Statement.Data data -> out.append(data.text());
            case Statement.Print print ->
                    out.append(PyRepr.str(budget, evaluator.evaluate(print.value(), scope)));
            case Statement.If choice -> {
                return run(chosen(choice, scope), scope);
            }
            case Statement.For loop ->
                    runLoop(loop, evaluator.evaluate(loop.iterable(), scope), scope, 0);
            case Statement.Assign assign ->
                    assign(assign.target(), evaluator.evaluate(assign.value(), scope), scope);
            case Statement.SetBlock set -> {
                Object text = capture(set.body(), new Scope(scope));
                Expression.Filter filter = set.filter();
                assign(
                        set.target(),
                        filter == null ? text : evaluator.filter(filter, text, scope),
                        scope);
            }
            case Statement.MacroDefinition macro ->
                    scope.set(
                            macro.signature().name(),
                            new Macro(this, macro.signature(), macro.body(), scope));
            case Statement.CallBlock call -> {
                Macro caller = new Macro(this, call.caller(), call.body(), scope);
                out.append(PyRepr.str(budget, evaluator.callWith(call.call(), caller, scope)));
            }
            case Statement.FilterBlock block -> {
                String text = capture(block.body(), new Scope(scope));
                out.append(PyRepr.str(budget, evaluator.filter(block.filter(), text, scope)));
            }
            case Statement.With with -> {
                Scope inner = new Scope(scope);
                for (int i = 0; i < with.targets().size(); i++) {
                    assign(
                            with.targets().get(i),
                            evaluator.evaluate(with.values().get(i), scope),
                            inner);
                }
                return run(with.body(), inner);
            }
            case Statement.Generation generation -> {
                return run(generation.body(), new Scope(scope));
            }
            case Statement.Do action -> evaluator.evaluate(action.value(), scope);
            case Statement.Break ignored -> {
                return Flow.BREAK;
            }
            case Statement.Continue ignored -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.NEXT;
    }

    private List<Statement> chosen(Statement.If choice, Scope scope) {
        for (Statement.Branch branch : choice.branches()) {
            if (Values.truth(evaluator.evaluate(branch.test(), scope))) {
                return branch.body();
            }
        }
        return choice.otherwise();
    }

    private void runLoop(Statement.For loop, @Nullable Object iterable, Scope scope, int depth0) {
        Iterator<Object> elements = PyOps.iterate(budget, iterable);
        Expression filter = loop.filter();
        long length = -1;
        if (filter != null) {
            elements = new FilteredElements(elements, loop.target(), filter, scope);
        } else if (PyOps.hasLength(iterable)) {
            length = PyOps.length(iterable);
        }
        LoopContext.Recursion recursion =
                loop.recursive() ? (inner, depth) -> renderInner(loop, inner, scope, depth) : null;
        LoopContext context = new LoopContext(budget, elements, length, depth0, recursion);
        boolean ran = false;
        while (context.hasNext()) {
            ran = true;
            Scope inner = new Scope(scope);
            inner.set("loop", context);
            assign(loop.target(), context.next(), inner);
            if (run(loop.body(), inner) == Flow.BREAK) {
                break;
            }
        }
        if (!ran) {
            run(loop.otherwise(), new Scope(scope));
        }
    }

    private String renderInner(
            Statement.For loop, @Nullable Object iterable, Scope scope, int depth0) {
        TextBuilder enclosing = out;
        budget.enter();
        out = budget.text();
        try {
            runLoop(loop, iterable, scope, depth0);
            return out.toString();
        } finally {
            out = enclosing;
            budget.leave();
        }
    }

    private void assign(Target target, @Nullable Object value, Scope scope) {
        switch (target) {
            case Target.Variable variable -> scope.set(variable.name(), value);
            case Target.NamespaceAttribute attribute -> {
                if (!(scope.find(attribute.namespace()) instanceof Namespace namespace)) {
                    throw PyError.runtime("cannot assign attribute on non-namespace object");
                }
                Values.put(namespace.attributes(), attribute.attribute(), value);
            }
            case Target.Tuple tuple -> {
                if (!PyOps.isIterable(value)) {
                    throw PyError.runtime(
                            "cannot unpack non-iterable " + Values.typeName(value) + " object");
                }
                List<Object> parts = new ArrayList<>();
                PyOps.iterate(budget, value).forEachRemaining(parts::add);
                int wanted = tuple.targets().size();
                if (parts.size() != wanted) {
                    throw PyError.runtime(
                            parts.size() > wanted
                                    ? "too many values to unpack (expected " + wanted + ")"
                                    : "not enough values to unpack (expected "
                                            + wanted
                                            + ", got "
                                            + parts.size()
                                            + ")");
                }
                for (int i = 0; i < wanted; i++) {
                    assign(tuple.targets().get(i), parts.get(i), scope);
                }
            }
        }
    }

    /// The elements for which the loop's filter is true, found one by one as the loop goes on.
    private final class FilteredElements implements Iterator<Object> {
        private final Iterator<Object> source;
        private final Target target;
        private final Expression filter;
        private final Scope scope;
        private @Nullable Object found;
        private boolean hasFound;

        FilteredElements(Iterator<Object> source, Target target, Expression filter, Scope scope) {
            this.source = source;
            this.target = target;
            this.filter = filter;
            this.scope = scope;
        }

        @Override
        public boolean hasNext() {
            while (!hasFound && source.hasNext()) {
                found = source.next();
                Scope inner = new Scope(scope);
                assign(target, found, inner);
                hasFound = Values.truth(evaluator.evaluate(filter, inner));
            }
            return hasFound;
        }

        @Override
        @SuppressWarnings("NullAway") // an element may be None
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            hasFound = false;
            return found;
        }
    }
}
