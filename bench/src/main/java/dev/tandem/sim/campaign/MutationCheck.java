package dev.tandem.sim.campaign;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/// Puts known bugs into the core, one at a time, and sees whether the fault campaign finds them (mutation testing: DeMillo,
/// Lipton, Sayward, "Hints on Test Data Selection", IEEE Computer 1978). The edited source is compiled in memory and runs in a
/// class loader of its own beside the other classes of this build. Nothing on disk changes.
public final class MutationCheck {
    /// A mutant may also run for ever inside the core. So long is far beyond what a run of all its seeds takes.
    private static final long HANG_SECONDS = 120;

    /// Packages whose classes each mutant gets anew: those that are edited and those that know them.
    private static final List<String> OWN_PACKAGES =
            List.of(
                    "dev.tandem.core.",
                    "dev.tandem.batching.",
                    "dev.tandem.routing.",
                    "dev.tandem.admission.",
                    "dev.tandem.record.",
                    "dev.tandem.sim.");

    private final Path sources;
    private final String classPath;

    /// @param sources the scheduler's source folder
    /// @param classPath to compile against: that of this process
    public MutationCheck(Path sources, String classPath) {
        this.sources = sources;
        this.classPath = classPath;
    }

    /// @param caughtBy `seed: problem`; empty if the mutant lives
    public record Outcome(Mutant mutant, String caughtBy, long millis) {
        public boolean isCaught() {
            return !caughtBy.isEmpty();
        }
    }

    /// Runs one mutant over seeds `from` to `to`, up to the first that catches it.
    ///
    /// @throws IllegalStateException its text is not found exactly once, or it does not compile: then it proves nothing
    public Outcome run(Mutant mutant, long from, long to) {
        long started = System.nanoTime();
        Map<String, byte[]> classes = compile(mutant, edited(mutant));
        String caughtBy = call("firstFailure", new MutantLoader(classes), from, to);
        return new Outcome(
                mutant, caughtBy, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started));
    }

    /// What a campaign of one mutant reports of its first failing seed, shrunk.
    ///
    /// @return empty if the mutant lives
    public String report(Mutant mutant, long from, long to) {
        Map<String, byte[]> classes = compile(mutant, edited(mutant));
        return call("firstReport", new MutantLoader(classes), from, to);
    }

    private String edited(Mutant mutant) {
        String text;
        try {
            text = Files.readString(sources.resolve(mutant.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int at = text.indexOf(mutant.oldText());
        if (at < 0 || text.indexOf(mutant.oldText(), at + 1) >= 0) {
            throw new IllegalStateException(
                    "%s: the text of the mutant '%s' must stand there once"
                            .formatted(mutant.file(), mutant.description()));
        }
        return text.substring(0, at)
                + mutant.newText()
                + text.substring(at + mutant.oldText().length());
    }

    // ---- compiling ----

    private Map<String, byte[]> compile(Mutant mutant, String text) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IllegalStateException("this needs a JDK, not only a runtime");
        }
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        ClassFiles files = new ClassFiles(compiler.getStandardFileManager(diagnostics, null, null));
        StringWriter output = new StringWriter();
        boolean compiled =
                compiler.getTask(
                                output,
                                files,
                                diagnostics,
                                List.of("-classpath", classPath, "-proc:none", "-nowarn"),
                                null,
                                List.of(new SourceText(mutant.file(), text)))
                        .call();
        if (!compiled) {
            throw new IllegalStateException(
                    "the mutant '%s' does not compile: %s %s"
                            .formatted(mutant.description(), diagnostics.getDiagnostics(), output));
        }
        Map<String, byte[]> classes = new HashMap<>();
        files.written.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
        return classes;
    }

    private static final class SourceText extends SimpleJavaFileObject {
        private final String text;

        SourceText(String file, String text) {
            super(URI.create("string:///" + file), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    private static final class ClassFiles extends ForwardingJavaFileManager<JavaFileManager> {
        final Map<String, ByteArrayOutputStream> written = new HashMap<>();

        ClassFiles(JavaFileManager manager) {
            super(manager);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location,
                String className,
                JavaFileObject.Kind kind,
                @Nullable FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("bytes:///" + className), kind) {
                @Override
                public OutputStream openOutputStream() {
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    written.put(className, bytes);
                    return bytes;
                }
            };
        }
    }

    // ---- running ----

    private static String call(String method, ClassLoader loader, long from, long to) {
        CompletableFuture<String> result = new CompletableFuture<>();
        Thread thread =
                Thread.ofPlatform()
                        .daemon()
                        .name("mutant")
                        .start(() -> result.complete(run(method, loader, from, to)));
        try {
            return result.get(HANG_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            thread.interrupt();
            return "hangs within seeds %d..%d".formatted(from, to);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a mutant runs", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String run(String method, ClassLoader loader, long from, long to) {
        try {
            return (String)
                    loader.loadClass(MutantRun.class.getName())
                            .getMethod(method, long.class, long.class)
                            .invoke(null, from, to);
        } catch (InvocationTargetException e) {
            return "a seed of %d..%d: %s".formatted(from, to, e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Defines the classes of [#OWN_PACKAGES] itself, those of the mutant from its own bytes.
    private static final class MutantLoader extends ClassLoader {
        private final Map<String, byte[]> mutated;

        MutantLoader(Map<String, byte[]> mutated) {
            super(MutationCheck.class.getClassLoader());
            this.mutated = mutated;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (OWN_PACKAGES.stream().noneMatch(name::startsWith)) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : define(name);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            byte[] bytes = mutated.get(name);
            if (bytes == null) {
                String resource = name.replace('.', '/') + ".class";
                try (InputStream in = getParent().getResourceAsStream(resource)) {
                    if (in == null) {
                        throw new ClassNotFoundException(name);
                    }
                    bytes = in.readAllBytes();
                } catch (IOException e) {
                    throw new ClassNotFoundException(name, e);
                }
            }
            return defineClass(name, bytes, 0, bytes.length);
        }
    }
}
