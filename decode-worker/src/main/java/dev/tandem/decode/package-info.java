/// The decode worker process.
///
/// Role is a preference, not a restriction. A worker that says `WORKER_ROLE_DECODE` tells the coordinator that it is
/// good at generating: every step reads all weights and the KV of every sequence for one token each, so hardware with
/// much and fast memory. Under leases it receives the KV blocks of prompts computed elsewhere; once the last block is
/// acknowledged, a plan starts the sequence with those blocks as computed, and it joins the batch.
///
/// The process is the same engine as a prefill worker's (`dev.tandem.engine`): it computes prompts itself when they are
/// short, after a preemption, or while no prefill worker is up, so that one decode worker alone can serve. It can send
/// blocks too.
///
/// [dev.tandem.decode.DecodeWorker#run] is called by the command line and returns when the process is told to stop.
@NullMarked
package dev.tandem.decode;

import org.jspecify.annotations.NullMarked;
