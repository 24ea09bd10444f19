package dev.tandem.sim.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tandem.admission.AdmissionOptions;
import dev.tandem.batching.BatchingOptions;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.cost.StepShape;
import dev.tandem.sim.engine.Links;
import dev.tandem.sim.engine.ReplicaSpec;

import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Cluster files, right and wrong ones.
final class ClusterFileTest {
    private static final String GOOD =
            """
            model: Llama-3.1-8B
            block-tokens: 64
            replicas:
              - count: 2
                role: prefill
                device: h200
                zone: a
              - count: 3
                role: decode
                device: h100
                tp: 2
                zone: b
                kv-memory: 40GiB
                sequences-max: 128
            links:
              gigabits-per-second: 200
              latency-micros: 10
              across:
                gigabits-per-second: 25
              pairs:
                - {from: a, to: b, gigabits-per-second: 100, latency-micros: 40}
            control-latency-micros: 50
            scheduler:
              step-tokens-max: 2048
              batching:
                cap: fixed
              admission:
                rules: [queue-limit, deadline]
                tenants:
                  shop:
                    weight: 2.5
            """;

    @Test
    void aReplicaMayHaveATier() {
        String text = GOOD.replace("role: decode", "role: decode\n    tier-blocks: 5000");
        List<ReplicaSpec> replicas = ClusterFile.parse("c.yaml", text).spec().replicas();
        assertThat(replicas.get(0).tierBlocks()).isZero();
        assertThat(replicas.get(4).tierBlocks()).isEqualTo(5000);
    }

    @Test
    void readsWhatItSays() {
        Cluster cluster = ClusterFile.parse("c.yaml", GOOD);
        List<ReplicaSpec> replicas = cluster.spec().replicas();
        assertThat(replicas).hasSize(5);
        assertThat(cluster.shape()).isEqualTo("2 prefill + 3 decode");
        assertThat(cluster.blockTokens()).isEqualTo(64);
        assertThat(replicas.get(1).role()).isEqualTo(ReplicaRole.PREFILL);
        assertThat(replicas.get(1).device().name()).isEqualTo("h200_sxm");
        assertThat(replicas.get(4).zone()).isEqualTo("b");
        assertThat(replicas.get(4).sequencesMax()).isEqualTo(128);
        // 40 GiB by 131,072 bytes a token and 64 tokens a block.
        assertThat(replicas.get(4).blocks()).isEqualTo((int) ((40L << 30) / 131_072 / 64));
        assertThat(replicas.get(4).device().linkBytesPerSecond()).isCloseTo(25e9, within(1.0));
        Links links = cluster.spec().links();
        assertThat(links.within()).isEqualTo(new Links.Link(25e9, 10_000));
        assertThat(links.across().bytesPerSecond()).isCloseTo(25e9 / 8, within(1.0));
        assertThat(links.exceptions().get(new Links.ZonePair("a", "b")))
                .isEqualTo(new Links.Link(12.5e9, 40_000));
        assertThat(cluster.spec().controlLatencyNanos()).isEqualTo(50_000);
        assertThat(cluster.costModel()).contains("roofline of h200_sxm", "roofline of h100_sxm");
    }

    @Test
    void theSchedulerSectionHasTheServersKeys() {
        CoreOptions options = ClusterFile.parse("c.yaml", GOOD).options();
        assertThat(options.stepTokensMax()).isEqualTo(2048);
        assertThat(options.batching().cap()).isEqualTo(BatchingOptions.Cap.FIXED);
        assertThat(options.admission().rules())
                .containsExactlyInAnyOrder(
                        AdmissionOptions.Rule.QUEUE_LIMIT, AdmissionOptions.Rule.DEADLINE);
        assertThat(options.admission().limitsOf("shop").weight()).isEqualTo(2.5);
        assertThat(options.admission().limitsOf("shop").name()).isEqualTo("shop");
    }

    @Test
    void theStandardClusterIsEightDevicesWithTheDefaultsOfTheServer() {
        Cluster cluster = ClusterFile.standard(4, 4, 16);
        assertThat(cluster.shape()).isEqualTo("4 prefill + 4 decode");
        assertThat(cluster.options()).isEqualTo(CoreOptions.defaults());
        // 72 GiB of 80, less 15 GB of weights and 1 GB of embeddings: room for some 467,000 tokens.
        assertThat(cluster.spec().replicas().getFirst().blocks() * 16).isBetween(440_000, 480_000);
        assertThat(ClusterFile.standard(0, 8, 16).shape()).isEqualTo("8 mixed");
    }

    @Test
    void stepsMayBeTimedByMeasuredKernels() {
        String data = System.getProperty("tandem.data");
        assumeTrue(data != null, "no measured profiles: -Dtandem.data is not set");
        Path profiles = Path.of(data).resolve("profiles/aiconfigurator");
        Cluster cluster =
                ClusterFile.parse(
                        "c.yaml", "replicas:\n  - device: h100\n    profiles: " + profiles + "\n");
        assertThat(cluster.costModel()).contains("measured kernels of h100_sxm");
        var prompt = new StepShape();
        prompt.addPrefill(0, 2_048, true);
        double measured = cluster.spec().replicas().getFirst().cost().nanos(prompt);
        double roofline =
                ClusterFile.standard(0, 1, 16).spec().replicas().getFirst().cost().nanos(prompt);
        assertThat(measured).isNotEqualTo(roofline).isBetween(roofline / 2, roofline * 2);
    }

    @Test
    void profilesThatAreNotThereAreNamed() {
        assertThatThrownBy(
                        () ->
                                ClusterFile.parse(
                                        "c.yaml", "replicas:\n  - profiles: /no/such/folder\n"))
                .isInstanceOf(ClusterFileException.class)
                .hasMessageContaining("/no/such/folder");
        assertThatThrownBy(
                        () ->
                                ClusterFile.parse(
                                        "c.yaml",
                                        "replicas:\n  - profiles: a\n    coefficients: b\n"))
                .isInstanceOf(ClusterFileException.class)
                .hasMessageContaining("not both");
    }

    @Test
    void namesTheLineThatIsWrong() {
        wrong("device: h200", "device: h300", 6, "h300");
        wrong("role: prefill", "role: helper", 5, "role must be prefill or decode");
        wrong("count: 2", "count: zero", 4, "count must be a whole number");
        wrong("count: 2", "kount: 2", 4, "unknown key kount; there are count, role");
        wrong("block-tokens: 64", "block-token: 64", 2, "unknown key block-token");
        wrong("tp: 2", "tp: 3", 8, "don't divide over TP 3");
        wrong("kv-memory: 40GiB", "kv-memory: 40GB", 13, "kv-memory must be bytes such as 40GiB");
        wrong("kv-memory: 40GiB", "kv-memory: 1KiB", 13, "room for 0 KV tokens");
        wrong("kv-memory: 40GiB", "kv-memory: 40GiB\n    blocks: 7", 13, "not both");
        wrong("latency-micros: 10", "latency-micros: -1", 17, "latency-micros must be");
        wrong("step-tokens-max: 2048", "step-tokens-max: 0", 24, "must be at least 1");
        wrong("step-tokens-max: 2048", "step-token-max: 1", 24, "unknown key step-token-max");
        wrong("cap: fixed", "cap: none", 26, "batching.cap must be one of fixed, adaptive");
        wrong("cap: fixed", "cup: fixed", 26, "unknown key batching.cup");
        wrong("weight: 2.5", "weight: much", 31, "is not a number");
        wrong("tp: 2", "tp: 2\n    tp: 2", 0, "tp");
        wrong("links:", "links: [", 0, "no valid YAML");
    }

    private static void wrong(String good, String bad, int line, String reason) {
        assertThat(GOOD).contains(good);
        String text = GOOD.replace(good, bad);
        assertThatExceptionOfType(ClusterFileException.class)
                .as(bad)
                .isThrownBy(() -> ClusterFile.parse("c.yaml", text))
                .withMessageStartingWith(line > 0 ? "c.yaml, line " + line + ": " : "c.yaml")
                .withMessageContaining(reason);
    }

    @Test
    void aClusterNeedsADecodeReplica() {
        assertThatExceptionOfType(ClusterFileException.class)
                .isThrownBy(() -> ClusterFile.parse("c.yaml", "replicas:\n  - role: prefill\n"))
                .withMessageContaining("no replica of the role decode");
        assertThatExceptionOfType(ClusterFileException.class)
                .isThrownBy(() -> ClusterFile.parse("c.yaml", ""))
                .withMessageContaining("no replicas");
    }

    @Test
    void everyNumberAndSwitchOfTheCoreCanBeSetByItsKey() {
        CoreOptions options = CoreOptions.defaults();
        Map<String, String> flat = OptionKeys.flat(options);
        assertThat(flat).containsEntry("step-tokens-max", "512");
        assertThat(flat).containsKeys("batching.tpot-millis", "routing.ring-points");
        int set = 0;
        for (Map.Entry<String, String> entry : flat.entrySet()) {
            String value = entry.getValue();
            if (value.matches("-?\\d+|true|false")) {
                assertThat(OptionKeys.with(options, entry.getKey(), value))
                        .as(entry.getKey())
                        .isEqualTo(options);
                set++;
            }
        }
        assertThat(set).isGreaterThan(40);
        assertThat(OptionKeys.with(options, "routing.hedge.burst", "7").routing().hedge().burst())
                .isEqualTo(7);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> OptionKeys.with(options, "batching", "1"))
                .withMessageContaining("has keys of its own");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> OptionKeys.with(options, "step-tokens-max.more", "1"))
                .withMessageContaining("has no keys");
    }
}
