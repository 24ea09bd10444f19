package dev.tandem.admission;

/// Priority lanes, highest first.
public enum Lane {
    INTERACTIVE,
    DEFAULT,
    BATCH
}
