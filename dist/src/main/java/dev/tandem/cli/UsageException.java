package dev.tandem.cli;

/// What the user asked for can't be done as written. The message is one line that names the flag,
/// variable or key at fault; the process prints it and ends with code 2.
final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message.replaceAll("\\s*\\R\\s*", " "));
    }
}
