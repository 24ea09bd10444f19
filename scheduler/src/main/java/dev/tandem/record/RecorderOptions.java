package dev.tandem.record;

import java.nio.file.Path;

/// Where a coordinator records, and how much.
///
/// @param dir folder of the recordings; made if it is missing
/// @param fileBytesMax size of one recording at most; it ends there
/// @param filesMax recordings kept in the folder, the new one included
public record RecorderOptions(Path dir, long fileBytesMax, int filesMax) {
    /// Room for a header and some events.
    public static final long FILE_BYTES_LEAST = 1 << 16;

    public RecorderOptions {
        if (fileBytesMax < FILE_BYTES_LEAST) {
            throw new IllegalArgumentException(
                    "fileBytesMax must be at least %d, is %d"
                            .formatted(FILE_BYTES_LEAST, fileBytesMax));
        }
        if (filesMax < 1) {
            throw new IllegalArgumentException("filesMax must be at least 1, is " + filesMax);
        }
    }
}
