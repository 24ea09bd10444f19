package dev.tandem.coordinator;

import com.google.protobuf.ByteString;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;
import dev.tandem.core.PrefixHasher;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.TierLoad;
import dev.tandem.wire.TierReport;
import dev.tandem.wire.TierStore;

import java.nio.ByteBuffer;

/// Turns what is said between the core and the workers' tiers into messages and back. Hashes are bytes on the wire, 32
/// each, and big-endian words in the core.
final class TierMessages {
    private static final int HASH_BYTES = PrefixHasher.WORDS * Long.BYTES;

    private TierMessages() {}

    static CoordinatorMessage request(Commands.TierRequest request) {
        ByteBuffer bytes = ByteBuffer.allocate(request.hashes().length * Long.BYTES);
        bytes.asLongBuffer().put(request.hashes());
        ByteString hashes = ByteString.copyFrom(bytes);
        if (request.isLoad()) {
            var load = TierLoad.newBuilder().setRequest(request.request()).setHashes(hashes);
            for (int block : request.blocks()) {
                load.addBlocks(block);
            }
            return CoordinatorMessage.newBuilder().setTierLoad(load).build();
        }
        var store = TierStore.newBuilder().setRequest(request.request()).setHashes(hashes);
        for (int block : request.blocks()) {
            store.addBlocks(block);
        }
        return CoordinatorMessage.newBuilder().setTierStore(store).build();
    }

    /// @throws IllegalArgumentException hashes that are none
    static Event.TierReport report(int replica, TierReport report) {
        int blocks = report.getBlocks();
        if (blocks < 0) {
            throw new IllegalArgumentException("its tier has moved more blocks than there are");
        }
        return new Event.TierReport(
                replica,
                report.getRequest(),
                blocks,
                words(report.getStored()),
                words(report.getDropped()));
    }

    private static long[] words(ByteString hashes) {
        if (hashes.size() % HASH_BYTES != 0) {
            throw new IllegalArgumentException(
                    "its tier names hashes of %d bytes in all, which is no multiple of %d"
                            .formatted(hashes.size(), HASH_BYTES));
        }
        long[] words = new long[hashes.size() / Long.BYTES];
        hashes.asReadOnlyByteBuffer().asLongBuffer().get(words);
        return words;
    }
}
