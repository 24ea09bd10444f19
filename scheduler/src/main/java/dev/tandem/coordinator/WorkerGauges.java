package dev.tandem.coordinator;

import dev.tandem.core.CoreSnapshot;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/// How the core sees each worker. Workers come and go, so the rows are set anew for every page.
final class WorkerGauges {
    private record Family(MultiGauge gauge, ToDoubleFunction<CoreSnapshot.ReplicaSnapshot> value) {}

    private final MeterRegistry registry;
    private final Supplier<CoreSnapshot> snapshot;
    private final List<Family> families = new ArrayList<>();

    WorkerGauges(MeterRegistry registry, Supplier<CoreSnapshot> snapshot) {
        this.registry = registry;
        this.snapshot = snapshot;
        add(
                "tandem_worker_sequences_max",
                "Running sequences allowed now: the static maximum or the adaptive cap",
                CoreSnapshot.ReplicaSnapshot::sequencesMax);
        add(
                "tandem_worker_queue_seconds",
                "Predicted wait until a new prompt would start",
                CoreSnapshot.ReplicaSnapshot::queueSeconds);
        add(
                "tandem_worker_slowness",
                "Time of its steps compared with its peers', 1 = as fast",
                CoreSnapshot.ReplicaSnapshot::slowness);
    }

    private void add(
            String name, String description, ToDoubleFunction<CoreSnapshot.ReplicaSnapshot> value) {
        families.add(
                new Family(
                        MultiGauge.builder(name).description(description).register(registry),
                        value));
    }

    /// Before a page is made.
    void update() {
        List<CoreSnapshot.ReplicaSnapshot> workers = snapshot.get().replicas();
        for (Family family : families) {
            List<MultiGauge.Row<?>> rows = new ArrayList<>();
            for (CoreSnapshot.ReplicaSnapshot worker : workers) {
                rows.add(
                        MultiGauge.Row.of(
                                Tags.of("worker", worker.name()),
                                family.value().applyAsDouble(worker)));
            }
            family.gauge().register(rows, true);
        }
    }
}
