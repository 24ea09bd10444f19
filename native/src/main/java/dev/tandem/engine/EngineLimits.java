package dev.tandem.engine;

/// What plans must keep to on one worker.
///
/// @param vocabulary token ids are below
/// @param contextTokensMax tokens that one sequence may have computed
/// @param blockTokens tokens per KV block
/// @param blocks KV blocks in the pool; block numbers are below
/// @param sequencesMax sequences live at once
/// @param stepTokensMax tokens (sum of row counts) in one plan
record EngineLimits(
        int vocabulary,
        int contextTokensMax,
        int blockTokens,
        int blocks,
        int sequencesMax,
        int stepTokensMax) {}
