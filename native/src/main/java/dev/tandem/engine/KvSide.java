package dev.tandem.engine;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;
import dev.tandem.transport.BlockSender;
import dev.tandem.transport.LeaseRegistry;
import dev.tandem.wire.TransferEndpoint;

import java.io.IOException;
import java.util.List;

/// The KV memory of one incarnation of a worker, with its two transport ends. A worker that joins anew gets a new
/// one, pool included: a writer that still holds a lease of the incarnation before then writes into memory that
/// nobody reads.
///
/// @param pool zeroed or not, nobody reads a block before it is written
/// @param sender writes blocks of `pool` to other workers
/// @param leases decides who may write into `pool`
/// @param receiver takes blocks in for `leases`; closed before them
/// @param endpoints where this incarnation receives, in order of preference
public record KvSide(
        KvPool pool,
        BlockSender sender,
        LeaseRegistry leases,
        Receiver receiver,
        List<TransferEndpoint> endpoints)
        implements AutoCloseable {

    public KvSide {
        endpoints = List.copyOf(endpoints);
    }

    /// Stops sending and receiving, then gives the memory back. Whatever was leased is over.
    @Override
    public void close() {
        try (pool;
                leases;
                receiver;
                sender) {
            // closed in reverse order: the pool outlives its readers and writers
        }
    }

    /// What listens for blocks, such as a server.
    @FunctionalInterface
    public interface Receiver extends AutoCloseable {
        @Override
        void close();
    }

    /// Makes the KV side of a new incarnation.
    @FunctionalInterface
    public interface Factory {
        /// Maps the memory and listens.
        ///
        /// @param incarnation never 0; what writers and receivers know this worker by
        /// @param blocks blocks in the pool, at least 1
        /// @throws IOException no memory, or no port to receive on
        KvSide open(long incarnation, KvShape shape, int blocks) throws IOException;
    }
}
