/// Moves pieces of blocks over UCX (Unified Communication X, openucx.org) through its Java binding `jucx`: RDMA where
/// both hosts have such a network card, TCP elsewhere; UCX chooses, and `UCX_TLS`, `UCX_NET_DEVICES` and its other
/// variables hold as for any program that uses it.
///
/// A writer attaches to a receiver by one gRPC call on the receiver's KV port. The receiver then opens a *door*
/// ([UcxDoor]): a UCX worker with a thread, for this writer alone. What goes to the receiver goes over UCX as active
/// messages ([UcxMessage]); all that comes back (the door's address, receipts) comes on the call's stream. When the
/// stream ends, for whatever reason, the door is shut: its UCX worker is destroyed, with its sockets and queue pairs.
///
/// Why messages and not one-sided puts into the receiver's pool:
/// - A put can't be refused. A writer whose lease has expired may still have puts in flight, in its card or in the
///   kernel's socket buffers, even after it has died; the receiver would have to shut the door before it can use the
///   blocks again. A message lands in UCX's own buffers and enters the pool only by the receiver's hand, under the
///   lease's lock ([dev.tandem.transport.IncomingAttempt]): after the lease's end nothing is written, and there is
///   nothing to quarantine.
/// - The receiver reads every byte for its checksum anyway, so copying on the way costs little.
/// - Over TCP, UCX 1.13 (Debian 12) emulates puts by messages with replies, and ends the receiver's process ("Fatal:
///   unexpected error: Endpoint timeout" in `ucp_put_handler`) when the writer dies before a reply is sent. Messages
///   that ask for no reply survive it.
///
/// UCX's TCP is neither encrypted nor authenticated: it is for networks where every host is trusted, and is not
/// offered when KV transfers are to use TLS.
///
/// Threads: a UCX worker is used by one thread, its [UcxAgent]'s, only; others hand it work through queues and wake
/// it. Bounds: [UcxTransport#PIECES_MAX] pieces under way per link, [UcxReceiver#DOORS_MAX] doors,
/// [UcxDoor#ATTEMPTS_MAX] attempts per door.
@NullMarked
package dev.tandem.transport.ucx;

import org.jspecify.annotations.NullMarked;
