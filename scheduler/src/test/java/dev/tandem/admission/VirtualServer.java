package dev.tandem.admission;

import dev.tandem.admission.FairQueue.Decision;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// One replica in virtual steps: continuous batching with chunked prefill, decodes first, room for `memoryTokens` tokens
/// reserved in full at placement. Charges the queue as the core does.
final class VirtualServer {
    final AdmissionOptions options;
    final FairQueue<Waiting> queue;
    private final int memoryTokens;
    private final int stepTokens;
    private final List<Waiting> running = new ArrayList<>();
    private int usedTokens;
    Consumer<Waiting> onPlaced = entry -> {};
    Consumer<Waiting> onEnd = entry -> {};

    /// Called for each row computed.
    RowListener onRow = (entry, promptTokens, outputTokens) -> {};

    interface RowListener {
        void computed(Waiting entry, int promptTokens, int outputTokens);
    }

    VirtualServer(
            AdmissionOptions options, FairQueue<Waiting> queue, int memoryTokens, int stepTokens) {
        this.options = options;
        this.queue = queue;
        this.memoryTokens = memoryTokens;
        this.stepTokens = stepTokens;
    }

    int running() {
        return running.size();
    }

    void step() {
        queue.visit(this::place, 0);
        int left = stepTokens;
        for (Waiting entry : running) {
            if (entry.computed == entry.prompt && left > 0) {
                left--;
                compute(entry, 0, 1);
            }
        }
        for (Waiting entry : running) {
            int chunk = Math.min(left, entry.prompt - entry.computed);
            if (chunk > 0) {
                left -= chunk;
                compute(entry, chunk, entry.computed + chunk == entry.prompt ? 1 : 0);
            }
        }
        running.removeIf(this::endIfDone);
    }

    private Decision place(Waiting entry) {
        int needed = entry.prompt + entry.output;
        if (usedTokens + needed > memoryTokens) {
            return Decision.STOP;
        }
        usedTokens += needed;
        entry.computed = entry.cached;
        running.add(entry);
        onPlaced.accept(entry);
        return Decision.TAKE;
    }

    private void compute(Waiting entry, int promptTokens, int outputTokens) {
        entry.computed += promptTokens;
        entry.produced += outputTokens;
        queue.charge(entry, promptTokens, outputTokens);
        onRow.computed(entry, promptTokens, outputTokens);
    }

    private boolean endIfDone(Waiting entry) {
        if (entry.produced < entry.output) {
            return false;
        }
        queue.settle(entry);
        usedTokens -= entry.prompt + entry.output;
        onEnd.accept(entry);
        return true;
    }
}
