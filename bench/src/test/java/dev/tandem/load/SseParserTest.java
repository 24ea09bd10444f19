package dev.tandem.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

class SseParserTest {
    private static final String STREAM =
            "data: one\n\n"
                    + ": a comment\n"
                    + "data:two\r\n\r\n"
                    + "event: x\n"
                    + "id: 7\n"
                    + "data: thréé 🙂\n"
                    + "data: more\n\n\n\r"
                    + "data:  four\r\r"
                    + "data: unfinished\n";

    @Test
    void eventsAreTheSameHoweverTheBytesAreSplit() {
        String given = System.getProperty("tandem.seed", "");
        long seed = given.isEmpty() ? 1 : Long.parseLong(given);
        var random = new Random(seed);
        byte[] bytes = STREAM.getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < 500; round++) {
            List<String> events = new ArrayList<>();
            var parser = new SseParser(events::add);
            for (int from = 0; from < bytes.length; ) {
                int to = Math.min(bytes.length, from + 1 + random.nextInt(9));
                parser.push(Arrays.copyOfRange(bytes, from, to));
                from = to;
            }
            assertThat(events)
                    .as("repeat with -Dtandem.seed=%d", seed)
                    .containsExactly("one", "two", "thréé 🙂\nmore", " four");
        }
    }
}
