package dev.tandem.text;

import java.io.IOException;
import java.nio.file.Path;

/// A model folder that can't be used: a file is missing, broken, or asks for what is not supported. The message names
/// the file.
public final class ModelFolderException extends IOException {
    private static final long serialVersionUID = 1;

    public ModelFolderException(Path file, String problem) {
        super(file + ": " + problem);
    }

    public ModelFolderException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
