package dev.tandem.cli;

import java.util.List;

/// A process that the supervisor keeps alive.
///
/// @param name prefix of its lines in the supervisor's output, such as `prefill-0`
/// @param command program and arguments
/// @param leads whether it announces readiness on its standard output and is stopped first; one child does
/// @param stopMillisMax how long it may take to end after SIGTERM before it is killed
record ChildSpec(String name, List<String> command, boolean leads, int stopMillisMax) {
    ChildSpec {
        command = List.copyOf(command);
    }
}
