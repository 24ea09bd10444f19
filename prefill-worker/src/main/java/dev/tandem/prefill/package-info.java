/// The prefill worker process.
///
/// Role is a preference, not a restriction. A worker that says `WORKER_ROLE_PREFILL` tells the coordinator that it is
/// good at computing prompts: much arithmetic per byte of memory read, so hardware with many FLOP/s. The coordinator
/// gives it chunks of prompts; as chunks are done, plans carry sends, and the KV blocks go to the decode worker that
/// the coordinator has chosen while the next chunk is computed. The plan that computes the last token of the prompt
/// also samples the first token of the answer.
///
/// The process is the same engine as a decode worker's (`dev.tandem.engine`): it can receive blocks, and it can
/// generate when no decode worker is left. It holds a sequence only until its blocks are acknowledged.
///
/// [dev.tandem.prefill.PrefillWorker#run] is called by the command line and returns when the process is told to stop.
@NullMarked
package dev.tandem.prefill;

import org.jspecify.annotations.NullMarked;
