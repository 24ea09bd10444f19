package dev.tandem.admission;

import java.util.stream.LongStream;

/// Seeds of randomized tests: `-Dtandem.seed` repeats one.
final class Seeds {
    private Seeds() {}

    static LongStream upTo(int count) {
        String seed = System.getProperty("tandem.seed", "");
        return seed.isEmpty() ? LongStream.range(0, count) : LongStream.of(Long.parseLong(seed));
    }
}
