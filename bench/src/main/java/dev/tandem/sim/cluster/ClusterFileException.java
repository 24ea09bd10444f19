package dev.tandem.sim.cluster;

/// A cluster file is wrong. The message is one line: the file, the line, the reason.
public final class ClusterFileException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClusterFileException(String file, long line, String reason) {
        super(
                line > 0
                        ? "%s, line %d: %s".formatted(file, line, reason)
                        : "%s: %s".formatted(file, reason));
    }
}
