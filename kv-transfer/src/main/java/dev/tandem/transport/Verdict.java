package dev.tandem.transport;

/// What the receiver decided about one frame.
sealed interface Verdict {
    /// Done as asked.
    record Accepted() implements Verdict {}

    /// The lease is not granted yet, or ended so long ago that it is forgotten.
    record Unknown() implements Verdict {}

    /// Not done, and never will be.
    ///
    /// @param reason in words
    record Refused(String reason) implements Verdict {}

    /// Refused since the bytes are not those that were sent.
    ///
    /// @param reason in words
    record Corrupted(String reason) implements Verdict {}

    Verdict ACCEPTED = new Accepted();
    Verdict UNKNOWN = new Unknown();
}
