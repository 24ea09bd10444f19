package dev.tandem.device;

/// Hears how far a forward pass has come, so that KV can be sent while later layers are computed.
@FunctionalInterface
public interface LayerListener {
    /// For passes that nobody follows.
    LayerListener NONE = count -> {};

    /// The KV of layers `[0, count)` of all rows is in the pool, visible to whoever learns of this call. Called with
    /// rising counts, on the thread that calls [Backend#forward] or, by a device that runs ahead of it, on one of the
    /// device's; must not block. Counts may be left out; the return of the pass says that all are done.
    void layersDone(int count);
}
