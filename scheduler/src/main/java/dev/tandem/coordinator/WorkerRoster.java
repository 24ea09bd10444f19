package dev.tandem.coordinator;

import dev.tandem.wire.Hello;
import dev.tandem.wire.KvLayout;

import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// The streams that are open: strangers that have not said hello, and joined workers by replica number. Owned by the
/// coordinator's agent; others only wait for a number of workers.
final class WorkerRoster {
    private final Int2ObjectHashMap<WorkerLink> joined = new Int2ObjectHashMap<>();
    private final List<WorkerLink> strangers = new ArrayList<>();
    private final Object joinMonitor = new Object();
    private volatile int joinedCount;
    private int nextReplica = 1;

    /// Waits until so many workers are joined at the same time; any thread.
    void awaitWorkers(int workers) throws InterruptedException {
        synchronized (joinMonitor) {
            while (joinedCount < workers) {
                joinMonitor.wait();
            }
        }
    }

    /// Any thread.
    int joinedCount() {
        return joinedCount;
    }

    void addStranger(WorkerLink link) {
        strangers.add(link);
    }

    /// @return the number of the worker's replica, never used before
    int join(WorkerLink link, Hello hello) {
        strangers.remove(link);
        int replica = nextReplica++;
        link.joined(replica, hello);
        joined.put(replica, link);
        count();
        return replica;
    }

    /// @return whether the link was a joined worker
    boolean remove(WorkerLink link) {
        strangers.remove(link);
        boolean wasJoined = holds(link);
        if (wasJoined) {
            joined.remove(link.replica());
            count();
        }
        return wasJoined;
    }

    /// Whether this very stream is a joined worker now; late words of a lost one count for nothing.
    boolean holds(WorkerLink link) {
        return link.isJoined() && joined.get(link.replica()) == link;
    }

    @Nullable WorkerLink find(int replica) {
        return joined.get(replica);
    }

    @Nullable WorkerLink find(String name) {
        for (WorkerLink link : joined.values()) {
            if (link.name().equals(name)) {
                return link;
            }
        }
        return null;
    }

    List<WorkerLink> all() {
        List<WorkerLink> all = new ArrayList<>(joined.values());
        all.addAll(strangers);
        return all;
    }

    /// Streams that nothing was heard of for a time; empty nearly always, and then nothing is allocated.
    List<WorkerLink> silent(long now, long silentNanosMax) {
        List<WorkerLink> silent = List.of();
        for (WorkerLink link : joined.values()) {
            silent = withSilent(silent, link, now, silentNanosMax);
        }
        for (WorkerLink link : strangers) {
            silent = withSilent(silent, link, now, silentNanosMax);
        }
        return silent;
    }

    private static List<WorkerLink> withSilent(
            List<WorkerLink> silent, WorkerLink link, long now, long silentNanosMax) {
        if (now - link.heardNanos() <= silentNanosMax) {
            return silent;
        }
        List<WorkerLink> more = new ArrayList<>(silent);
        more.add(link);
        return more;
    }

    /// Why a worker can't join, or null. KV blocks move between all workers, so model and layout must be equal.
    @Nullable String refusal(Hello hello) {
        KvLayout layout = hello.getLayout();
        if (hello.getWorker().isEmpty() || hello.getIncarnation() == 0) {
            return "a hello needs a worker's name and an incarnation";
        }
        if (hello.getBlocks() < 1
                || layout.getBlockTokens() < 1
                || hello.getSequencesMax() < 1
                || hello.getStepTokensMax() < 1) {
            return "a hello needs KV blocks, block tokens, sequences and step tokens of at least 1";
        }
        for (WorkerLink other : joined.values()) {
            if (other.name().equals(hello.getWorker())) {
                continue; // its earlier self, about to be replaced
            }
            Hello known = other.hello();
            if (!known.getModel().equals(hello.getModel())) {
                return "its model %s is not the model %s that %s serves"
                        .formatted(
                                hello.getModel().getFingerprint(),
                                known.getModel().getFingerprint(),
                                known.getWorker());
            }
            if (!known.getLayout().equals(layout)) {
                return "its KV layout {%s} is not the layout {%s} of %s"
                        .formatted(oneLine(layout), oneLine(known.getLayout()), known.getWorker());
            }
        }
        return null;
    }

    private static String oneLine(KvLayout layout) {
        return layout.toString().strip().replace('\n', ' ');
    }

    private void count() {
        synchronized (joinMonitor) {
            joinedCount = joined.size();
            joinMonitor.notifyAll();
        }
    }
}
