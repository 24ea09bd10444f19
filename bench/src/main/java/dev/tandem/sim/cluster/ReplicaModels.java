package dev.tandem.sim.cluster;

import dev.tandem.batching.DeviceFacts;
import dev.tandem.sim.cost.Device;
import dev.tandem.sim.cost.ShardedModel;

/// What a replica of a device and a model tells the coordinator when it joins.
final class ReplicaModels {
    private ReplicaModels() {}

    /// @param linkBytesPerSecond of its network card
    static DeviceFacts facts(Device device, ShardedModel model, double linkBytesPerSecond) {
        int devices = model.tensorParallel();
        return new DeviceFacts(
                device.name(),
                device.effectiveFlops(model.weightBytes()) * devices,
                device.effectiveBytes() * devices,
                linkBytesPerSecond,
                2.0 * model.model().layers() * model.model().layerParameters(),
                model.model().flopsPerPair(),
                model.weightBytesPerStep(),
                model.kvBytesPerToken());
    }
}
