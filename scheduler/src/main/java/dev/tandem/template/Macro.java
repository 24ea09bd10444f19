package dev.tandem.template;

import dev.tandem.template.Statement.Signature;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A macro, or the `caller` of a call block, together with the scope in which it stands.
final class Macro implements PyCallable {
    private final Interpreter interpreter;
    private final Signature signature;
    private final List<Statement> body;
    private final Scope definedIn;

    Macro(Interpreter interpreter, Signature signature, List<Statement> body, Scope definedIn) {
        this.interpreter = interpreter;
        this.signature = signature;
        this.body = body;
        this.definedIn = definedIn;
    }

    String name() {
        return signature.name();
    }

    @Override
    public Object call(Evaluator evaluator, Arguments arguments) {
        Scope scope = new Scope(definedIn);
        List<String> parameters = signature.parameters();
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        List<Object> positional = arguments.positional();
        int firstDefault = parameters.size() - signature.defaults().size();
        bindCaller(scope, named);
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            if (i < positional.size()) {
                if (named.containsKey(parameter)) {
                    throw failure("got multiple values for argument '" + parameter + "'");
                }
                scope.set(parameter, positional.get(i));
            } else if (named.containsKey(parameter)) {
                scope.set(parameter, named.remove(parameter));
            } else if (i >= firstDefault) {
                // A default may use the parameters before it.
                scope.set(
                        parameter,
                        evaluator.evaluate(signature.defaults().get(i - firstDefault), scope));
            } else {
                scope.set(
                        parameter, new Undefined("parameter '" + parameter + "' was not provided"));
            }
        }
        bindRest(
                scope,
                positional.subList(
                        Math.min(parameters.size(), positional.size()), positional.size()),
                named);
        return interpreter.capture(body, scope);
    }

    private void bindCaller(Scope scope, Map<String, Object> named) {
        if (signature.uses().contains("caller") && !signature.parameters().contains("caller")) {
            Object caller =
                    named.containsKey("caller")
                            ? named.remove("caller")
                            : new Undefined("No caller defined");
            scope.set("caller", caller);
        }
    }

    private void bindRest(Scope scope, List<Object> positional, Map<String, Object> named) {
        if (signature.uses().contains("kwargs")) {
            scope.set("kwargs", new LinkedHashMap<Object, Object>(named));
        } else if (!named.isEmpty()) {
            throw failure("takes no keyword argument '" + named.keySet().iterator().next() + "'");
        }
        if (signature.uses().contains("varargs")) {
            scope.set("varargs", PyTuple.of(new java.util.ArrayList<>(positional)));
        } else if (!positional.isEmpty()) {
            throw failure("takes not more than " + signature.parameters().size() + " argument(s)");
        }
    }

    private TemplateException failure(String what) {
        return PyError.runtime("macro '" + signature.name() + "' " + what);
    }

    /// @return [Scope#MISSING] when there is no such attribute
    @Nullable Object attribute(String attribute) {
        return switch (attribute) {
            case "name" -> signature.name();
            case "arguments" -> PyTuple.of(List.<Object>copyOf(signature.parameters()));
            case "catch_kwargs" -> signature.uses().contains("kwargs");
            case "catch_varargs" -> signature.uses().contains("varargs");
            case "caller" -> signature.uses().contains("caller");
            default -> Scope.MISSING;
        };
    }
}
