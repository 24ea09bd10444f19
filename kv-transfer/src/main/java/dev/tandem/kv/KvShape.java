package dev.tandem.kv;

import dev.tandem.wire.KvElement;
import dev.tandem.wire.KvLayout;

/// Shape of one KV block: `[layers, 2, kvHeads, blockTokens, headDim]` elements, keys before values, row-major.
/// Two workers can exchange blocks when their shapes are equal.
///
/// Rows of one head lie together, so that attention over a block reads a contiguous `[blockTokens, headDim]`.
public record KvShape(int layers, int kvHeads, int blockTokens, int headDim) {
    /// Bytes of one element; blocks hold float32.
    public static final int ELEMENT_BYTES = Float.BYTES;

    public KvShape {
        if (layers < 1 || kvHeads < 1 || blockTokens < 1 || headDim < 1) {
            throw new IllegalArgumentException(
                    "KV shape needs positive sizes: layers %d, KV heads %d, block tokens %d, head dimension %d"
                            .formatted(layers, kvHeads, blockTokens, headDim));
        }
    }

    /// Floats of the keys (or the values) of one layer in one block.
    public long planeFloats() {
        return (long) kvHeads * blockTokens * headDim;
    }

    public long blockFloats() {
        return 2L * layers * planeFloats();
    }

    /// Bytes of one layer's keys and values in one block; they lie together.
    public long layerBytes() {
        return 2L * planeFloats() * ELEMENT_BYTES;
    }

    public long blockBytes() {
        return blockFloats() * ELEMENT_BYTES;
    }

    /// Offset in floats, from the block's start, of the key row of (layer, head, token in block).
    public long keyOffset(int layer, int kvHead, int token) {
        return 2L * layer * planeFloats() + ((long) kvHead * blockTokens + token) * headDim;
    }

    /// Offset in floats, from the block's start, of the value row of (layer, head, token in block).
    public long valueOffset(int layer, int kvHead, int token) {
        return keyOffset(layer, kvHead, token) + planeFloats();
    }

    public KvLayout toWire() {
        return KvLayout.newBuilder()
                .setBlockTokens(blockTokens)
                .setLayers(layers)
                .setKvHeads(kvHeads)
                .setHeadDim(headDim)
                .setElement(KvElement.KV_ELEMENT_F32)
                .build();
    }
}
