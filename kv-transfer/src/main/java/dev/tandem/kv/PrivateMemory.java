package dev.tandem.kv;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Large zero-filled memory outside the heap. On Linux it comes from `mmap`, since [Arena#allocate] counts
/// against the JVM's direct-memory limit (by default the heap's maximum, far less than a KV pool) and touches
/// every page at once; elsewhere from the arena.
final class PrivateMemory {
    private static final Logger log = LoggerFactory.getLogger(PrivateMemory.class);
    private static final long PAGE_BYTES = 4096;

    // Linux, the same on x86-64 and aarch64
    private static final int PROT_READ_WRITE = 1 | 2;
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000;
    private static final int MADV_HUGEPAGE = 14;

    private PrivateMemory() {}

    /// @throws IllegalStateException the host has clearly too little memory left
    static void requireAvailable(long bytes) {
        long available = availableBytes();
        if (bytes > available) {
            throw new IllegalStateException(
                    "the KV pool needs %d MiB but only %d MiB of memory are available; give it less"
                            .formatted(bytes >> 20, available >> 20));
        }
    }

    /// @return zero-filled, page-aligned, unmapped when `arena` closes
    /// @throws IllegalStateException refused by the operating system
    static MemorySegment map(long bytes, Arena arena) {
        if (!System.getProperty("os.name", "").startsWith("Linux")) {
            return arena.allocate(bytes, PAGE_BYTES);
        }
        try {
            MemorySegment raw =
                    (MemorySegment)
                            Libc.MMAP.invokeExact(
                                    MemorySegment.NULL,
                                    bytes,
                                    PROT_READ_WRITE,
                                    MAP_PRIVATE_ANONYMOUS_NORESERVE,
                                    -1,
                                    0L);
            if (raw.address() == -1) {
                throw new IllegalStateException(
                        "the operating system refused %d MiB for the KV pool"
                                .formatted(bytes >> 20));
            }
            int advice = (int) Libc.MADVISE.invokeExact(raw, bytes, MADV_HUGEPAGE);
            if (advice != 0) {
                log.debug("no huge pages for the KV pool: madvise refused");
            }
            return raw.reinterpret(bytes, arena, segment -> unmap(segment, bytes));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("mmap could not be called", e);
        }
    }

    private static void unmap(MemorySegment segment, long bytes) {
        try {
            int refused = (int) Libc.MUNMAP.invokeExact(segment, bytes);
            if (refused != 0) {
                log.warn("munmap of the KV pool was refused");
            }
        } catch (Throwable e) {
            log.warn("munmap could not be called", e);
        }
    }

    /// What the operating system would give without swapping; `Long.MAX_VALUE` when it does not say.
    static long availableBytes() {
        Path meminfo = Path.of("/proc/meminfo");
        try {
            List<String> lines =
                    Files.isReadable(meminfo) ? Files.readAllLines(meminfo) : List.of();
            for (String line : lines) {
                if (line.startsWith("MemAvailable:")) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
                }
            }
        } catch (IOException | NumberFormatException e) {
            log.debug("available memory is unknown", e);
        }
        return Long.MAX_VALUE;
    }

    /// Bound on first use, so that other platforms never look for it.
    private static final class Libc {
        static final MethodHandle MMAP =
                bind(
                        "mmap",
                        FunctionDescriptor.of(
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG));
        static final MethodHandle MADVISE =
                bind(
                        "madvise",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));
        static final MethodHandle MUNMAP =
                bind(
                        "munmap",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

        private static MethodHandle bind(String name, FunctionDescriptor type) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
        }
    }
}
