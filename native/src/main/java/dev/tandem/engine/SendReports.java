package dev.tandem.engine;

import dev.tandem.transport.BlockSender;
import dev.tandem.transport.LayerProgress;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.SendResult;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// Stands between the executor and the block sender, and sees to it that each lease is reported once: when the
/// sender's queue is full the lease has failed, so what follows under it is dropped, and so is the sender's own word
/// about a part that it took before. Thread-safe.
final class SendReports {
    /// Refused leases remembered; far more than can be in flight.
    private static final int REFUSED_LEASES_MAX = 4096;

    private final BlockSender sender;
    private final Consumer<SendResult> report;
    private final Map<Long, Boolean> refused =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
                    return size() > REFUSED_LEASES_MAX;
                }
            };

    /// @param report hears of every lease once, from any thread; must not block
    SendReports(BlockSender sender, Consumer<SendResult> report) {
        this.sender = sender;
        this.report = report;
        sender.onResult(this::ended);
    }

    void send(KvSend send, LayerProgress progress) {
        synchronized (refused) {
            if (refused.containsKey(send.getLease())) {
                return;
            }
        }
        if (!sender.send(send, progress)) {
            synchronized (refused) {
                refused.put(send.getLease(), true);
            }
            report.accept(
                    SendResult.newBuilder()
                            .setLease(send.getLease())
                            .setError("the queue of sends is full")
                            .build());
        }
    }

    private void ended(SendResult result) {
        synchronized (refused) {
            if (refused.containsKey(result.getLease())) {
                return;
            }
        }
        report.accept(result);
    }
}
