package dev.tandem.kv.tier;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/// Where evicted KV blocks may go, and how much of it.
///
/// @param hostBytesMax host memory, bytes; 0 = none
/// @param diskDir folder of one worker alone, made when it is not there; null = no disk
/// @param diskBytesMax size of the files in `diskDir`, bytes
public record TierOptions(long hostBytesMax, @Nullable Path diskDir, long diskBytesMax) {
    /// Evicted blocks are forgotten.
    public static final TierOptions NONE = new TierOptions(0, null, 0);

    public TierOptions {
        if (hostBytesMax < 0 || diskBytesMax < 0) {
            throw new IllegalArgumentException(
                    "tiers of %d bytes of host memory and %d bytes on disk"
                            .formatted(hostBytesMax, diskBytesMax));
        }
    }
}
