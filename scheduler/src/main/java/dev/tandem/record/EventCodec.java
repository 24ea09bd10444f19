package dev.tandem.record;

import dev.tandem.admission.Terms;
import dev.tandem.core.Event;
import dev.tandem.core.PrefixHasher;
import dev.tandem.core.Prompt;
import dev.tandem.core.ReplicaFacts;
import dev.tandem.core.SamplingParameters;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;

/// Events as bytes. Frequent ones are written field by field, the rare and wide ones by [RecordLayout]. Writing a
/// [Event.StepDone] allocates nothing once warm. Log-probabilities are left out: they are large, and the core hands
/// them through without a look. Not thread-safe.
final class EventCodec {
    /// More blocks than any device has room for; a damaged file must not make the core allocate without bound.
    private static final int BLOCKS_MAX = 1 << 26;

    private static final RecordLayout<ReplicaFacts> FACTS = RecordLayout.of(ReplicaFacts.class);
    private static final RecordLayout<SamplingParameters> SAMPLING =
            RecordLayout.of(SamplingParameters.class);
    private static final RecordLayout<Terms> TERMS = RecordLayout.of(Terms.class);

    /// Adds what a reader must agree on, beside the format's version.
    static void describe(Set<String> lines) {
        FACTS.describe(lines);
        SAMPLING.describe(lines);
        TERMS.describe(lines);
    }

    /// The event's fields; its kind is [DecisionHash#kind].
    void write(FrameWriter out, Event event) {
        switch (event) {
            case Event.Submit submit -> submit(out, submit);
            case Event.Cancel(long sequence) -> out.putVarint(sequence);
            case Event.ReplicaJoined(int replica, ReplicaFacts facts) -> {
                out.putZigzag(replica);
                FACTS.write(out, facts);
            }
            case Event.ReplicaLost(int replica, String reason) -> {
                out.putZigzag(replica);
                out.putText(reason);
            }
            case Event.StepDone done -> stepDone(out, done);
            case Event.SendEnded(int replica, long lease, boolean committed) -> {
                out.putZigzag(replica);
                out.putVarint(lease);
                out.putBoolean(committed);
            }
            case Event.LeaseEnded(int replica, long lease, boolean committed, long bytes) -> {
                out.putZigzag(replica);
                out.putVarint(lease);
                out.putBoolean(committed);
                out.putVarint(bytes);
            }
            case Event.Tick() -> {}
            case Event.TierReport report -> {
                out.putZigzag(report.replica());
                out.putVarint(report.request());
                out.putVarint(report.blocks());
                out.putVarint(report.stored().length);
                out.putLongs(report.stored());
                out.putVarint(report.dropped().length);
                out.putLongs(report.dropped());
            }
        }
    }

    private static void submit(FrameWriter out, Event.Submit submit) {
        out.putVarint(submit.sequence());
        Prompt prompt = submit.prompt();
        out.putVarint(prompt.length());
        out.putInts(prompt.tokens(), prompt.length());
        out.putVarint(prompt.hashes().length);
        out.putLongs(prompt.hashes());
        out.putText(prompt.cacheSalt());
        out.putZigzag(submit.maxTokens());
        SAMPLING.write(out, submit.sampling());
        int[] stops = submit.stopTokenIds().stream().mapToInt(Integer::intValue).sorted().toArray();
        out.putVarint(stops.length);
        out.putInts(stops, stops.length);
        TERMS.write(out, submit.terms());
    }

    private static void stepDone(FrameWriter out, Event.StepDone done) {
        out.putZigzag(done.replica());
        out.putVarint(done.plan());
        out.putVarint(done.stepNanos());
        out.putVarint(done.samples());
        out.putRising(done.sequences(), done.samples());
        out.putInts(done.tokens(), done.samples());
    }

    /// @throws RecordingException the bytes are no event of this kind
    Event read(FrameReader in, int kind) throws RecordingException {
        Event event =
                switch (kind) {
                    case 1 -> submit(in);
                    case 2 -> new Event.Cancel(in.getVarint());
                    case 3 -> joined(in);
                    case 4 -> new Event.ReplicaLost(in.getZigzagInt(), in.getText());
                    case 5 -> stepDone(in);
                    case 6 ->
                            new Event.SendEnded(in.getZigzagInt(), in.getVarint(), in.getBoolean());
                    case 7 ->
                            new Event.LeaseEnded(
                                    in.getZigzagInt(),
                                    in.getVarint(),
                                    in.getBoolean(),
                                    in.getVarint());
                    case 8 -> new Event.Tick();
                    case 9 -> tierReport(in);
                    default -> throw in.wrong("no event has the kind " + kind);
                };
        in.requireEnd();
        return event;
    }

    private static Event joined(FrameReader in) throws RecordingException {
        int replica = in.getZigzagInt();
        ReplicaFacts facts = FACTS.read(in);
        if (facts.blocks() < 0 || facts.blocks() > BLOCKS_MAX || facts.blockTokens() < 1) {
            throw in.wrong(
                    "a replica with %d blocks of %d tokens"
                            .formatted(facts.blocks(), facts.blockTokens()));
        }
        return new Event.ReplicaJoined(replica, facts);
    }

    private static Event tierReport(FrameReader in) throws RecordingException {
        int replica = in.getZigzagInt();
        long request = in.getVarint();
        long blocks = in.getVarint();
        long[] stored = in.getLongs(in.getCount(Long.BYTES));
        long[] dropped = in.getLongs(in.getCount(Long.BYTES));
        if (blocks < 0 || blocks > BLOCKS_MAX) {
            throw in.wrong("a tier that has moved %d blocks at once".formatted(blocks));
        }
        return new Event.TierReport(replica, request, (int) blocks, stored, dropped);
    }

    private static Event submit(FrameReader in) throws RecordingException {
        long sequence = in.getVarint();
        int length = in.getCount(1);
        int[] tokens = in.getInts(length);
        long[] hashes = in.getLongs(in.getCount(Long.BYTES));
        String salt = in.getText();
        int maxTokens = in.getZigzagInt();
        if (length < 1 || maxTokens < 1 || hashes.length % PrefixHasher.WORDS != 0) {
            throw in.wrong(
                    "a request of %d tokens, %d words of hashes, for %d tokens at most"
                            .formatted(length, hashes.length, maxTokens));
        }
        SamplingParameters sampling = SAMPLING.read(in);
        Set<Integer> stops = new LinkedHashSet<>();
        Arrays.stream(in.getInts(in.getCount(1))).forEach(stops::add);
        Terms terms = TERMS.read(in);
        return new Event.Submit(
                sequence,
                new Prompt(tokens, length, hashes, salt),
                maxTokens,
                sampling,
                stops,
                terms);
    }

    private static Event stepDone(FrameReader in) throws RecordingException {
        int replica = in.getZigzagInt();
        long plan = in.getVarint();
        long stepNanos = in.getVarint();
        int samples = in.getCount(2);
        return new Event.StepDone(
                replica,
                plan,
                samples,
                in.getRising(samples),
                in.getInts(samples),
                null,
                stepNanos);
    }
}
