package dev.tandem.device;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;

/// One loaded model on one device: the one interface between the engine and a device. Owned by the engine thread,
/// which makes all calls.
public interface Backend extends AutoCloseable {
    /// The device in words, such as `CPU, 2 threads, AVX-512`.
    String deviceName();

    int vocabulary();

    int contextTokensMax();

    /// Shape of the KV blocks that [#forward] reads and writes.
    KvShape kvShape();

    /// Computes all rows of the batch: writes the KV of their tokens into the pool's blocks and, for every row that
    /// samples, the logits after its last token.
    ///
    /// Every row's result depends on its own tokens, positions and KV only, bit for bit: never on the other rows,
    /// on how a prompt was cut into chunks, on block numbers or on the number of threads.
    ///
    /// @param listener is told of layers as their KV is written
    /// @return logits `[rows that sample, vocabulary]` in the order of the rows, float32; a view of memory that the
    ///     backend owns, valid until the next call
    Logits forward(RaggedBatch batch, KvPool pool, LayerListener listener);

    /// A pass that nobody follows.
    default Logits forward(RaggedBatch batch, KvPool pool) {
        return forward(batch, pool, LayerListener.NONE);
    }

    @Override
    void close();
}
