package dev.tandem.core;

/// What a replica prefers to do; each can do both.
public enum ReplicaRole {
    PREFILL,
    DECODE
}
