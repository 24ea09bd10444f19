package dev.tandem.load;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.nio.file.Path;

/// What `tandem load` is to do.
///
/// @param url the server's base URL, with or without `/v1`
/// @param model null: the first of `/v1/models`
/// @param apiKey sent as a bearer token; never printed
/// @param requestsMax requests to start, warm-up apart; 0 = as `secondsMax` or the trace says
/// @param secondsMax nothing is started after that; 0 = as `requestsMax` or the trace says
/// @param maxTokens output tokens asked for; in a replay the trace's own number, at most this; 0 = not sent, or no limit on the trace's
/// @param ignoreEos asks the server to generate all `maxTokens` (a vLLM extension)
/// @param warmUpRequests sent before the measured ones, which they don't count among
/// @param requestMillisMax a request that takes longer is an error of kind `timeout`
/// @param inFlightMax bound for open loop and replay; a request that has to wait for it counts from when it was due
/// @param progress whether a line a second tells how it goes
/// @param json file for the whole report, null for none
public record LoadOptions(
        URI url,
        Endpoint endpoint,
        @Nullable String model,
        @Nullable String apiKey,
        Arrivals arrivals,
        Prompts prompts,
        int requestsMax,
        double secondsMax,
        int maxTokens,
        boolean ignoreEos,
        int warmUpRequests,
        long requestMillisMax,
        int inFlightMax,
        long seed,
        boolean progress,
        @Nullable Path json) {

    public enum Endpoint {
        CHAT("/v1/chat/completions"),
        COMPLETIONS("/v1/completions");

        private final String path;

        Endpoint(String path) {
            this.path = path;
        }

        String path() {
            return path;
        }
    }

    /// When requests start.
    public sealed interface Arrivals {
        /// So many in flight all the time.
        record ClosedLoop(int concurrency) implements Arrivals {
            public ClosedLoop {
                require(concurrency >= 1, "concurrency must be at least 1, not " + concurrency);
            }
        }

        /// Poisson arrivals.
        record OpenLoop(double requestsPerSecond) implements Arrivals {
            public OpenLoop {
                require(
                        requestsPerSecond > 0 && Double.isFinite(requestsPerSecond),
                        "rate must be above 0, not " + requestsPerSecond);
            }
        }

        /// The times and lengths of a trace; see [TraceFile] for the formats.
        ///
        /// @param timeScale 2 replays twice as fast
        record Replay(Path trace, double timeScale) implements Arrivals {
            public Replay {
                require(
                        timeScale > 0 && Double.isFinite(timeScale),
                        "time scale must be above 0, not " + timeScale);
            }
        }
    }

    /// What is asked.
    public sealed interface Prompts {
        /// Seeded common words, about one token each. In a replay: at most so many, where the trace has
        /// more; `Integer.MAX_VALUE` leaves the trace's lengths as they are.
        record Synthetic(int tokens) implements Prompts {
            public Synthetic {
                require(tokens >= 1, "prompt tokens must be at least 1, not " + tokens);
            }
        }

        /// JSON lines with `messages` or `prompt`, and `max_tokens` if it is to differ; in turn, from the start again at the end.
        record FromFile(Path file) implements Prompts {}
    }

    public LoadOptions {
        require(requestsMax >= 0, "requests must not be negative: " + requestsMax);
        require(
                secondsMax >= 0 && Double.isFinite(secondsMax),
                "seconds must not be negative: " + secondsMax);
        require(
                requestsMax > 0 || secondsMax > 0 || arrivals instanceof Arrivals.Replay,
                "a number of requests or of seconds is needed");
        require(maxTokens >= 0, "max tokens must not be negative: " + maxTokens);
        require(warmUpRequests >= 0, "warm-up requests must not be negative: " + warmUpRequests);
        require(requestMillisMax >= 1, "a request needs time: " + requestMillisMax + " ms");
        require(inFlightMax >= 1, "in flight must be at least 1, not " + inFlightMax);
        require(
                !(arrivals instanceof Arrivals.Replay && prompts instanceof Prompts.FromFile),
                "a trace brings the lengths of its prompts: give a trace or a file of prompts, not"
                        + " both");
        require(
                ("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
                        && url.getHost() != null,
                "the URL must begin with http://HOST or https://HOST, not " + url);
    }

    /// Eight at a time, 100 requests of 128 tokens each way, as in the command's defaults.
    public static LoadOptions of(URI url) {
        return new LoadOptions(
                url,
                Endpoint.CHAT,
                null,
                null,
                new Arrivals.ClosedLoop(8),
                new Prompts.Synthetic(128),
                100,
                0,
                128,
                false,
                0,
                600_000,
                4096,
                0,
                false,
                null);
    }

    /// Without the API key.
    @Override
    public String toString() {
        return "LoadOptions["
                + url
                + ", "
                + endpoint
                + ", "
                + arrivals
                + ", "
                + prompts
                + ", seed "
                + seed
                + "]";
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
