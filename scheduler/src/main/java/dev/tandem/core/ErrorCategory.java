package dev.tandem.core;

/// Who can mend an error: the caller, time (there is no room now), or we.
public enum ErrorCategory {
    USER,
    CAPACITY,
    INTERNAL
}
