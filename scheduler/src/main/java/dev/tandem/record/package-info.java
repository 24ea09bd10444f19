/// Proof of what the core decided: a hash over its decisions, recordings of its events, and their replay.
///
/// The core is a pure function of its options and of the events with their times. So three things are enough to have a run
/// again, on another machine, in a debugger, months later: the options, the events, and a hash of the decisions to
/// compare with. Deterministic replay of one state machine is an old idea (Elnozahy, Alvisi, Wang, Johnson: *A survey of
/// rollback-recovery protocols*, ACM Computing Surveys 2002, section 3; TigerBeetle and FoundationDB test with it).
///
/// ## Who calls whom
/// - [dev.tandem.record.FlightRecorder] is called around each `core.on(event, now)`: by the coordinator's agent, with a
///   thread that writes; by a simulation, in its own thread.
/// - [dev.tandem.record.DecisionHash] is the hash. A simulation that needs no file uses it alone.
/// - [dev.tandem.record.Replay] reads a recording, runs a fresh core, and reports the first event whose decisions
///   differ: `tandem replay FILE`.
///
/// ## The file
/// A header ([dev.tandem.record.RecordingHeader]) with magic, format, version, the layout of all records inside, and the
/// core's options; then a frame for each event: length, kind, half of the hash of all decisions before, time, the event's
/// fields, CRC32C; last a frame that says why it ended. Little-endian, whole numbers as varints: a tick takes about 17
/// bytes, a step's result about 25 and 4 to 5 more per token.
///
/// ## Invariants
/// - A recording begins with the core's first event and has no gap. One that can't go on (full, disk too slow) ends, and
///   says so; it never skips.
/// - An event is written before the core hears of it, so the one on which a core fails is there.
/// - The agent never waits for the disk. A frame is copied into a bounded ring; a full ring ends the recording.
/// - A reader trusts nothing: lengths are checked before memory is taken, each frame has its CRC, every error tells its
///   place. A file that stops in the middle was cut off by a crash and is good up to there.
/// - What is not recorded: log-probabilities, which the core only hands through; text, which it never sees. Tokens are, so
///   a recording is as private as the prompts: only its owner may read it.
@NullMarked
package dev.tandem.record;

import org.jspecify.annotations.NullMarked;
