/// Devices, and the one interface between the engine and a device: [Backend].
///
/// [Backends#open] loads a model folder and gives back an [OpenedModel]: the backend, the model's fingerprint and the
/// measured speed, which a worker announces when it joins. The engine then fills a [RaggedBatch] with rows of unequal
/// length (a chunk of a prompt and a decode differ only in their number of tokens), calls [Backend#forward] with the
/// worker's KV pool, and reads [Logits] for the rows that sample.
///
/// [CpuBackend] is the backend of a host without GPU. It checks the bounds of a batch, then takes all tokens through
/// the layers together: norm, projections, rotation, keys and values into the pool's blocks, attention, MLP. Its
/// arithmetic is `dev.tandem.kernel`'s, so every row's logits are a function of that row alone, bit for bit.
///
/// Invariants: a backend and everything it returns belong to one thread, the engine's; a forward pass either throws
/// before it has written anything or computes all rows; memory grows with the largest batch seen and not with their
/// number. The pool is the caller's: the backend writes the slots of the batch's tokens and nothing else.
@NullMarked
package dev.tandem.device;

import org.jspecify.annotations.NullMarked;
