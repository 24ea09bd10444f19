/// A second life for evicted KV blocks: host memory first, below it a folder on disk.
///
/// A pool evicts prefix blocks because it is full, not because nobody wants them again. Bringing a block back costs a
/// copy, or a read from disk; computing it costs a forward pass. So a worker keeps evicted blocks in a [BlockTier],
/// and the coordinator, which decides about every block, tells it what to keep and what to bring back.
///
/// A block's name is its 32-byte hash ([dev.tandem.kv.BlockHash]): equal hashes mean equal tokens from the start of
/// the sequence, and with the same model and the same KV layout therefore equal bytes. A tier belongs to one model and
/// one layout; its folder carries both, and what another model left there is removed.
///
/// How a block moves: [BlockTier#store] copies it into host memory, in one pass with its CRC32C. When that is full, the
/// block used longest ago goes down to disk, and when the disk is full too, the block used longest ago there is gone.
/// [BlockTier#load] looks in host memory, then on disk. A block that came back stays where it was, as long as nobody
/// needs the room: when the pool evicts it once more it only counts as used again. So a block can be in both at the same
/// time, and moving it down is free the second time.
///
/// What must hold:
///
/// - A block that comes back has the length and the CRC32C that it was stored with, whatever happened to memory or disk
///   meanwhile. Anything else is dropped and counted.
/// - The owner hears of every hash that is gone ([BlockTier#takeDropped]); one that was asked for and is not there
///   counts as gone, so that a wrong idea of the tier's contents mends itself.
/// - Both tiers are bounded in bytes and in blocks. Being full is no error.
/// - The disk is a help, never a duty: a folder that can't be used, a full disk or a failing one end the disk tier with
///   one warning, and the rest goes on.
///
/// `SlotFiles` tells the format on disk and why no write needs to be synchronised. `LruSlots` is the index of either
/// tier: which slot holds which hash, and which was used longest ago. One thread at a time may use a tier; nothing is
/// allocated per block.
@NullMarked
package dev.tandem.kv.tier;

import org.jspecify.annotations.NullMarked;
