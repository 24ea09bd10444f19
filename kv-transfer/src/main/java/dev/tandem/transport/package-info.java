/// Moves KV blocks between workers under leases. A lease lets one writer fill given blocks of one receiver until a
/// deadline; it ends exactly once on each side, whatever happens to the other.
///
/// Writing side: the engine gives each `KvSend` of a plan to [TransportSender]. A [ReceiverLane] per receiver (one
/// thread, one link) opens the first [BlockTransport] that both ends offer and pushes the blocks through a
/// [BlockChannel], one for each attempt at a lease. [GrpcTransport] puts the bytes into frames;
/// [SharedMemoryTransport] copies them into the receiver's mapped pool and sends frames without bytes. When the
/// last block is out, the lane asks for the commit and waits for the receipt, while other leases go on.
///
/// Receiving side: the coordinator's grants and aborts go to [Leases], the frames come through
/// [KvTransferService]. [Leases] alone decides about each frame, and lets a block in only when incarnations, slot,
/// length and CRC32C are right. The update of a committed lease means that every slot holds verified bytes.
///
/// Invariants: one [dev.tandem.wire.SendResult] per lease here, one [dev.tandem.wire.LeaseUpdate] there. After the
/// result this writer writes nothing more under the lease; after the update the receiver lets nothing in. A
/// one-sided writer checks the receiver's ledger before each block, but can be stopped between the check and the
/// end of that copy: so the blocks of a lease that did not commit are free again only when both ends have
/// reported, or the writer is dead.
///
/// A frame may overtake its grant, since they come over different connections: "unknown lease" makes the writer try
/// again until its deadline, while "ended" is final. Each attempt has a stream of its own, so that leftovers of
/// one attempt can't complete another.
@NullMarked
package dev.tandem.transport;

import org.jspecify.annotations.NullMarked;
