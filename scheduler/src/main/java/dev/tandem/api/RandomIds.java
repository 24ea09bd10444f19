package dev.tandem.api;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/// Identifiers of answers and requests: unique, not secret.
final class RandomIds {
    private RandomIds() {}

    /// @return the prefix and 32 hexadecimal digits
    static String next(String prefix) {
        var random = ThreadLocalRandom.current();
        HexFormat hex = HexFormat.of();
        return prefix + hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
    }
}
