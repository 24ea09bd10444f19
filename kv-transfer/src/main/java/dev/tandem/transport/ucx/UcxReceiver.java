package dev.tandem.transport.ucx;

import dev.tandem.transport.Leases;
import dev.tandem.wire.KvUcxAttach;
import dev.tandem.wire.KvUcxGrpc;
import dev.tandem.wire.KvUcxNotice;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The receiving end: a door for each writer that attaches. Serve it on the port of
/// [dev.tandem.transport.KvTransferService].
public final class UcxReceiver extends KvUcxGrpc.KvUcxImplBase implements AutoCloseable {
    /// Writers attached at once; more are refused, and choose another transport.
    static final int DOORS_MAX = 64;

    private static final Logger log = LoggerFactory.getLogger(UcxReceiver.class);
    private static final long CLOSE_MILLIS_MAX = 5000;

    private final UcxRuntime runtime;
    private final Leases leases;
    private final long incarnation;
    // guarded by this
    private final Map<Long, UcxDoor> doors = new HashMap<>(); // by the writer's incarnation
    private boolean closed;

    /// @param runtime and `leases` stay the caller's, to be closed after this
    /// @param incarnation of this worker
    public UcxReceiver(UcxRuntime runtime, Leases leases, long incarnation) {
        this.runtime = runtime;
        this.leases = leases;
        this.incarnation = incarnation;
    }

    /// A writer has one link to a receiver: when it attaches anew, what it had before is broken, and its door is shut.
    @Override
    public void attach(KvUcxAttach request, StreamObserver<KvUcxNotice> notices) {
        var stream = (ServerCallStreamObserver<KvUcxNotice>) notices;
        if (request.getReceiverIncarnation() != incarnation) {
            refuse(
                    stream,
                    Status.FAILED_PRECONDITION,
                    "another incarnation of this worker is meant");
            return;
        }
        long writer = request.getWriterIncarnation();
        var door = new UcxDoor(runtime, leases, writer, stream, this::forget);
        UcxDoor old;
        synchronized (this) {
            if (closed || doors.size() >= DOORS_MAX && !doors.containsKey(writer)) {
                refuse(
                        stream,
                        Status.RESOURCE_EXHAUSTED,
                        closed
                                ? "the worker is closing"
                                : "%d writers are attached".formatted(DOORS_MAX));
                return;
            }
            old = doors.put(writer, door);
        }
        if (old != null) {
            old.stop();
        }
        stream.setOnCancelHandler(door::stop);
        door.start();
    }

    private static void refuse(
            StreamObserver<KvUcxNotice> notices, Status status, String description) {
        notices.onError(status.withDescription(description).asRuntimeException());
    }

    private synchronized void forget(UcxDoor door) {
        doors.remove(door.writerIncarnation, door);
    }

    synchronized int doors() {
        return doors.size();
    }

    /// Shuts all doors. When this returns, nothing comes into the pool this way any more.
    @Override
    public void close() {
        List<UcxDoor> open;
        synchronized (this) {
            closed = true;
            open = new ArrayList<>(doors.values());
        }
        open.forEach(UcxDoor::stop);
        for (UcxDoor door : open) {
            if (!door.join(CLOSE_MILLIS_MAX)) {
                log.warn("a UCX worker did not end within {} ms", CLOSE_MILLIS_MAX);
            }
        }
    }
}
