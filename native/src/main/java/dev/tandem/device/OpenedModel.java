package dev.tandem.device;

import dev.tandem.model.ModelConfig;

/// A model, loaded and ready. Closing it frees the weights.
///
/// @param fingerprint SHA-256 in hex over the configuration and the weights' headers: equal on workers that can
///     exchange KV blocks
public record OpenedModel(
        Backend backend, ModelConfig config, String fingerprint, DeviceSpeed speed)
        implements AutoCloseable {
    @Override
    public void close() {
        backend.close();
    }
}
