package dev.tandem.sim.campaign;

/// A known bug: one edit of one source file.
///
/// @param file below the scheduler's source folder
/// @param oldText stands there exactly once
/// @param description what is wrong with it, for people
public record Mutant(String file, String oldText, String newText, String description) {}
