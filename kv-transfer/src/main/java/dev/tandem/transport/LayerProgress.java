package dev.tandem.transport;

import java.util.ArrayList;
import java.util.List;

/// How far one forward pass has come, told by the engine thread to those who send the layers that it computes. One
/// object per step that has something to send. A layer's KV is told once every byte of it is in the pool; that
/// happens-before whatever a reader does after [#layersDone] has shown it.
public final class LayerProgress {
    private final int layers;
    private final int groupLayers;
    private final List<Runnable> listeners = new ArrayList<>(); // guarded by itself
    private volatile int done;
    private volatile long computedNanos;

    /// @param layers of a block
    /// @param groupLayers listeners are woken after so many; at least 1
    public LayerProgress(int layers, int groupLayers) {
        if (layers < 1 || groupLayers < 1) {
            throw new IllegalArgumentException(
                    "%d layers in groups of %d".formatted(layers, groupLayers));
        }
        this.layers = layers;
        this.groupLayers = groupLayers;
    }

    /// A pass that is over: everything can be sent.
    public static LayerProgress complete(int layers) {
        var progress = new LayerProgress(layers, layers);
        progress.complete();
        return progress;
    }

    /// Layers `[0, count)` are computed, for all rows of the step. Engine thread; cheap but at the end of a group.
    public void layersDone(int count) {
        boolean groupEnded = count / groupLayers > done / groupLayers || count == layers;
        done = count;
        if (groupEnded) {
            tell();
        }
    }

    /// The pass is over, its first tokens can be sampled.
    public void complete() {
        computedNanos = System.nanoTime();
        layersDone(layers);
    }

    /// Layers that can be sent, counted from the first: whole groups, or all.
    public int layersReady() {
        int now = done;
        return now == layers ? layers : now - now % groupLayers;
    }

    /// When the pass was over, `System.nanoTime`; 0 = not yet.
    long computedNanos() {
        return computedNanos;
    }

    /// Has `listener` run on the engine thread whenever a group is done; it only takes note.
    void listen(Runnable listener) {
        synchronized (listeners) {
            listeners.add(listener);
        }
    }

    private void tell() {
        synchronized (listeners) {
            listeners.forEach(Runnable::run);
        }
    }
}
