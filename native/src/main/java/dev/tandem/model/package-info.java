/// Model folders as Hugging Face stores them: configuration, weights, rotary frequencies.
///
/// [Checkpoint#open] is the way in. It reads config.json into a [ModelConfig], maps model.safetensors (or the shards
/// that model.safetensors.index.json lists) into memory and checks every header before anything is used: lengths,
/// types, shapes, offsets without gap or overlap. A [Tensor] is a window into a mapped file and widens its rows to
/// float32 on demand, exactly, whatever they are stored in. So a large checkpoint costs address space, and pages only
/// where it is read; a backend that repacks the weights reads each once.
///
/// Four architectures are known ([Architecture]). They differ in little, and [ModelConfig] says it in flags: biases,
/// norms per head, windows per layer, scaling of rotary frequencies ([RopeScaling], [RopeFrequencies]). A setting that
/// would change the result and can't be computed is refused, never ignored.
///
/// Invariants: what [Checkpoint#open] returns has a consistent configuration and consistent files; a tensor handed out
/// has the shape that was asked for and lies within its file. All that can be wrong with a folder surfaces as one
/// [ModelFormatException] that names the file and the tensor or key.
///
/// Called by `dev.tandem.device`, which loads the weights, and by workers, which announce the fingerprint.
@NullMarked
package dev.tandem.model;

import org.jspecify.annotations.NullMarked;
