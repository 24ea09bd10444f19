package dev.tandem.record;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The recordings of one coordinator in a folder: `tandem-20261123T184500.123Z-0.rec`. Touches no other files.
final class RecordingFolder {
    private static final Logger LOG = LoggerFactory.getLogger(RecordingFolder.class);
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final Pattern NAME =
            Pattern.compile("tandem-\\d{8}T\\d{6}\\.\\d{3}Z-\\d{1,9}\\.rec");
    private static final int SAME_TIME_MAX = 1000;

    private final Path dir;

    RecordingFolder(Path dir) {
        this.dir = dir;
    }

    /// Room for one more recording: the oldest ones beyond the limit are deleted.
    ///
    /// @return a file that does not exist
    Path next(long startedMillis, int filesMax) throws IOException {
        Files.createDirectories(dir);
        List<Path> recordings = recordings();
        for (int i = 0; i <= recordings.size() - filesMax; i++) {
            LOG.info("deleting the recording {}", recordings.get(i));
            Files.deleteIfExists(recordings.get(i));
        }
        String time = TIME.format(Instant.ofEpochMilli(startedMillis));
        for (int i = 0; i < SAME_TIME_MAX; i++) {
            Path file = dir.resolve("tandem-%s-%d.rec".formatted(time, i));
            if (!Files.exists(file)) {
                return file;
            }
        }
        throw new IOException("too many recordings of " + time + " in " + dir);
    }

    /// Oldest first.
    List<Path> recordings() throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            return files.filter(file -> NAME.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }
}
