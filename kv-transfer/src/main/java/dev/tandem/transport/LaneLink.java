package dev.tandem.transport;

import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A lane's connection to its receiver: over the first transport that both ends offer and that works. A transport that
/// failed steps back behind the others for a while, and is then tried again: one fault does not mark a good pair bad
/// for ever. Owned by the lane's thread.
final class LaneLink {
    private static final Logger log = LoggerFactory.getLogger(LaneLink.class);

    /// After a failed connection, leases fail at once for this long instead of waiting for it again.
    private static final long CONNECT_AGAIN_MILLIS = 250;

    /// How long a transport steps back after it has failed a lease.
    static final long STEP_BACK_MILLIS = 10_000;

    private final long receiverIncarnation;
    private final List<BlockTransport> transports; // in order of preference
    private final TransferMetrics metrics;
    private final Map<TransportKind, Long> steppedBackUntil = new EnumMap<>(TransportKind.class);
    private @Nullable BlockLink link;
    private TransportKind kind = TransportKind.TRANSPORT_KIND_UNSPECIFIED;
    private @Nullable String error;
    private long againNanos;

    LaneLink(long receiverIncarnation, List<BlockTransport> transports, TransferMetrics metrics) {
        this.receiverIncarnation = receiverIncarnation;
        this.transports = transports;
        this.metrics = metrics;
    }

    /// Makes sure that there is a link.
    ///
    /// @param waitMillisMax for each transport to open
    /// @return why there is none, in words; null when there is one
    @Nullable String connect(List<TransferEndpoint> endpoints, long waitMillisMax, long now)
            throws InterruptedException {
        if (link != null && link.isBroken()) {
            close();
        }
        if (link != null) {
            return null;
        }
        if (error != null && againNanos - now > 0) {
            return error;
        }
        var errors = new ArrayList<String>();
        if (openFirst(endpoints, waitMillisMax, now, false, errors)
                || openFirst(endpoints, waitMillisMax, now, true, errors)) {
            error = null;
            return null;
        }
        error =
                errors.isEmpty()
                        ? "writer and receiver offer no transport in common"
                        : "no transport could be opened: " + String.join("; ", errors);
        againNanos = now + TimeUnit.MILLISECONDS.toNanos(CONNECT_AGAIN_MILLIS);
        return error;
    }

    /// The last attempt to connect may have had too little time: it says nothing about the next.
    void forgetError() {
        error = null;
    }

    private boolean openFirst(
            List<TransferEndpoint> endpoints,
            long waitMillisMax,
            long now,
            boolean steppedBack,
            List<String> errors)
            throws InterruptedException {
        for (BlockTransport transport : transports) {
            if (hasSteppedBack(transport.kind(), now) != steppedBack) {
                continue;
            }
            for (TransferEndpoint endpoint : endpoints) {
                if (endpoint.getKind() == transport.kind()
                        && open(transport, endpoint, waitMillisMax, errors)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean hasSteppedBack(TransportKind transport, long now) {
        Long until = steppedBackUntil.get(transport);
        return until != null && until - now > 0;
    }

    private boolean open(
            BlockTransport transport,
            TransferEndpoint endpoint,
            long waitMillisMax,
            List<String> errors)
            throws InterruptedException {
        try {
            link = transport.open(endpoint, receiverIncarnation, waitMillisMax);
        } catch (IOException e) {
            errors.add(transport.kind() + ": " + e.getMessage());
            return false;
        }
        kind = transport.kind();
        if (!errors.isEmpty()) {
            metrics.fallbacks.increment();
            log.warn(
                    "receiver {} is reached over {}, since {}",
                    Lease.name(receiverIncarnation),
                    kind,
                    String.join("; ", errors));
        }
        return true;
    }

    BlockChannel open(long lease, long writerIncarnation, BlockLink.Events events) {
        if (link == null) {
            throw new IllegalStateException("no link");
        }
        return link.open(lease, writerIncarnation, events);
    }

    /// Of the link that is open, or was last.
    TransportKind kind() {
        return kind;
    }

    /// The link's transport has failed a lease: the next connection prefers another one, if there is one.
    void failed(String reason, long now) {
        if (transports.size() < 2 || kind == TransportKind.TRANSPORT_KIND_UNSPECIFIED) {
            return;
        }
        long until = now + TimeUnit.MILLISECONDS.toNanos(STEP_BACK_MILLIS);
        if (steppedBackUntil.put(kind, until) == null) {
            metrics.fallbacks.increment();
        }
        log.warn(
                "{} to receiver {} steps back for {} ms, since {}",
                kind,
                Lease.name(receiverIncarnation),
                STEP_BACK_MILLIS,
                reason);
    }

    /// Gives a link up that was a second choice, once the first one may be tried again. Called while no lease uses it.
    void reconsider(long now) {
        if (steppedBackUntil.values().removeIf(until -> until - now <= 0)) {
            close();
        }
    }

    void close() {
        if (link != null) {
            link.close();
            link = null;
        }
    }
}
