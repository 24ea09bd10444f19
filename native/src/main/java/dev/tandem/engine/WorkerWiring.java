package dev.tandem.engine;

import java.io.IOException;

/// The one place that chooses the classes behind a worker's device and transports.
final class WorkerWiring {
    private WorkerWiring() {}

    /// @throws IOException the model can't be read, or there is no such device
    /// @throws IllegalArgumentException an option is out of range
    static LoadedModel loadModel(WorkerOptions options) throws IOException {
        throw new IOException("no device is wired in for model " + options.model());
    }

    static KvSide.Factory kvSides(WorkerOptions options) {
        return (incarnation, shape, blocks) -> {
            throw new IOException("no transport is wired in among " + options.transports());
        };
    }
}
