package dev.tandem.engine;

import dev.tandem.model.ModelConfig;

/// What a model costs to compute, for the coordinator's predictions.
///
/// @param flopsPerToken of all layers' matrix products for one token: 2 for each weight. The LM head is apart, only tokens
///     that are sampled from need it.
/// @param flopsPerPair of attention for one pair of a query token and a token before it: 2 for the score and 2 for the
///     weighted value, for each element of each query head of each layer
/// @param weightBytes of all matrices as held in memory, the LM head included: what a step reads
public record ModelWork(double flopsPerToken, double flopsPerPair, double weightBytes) {
    /// @param elementBytes of one weight as held in memory
    public static ModelWork of(ModelConfig config, int elementBytes) {
        double hidden = config.hidden();
        double attention = hidden * (2.0 * config.queryWidth() + 2.0 * config.kvWidth());
        double mlp = 3 * hidden * config.intermediate();
        double layers = config.layers() * (attention + mlp);
        double head = hidden * config.vocabulary();
        return new ModelWork(
                2 * layers,
                4.0 * config.layers() * config.queryWidth(),
                (layers + head) * elementBytes);
    }
}
