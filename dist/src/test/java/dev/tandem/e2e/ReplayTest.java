package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A real server with two workers is recorded while it answers and while a worker dies; then `tandem replay`.
@ExtendWith(ServeProcess.PrintOnFailure.class)
@Timeout(300)
class ReplayTest {
    private static final int STREAMS = 4;
    private static final int OUTPUT_TOKENS = 60;

    @TempDir static Path dir;

    private static Path recording;

    @BeforeAll
    static void record() throws Exception {
        Path folder = dir.resolve("recordings");
        try (ServeProcess serve = ServeProcess.start("--recorder-dir", folder.toString())) {
            List<TokenStream> streams = new ArrayList<>();
            for (int i = 0; i < STREAMS; i++) {
                ObjectNode body =
                        ApiClient.JSON
                                .createObjectNode()
                                .put("model", "tandem-tiny")
                                .put("prompt", "Number " + i + " of " + "many words ".repeat(30))
                                .put("max_tokens", OUTPUT_TOKENS)
                                .put("ignore_eos", true)
                                .put("seed", i)
                                .put("stream", true);
                streams.add(new TokenStream(serve.url(), body));
            }
            streams.getFirst().awaitTokens(5);
            serve.worker("prefill-0").destroyForcibly();
            for (TokenStream stream : streams) {
                assertThat(stream.awaitEnd()).hasSize(OUTPUT_TOKENS);
                stream.close();
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            recording = files.toList().getFirst();
        }
    }

    @Test
    void theReplayDecidesTheSame() throws Exception {
        ToolProcess.Result result = ToolProcess.run("", "replay", recording.toString());
        assertThat(result.code()).as("%s", result).isZero();
        assertThat(result.output())
                .contains("equal: decision hash ", " events/s", "ends since the recorder stopped");
        assertThat(result.errors()).isEmpty();
    }

    @Test
    void aFlippedByteIsNoticed() throws Exception {
        byte[] bytes = Files.readAllBytes(recording);
        bytes[bytes.length / 2] ^= 1;
        Path damaged = Files.write(dir.resolve("damaged.rec"), bytes);
        ToolProcess.Result result = ToolProcess.run("", "replay", damaged.toString());
        assertThat(result.code()).as("%s", result).isEqualTo(2);
        assertThat(result.errors().lines()).singleElement().asString().contains("damaged");
    }
}
