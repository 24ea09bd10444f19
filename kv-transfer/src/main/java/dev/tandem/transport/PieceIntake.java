package dev.tandem.transport;

import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;
import dev.tandem.transport.TransferMetrics.Refusal;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// Checks one piece after the other and lets it into the pool. Called with the lease's lock held.
final class PieceIntake {
    private final MemorySegment memory;
    private final KvShape shape;
    private final TransferMetrics metrics;
    private final boolean oneSided;

    /// @param oneSided whether writers may reach into the pool themselves
    PieceIntake(KvPool pool, boolean oneSided, TransferMetrics metrics) {
        this.memory = pool.memory();
        this.shape = pool.shape();
        this.oneSided = oneSided;
        this.metrics = metrics;
    }

    /// Takes a piece with its bytes.
    Verdict store(Lease lease, IncomingFrame.Piece piece) {
        Verdict problem = problemOf(lease, piece.slot, piece.offset, piece.bytes);
        if (problem != null) {
            return problem;
        }
        if (piece.payloadBytes() != piece.bytes) {
            return refuse(
                    Refusal.LENGTH,
                    "piece of %d bytes with %d sent".formatted(piece.bytes, piece.payloadBytes()));
        }
        String wrong;
        try {
            wrong = piece.copyTo(memory, at(lease, piece.slot, piece.offset));
        } catch (IOException e) {
            return refuse(Refusal.LENGTH, "piece is cut off: " + e.getMessage());
        }
        if (wrong != null) {
            return corrupted("slot %d: %s".formatted(piece.slot, wrong));
        }
        return accept(lease, piece.slot, piece.offset, piece.bytes);
    }

    /// Takes a piece whose bytes lie in memory that its writer can't reach.
    Verdict store(
            Lease lease,
            int slot,
            long offset,
            MemorySegment source,
            long from,
            long bytes,
            int crc32c) {
        Verdict problem = problemOf(lease, slot, offset, bytes);
        if (problem != null) {
            return problem;
        }
        int crc = Crc32c.copy(source, from, memory, at(lease, slot, offset), bytes);
        if (crc != crc32c) {
            return corrupted("slot %d: CRC32C is %08x, %08x expected".formatted(slot, crc, crc32c));
        }
        return accept(lease, slot, offset, bytes);
    }

    /// Verifies a piece that its writer has put into the pool.
    Verdict verify(Lease lease, int slot, long offset, long bytes, int crc32c) {
        if (!oneSided) {
            return refuse(
                    Refusal.LENGTH, "piece without bytes, and this pool is not written one-sided");
        }
        Verdict problem = problemOf(lease, slot, offset, bytes);
        if (problem != null) {
            return problem;
        }
        int crc = Crc32c.of(memory, at(lease, slot, offset), bytes);
        if (crc != crc32c) {
            return corrupted("slot %d: CRC32C is %08x, %08x expected".formatted(slot, crc, crc32c));
        }
        return accept(lease, slot, offset, bytes);
    }

    private @Nullable Verdict problemOf(Lease lease, int slot, long offset, long bytes) {
        if (slot < 0 || slot >= lease.blocks.length) {
            return refuse(
                    Refusal.SLOT,
                    "no slot %d in a lease of %d".formatted(slot, lease.blocks.length));
        }
        long layerBytes = shape.layerBytes();
        if (bytes <= 0
                || offset < 0
                || bytes % layerBytes != 0
                || offset % layerBytes != 0
                || offset + bytes > shape.blockBytes()) {
            return refuse(
                    Refusal.LENGTH,
                    "piece of %d bytes at %d is not made of whole layers of %d in a block of %d"
                            .formatted(bytes, offset, layerBytes, shape.blockBytes()));
        }
        if (lease.overlaps(slot, layer(offset), layer(offset + bytes))) {
            return refuse(
                    Refusal.OVERLAP,
                    "bytes %d to %d of slot %d were received already, or some of them"
                            .formatted(offset, offset + bytes, slot));
        }
        return null;
    }

    private Verdict accept(Lease lease, int slot, long offset, long bytes) {
        lease.receive(slot, layer(offset), layer(offset + bytes), bytes);
        metrics.piecesReceived.increment();
        metrics.bytesReceived.add(bytes);
        return Verdict.ACCEPTED;
    }

    private long at(Lease lease, int slot, long offset) {
        return lease.blocks[slot] * shape.blockBytes() + offset;
    }

    private int layer(long offset) {
        return (int) (offset / shape.layerBytes());
    }

    private Verdict corrupted(String reason) {
        metrics.count(Refusal.CHECKSUM);
        return new Verdict.Corrupted(reason);
    }

    private Verdict refuse(Refusal refusal, String reason) {
        metrics.count(refusal);
        return new Verdict.Refused(reason);
    }
}
