package dev.tandem.engine;

import dev.tandem.kv.tier.TierOptions;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerRole;

import java.nio.file.Path;
import java.util.List;

/// What a worker process is started with.
///
/// @param name unique among the workers of a coordinator
/// @param model Hugging Face folder with the weights
/// @param coordinatorHost where to dial in, likewise coordinatorPort
/// @param transferHost address that the KV transfer service binds to and advertises
/// @param transferPort 0 = any free one
/// @param device `auto`, `cpu` or `cuda`
/// @param kvBytesMax memory for the KV pool, bytes; the number of blocks follows from it
/// @param blockTokens tokens per KV block
/// @param sequencesMax sequences live at once
/// @param stepTokensMax tokens in one plan
/// @param threads threads of the kernels, 0 = one per core
/// @param transports what this worker offers to receive on and to send over, in order of preference
/// @param transfer how blocks are moved
/// @param tier where evicted blocks are kept
public record WorkerOptions(
        String name,
        WorkerRole role,
        Path model,
        String coordinatorHost,
        int coordinatorPort,
        String transferHost,
        int transferPort,
        String zone,
        String device,
        long kvBytesMax,
        int blockTokens,
        int sequencesMax,
        int stepTokensMax,
        int threads,
        List<TransportKind> transports,
        TransferOptions transfer,
        TierOptions tier) {

    public WorkerOptions {
        transports = List.copyOf(transports);
    }

    /// With transfers as they are by default, and without tiers.
    public WorkerOptions(
            String name,
            WorkerRole role,
            Path model,
            String coordinatorHost,
            int coordinatorPort,
            String transferHost,
            int transferPort,
            String zone,
            String device,
            long kvBytesMax,
            int blockTokens,
            int sequencesMax,
            int stepTokensMax,
            int threads,
            List<TransportKind> transports) {
        this(
                name,
                role,
                model,
                coordinatorHost,
                coordinatorPort,
                transferHost,
                transferPort,
                zone,
                device,
                kvBytesMax,
                blockTokens,
                sequencesMax,
                stepTokensMax,
                threads,
                transports,
                TransferOptions.DEFAULT,
                TierOptions.NONE);
    }
}
