package dev.tandem.api;

/// Nobody is there to read an answer. No stack trace: it happens all the time and is nobody's fault.
final class ClientGoneException extends Exception {
    private static final long serialVersionUID = 1L;

    ClientGoneException() {
        super("the client has gone", null, false, false);
    }
}
