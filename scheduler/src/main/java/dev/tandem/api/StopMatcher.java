package dev.tandem.api;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// Finds stop strings in a text that comes in pieces. Text that may be the start of a stop string is held back, so what
/// was released is final.
///
/// The stop string that ends first wins; of several that end at the same character, the longest. So the result is that
/// of the whole text, however it is cut into pieces. One Knuth-Morris-Pratt automaton per stop string: the cost per
/// character does not depend on the strings' lengths. Not thread-safe.
final class StopMatcher {
    private final List<String> stops;
    private final boolean includeStop;
    private final int[][] failures;
    private final int[] matchedChars;
    private final StringBuilder held = new StringBuilder();
    private @Nullable String matched;

    /// @param stops without empty ones
    /// @param includeStop whether the stop string itself belongs to the text
    StopMatcher(List<String> stops, boolean includeStop) {
        this.stops = List.copyOf(stops);
        this.includeStop = includeStop;
        this.failures = new int[stops.size()][];
        this.matchedChars = new int[stops.size()];
        for (int i = 0; i < failures.length; i++) {
            failures[i] = failureTable(stops.get(i));
        }
    }

    /// @return the text that became certain; after a match always empty
    String push(String piece) {
        if (stops.isEmpty()) {
            return piece;
        }
        if (matched != null) {
            return "";
        }
        for (int i = 0; i < piece.length(); i++) {
            held.append(piece.charAt(i));
            String stop = step(piece.charAt(i));
            if (stop != null) {
                matched = stop;
                return release(includeStop ? 0 : stop.length());
            }
        }
        int keep = 0;
        for (int chars : matchedChars) {
            keep = Math.max(keep, chars);
        }
        return release(keep);
    }

    /// @return what was held back, now that no more text comes; empty after a match
    String finish() {
        return matched == null ? release(0) : "";
    }

    /// @return the stop string that was found, null as long as there is none
    @Nullable String matched() {
        return matched;
    }

    private @Nullable String step(char next) {
        String found = null;
        for (int i = 0; i < failures.length; i++) {
            String stop = stops.get(i);
            int chars = matchedChars[i];
            while (chars > 0 && stop.charAt(chars) != next) {
                chars = failures[i][chars - 1];
            }
            if (stop.charAt(chars) == next) {
                chars++;
            }
            if (chars == stop.length()) {
                if (found == null || stop.length() > found.length()) {
                    found = stop;
                }
                chars = failures[i][chars - 1]; // never looked at again, but keeps the state valid
            }
            matchedChars[i] = chars;
        }
        return found;
    }

    private String release(int keepChars) {
        int certain = held.length() - keepChars;
        String text = held.substring(0, certain);
        held.delete(0, certain);
        return text;
    }

    /// Entry i: length of the longest proper prefix of `stop` that is also a suffix of its first i + 1 characters.
    private static int[] failureTable(String stop) {
        int[] failure = new int[stop.length()];
        for (int i = 1, chars = 0; i < failure.length; i++) {
            while (chars > 0 && stop.charAt(i) != stop.charAt(chars)) {
                chars = failure[chars - 1];
            }
            if (stop.charAt(i) == stop.charAt(chars)) {
                chars++;
            }
            failure[i] = chars;
        }
        return failure;
    }
}
