package dev.tandem.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;
import dev.tandem.batching.DeviceFacts;
import dev.tandem.core.Event;
import dev.tandem.core.Prompt;
import dev.tandem.core.ReplicaFacts;
import dev.tandem.core.ReplicaRole;
import dev.tandem.core.SamplingParameters;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

class EventCodecTest {
    private static final long SEED = Long.getLong("tandem.seed", 20261123L);
    private static final String REPEAT = "repeat with -Dtest=EventCodecTest -Dtandem.seed=" + SEED;
    private static final DeviceFacts DEVICE =
            new DeviceFacts("chip é 😀", 1e15, 4.3e12, 0, Double.MAX_VALUE, -0.0, 1e-300, 131_072);

    private final EventCodec codec = new EventCodec();

    static List<Event> events() {
        return List.of(
                new Event.Submit(
                        Long.MAX_VALUE,
                        new Prompt(
                                new int[] {0, 1, Integer.MAX_VALUE, Integer.MIN_VALUE},
                                4,
                                new long[] {-1, 0, Long.MIN_VALUE, Long.MAX_VALUE},
                                "salt"),
                        Integer.MAX_VALUE,
                        new SamplingParameters(
                                Float.MIN_VALUE,
                                1,
                                2,
                                3,
                                4,
                                -5,
                                6,
                                -7,
                                Map.of(1, 2f, -3, 4f),
                                true,
                                20),
                        Set.of(1, 0, -7, 150_000),
                        new Terms("t", "w", Lane.BATCH, "m", "z", Long.MIN_VALUE, -1)),
                new Event.Submit(
                        1, Prompt.of(5), 1, SamplingParameters.greedy(), Set.of(), Terms.none()),
                new Event.Cancel(0),
                new Event.ReplicaJoined(
                        -1,
                        new ReplicaFacts(
                                "w", -9, ReplicaRole.DECODE, "m", "z", 1, 1, 64, 512, DEVICE, 3)),
                new Event.TierReport(3, 7, 2, new long[] {1, -2, 3, 4}, new long[0]),
                new Event.ReplicaLost(7, "gone – \"away\""),
                new Event.StepDone(1, 2, 0, new long[0], new int[0], null, 0),
                new Event.StepDone(
                        1,
                        Long.MAX_VALUE,
                        3,
                        new long[] {9, -4, Long.MIN_VALUE},
                        new int[] {0, -1, Integer.MAX_VALUE},
                        null,
                        Long.MAX_VALUE),
                new Event.SendEnded(1, 2, true),
                new Event.LeaseEnded(1, 2, false, Long.MAX_VALUE),
                new Event.Tick());
    }

    @ParameterizedTest
    @MethodSource("events")
    void everyFieldComesBack(Event event) throws RecordingException {
        assertThat(read(write(event), DecisionHash.kind(event)))
                .usingRecursiveComparison()
                .isEqualTo(event);
    }

    @Test
    void onlyTheUsedPartOfReusedArraysIsWritten() throws RecordingException {
        Event.StepDone done =
                new Event.StepDone(1, 2, 1, new long[] {3, 99}, new int[] {4, 99}, null, 5);
        assertThat(read(write(done), DecisionHash.kind(done)))
                .usingRecursiveComparison()
                .isEqualTo(new Event.StepDone(1, 2, 1, new long[] {3}, new int[] {4}, null, 5));
    }

    @Test
    void trafficComesBackByteByByte() throws RecordingException {
        for (Event event : Traffic.events(SEED, 3_000)) {
            byte[] bytes = write(event);
            assertThat(write(read(bytes, DecisionHash.kind(event)))).as(REPEAT).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @MethodSource("events")
    void aCutEventIsRefused(Event event) {
        byte[] bytes = write(event);
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> read(cut, DecisionHash.kind(event)))
                    .as("%d of %d bytes", length, bytes.length)
                    .isInstanceOf(RecordingException.class)
                    .hasMessageContaining("(at byte ");
        }
    }

    @ParameterizedTest
    @MethodSource("events")
    void bytesBehindAnEventAreRefused(Event event) {
        byte[] bytes = write(event);
        byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
        assertThatThrownBy(() -> read(more, DecisionHash.kind(event)))
                .isInstanceOf(RecordingException.class)
                .hasMessageContaining("1 bytes too many");
    }

    /// Whatever the bytes are: an event or a clear refusal, and no more memory than a few times their number.
    @Test
    void hostileBytesAreReadOrRefused() {
        Random random = new Random(SEED);
        List<Event> events = events();
        int read = 0;
        int refused = 0;
        for (int i = 0; i < 60_000; i++) {
            Event event = events.get(random.nextInt(events.size()));
            byte[] bytes = write(event);
            int changes = random.nextInt(4);
            for (int c = 0; c < changes && bytes.length > 0; c++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                read(
                        bytes,
                        random.nextInt(20) == 0 ? random.nextInt(256) : DecisionHash.kind(event));
                read++;
            } catch (RecordingException e) {
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError(REPEAT + ": " + event, e);
            }
        }
        assertThat(read).isGreaterThan(3_000);
        assertThat(refused).isGreaterThan(3_000);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5})
    void aHugeCountIsRefusedBeforeAnythingIsAllocated(int kind) {
        byte[] bytes = new byte[64];
        Arrays.fill(bytes, (byte) 0xff);
        bytes[9] = 1; // ends the first number
        bytes[19] = 1; // the second
        bytes[29] = 1;
        bytes[39] = 1;
        assertThatThrownBy(() -> read(bytes, kind)).isInstanceOf(RecordingException.class);
    }

    private byte[] write(Event event) {
        FrameWriter out = new FrameWriter();
        codec.write(out, event);
        return Arrays.copyOf(out.array(), out.size());
    }

    private Event read(byte[] bytes, int kind) throws RecordingException {
        FrameReader in = new FrameReader();
        in.wrap(bytes, 0, bytes.length, 1000);
        return codec.read(in, kind);
    }
}
