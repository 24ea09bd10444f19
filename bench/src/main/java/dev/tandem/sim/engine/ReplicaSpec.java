package dev.tandem.sim.engine;

import dev.tandem.batching.DeviceFacts;
import dev.tandem.core.ReplicaFacts;
import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.cost.StepCost;

/// One simulated worker: what it tells when it joins, and how long its steps take.
///
/// @param model empty = the only one
/// @param zone empty = unknown
/// @param blocks KV blocks of `blockTokens` tokens each
/// @param device its `linkBytesPerSecond` bounds what it sends and receives (0 = only the link's bound counts), its
///     `kvBytesPerToken` says what a token weighs on the way
/// @param tierBlocks blocks that its machine keeps beside the pool, over restarts too; 0 = none
public record ReplicaSpec(
        String name,
        ReplicaRole role,
        String model,
        String zone,
        int blocks,
        int blockTokens,
        int sequencesMax,
        int stepTokensMax,
        DeviceFacts device,
        StepCost cost,
        int tierBlocks) {

    /// Without a tier.
    public ReplicaSpec(
            String name,
            ReplicaRole role,
            String model,
            String zone,
            int blocks,
            int blockTokens,
            int sequencesMax,
            int stepTokensMax,
            DeviceFacts device,
            StepCost cost) {
        this(
                name,
                role,
                model,
                zone,
                blocks,
                blockTokens,
                sequencesMax,
                stepTokensMax,
                device,
                cost,
                0);
    }

    public ReplicaSpec {
        if (blocks < 1 || blockTokens < 1 || sequencesMax < 1 || stepTokensMax < 1) {
            throw new IllegalArgumentException(
                    "replica %s: blocks, blockTokens, sequencesMax and stepTokensMax must be at least 1"
                            .formatted(name));
        }
    }

    ReplicaFacts facts(long incarnation) {
        return new ReplicaFacts(
                name,
                incarnation,
                role,
                model,
                zone,
                blocks,
                blockTokens,
                sequencesMax,
                stepTokensMax,
                device,
                tierBlocks);
    }
}
