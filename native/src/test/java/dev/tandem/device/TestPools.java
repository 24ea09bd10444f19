package dev.tandem.device;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;

import java.lang.foreign.ValueLayout;

/// KV pools for tests of backends.
final class TestPools {
    private TestPools() {}

    /// Private memory filled with NaN: reading a slot that nobody wrote shows in the logits.
    static KvPool filledWithNaN(KvShape shape, int blocks) {
        KvPool pool = KvPools.privateMemory(shape, blocks);
        for (long i = 0; i < blocks * shape.blockFloats(); i++) {
            pool.memory().setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NaN);
        }
        return pool;
    }
}
