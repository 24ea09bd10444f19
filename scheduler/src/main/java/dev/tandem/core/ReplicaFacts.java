package dev.tandem.core;

/// What the core knows of a replica from its registration.
///
/// @param name the worker's name, for people
/// @param incarnation differs between two starts of the same worker
/// @param blocks KV blocks of `blockTokens` tokens each
/// @param sequencesMax sequences live at once
/// @param stepTokensMax tokens in one step
public record ReplicaFacts(
        String name,
        long incarnation,
        ReplicaRole role,
        int blocks,
        int blockTokens,
        int sequencesMax,
        int stepTokensMax) {}
