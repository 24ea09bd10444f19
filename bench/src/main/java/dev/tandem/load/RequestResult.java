package dev.tandem.load;

import org.jspecify.annotations.Nullable;

/// What became of one request. Times are of one monotonic clock, nanoseconds; 0 where the event did not happen.
///
/// @param dueNanos when it should have started: what latencies count from
/// @param firstNanos first chunk with text
/// @param lastNanos last chunk with text
/// @param outputTokens the server's count, else the number of chunks
/// @param countedByChunks whether the server reported no usage
/// @param error kind of the failure, null if the answer is complete
record RequestResult(
        long dueNanos,
        long startNanos,
        long firstNanos,
        long lastNanos,
        long endNanos,
        long promptTokens,
        long outputTokens,
        boolean countedByChunks,
        @Nullable String error) {}
