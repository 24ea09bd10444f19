/// Text to tokens and back: the only place of the system, with the front, that sees text.
///
/// [dev.tandem.text.ModelFolders] reads what the front must know of a Hugging Face model folder (context length, chat
/// template, end-of-sequence ids, sampling defaults); [dev.tandem.text.HuggingFaceTokenizer] reads its `tokenizer.json`.
///
/// Encoding is done by the Rust library `tokenizers` behind DJL's JNI binding, so that normalizers, splitting patterns
/// and merges are the ones that the model was trained with. `NativeTokenizer` is the one class that touches it.
///
/// Decoding is ours, because a stream needs it token by token. Every token stands for a fixed string of bytes
/// (`TokenTable`, read from the same file by `TokenizerJson`), and a sequence's text is the UTF-8 decoding of its bytes one after the other:
/// `Utf8Assembler` holds back an incomplete character, so a token costs O(its bytes) however long the sequence is.
/// What models differ in (byte-level alphabet or SentencePiece pieces, a leading space to drop) is in `TextDecoding`.
///
/// Invariants: pieces that a [dev.tandem.text.Detokenizer] hands out, joined, equal `Tokenizer.decode` of all its
/// tokens; no piece ends within a character; ids outside the vocabulary are text-less, never an error.
///
/// Called by the front: `encode` once a request, one detokenizer a choice. Tokenizers are safe for all threads; a
/// detokenizer has one owner.
@NullMarked
package dev.tandem.text;

import org.jspecify.annotations.NullMarked;
