package dev.tandem.engine;

import dev.tandem.device.Backend;
import dev.tandem.device.LayerListener;
import dev.tandem.device.Logits;
import dev.tandem.device.RaggedBatch;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A deterministic "model": the KV of a token is (token, position), and the logits are a hash of the whole prefix
/// as read back from the pool through the row's block table. A wrong token, position, block or a block that was
/// overwritten therefore changes what is sampled.
final class ToyBackend implements Backend {
    static final int VOCABULARY = 97;
    static final int CONTEXT_TOKENS_MAX = 64;
    static final KvShape SHAPE = new KvShape(1, 1, 4, 1);

    int forwards;

    @Override
    public String deviceName() {
        return "toy";
    }

    @Override
    public int vocabulary() {
        return VOCABULARY;
    }

    @Override
    public int contextTokensMax() {
        return CONTEXT_TOKENS_MAX;
    }

    @Override
    public KvShape kvShape() {
        return SHAPE;
    }

    @Override
    public Logits forward(RaggedBatch batch, KvPool pool, LayerListener listener) {
        forwards++;
        int sampling = 0;
        for (int row = 0; row < batch.rows(); row++) {
            for (int i = 0; i < batch.count(row); i++) {
                write(
                        batch,
                        row,
                        batch.from(row) + i,
                        batch.token(batch.tokenStart(row) + i),
                        pool);
            }
            sampling += batch.samples(row) ? 1 : 0;
        }
        listener.layersDone(SHAPE.layers());
        float[] logits = new float[sampling * VOCABULARY];
        int out = 0;
        for (int row = 0; row < batch.rows(); row++) {
            if (batch.samples(row)) {
                long hash = prefixHash(batch, row, batch.from(row) + batch.count(row), pool);
                fill(logits, VOCABULARY * out++, hash);
            }
        }
        return new Logits(MemorySegment.ofArray(logits), sampling, VOCABULARY);
    }

    /// What [#forward] gives after `tokens`, without a pool: the truth that tests compare with.
    static Logits logitsAfter(int[] tokens, int count) {
        long hash = 1;
        for (int position = 0; position < count; position++) {
            hash = mix(mix(hash, tokens[position]), position);
        }
        float[] logits = new float[VOCABULARY];
        fill(logits, 0, hash);
        return new Logits(MemorySegment.ofArray(logits), 1, VOCABULARY);
    }

    private static void write(RaggedBatch batch, int row, int position, int token, KvPool pool) {
        int inBlock = position % SHAPE.blockTokens();
        MemorySegment block = pool.block(batch.block(row, position / SHAPE.blockTokens()));
        block.setAtIndex(ValueLayout.JAVA_FLOAT, SHAPE.keyOffset(0, 0, inBlock), token);
        block.setAtIndex(ValueLayout.JAVA_FLOAT, SHAPE.valueOffset(0, 0, inBlock), position);
    }

    private static long prefixHash(RaggedBatch batch, int row, int tokens, KvPool pool) {
        long hash = 1;
        for (int position = 0; position < tokens; position++) {
            int inBlock = position % SHAPE.blockTokens();
            MemorySegment block = pool.block(batch.block(row, position / SHAPE.blockTokens()));
            float token = block.getAtIndex(ValueLayout.JAVA_FLOAT, SHAPE.keyOffset(0, 0, inBlock));
            float at = block.getAtIndex(ValueLayout.JAVA_FLOAT, SHAPE.valueOffset(0, 0, inBlock));
            hash = mix(mix(hash, (long) token), (long) at);
        }
        return hash;
    }

    private static void fill(float[] logits, int offset, long hash) {
        for (int id = 0; id < VOCABULARY; id++) {
            logits[offset + id] = (mix(hash, id) >>> 40) * 0x1.0p-21f; // 0..8
        }
    }

    private static long mix(long hash, long value) {
        long z = hash * 0x9E3779B97F4A7C15L + value + 1;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    @Override
    public void close() {}
}
