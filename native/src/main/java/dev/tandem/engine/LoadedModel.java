package dev.tandem.engine;

import dev.tandem.device.Backend;

/// A model on a device, ready to compute, as a worker process owns it for its whole life.
///
/// @param backend closed by the worker process
/// @param fingerprint sha256 over config and weights' headers, hexadecimal: equal means same tokens
/// @param flopsPerSecond measured, dense products
/// @param bytesPerSecond measured, reads from the device's memory
/// @param work what the model costs to compute
public record LoadedModel(
        Backend backend,
        String fingerprint,
        double flopsPerSecond,
        double bytesPerSecond,
        ModelWork work) {}
