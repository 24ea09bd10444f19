package dev.tandem.sim.cluster;

import dev.tandem.core.CoreOptions;
import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.cost.Device;
import dev.tandem.sim.cost.FittedCost;
import dev.tandem.sim.cost.ModelShape;
import dev.tandem.sim.cost.ProfiledCost;
import dev.tandem.sim.cost.RooflineCost;
import dev.tandem.sim.cost.ShardedModel;
import dev.tandem.sim.cost.StepCost;
import dev.tandem.sim.engine.ClusterSpec;
import dev.tandem.sim.engine.Links;
import dev.tandem.sim.engine.ReplicaSpec;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// Reads a cluster file (see the package page) or makes the default cluster.
public final class ClusterFile {
    private static final long FILE_BYTES_MAX = 1 << 20;
    private static final int REPLICAS_MAX = 4096;
    private static final double BYTES_PER_GIGABIT = 1e9 / 8;
    private static final double GIGABITS = 400;
    private static final int LATENCY_MICROS = 5;
    private static final int CONTROL_LATENCY_MICROS = 100;
    private static final double MEMORY_SHARE = 0.9;
    private static final int SEQUENCES_MAX = 1024;
    private static final int STEP_TOKENS_MAX = 16_384;
    private static final int ANY = Integer.MAX_VALUE;

    private final String file;
    private final Set<String> costs = new LinkedHashSet<>();

    private ClusterFile(String file) {
        this.file = file;
    }

    /// @throws ClusterFileException it can't be read or is wrong
    public static Cluster read(Path path) {
        try {
            if (Files.size(path) > FILE_BYTES_MAX) {
                throw new ClusterFileException(
                        path.toString(), 0, "larger than " + FILE_BYTES_MAX + " bytes");
            }
            return parse(path.toString(), Files.readString(path));
        } catch (IOException e) {
            throw new ClusterFileException(path.toString(), 0, "can't be read: " + e);
        }
    }

    /// @param file for messages
    public static Cluster parse(String file, String text) {
        return new ClusterFile(file).cluster(YamlNode.parse(file, text));
    }

    /// Eight H100s that serve Llama-3.1-8B in bfloat16 over 400 Gb/s.
    ///
    /// @param prefill how many of them are prefill replicas; 0 = all serve mixed
    /// @param decode the others
    public static Cluster standard(int prefill, int decode, int blockTokens) {
        var text = new StringBuilder();
        text.append("block-tokens: ").append(blockTokens).append("\nreplicas:\n");
        if (prefill > 0) {
            text.append("  - {role: prefill, count: ").append(prefill).append("}\n");
        }
        text.append("  - {role: decode, count: ").append(decode).append("}\n");
        Cluster cluster = parse("default cluster", text.toString());
        return new Cluster(
                "%d x H100, Llama-3.1-8B".formatted(prefill + decode),
                cluster.spec(),
                cluster.options(),
                cluster.costModel());
    }

    private Cluster cluster(YamlNode node) {
        Section root = Section.of(file, node, "a cluster file");
        String model = root.text("model", ModelShape.LLAMA_3_1_8B.name());
        String device = root.text("device", "h100");
        int blockTokens = root.whole("block-tokens", 1, 4096, 16);
        Section linkSection = root.section("links");
        Links links =
                linkSection == null
                        ? Links.uniform(
                                GIGABITS * BYTES_PER_GIGABIT,
                                TimeUnit.MICROSECONDS.toNanos(LATENCY_MICROS))
                        : links(linkSection);
        var replicas = new ArrayList<ReplicaSpec>();
        for (Section section : root.sections("replicas")) {
            addReplicas(section, model, device, blockTokens, links, replicas);
        }
        if (replicas.isEmpty()) {
            throw new ClusterFileException(file, root.line(), "no replicas");
        }
        if (replicas.stream().noneMatch(r -> r.role() == ReplicaRole.DECODE)) {
            throw new ClusterFileException(
                    file, root.lineOf("replicas"), "no replica of the role decode");
        }
        int control = root.whole("control-latency-micros", 0, 10_000_000, CONTROL_LATENCY_MICROS);
        CoreOptions options = scheduler(root.node("scheduler"));
        root.requireAllKnown();
        var spec = new ClusterSpec(replicas, links, TimeUnit.MICROSECONDS.toNanos(control));
        return new Cluster(file, spec, options, "simulated: " + String.join("; ", costs));
    }

    // ---- replicas ----

    private void addReplicas(
            Section section,
            String defaultModel,
            String defaultDevice,
            int blockTokens,
            Links links,
            List<ReplicaSpec> replicas) {
        int count = section.whole("count", 1, REPLICAS_MAX, 1);
        ReplicaRole role = role(section);
        String name = section.text("name", role == ReplicaRole.PREFILL ? "prefill" : "decode");
        Device device = device(section, defaultDevice);
        ShardedModel model = model(section, defaultModel);
        String zone = section.text("zone", "");
        int blocks = blocks(section, device, model, blockTokens);
        int sequencesMax = section.whole("sequences-max", 1, ANY, SEQUENCES_MAX);
        int stepTokensMax = section.whole("step-tokens-max", 1, ANY, STEP_TOKENS_MAX);
        int tierBlocks = section.whole("tier-blocks", 0, ANY, 0);
        double card =
                section.positive(
                                "gigabits-per-second",
                                links.within().bytesPerSecond() / BYTES_PER_GIGABIT)
                        * BYTES_PER_GIGABIT;
        StepCost cost = cost(section, device, model);
        section.requireAllKnown();
        if (replicas.size() + count > REPLICAS_MAX) {
            throw section.wrong(section.line(), "more than " + REPLICAS_MAX + " replicas");
        }
        for (int i = 0; i < count; i++) {
            replicas.add(
                    new ReplicaSpec(
                            name + "-" + replicas.size(),
                            role,
                            "",
                            zone,
                            blocks,
                            blockTokens,
                            sequencesMax,
                            stepTokensMax,
                            ReplicaModels.facts(device, model, card),
                            cost,
                            tierBlocks));
        }
    }

    private static ReplicaRole role(Section section) {
        String text = section.text("role", "decode");
        return switch (text) {
            case "prefill" -> ReplicaRole.PREFILL;
            case "decode" -> ReplicaRole.DECODE;
            default ->
                    throw section.wrong(
                            section.lineOf("role"),
                            "role must be prefill or decode, is \"" + text + "\"");
        };
    }

    private static Device device(Section section, String absent) {
        try {
            return Device.named(section.text("device", absent));
        } catch (IllegalArgumentException e) {
            throw section.wrong(section.lineOf("device"), String.valueOf(e.getMessage()));
        }
    }

    private static ShardedModel model(Section section, String absent) {
        String name = section.text("model", absent);
        int tp = section.whole("tp", 1, 64, 1);
        int weightBytes = section.whole("weight-bytes", 1, 2, 2);
        int kvBytes = section.whole("kv-bytes", 1, 2, 2);
        try {
            return new ShardedModel(ModelShape.named(name), tp, weightBytes, kvBytes);
        } catch (IllegalArgumentException e) {
            throw section.wrong(section.lineOf("model"), String.valueOf(e.getMessage()));
        }
    }

    private static int blocks(Section section, Device device, ShardedModel model, int blockTokens) {
        int blocks = section.whole("blocks", 1, ANY, 0);
        long memory = section.bytes("kv-memory", 0);
        if (blocks > 0 && memory > 0) {
            throw section.wrong(
                    section.lineOf("kv-memory"), "give either blocks or kv-memory, not both");
        }
        if (blocks > 0) {
            return blocks;
        }
        long tokens =
                memory > 0
                        ? memory / model.kvBytesPerToken()
                        : model.kvTokensMax(device, MEMORY_SHARE);
        long fits = tokens / blockTokens;
        if (fits < 1 || fits > ANY) {
            throw section.wrong(
                    memory > 0 ? section.lineOf("kv-memory") : section.line(),
                    "%s has room for %d KV tokens beside the weights of %s"
                            .formatted(device.name(), tokens, model.model().name()));
        }
        return (int) fits;
    }

    private StepCost cost(Section section, Device device, ShardedModel model) {
        String coefficients = section.text("coefficients", "");
        String key = section.text("coefficients-model", "facebook/opt-13b");
        String profiles = section.text("profiles", "");
        if (!profiles.isEmpty() && !coefficients.isEmpty()) {
            throw section.wrong(
                    section.lineOf("profiles"), "give either profiles or coefficients, not both");
        }
        if (!profiles.isEmpty()) {
            return profiled(section, Path.of(profiles), device, model);
        }
        if (coefficients.isEmpty()) {
            costs.add("roofline of " + device.name() + ", " + model.model().name());
            return new RooflineCost(device, model);
        }
        try {
            costs.add("fitted lines of " + key);
            return FittedCost.read(Path.of(coefficients), key, model.tensorParallel());
        } catch (IOException e) {
            throw section.wrong(section.lineOf("coefficients"), String.valueOf(e.getMessage()));
        }
    }

    /// The tables are of kernels; a step's fixed time is the device's, as in the roofline.
    private StepCost profiled(Section section, Path folder, Device device, ShardedModel model) {
        try {
            costs.add("measured kernels of " + device.name() + ", " + model.model().name());
            var engine = new ProfiledCost.Calibration(device.stepOverheadNanos(), 0, 0, 1, 1);
            return new ProfiledCost(folder, device, model).with(engine);
        } catch (IOException | IllegalArgumentException e) {
            throw section.wrong(section.lineOf("profiles"), String.valueOf(e.getMessage()));
        }
    }

    // ---- links ----

    private static Links links(Section section) {
        Links.Link within =
                link(
                        section,
                        new Links.Link(GIGABITS * BYTES_PER_GIGABIT, LATENCY_MICROS * 1_000L));
        Section acrossSection = section.section("across");
        Links.Link across = within;
        if (acrossSection != null) {
            across = link(acrossSection, within);
            acrossSection.requireAllKnown();
        }
        Map<Links.ZonePair, Links.Link> exceptions = new HashMap<>();
        for (Section pair : section.sections("pairs")) {
            String from = pair.text("from", "");
            String to = pair.text("to", "");
            exceptions.put(new Links.ZonePair(from, to), link(pair, across));
            pair.requireAllKnown();
        }
        section.requireAllKnown();
        return new Links(within, across, exceptions);
    }

    private static Links.Link link(Section section, Links.Link absent) {
        double gigabits =
                section.positive(
                        "gigabits-per-second", absent.bytesPerSecond() / BYTES_PER_GIGABIT);
        int micros =
                section.whole(
                        "latency-micros", 0, 60_000_000, (int) (absent.latencyNanos() / 1_000));
        return new Links.Link(gigabits * BYTES_PER_GIGABIT, TimeUnit.MICROSECONDS.toNanos(micros));
    }

    // ---- the core's options ----

    private CoreOptions scheduler(@Nullable YamlNode node) {
        CoreOptions options = CoreOptions.defaults();
        return node == null ? options : apply(options, "", node);
    }

    private CoreOptions apply(CoreOptions options, String key, YamlNode node) {
        switch (node) {
            case YamlNode.Mapping mapping -> {
                CoreOptions changed = options;
                for (Map.Entry<String, YamlNode> entry : mapping.entries().entrySet()) {
                    String name = key.isEmpty() ? entry.getKey() : key + "." + entry.getKey();
                    changed = apply(changed, name, entry.getValue());
                }
                return changed;
            }
            case YamlNode.Sequence sequence -> {
                List<String> parts = new ArrayList<>();
                for (YamlNode entry : sequence.entries()) {
                    if (!(entry instanceof YamlNode.Value part)) {
                        throw new ClusterFileException(
                                file, entry.line(), key + " must be a list of values");
                    }
                    parts.add(part.text());
                }
                return set(options, key, String.join(",", parts), sequence.line());
            }
            case YamlNode.Value value -> {
                if (key.isEmpty() && value.text().isEmpty()) {
                    return options; // a section whose entries are all commented out
                }
                return set(options, key, value.text(), value.line());
            }
        }
    }

    private CoreOptions set(CoreOptions options, String key, String text, int line) {
        try {
            return OptionKeys.with(options, key, text);
        } catch (IllegalArgumentException e) {
            throw new ClusterFileException(file, line, "scheduler: " + e.getMessage());
        }
    }
}
