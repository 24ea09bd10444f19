package dev.tandem.model;

import java.io.IOException;
import java.nio.file.Path;

/// A model folder that can't be used as it is: the message names the file, and the tensor or key where there is one.
public final class ModelFormatException extends IOException {
    private static final long serialVersionUID = 1;

    public ModelFormatException(Path file, String problem) {
        super(file + ": " + problem);
    }

    public ModelFormatException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
