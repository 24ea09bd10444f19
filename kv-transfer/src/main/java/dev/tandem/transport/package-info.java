/// Moves KV blocks between workers under leases. A lease lets one writer fill given blocks of one receiver until a
/// deadline; it ends exactly once on each side, whatever happens to the other.
///
/// A block travels in pieces: the bytes of some neighbouring layers, which lie together. So layers move while later
/// ones are computed ([LayerProgress]), and when the last chunk of a prompt is done only its last layers are left.
///
/// Writing side: the engine gives each `KvSend` of a plan to [TransportSender] before it computes the plan. A
/// [ReceiverLane] per receiver (one thread) keeps one [LaneLink] open, over the first [BlockTransport] that both ends
/// offer and that works, and pushes what is computed through a [BlockChannel], one for each attempt at a lease
/// ([OutgoingLease] knows where it stands). [GrpcTransport] puts the bytes into frames; [SharedMemoryTransport] copies
/// them into the receiver's mapped pool and only tells of them. When the last piece is out, the lane asks for the
/// commit and waits for the receipt, while other leases go on.
///
/// Receiving side: the coordinator's grants and aborts go to [Leases], the frames come through
/// [KvTransferService]. [Leases] alone decides about each frame, and [PieceIntake] lets a piece in only when
/// incarnations, slot, place, length and CRC32C are right and none of its layers was received before. The update of a
/// committed lease means that every layer of every slot holds verified bytes.
///
/// Invariants: one [dev.tandem.wire.SendResult] per lease here, one [dev.tandem.wire.LeaseUpdate] there. After the
/// result this writer writes nothing more under the lease; after the update nobody does: a one-sided writer that is in
/// the middle of a copy when its lease ends delays the update until it has finished or its process is dead
/// ([OneSidedGuard]).
///
/// A frame may overtake its grant, since they come over different connections: "unknown lease" makes the writer try
/// again until its deadline, while "ended" is final. Each attempt has a stream of its own, so that leftovers of
/// one attempt can't complete another.
@NullMarked
package dev.tandem.transport;

import org.jspecify.annotations.NullMarked;
