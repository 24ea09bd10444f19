package dev.tandem.record;

/// Why a recording ended in good order. One without an end was cut off by a crash or by a disk that failed.
public enum EndReason {
    /// Whoever recorded has stopped.
    STOPPED("the recorder stopped"),
    /// The file has reached its limit.
    FULL("the file was full"),
    /// The disk was slower than the events.
    BEHIND("the disk was too slow"),
    /// The core failed on the last event.
    FAILED("the core failed");

    private final String text;

    EndReason(String text) {
        this.text = text;
    }

    /// In words, lower case.
    public String text() {
        return text;
    }
}
