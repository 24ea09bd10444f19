package dev.tandem.sim.workload;

import java.nio.file.Path;

/// A trace can't be read. The message is one line that names the file, the line and the reason.
public final class TraceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TraceException(Path file, long line, String reason) {
        super("%s, line %d: %s".formatted(file, line, reason));
    }

    TraceException(Path file, String reason) {
        super(file + ": " + reason);
    }
}
