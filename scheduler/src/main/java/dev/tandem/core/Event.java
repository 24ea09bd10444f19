package dev.tandem.core;

import dev.tandem.admission.Terms;

import org.jspecify.annotations.Nullable;

import java.util.Set;

/// Everything that the core hears of. Immutable; arrays are handed over and not changed until the call is over, those of
/// a [Submit] never.
public sealed interface Event {
    /// A client's sequence.
    ///
    /// @param sequence unique, rising with the order of arrival
    /// @param maxTokens tokens to generate at most, at least 1
    record Submit(
            long sequence,
            Prompt prompt,
            int maxTokens,
            SamplingParameters sampling,
            Set<Integer> stopTokenIds,
            Terms terms)
            implements Event {}

    /// Nobody wants further tokens: a client is gone, or its text matched a stop string.
    record Cancel(long sequence) implements Event {}

    /// A worker joined.
    ///
    /// @param replica unique for each join, never reused
    record ReplicaJoined(int replica, ReplicaFacts facts) implements Event {}

    /// A worker's stream broke, it fell silent, or it answered with an error.
    record ReplicaLost(int replica, String reason) implements Event {}

    /// A plan's result. Both arrays may be longer than `samples`; the core keeps neither.
    ///
    /// @param samples tokens sampled: one for each row that samples
    /// @param sequences the sequences sampled, in the order of the plan's rows
    /// @param tokens parallel to `sequences`
    /// @param logprobs null, or parallel to `sequences`
    /// @param stepNanos what the step took on the device, 0 = not measured
    record StepDone(
            int replica,
            long plan,
            int samples,
            long[] sequences,
            int[] tokens,
            @Nullable TokenLogprobs @Nullable [] logprobs,
            long stepNanos)
            implements Event {}

    /// The writer's last word on a lease.
    record SendEnded(int replica, long lease, boolean committed) implements Event {}

    /// The receiver's last word on a lease.
    record LeaseEnded(int replica, long lease, boolean committed, long bytes) implements Event {}

    /// Time passed; nothing else happened.
    record Tick() implements Event {}

    /// A worker's tier has done what it was asked for, or has news.
    ///
    /// @param request that this answers, each once; 0 = none, only news
    /// @param blocks copied aside, or back: the leading ones of the request
    /// @param stored hashes that the tier has, [PrefixHasher#WORDS] words each
    /// @param dropped hashes that it has no more
    record TierReport(int replica, long request, int blocks, long[] stored, long[] dropped)
            implements Event {}
}
