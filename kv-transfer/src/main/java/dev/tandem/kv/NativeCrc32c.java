package dev.tandem.kv;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/// The functions of `copycrc.c`, where the build had a compiler and the CPU has their instructions. A call allocates
/// nothing and keeps the segments open while it runs.
final class NativeCrc32c {
    private static final String LIBRARY = "libtandem-copycrc.so";

    /// Null where there is none: [Crc32c] has another way.
    static final @Nullable NativeCrc32c INSTANCE = load();

    private final MethodHandle checksum;
    private final MethodHandle copy;

    private NativeCrc32c(MethodHandle checksum, MethodHandle copy) {
        this.checksum = checksum;
        this.copy = copy;
    }

    private static @Nullable NativeCrc32c load() {
        Logger log = LoggerFactory.getLogger(NativeCrc32c.class);
        try (InputStream library = NativeCrc32c.class.getResourceAsStream(LIBRARY)) {
            if (library == null) {
                log.info("KV blocks are checked by the JDK's CRC32C: the build had no C compiler");
                return null;
            }
            Path file = Files.createTempFile("tandem-copycrc-", ".so");
            try {
                Files.write(file, library.readAllBytes());
                return bind(file);
            } finally {
                Files.delete(file); // stays mapped
            }
        } catch (IOException | IllegalArgumentException | LinkageError e) {
            log.info("KV blocks are checked by the JDK's CRC32C: {}", e.toString());
            return null;
        }
    }

    @SuppressWarnings("restricted")
    private static @Nullable NativeCrc32c bind(Path file) {
        SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
        Linker linker = Linker.nativeLinker();
        MethodHandle supported =
                linker.downcallHandle(
                        symbols.findOrThrow("tandem_crc32c_supported"),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT));
        try {
            if ((int) supported.invokeExact() == 0) {
                return null;
            }
        } catch (Throwable e) {
            throw new IllegalArgumentException("the CPU could not be asked", e);
        }
        return new NativeCrc32c(
                linker.downcallHandle(
                        symbols.findOrThrow("tandem_crc32c"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG)),
                linker.downcallHandle(
                        symbols.findOrThrow("tandem_copy_crc32c"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG)));
    }

    /// Bounds are the caller's; segments are native.
    int of(MemorySegment memory, long from, long bytes) {
        try {
            return (int) checksum.invokeExact(memory, from, bytes);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("can't happen: C throws nothing", e);
        }
    }

    /// Bounds are the caller's; segments are native and don't overlap.
    int copy(MemorySegment source, long from, MemorySegment target, long to, long bytes) {
        try {
            return (int) copy.invokeExact(source, from, target, to, bytes);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("can't happen: C throws nothing", e);
        }
    }
}
