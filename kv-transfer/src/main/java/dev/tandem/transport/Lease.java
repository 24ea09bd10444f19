package dev.tandem.transport;

import dev.tandem.wire.LeaseOutcome;

import org.jspecify.annotations.Nullable;

import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/// One lease on the receiver's side. All but the final fields is guarded by `lock`, which is held while a piece
/// is verified and copied: so once the lease has ended, nothing is let in under it any more.
final class Lease {
    final long id;
    final int[] blocks; // pool's block by slot
    final long writerIncarnation;
    final long deadlineNanos;
    final int layers; // of a block
    final ReentrantLock lock = new ReentrantLock();

    /// Layers that hold verified bytes: slot * layers + layer.
    private final BitSet received;

    private int layersReceived;

    int pieces;
    long bytes;

    /// The stream whose piece was accepted first; no other one can add, commit or abort.
    @Nullable Object stream;

    /// Null while the lease lives.
    @Nullable LeaseOutcome outcome;

    Lease(long id, int[] blocks, int layers, long writerIncarnation, long deadlineNanos) {
        this.id = id;
        this.blocks = blocks;
        this.layers = layers;
        this.writerIncarnation = writerIncarnation;
        this.deadlineNanos = deadlineNanos;
        this.received = new BitSet(blocks.length * layers);
    }

    /// Whether any of these layers of a slot was received.
    boolean overlaps(int slot, int fromLayer, int toLayer) {
        int next = received.nextSetBit(slot * layers + fromLayer);
        return next >= 0 && next < slot * layers + toLayer;
    }

    /// Notes a verified piece; its layers are new.
    void receive(int slot, int fromLayer, int toLayer, long pieceBytes) {
        received.set(slot * layers + fromLayer, slot * layers + toLayer);
        layersReceived += toLayer - fromLayer;
        pieces++;
        bytes += pieceBytes;
    }

    boolean isComplete() {
        return layersReceived == blocks.length * layers;
    }

    String progress() {
        return "%d of %d layers of %d blocks were received"
                .formatted(layersReceived, blocks.length * layers, blocks.length);
    }

    /// For the timer's order; `System.nanoTime` may wrap, so only differences count.
    static int byDeadline(Lease a, Lease b) {
        int byDeadline = Long.signum(a.deadlineNanos - b.deadlineNanos);
        return byDeadline != 0 ? byDeadline : Long.compareUnsigned(a.id, b.id);
    }

    static String name(long id) {
        return Long.toUnsignedString(id);
    }
}
