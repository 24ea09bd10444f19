package dev.tandem.bench.transfer;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/// A filled source and an empty target.
record Pools(KvPool source, KvPool target) implements AutoCloseable {
    /// @param sharedAs incarnation in the name of the target's file; 0 = private memory
    static Pools open(KvShape shape, int blocks, long sharedAs, long seed) throws IOException {
        KvPool source = KvPools.privateMemory(shape, blocks);
        var random = new SplittableRandom(seed);
        for (long at = 0; at < source.memory().byteSize(); at += Long.BYTES) {
            source.memory().set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
        KvPool target =
                sharedAs != 0
                        ? KvPools.shared(shape, blocks, sharedAs)
                        : KvPools.privateMemory(shape, blocks);
        target.memory().fill((byte) 0); // its pages are there before anything is timed
        return new Pools(source, target);
    }

    boolean isEqual() {
        return source.memory().mismatch(target.memory()) < 0;
    }

    long blockBytes() {
        return source.shape().blockBytes();
    }

    @Override
    public void close() {
        source.close();
        target.close();
    }
}
