package dev.tandem.sim.goodput;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Runs that are done, one JSON line each, so that a study that was stopped goes on. Thread-safe. A line that can't be read,
/// such as the last one of a killed process, is run again.
public final class TrialStore {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final @Nullable Path file;
    private final Map<String, Trial.Outcome> outcomes = new ConcurrentHashMap<>();

    /// @param file null = keep nothing
    /// @throws UncheckedIOException it can't be read
    public TrialStore(@Nullable Path file) {
        this.file = file;
        if (file == null || !Files.exists(file)) {
            return;
        }
        try {
            for (String line : Files.readAllLines(file)) {
                try {
                    read(JSON.readTree(line));
                } catch (JsonProcessingException e) {
                    continue; // cut off in the middle
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void read(JsonNode node) {
        long[] met = new long[node.path("met").size()];
        for (int i = 0; i < met.length; i++) {
            met[i] = node.path("met").get(i).asLong();
        }
        if (met.length > 0) {
            outcomes.put(
                    node.path("key").asText(),
                    new Trial.Outcome(
                            node.path("counted").asLong(),
                            met,
                            node.path("completed").asLong(),
                            node.path("refused").asLong(),
                            node.path("arrival_seconds").asDouble(),
                            node.path("gap_max_millis").asDouble(),
                            node.path("wall_seconds").asDouble()));
        }
    }

    public int size() {
        return outcomes.size();
    }

    /// A trial that is only run when its outcome is not known.
    ///
    /// @param key of everything that the outcome depends on, but the rate
    public Trial remembering(String key, Trial trial) {
        return rate -> {
            String full = key + " @" + rate;
            Trial.Outcome known = outcomes.get(full);
            if (known == null) {
                known = trial.run(rate);
                outcomes.put(full, known);
                write(full, known);
            }
            return known;
        };
    }

    private synchronized void write(String key, Trial.Outcome outcome) {
        if (file == null) {
            return;
        }
        ObjectNode node = JSON.createObjectNode();
        node.put("key", key);
        node.put("counted", outcome.counted());
        ArrayNode met = node.putArray("met");
        for (long count : outcome.met()) {
            met.add(count);
        }
        node.put("completed", outcome.completed());
        node.put("refused", outcome.refused());
        node.put("arrival_seconds", outcome.arrivalSeconds());
        node.put("gap_max_millis", outcome.gapMaxMillis());
        node.put("wall_seconds", outcome.wallSeconds());
        try {
            Files.writeString(
                    file, node + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
