package dev.tandem.record;

import java.io.IOException;

/// A file is no recording, is damaged, or was written by a version whose events or options are others.
public final class RecordingException extends IOException {
    private static final long serialVersionUID = 1L;

    /// @param offset in the file, bytes
    RecordingException(long offset, String message) {
        super(message + " (at byte " + offset + ")");
    }

    RecordingException(long offset, String message, Throwable cause) {
        super(message + " (at byte " + offset + ")", cause);
    }
}
