package dev.tandem.transport.ucx;

import org.jspecify.annotations.Nullable;
import org.openucx.jucx.UcxCallback;
import org.openucx.jucx.ucp.UcpRequest;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A message and the memory of its header, used again and again: UCX reads both until it says that they are sent.
/// Belongs to whoever holds it: the lane that fills it, the queue, or the agent until [#onSuccess] or [#onError].
final class OutgoingMessage extends UcxCallback {
    final MemorySegment header;
    final boolean control; // else a piece
    private final UcxLink link;
    @Nullable UcxChannel channel; // null: the link's own
    boolean inFlight; // the agent's
    long dataAddress;
    long dataBytes;

    OutgoingMessage(UcxLink link, Arena arena, boolean control) {
        this.link = link;
        this.control = control;
        this.header = arena.allocate(UcxMessage.HEADER_BYTES, Long.BYTES);
    }

    @Override
    public void onSuccess(UcpRequest request) {
        link.sent(this);
    }

    @Override
    public void onError(int status, String message) {
        link.failed(this, message);
    }
}
