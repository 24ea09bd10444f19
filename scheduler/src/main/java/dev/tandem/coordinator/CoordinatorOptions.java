package dev.tandem.coordinator;

import dev.tandem.core.CoreOptions;
import dev.tandem.record.RecorderOptions;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/// What a coordinator process is started with.
///
/// @param model the model folder: tokenizer, chat template and configuration are read, never the weights
/// @param modelName name in the API; empty = the folder's name
/// @param httpHost address that the HTTP front binds to, port 0 = any free one; likewise for gRPC
/// @param bodyBytesMax largest request body accepted, bytes
/// @param heartbeatMillis how often workers are asked to show life
/// @param heartbeatLostMillis silence after which a worker counts as lost
/// @param drainMillisMax how long running requests may take to finish after SIGTERM
/// @param recorder what to record; null = nothing
public record CoordinatorOptions(
        Path model,
        String modelName,
        String httpHost,
        int httpPort,
        String grpcHost,
        int grpcPort,
        long bodyBytesMax,
        int heartbeatMillis,
        int heartbeatLostMillis,
        int drainMillisMax,
        CoreOptions core,
        @Nullable RecorderOptions recorder) {}
