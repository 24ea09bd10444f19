package dev.tandem.kv;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Makes pools. All are zero-filled, and refused with a clear error when memory is short.
public final class KvPools {
    private static final Logger log = LoggerFactory.getLogger(KvPools.class);
    private static final Pattern NAME =
            Pattern.compile(
                    Pattern.quote(SharedKvPool.NAME_PREFIX)
                            + "(\\d{1,10})-[0-9a-f]{16}"
                            + Pattern.quote(SharedKvPool.NAME_SUFFIX));

    private KvPools() {}

    /// A pool that only this process can reach: blocks come in over the network alone.
    ///
    /// @throws IllegalStateException not enough memory
    public static KvPool privateMemory(KvShape shape, int blocks) {
        return new PrivateKvPool(shape, blocks);
    }

    /// A pool in a file of the default folder: `/dev/shm`, or else the folder for temporary files.
    ///
    /// @param incarnation of the worker; part of the file's name
    /// @throws IOException no space or no right to write there
    public static SharedKvPool shared(KvShape shape, int blocks, long incarnation)
            throws IOException {
        Path memory = Path.of("/dev/shm");
        Path folder =
                Files.isDirectory(memory) && Files.isWritable(memory)
                        ? memory
                        : Path.of(System.getProperty("java.io.tmpdir"));
        return shared(shape, blocks, incarnation, folder);
    }

    /// As above, in a folder of the caller's choice. Removes pools that dead processes left there.
    public static SharedKvPool shared(KvShape shape, int blocks, long incarnation, Path folder)
            throws IOException {
        removeStale(folder);
        String name =
                "%s%d-%016x%s"
                        .formatted(
                                SharedKvPool.NAME_PREFIX,
                                ProcessHandle.current().pid(),
                                incarnation,
                                SharedKvPool.NAME_SUFFIX);
        return SharedKvPool.create(shape, blocks, folder.resolve(name), incarnation);
    }

    /// Maps the pool of another worker on this host, to write into it. Closing it does not remove the file.
    ///
    /// @param shape that the pool must have
    /// @param incarnation that must own it
    /// @throws IOException it can't be mapped, or is not that worker's
    public static SharedKvPool attach(Path path, KvShape shape, long incarnation)
            throws IOException {
        return SharedKvPool.attach(path, shape, incarnation);
    }

    static long requireBytes(KvShape shape, int blocks) {
        if (blocks < 1) {
            throw new IllegalArgumentException("a KV pool needs at least one block, not " + blocks);
        }
        return Math.multiplyExact(shape.blockBytes(), (long) blocks);
    }

    /// A pool is stale when its process id is not alive here and nobody holds its lock; the lock tells about
    /// processes of other process-id namespaces, which may share the folder.
    private static void removeStale(Path folder) {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(folder, SharedKvPool.NAME_PREFIX + "*")) {
            for (Path file : files) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches()
                        && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()
                        && isUnlocked(file)) {
                    Files.deleteIfExists(file);
                    log.info("removed the KV pool of a dead process: {}", file);
                }
            }
        } catch (IOException e) {
            log.debug("could not look for stale KV pools in {}", folder, e);
        }
    }

    private static boolean isUnlocked(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                var lock = channel.tryLock(SharedKvPool.OWNER_LOCK, 1, false)) {
            return lock != null;
        } catch (IOException e) {
            log.debug("can't tell whether {} is in use", file, e);
            return false; // another user's: not ours to remove
        }
    }
}
