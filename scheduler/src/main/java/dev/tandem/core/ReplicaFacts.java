package dev.tandem.core;

import dev.tandem.batching.DeviceFacts;

/// What the core knows of a replica from its registration.
///
/// @param name the worker's name, for people, and for its history over restarts
/// @param incarnation differs between two starts of the same worker
/// @param model the model that it serves; empty = the only one
/// @param zone rack or availability zone; empty = unknown
/// @param blocks KV blocks of `blockTokens` tokens each
/// @param sequencesMax sequences live at once
/// @param stepTokensMax tokens in one step
/// @param tierBlocks blocks that its tier can hold beside its pool; 0 = it has none
public record ReplicaFacts(
        String name,
        long incarnation,
        ReplicaRole role,
        String model,
        String zone,
        int blocks,
        int blockTokens,
        int sequencesMax,
        int stepTokensMax,
        DeviceFacts device,
        int tierBlocks) {}
