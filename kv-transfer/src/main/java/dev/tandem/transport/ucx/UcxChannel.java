package dev.tandem.transport.ucx;

import dev.tandem.kv.Crc32c;
import dev.tandem.transport.BlockChannel;
import dev.tandem.transport.BlockLink;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// One attempt at one lease over a link. The lane's thread calls it; the agent's thread tells it what was sent.
final class UcxChannel implements BlockChannel {
    /// For pieces that UCX still reads when a lease is given up, before the whole link is broken off.
    private static final long ABORT_MILLIS_MAX = 1000;

    final long attempt;
    final BlockLink.Events events;
    private final UcxLink link;
    private final long lease;
    private final long writerIncarnation;

    /// The lane was told to wait.
    private final AtomicBoolean unready = new AtomicBoolean();

    /// Whatever is still queued is not sent.
    private volatile boolean over;

    private int unsent; // pieces; guarded by this

    UcxChannel(
            UcxLink link,
            long attempt,
            long lease,
            long writerIncarnation,
            BlockLink.Events events) {
        this.link = link;
        this.attempt = attempt;
        this.lease = lease;
        this.writerIncarnation = writerIncarnation;
        this.events = events;
    }

    @Override
    public boolean ready() {
        if (link.hasRoom()) {
            return true;
        }
        unready.set(true);
        return link.hasRoom(); // again: room may have come before the flag was up
    }

    void room() {
        if (unready.compareAndSet(true, false)) {
            events.ready();
        }
    }

    /// Waits for room if [#ready] did not say that there is some.
    @Override
    public void put(int slot, long offset, MemorySegment memory, long from, long bytes) {
        int crc = Crc32c.of(memory, from, bytes);
        OutgoingMessage message = link.takePiece();
        message.channel = this;
        message.dataAddress = memory.address() + from;
        message.dataBytes = bytes;
        write(message, UcxMessage.PIECE, slot);
        UcxMessage.writePlace(message.header, offset, crc);
        synchronized (this) {
            unsent++;
        }
        link.submit(message);
    }

    @Override
    public void flush() {
        link.wake();
    }

    @Override
    public void commit(int pieces) {
        control(UcxMessage.COMMIT, pieces);
    }

    @Override
    public void abort(String reason) {
        over = true;
        control(UcxMessage.END, 0);
        if (!awaitSent()) {
            link.breakOff(
                    "%d ms after a lease was given up, UCX still reads it"
                            .formatted(ABORT_MILLIS_MAX));
            link.awaitEnd();
        }
        link.forget(this);
    }

    @Override
    public void finish() {
        over = true;
        control(UcxMessage.END, 0);
        link.forget(this);
    }

    private void control(int kind, int pieces) {
        OutgoingMessage message = link.takeControl();
        message.channel = this;
        message.dataAddress = 0;
        message.dataBytes = 0;
        write(message, kind, pieces);
        link.submit(message);
        link.wake();
    }

    private void write(OutgoingMessage message, int kind, int slotOrPieces) {
        UcxMessage.write(
                message.header,
                kind,
                slotOrPieces,
                attempt,
                lease,
                writerIncarnation,
                link.receiverIncarnation);
    }

    boolean isOver() {
        return over;
    }

    /// One piece is out of the writer's memory, or never will be sent.
    synchronized void pieceDone() {
        unsent--;
        if (unsent == 0) {
            notifyAll();
        }
    }

    private synchronized boolean awaitSent() {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ABORT_MILLIS_MAX);
        try {
            while (unsent > 0) {
                long millis = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (millis <= 0) {
                    return false;
                }
                wait(millis);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
