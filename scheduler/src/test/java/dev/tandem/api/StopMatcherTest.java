package dev.tandem.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

class StopMatcherTest {
    @Test
    void holdsBackOnlyWhatMayBecomeAStopString() {
        var matcher = new StopMatcher(List.of("</end>"), false);

        assertThat(matcher.push("one <")).isEqualTo("one ");
        assertThat(matcher.push("/e")).isEmpty();
        assertThat(matcher.push("x")).isEqualTo("</ex");
        assertThat(matcher.push("two</en")).isEqualTo("two");
        assertThat(matcher.push("d> gone")).isEmpty();
        assertThat(matcher.matched()).isEqualTo("</end>");
        assertThat(matcher.push("more")).isEmpty();
        assertThat(matcher.finish()).isEmpty();
    }

    @Test
    void keepsTheStopStringAndNothingBehindItWhenAsked() {
        var matcher = new StopMatcher(List.of("END"), true);

        assertThat(matcher.push("a E") + matcher.push("ND b")).isEqualTo("a END");
        assertThat(matcher.finish()).isEmpty();
    }

    @Test
    void releasesAnUnfinishedStartAtTheEnd() {
        var matcher = new StopMatcher(List.of("stop"), false);

        assertThat(matcher.push("it is sto")).isEqualTo("it is ");
        assertThat(matcher.finish()).isEqualTo("sto");
        assertThat(matcher.matched()).isNull();
    }

    @Test
    void findsAStopStringThatStartsInsideAFailedOne() {
        var matcher = new StopMatcher(List.of("aab"), false);

        assertThat(matcher.push("a") + matcher.push("a") + matcher.push("a")).isEqualTo("a");
        assertThat(matcher.push("b")).isEmpty();
        assertThat(matcher.matched()).isEqualTo("aab");
    }

    @Test
    void theLongestOfThoseThatEndTogetherWins() {
        var matcher = new StopMatcher(List.of("b", "aab", "ab"), false);

        assertThat(matcher.push("xaab")).isEqualTo("x");
        assertThat(matcher.matched()).isEqualTo("aab");
    }

    @Test
    void equalsTheSearchInTheWholeTextForAnyPieces() {
        long seed = Long.parseLong(seedProperty());
        var random = new Random(seed);
        int matches = 0;
        for (int round = 0; round < 20_000; round++) {
            List<String> stops = stops(random);
            String text = text(random, 40, 2 + random.nextInt(3));
            boolean include = random.nextBoolean();
            Found expected = search(text, stops, include);
            var matcher = new StopMatcher(stops, include);
            var released = new StringBuilder();
            for (String piece : pieces(random, text)) {
                released.append(matcher.push(piece));
                assertThat(expected.text()).as("released early").startsWith(released.toString());
            }
            released.append(matcher.finish());
            matches += expected.stop() == null ? 0 : 1;
            assertThat(new Found(released.toString(), matcher.matched()))
                    .as(
                            "stops %s in '%s', round %d; repeat with mvn -pl scheduler test"
                                    + " -Dtest=StopMatcherTest -Dtandem.seed=%d",
                            stops, text, round, seed)
                    .isEqualTo(expected);
        }
        assertThat(matches).as("rounds with a stop string in the text").isBetween(5_000, 19_500);
    }

    static String seedProperty() {
        String seed = System.getProperty("tandem.seed", "");
        return seed.isEmpty() ? "20250917" : seed;
    }

    private record Found(String text, @Nullable String stop) {}

    /// The definition, written without any cleverness: the earliest end, then the longest.
    private static Found search(String text, List<String> stops, boolean include) {
        for (int end = 1; end <= text.length(); end++) {
            String best = null;
            for (String stop : stops) {
                if (text.substring(0, end).endsWith(stop)
                        && (best == null || stop.length() > best.length())) {
                    best = stop;
                }
            }
            if (best != null) {
                return new Found(text.substring(0, include ? end : end - best.length()), best);
            }
        }
        return new Found(text, null);
    }

    private static List<String> stops(Random random) {
        var stops = new ArrayList<String>();
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            stops.add(text(random, 5, 3) + (char) ('a' + random.nextInt(2)));
        }
        return stops;
    }

    private static String text(Random random, int charsMax, int letters) {
        var text = new StringBuilder();
        int chars = random.nextInt(charsMax + 1);
        for (int i = 0; i < chars; i++) {
            text.append((char) ('a' + random.nextInt(letters)));
        }
        return text.toString();
    }

    private static List<String> pieces(Random random, String text) {
        var pieces = new ArrayList<String>();
        for (int from = 0; from < text.length(); ) {
            int to = Math.min(text.length(), from + random.nextInt(4));
            pieces.add(text.substring(from, to));
            from = to;
        }
        return pieces;
    }
}
