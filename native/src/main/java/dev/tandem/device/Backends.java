package dev.tandem.device;

import dev.tandem.model.Checkpoint;
import dev.tandem.model.ModelFormatException;

import java.nio.file.Path;

/// Opens a model folder on a device.
public final class Backends {
    private Backends() {}

    /// Loads the weights and measures the device, which takes some 30 ms once the kernels are compiled and waits at most
    /// 2 s for that.
    ///
    /// @param device `auto`, `cpu` or `cuda`
    /// @param threads of the kernels, 0 = one per core
    /// @param blockTokens tokens in a KV block
    /// @throws ModelFormatException what is wrong with the folder
    /// @throws DeviceUnavailableException no such device here
    /// @throws IllegalArgumentException an option is out of range
    public static OpenedModel open(Path modelFolder, String device, int threads, int blockTokens)
            throws ModelFormatException, DeviceUnavailableException {
        switch (device) {
            case "auto", "cpu" -> {}
            case "cuda" ->
                    throw new DeviceUnavailableException(
                            "device cuda: this build has no CUDA backend; use --device cpu.");
            default ->
                    throw new DeviceUnavailableException(
                            "device \"%s\" is not known; use auto, cpu or cuda.".formatted(device));
        }
        if (threads < 0 || threads > CpuBackend.THREADS_MAX) {
            throw new IllegalArgumentException(
                    "%d threads, not between 0 and %d".formatted(threads, CpuBackend.THREADS_MAX));
        }
        if (blockTokens < 1 || blockTokens > CpuBackend.BLOCK_TOKENS_MAX) {
            throw new IllegalArgumentException(
                    "%d tokens in a KV block, not between 1 and %d"
                            .formatted(blockTokens, CpuBackend.BLOCK_TOKENS_MAX));
        }
        int team = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        Checkpoint checkpoint = Checkpoint.open(modelFolder);
        CpuBackend backend;
        try {
            backend = new CpuBackend(checkpoint, team, blockTokens);
        } catch (ModelFormatException | RuntimeException e) {
            checkpoint.close();
            throw e;
        }
        return new OpenedModel(
                backend, checkpoint.config(), checkpoint.fingerprint(), backend.measure());
    }
}
