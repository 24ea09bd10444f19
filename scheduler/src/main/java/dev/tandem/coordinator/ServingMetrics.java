package dev.tandem.coordinator;

import dev.tandem.core.Commands;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.FinishReason;
import dev.tandem.core.ReplicaRole;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.StepResult;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/// The metrics page: vLLM's families under their own names, so that existing dashboards and pickers read them, and ours
/// under `tandem_`. Counts and gauges are read from the core's last snapshot, so a scrape never touches the step path.
final class ServingMetrics {
    private static final double[] TTFT_SECONDS = {
        .001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160,
        640, 2560
    };
    private static final double[] ITL_SECONDS = {
        .01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80
    };
    private static final double[] E2E_SECONDS = {
        .3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680
    };
    private static final double[] TRANSFER_SECONDS = {
        .0005, .001, .0025, .005, .01, .025, .05, .075, .1, .2, .3, .5, .75, 1, 5
    };
    private static final double[] NIXL_SECONDS = {
        .005, .01, .025, .05, .075, .1, .2, .3, .5, .75, 1, 5
    };
    private static final double[] NIXL_BYTES = {
        0x1p11, 0x1p13, 0x1p15, 0x1p17, 0x1p19, 0x1p21, 0x1p23, 0x1p25, 0x1p27, 0x1p29, 0x1p31,
        0x1p33
    };

    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final String modelName;
    private final Timer timeToFirstToken;
    private final Timer interTokenLatency;
    private final Timer endToEnd;
    private final Timer stepDevice;
    private final Timer transfer;
    private final DistributionSummary transferBytes;
    private final Timer exposed;
    private final Timer nixlTransfer;
    private final DistributionSummary nixlBytes;
    private final Counter nixlFailed;
    private final Counter nixlExpired;
    private final Counter stopped;
    private final Counter lengthReached;
    private final Counter aborted;
    private final Counter failed;
    private final Counter sendsFailed;
    private volatile @Nullable WorkerGauges workers;

    ServingMetrics(String modelName) {
        this.modelName = modelName;
        timeToFirstToken = timer("vllm:time_to_first_token", "Time to first token", TTFT_SECONDS);
        interTokenLatency =
                timer("vllm:inter_token_latency", "Time between tokens of a request", ITL_SECONDS);
        endToEnd = timer("vllm:e2e_request_latency", "From arrival to the last token", E2E_SECONDS);
        stepDevice = timer("tandem_step_device", "Device time of one step plan", TRANSFER_SECONDS);
        transfer =
                timer(
                        "tandem_kv_transfer",
                        "From the first KV block's start to the receipt of the commit",
                        TRANSFER_SECONDS);
        transferBytes =
                DistributionSummary.builder("tandem_kv_transfer_size")
                        .description("Bytes of one committed KV transfer")
                        .baseUnit("bytes")
                        .register(registry);
        exposed =
                timer(
                        "tandem_kv_exposed",
                        "By how much a committed KV transfer outlasted the computation of its"
                                + " prompt",
                        TRANSFER_SECONDS);
        Gauge.builder("tandem_kv_exposed_share", this, ServingMetrics::exposedShare)
                .description("Exposed KV transfer time over time to first token, sums of both, 0..")
                .register(registry);
        nixlTransfer = timer("vllm:nixl_xfer_time", "Time of one KV transfer", NIXL_SECONDS);
        nixlBytes =
                DistributionSummary.builder("vllm:nixl_bytes_transferred")
                        .description("Bytes of one KV transfer")
                        .serviceLevelObjectives(NIXL_BYTES)
                        .tag("model_name", modelName)
                        .register(registry);
        nixlFailed =
                Counter.builder("vllm:nixl_num_failed_transfers")
                        .description("KV transfers that failed")
                        .tag("model_name", modelName)
                        .register(registry);
        nixlExpired =
                Counter.builder("vllm:nixl_num_kv_expired_reqs")
                        .description("KV leases that expired before they were complete")
                        .tag("model_name", modelName)
                        .register(registry);
        stopped = outcome("stop");
        lengthReached = outcome("length");
        aborted = outcome("abort");
        failed = outcome("error");
        sendsFailed =
                Counter.builder("tandem_kv_sends_failed")
                        .description("KV transfers that their writer gave up")
                        .register(registry);
    }

    /// Binds the families that mirror the core's state.
    void bind(Supplier<CoreSnapshot> snapshot) {
        gauge(
                "vllm:num_requests_running",
                "Sequences placed on workers",
                snapshot,
                CoreSnapshot::running);
        gauge(
                "vllm:num_requests_waiting",
                "Sequences in the queue",
                snapshot,
                CoreSnapshot::waiting);
        gauge(
                "vllm:kv_cache_usage_perc",
                "Share of KV blocks in use, 0..1",
                snapshot,
                ServingMetrics::kvUsage);
        total(
                "vllm:prompt_tokens",
                "Prompt tokens accepted",
                snapshot,
                s -> s.totals().promptTokens());
        total(
                "vllm:generation_tokens",
                "Tokens generated",
                snapshot,
                s -> s.totals().generatedTokens());
        total("vllm:num_preemptions", "Preemptions", snapshot, s -> s.totals().preemptions());
        total(
                "vllm:prefix_cache_queries",
                "Tokens looked up in prefix caches",
                snapshot,
                s -> s.totals().prefixQueriedTokens());
        total(
                "vllm:prefix_cache_hits",
                "Tokens found in prefix caches",
                snapshot,
                s -> s.totals().prefixHitTokens());
        gauge(
                "tandem_queued_tokens",
                "Tokens of waiting sequences",
                snapshot,
                CoreSnapshot::waitingTokens);
        gauge(
                "tandem_kv_handoffs_open",
                "Prefills whose KV has not joined a decode worker",
                snapshot,
                CoreSnapshot::transferring);
        total("tandem_steps", "Step plans sent", snapshot, s -> s.totals().plans());
        total(
                "tandem_computed_tokens",
                "Tokens computed, recomputed ones again",
                snapshot,
                s -> s.totals().computedTokens());
        total(
                "tandem_recomputes",
                "Sequences started over after a lost worker or a failed transfer",
                snapshot,
                s -> s.totals().recomputes());
        total(
                "tandem_kv_handoffs",
                "Prefills handed to a decode worker",
                snapshot,
                s -> s.totals().handoffs());
        total(
                "tandem_kv_handoffs_failed",
                "Handoffs that failed",
                snapshot,
                s -> s.totals().handoffsFailed());
        total(
                "tandem_kv_transferred_bytes",
                "KV bytes moved between workers and verified",
                snapshot,
                s -> s.totals().kvBytesMoved());
        total(
                "tandem_kv_transfer_avoided_blocks",
                "KV blocks that the receiver had in its prefix cache",
                snapshot,
                s -> s.totals().kvBlocksPresent());
        bindPolicies(snapshot);
        for (ReplicaRole role : ReplicaRole.values()) {
            byRole("tandem_workers", "Workers joined", role, snapshot, r -> 1);
            byRole(
                    "tandem_kv_blocks",
                    "KV blocks in all",
                    role,
                    snapshot,
                    CoreSnapshot.ReplicaSnapshot::blocks);
            byRole(
                    "tandem_kv_blocks_used",
                    "KV blocks held by sequences",
                    role,
                    snapshot,
                    CoreSnapshot.ReplicaSnapshot::blocksUsed);
            byRole(
                    "tandem_kv_blocks_cached",
                    "KV blocks that hold a findable prefix",
                    role,
                    snapshot,
                    CoreSnapshot.ReplicaSnapshot::blocksCached);
            byRole(
                    "tandem_sequences",
                    "Sequences on workers",
                    role,
                    snapshot,
                    CoreSnapshot.ReplicaSnapshot::sequences);
            byRole(
                    "tandem_plans_in_flight",
                    "Step plans sent whose result is not back",
                    role,
                    snapshot,
                    CoreSnapshot.ReplicaSnapshot::plansInFlight);
            byRole(
                    "tandem_pending_prefill_tokens",
                    "Prompt tokens placed and not computed",
                    role,
                    snapshot,
                    CoreSnapshot.ReplicaSnapshot::pendingPrefillTokens);
        }
    }

    /// What the policies did, and how they see each worker.
    private void bindPolicies(Supplier<CoreSnapshot> snapshot) {
        total(
                "tandem_requests_refused",
                "Requests that admission turned away at once",
                snapshot,
                s -> s.totals().refused());
        total(
                "tandem_requests_shed",
                "Waiting requests given up for others of a higher lane",
                snapshot,
                s -> s.totals().shed());
        total(
                "tandem_requests_expired",
                "Requests ended because of their deadline",
                snapshot,
                s -> s.totals().expired());
        total(
                "tandem_hedges",
                "Prefills started a second time on another worker",
                snapshot,
                s -> s.totals().hedges());
        total(
                "tandem_hedges_won",
                "Second prefills that were first to end",
                snapshot,
                s -> s.totals().hedgesWon());
        total(
                "tandem_retries_delayed",
                "Restarts that had to wait for the retry budget",
                snapshot,
                s -> s.totals().retriesDelayed());
        workers = new WorkerGauges(registry, snapshot);
    }

    /// The page in Prometheus text format 0.0.4.
    String page() {
        WorkerGauges bound = workers;
        if (bound != null) {
            bound.update();
        }
        return registry.scrape();
    }

    void timeToFirstToken(long nanos) {
        timeToFirstToken.record(nanos, TimeUnit.NANOSECONDS);
    }

    void interTokenLatency(long nanos) {
        interTokenLatency.record(nanos, TimeUnit.NANOSECONDS);
    }

    void step(StepResult result) {
        stepDevice.record(result.getNanos().getTotal(), TimeUnit.NANOSECONDS);
    }

    void sendEnded(SendResult sent) {
        if (sent.getCommitted()) {
            transfer.record(sent.getNanos(), TimeUnit.NANOSECONDS);
            nixlTransfer.record(sent.getNanos(), TimeUnit.NANOSECONDS);
            exposed.record(sent.getExposedNanos(), TimeUnit.NANOSECONDS);
            transferBytes.record(sent.getBytes());
            nixlBytes.record(sent.getBytes());
        } else {
            sendsFailed.increment();
            nixlFailed.increment();
        }
    }

    void leaseExpired() {
        nixlExpired.increment();
    }

    private double exposedShare() {
        double first = timeToFirstToken.totalTime(TimeUnit.NANOSECONDS);
        return first == 0 ? 0 : exposed.totalTime(TimeUnit.NANOSECONDS) / first;
    }

    void finished(ActiveRequest request, Commands.Finished finished, long now) {
        endToEnd.record(now - request.submittedNanos(), TimeUnit.NANOSECONDS);
        (finished.reason() == FinishReason.STOP ? stopped : lengthReached).increment();
    }

    void cancelled(ActiveRequest request, boolean satisfied, long now) {
        if (satisfied) {
            endToEnd.record(now - request.submittedNanos(), TimeUnit.NANOSECONDS);
            stopped.increment();
        } else {
            aborted.increment();
        }
    }

    void failed() {
        failed.increment();
    }

    private static double kvUsage(CoreSnapshot snapshot) {
        long blocks = 0;
        long used = 0;
        for (CoreSnapshot.ReplicaSnapshot replica : snapshot.replicas()) {
            blocks += replica.blocks();
            used += replica.blocksUsed();
        }
        return blocks == 0 ? 0 : (double) used / blocks;
    }

    private Timer timer(String name, String description, double[] bucketSeconds) {
        Duration[] buckets = new Duration[bucketSeconds.length];
        for (int i = 0; i < buckets.length; i++) {
            buckets[i] = Duration.ofNanos(Math.round(bucketSeconds[i] * 1e9));
        }
        return Timer.builder(name)
                .description(description)
                .serviceLevelObjectives(buckets)
                .minimumExpectedValue(buckets[0])
                .maximumExpectedValue(buckets[buckets.length - 1])
                .tags(tags(name))
                .register(registry);
    }

    private Counter outcome(String reason) {
        return Counter.builder("vllm:request_success")
                .description("Requests ended, by reason")
                .tag("model_name", modelName)
                .tag("finished_reason", reason)
                .register(registry);
    }

    private void gauge(
            String name,
            String description,
            Supplier<CoreSnapshot> snapshot,
            ToDoubleFunction<CoreSnapshot> value) {
        Gauge.builder(name, snapshot, s -> value.applyAsDouble(s.get()))
                .description(description)
                .tags(tags(name))
                .strongReference(true)
                .register(registry);
    }

    private void byRole(
            String name,
            String description,
            ReplicaRole role,
            Supplier<CoreSnapshot> snapshot,
            ToDoubleFunction<CoreSnapshot.ReplicaSnapshot> value) {
        Gauge.builder(
                        name,
                        snapshot,
                        s ->
                                s.get().replicas().stream()
                                        .filter(r -> r.role() == role)
                                        .mapToDouble(value)
                                        .sum())
                .description(description)
                .tag("role", role == ReplicaRole.PREFILL ? "prefill" : "decode")
                .strongReference(true)
                .register(registry);
    }

    private void total(
            String name,
            String description,
            Supplier<CoreSnapshot> snapshot,
            ToDoubleFunction<CoreSnapshot> value) {
        FunctionCounter.builder(name, snapshot, s -> value.applyAsDouble(s.get()))
                .description(description)
                .tags(tags(name))
                .register(registry);
    }

    /// vLLM labels its families with the model; ours stand for the process.
    private Tags tags(String name) {
        return name.startsWith("vllm:") ? Tags.of("model_name", modelName) : Tags.empty();
    }
}
