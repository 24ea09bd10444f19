package dev.tandem.transport.ucx;

import com.google.protobuf.ByteString;

import dev.tandem.transport.IncomingAttempt;
import dev.tandem.transport.Leases;
import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvUcxNotice;
import dev.tandem.wire.KvUcxReceipt;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;

import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;
import org.openucx.jucx.ucp.UcpAmData;
import org.openucx.jucx.ucp.UcpWorker;
import org.openucx.jucx.ucs.UcsConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;

/// Where one writer's messages arrive. All of it, the notices to the writer too, happens on the agent's thread.
///
/// Messages of one writer may overtake each other when UCX uses several ways at once: so a commit waits until as many
/// pieces have come as it tells.
final class UcxDoor extends UcxAgent {
    /// Attempts under way at once; the door is shut on a writer that goes beyond.
    static final int ATTEMPTS_MAX = 1024;

    /// Attempts remembered as over, so that what is still on its way for them is dropped.
    private static final int ENDED_MAX = 4096;

    private static final Logger log = LoggerFactory.getLogger(UcxDoor.class);

    /// UCX tells plain addresses.
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    final long writerIncarnation;
    private final Leases leases;
    private final ServerCallStreamObserver<KvUcxNotice> notices;
    private final Consumer<UcxDoor> onEnd;
    private final Long2ObjectHashMap<Attempt> attempts = new Long2ObjectHashMap<>();
    private final Set<Long> ended = new LinkedHashSet<>();
    private @Nullable String broken;

    private static final class Attempt {
        static final int NONE = -1;

        final IncomingAttempt incoming;
        int taken;
        int committed = NONE; // pieces told by the commit

        Attempt(IncomingAttempt incoming) {
            this.incoming = incoming;
        }
    }

    UcxDoor(
            UcxRuntime runtime,
            Leases leases,
            long writerIncarnation,
            ServerCallStreamObserver<KvUcxNotice> notices,
            Consumer<UcxDoor> onEnd) {
        super(runtime, "kv-ucx-door-%016x".formatted(writerIncarnation));
        this.leases = leases;
        this.writerIncarnation = writerIncarnation;
        this.notices = notices;
        this.onEnd = onEnd;
    }

    @Override
    void begin(UcpWorker worker) {
        worker.setAmRecvHandler(
                UcxMessage.AM_ID,
                (header, headerBytes, data, reply) -> take(header, headerBytes, data));
        ByteString address = ByteString.copyFrom(worker.getAddress());
        notices.onNext(KvUcxNotice.newBuilder().setWorkerAddress(address).build());
    }

    @Override
    boolean work() {
        if (broken != null) {
            stop();
        }
        return false;
    }

    @Override
    boolean hasWork() {
        return broken != null;
    }

    @Override
    boolean end(UcpWorker worker, @Nullable String failure) {
        worker.removeAmRecvHandler(UcxMessage.AM_ID);
        return true;
    }

    @Override
    void ended(@Nullable String failure) {
        attempts.values().forEach(attempt -> attempt.incoming.abandon());
        attempts.clear();
        onEnd.accept(this);
        String reason = broken != null ? broken : failure;
        if (!notices.isCancelled()) {
            notices.onError(
                    Status.UNAVAILABLE
                            .withDescription(reason == null ? "the door is shut" : reason)
                            .asRuntimeException());
        }
    }

    /// Called by UCX within the worker's progress; an exception must not pass through its native frames.
    private int take(long header, long headerBytes, UcpAmData data) {
        try {
            if (broken == null && !isStopping()) {
                handle(header, headerBytes, data);
            }
        } catch (RuntimeException e) {
            log.error("a message over UCX could not be handled", e);
            broken = "internal error: " + e;
        }
        return UcsConstants.STATUS.UCS_OK; // UCX may have its buffer back
    }

    private void handle(long header, long headerBytes, UcpAmData data) {
        if (headerBytes != UcxMessage.HEADER_BYTES || !data.isDataValid()) {
            broken = "a message of unknown form";
            return;
        }
        long id = UcxMessage.attempt(MEMORY, header);
        int kind = UcxMessage.kind(MEMORY, header);
        if (kind == UcxMessage.HELLO) {
            notices.onNext(KvUcxNotice.newBuilder().setHeard(true).build());
        } else if (attempts.containsKey(id) || !ended.contains(id)) {
            switch (kind) {
                case UcxMessage.PIECE -> piece(id, header, data);
                case UcxMessage.COMMIT -> commit(id, header);
                case UcxMessage.END -> {
                    Attempt attempt = attempts.get(id);
                    if (attempt != null) {
                        attempt.incoming.abandon();
                    }
                    forget(id);
                }
                default -> broken = "a message of unknown kind " + kind;
            }
        }
    }

    private void piece(long id, long header, UcpAmData data) {
        Attempt attempt = attempt(id, header);
        if (attempt == null) {
            return;
        }
        KvReceipt refusal =
                attempt.incoming.piece(
                        UcxMessage.slotOrPieces(MEMORY, header),
                        UcxMessage.offset(MEMORY, header),
                        MEMORY,
                        data.getDataAddress(),
                        data.getLength(),
                        UcxMessage.crc32c(MEMORY, header));
        if (refusal != null) {
            answer(id, refusal);
            return;
        }
        attempt.taken++;
        commitIfComplete(id, attempt);
    }

    private void commit(long id, long header) {
        Attempt attempt = attempt(id, header);
        if (attempt != null) {
            attempt.committed = Math.max(UcxMessage.slotOrPieces(MEMORY, header), 0);
            commitIfComplete(id, attempt);
        }
    }

    private void commitIfComplete(long id, Attempt attempt) {
        if (attempt.committed != Attempt.NONE && attempt.taken >= attempt.committed) {
            answer(id, attempt.incoming.commit(attempt.committed));
        }
    }

    private @Nullable Attempt attempt(long id, long header) {
        Attempt known = attempts.get(id);
        if (known != null) {
            return known;
        }
        if (attempts.size() >= ATTEMPTS_MAX) {
            broken = "more than %d leases under way".formatted(ATTEMPTS_MAX);
            return null;
        }
        var attempt =
                new Attempt(
                        leases.attempt(
                                UcxMessage.lease(MEMORY, header),
                                UcxMessage.writerIncarnation(MEMORY, header),
                                UcxMessage.receiverIncarnation(MEMORY, header)));
        attempts.put(id, attempt);
        return attempt;
    }

    private void answer(long id, KvReceipt receipt) {
        forget(id);
        notices.onNext(
                KvUcxNotice.newBuilder()
                        .setReceipt(KvUcxReceipt.newBuilder().setAttempt(id).setReceipt(receipt))
                        .build());
    }

    private void forget(long id) {
        attempts.remove(id);
        ended.add(id);
        if (ended.size() > ENDED_MAX) {
            ended.remove(ended.iterator().next());
        }
    }
}
