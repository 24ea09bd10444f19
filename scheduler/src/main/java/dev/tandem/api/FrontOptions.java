package dev.tandem.api;

/// What the HTTP front is started with.
///
/// @param host address to bind to
/// @param port 0 = any free one
/// @param modelName the model's name in the API; empty = the model folder's name
/// @param version what `GET /version` says
/// @param bodyBytesMax largest request body accepted, bytes
/// @param bodyMillisMax how long a client may take to send its request, milliseconds
/// @param requestMillisMax how long a request may take from its last byte to the end of its answer, milliseconds
/// @param requestsMax requests in work at once; beyond, 429
/// @param choicesMax largest `n`
/// @param sequencesMax choices of one request at most, over all of its prompts
public record FrontOptions(
        String host,
        int port,
        String modelName,
        String version,
        long bodyBytesMax,
        long bodyMillisMax,
        long requestMillisMax,
        int requestsMax,
        int choicesMax,
        int sequencesMax) {

    public FrontOptions {
        requireBetween("port", port, 0, 65535);
        requireBetween("bodyBytesMax", bodyBytesMax, 1, 1 << 30);
        requireBetween("bodyMillisMax", bodyMillisMax, 1, Long.MAX_VALUE / 1_000_000);
        requireBetween("requestMillisMax", requestMillisMax, 1, Long.MAX_VALUE / 1_000_000);
        requireBetween("requestsMax", requestsMax, 1, Integer.MAX_VALUE);
        requireBetween("choicesMax", choicesMax, 1, Integer.MAX_VALUE);
        requireBetween("sequencesMax", sequencesMax, 1, Integer.MAX_VALUE);
    }

    /// Bodies up to 16 MiB in a minute, an hour per request, 1024 requests at once.
    public static FrontOptions defaults(String host, int port, String modelName, String version) {
        return new FrontOptions(
                host, port, modelName, version, 16 << 20, 60_000, 3_600_000, 1024, 128, 1024);
    }

    /// The same with another limit on bodies, bytes.
    public FrontOptions withBodyBytesMax(long bytes) {
        return new FrontOptions(
                host,
                port,
                modelName,
                version,
                bytes,
                bodyMillisMax,
                requestMillisMax,
                requestsMax,
                choicesMax,
                sequencesMax);
    }

    private static void requireBetween(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "%s must be %d..%d, is %d".formatted(name, least, most, value));
        }
    }
}
