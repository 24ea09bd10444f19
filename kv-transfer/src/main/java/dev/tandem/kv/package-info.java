/// KV blocks: layout, memory and hash chain.
@NullMarked
package dev.tandem.kv;

import org.jspecify.annotations.NullMarked;
