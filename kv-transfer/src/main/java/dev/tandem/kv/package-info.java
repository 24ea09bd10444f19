/// KV blocks: layout, memory and hash chain. The bottom of the system: knows nothing of sequences or workers.
///
/// A block holds keys and values of `blockTokens` tokens for all layers of one worker ([KvShape]). A worker's
/// blocks lie in one contiguous [KvPool]; a block number is an index into it. Who holds which block is decided by
/// the coordinator alone: here are bytes, not owners. The engine reads and writes blocks while it computes, the
/// transport while it moves them; neither allocates.
///
/// [KvPools] makes pools. A private one is anonymous memory. A [SharedKvPool] is mapped from a file that other
/// workers of the same host can map too: they write one-sided, and the [PoolLedger] in front of the blocks tells
/// them where, and whether they still may. The file's name carries the incarnation, the file is removed on close,
/// and the next pool made in the folder removes what a killed process left.
///
/// [BlockHash] names the prefix that a full block ends, in the form which outside routers understand; [Crc32c]
/// checks blocks that moved.
///
/// Invariants: a pool is zero-filled when made. Closing it is the last thing a worker does, after its transports
/// and its engine have stopped; use after that is an [IllegalStateException], never a crash.
@NullMarked
package dev.tandem.kv;

import org.jspecify.annotations.NullMarked;
