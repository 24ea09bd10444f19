// Copies bytes and computes their CRC-32C on the way, or only computes it. Built by the module's pom where there is a
// gcc; without it the JDK's CRC32C does the same in two passes.
//
// The instruction crc32 takes 3 cycles and can start one a cycle, so three runs side by side keep it busy: 8 bytes a
// cycle, more than a core reads from memory. The runs' results are joined by a table that shifts a checksum over the
// length of a run. The copy rides along: the bytes are in a register already. Two things make it as fast as a copy
// alone: prefetching the next block (the hardware's prefetcher does not follow three streams within a page), and
// stores that pass the cache by, which spares reading the target first.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

// A multiple of the cache line, and no power of two: streams that far apart would fall into the same cache set.
#define RUN 1344
#define BLOCK (3 * RUN)

static uint32_t shift_run[4][256];

// The polynomial's remainder of v * x^(8 * bytes), bit by bit; only for the table.
static uint32_t shift_bits(uint32_t v, size_t bytes) {
  for (size_t i = 0; i < 8 * bytes; i++) {
    v = (v >> 1) ^ (v & 1 ? 0x82f63b78u : 0);
  }
  return v;
}

__attribute__((constructor)) static void make_table(void) {
  for (int byte = 0; byte < 4; byte++) {
    uint32_t bit[8];
    for (int i = 0; i < 8; i++) {
      bit[i] = shift_bits(1u << (8 * byte + i), RUN);
    }
    for (int value = 0; value < 256; value++) {
      uint32_t sum = 0;
      for (int i = 0; i < 8; i++) {
        sum ^= value >> i & 1 ? bit[i] : 0;
      }
      shift_run[byte][value] = sum;
    }
  }
}

static inline uint32_t shift(uint32_t crc) {
  return shift_run[0][crc & 0xff] ^ shift_run[1][crc >> 8 & 0xff] ^ shift_run[2][crc >> 16 & 0xff] ^
         shift_run[3][crc >> 24];
}

static inline uint64_t load(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}

// What becomes of the bytes besides the checksum.
#define NONE 0
#define STORE 1
#define STREAM 2 // target on a multiple of 32

__attribute__((target("sse4.2,avx2"), always_inline)) static inline void take32(
    uint8_t *to, const uint8_t *from, uint64_t *crc, int how) {
  _mm_prefetch((const char *)from + BLOCK, _MM_HINT_T0); // past the end it does nothing
  // All loads before the store: where both pools' pages have the same offset, a load after it would wait for it.
  __m256i all = _mm256_loadu_si256((const __m256i *)from);
  uint64_t w0 = load(from), w1 = load(from + 8), w2 = load(from + 16), w3 = load(from + 24);
  if (how == STORE) {
    _mm256_storeu_si256((__m256i *)to, all);
  } else if (how == STREAM) {
    _mm256_stream_si256((__m256i *)to, all);
  }
  uint64_t c = *crc;
  c = _mm_crc32_u64(c, w0);
  c = _mm_crc32_u64(c, w1);
  c = _mm_crc32_u64(c, w2);
  c = _mm_crc32_u64(c, w3);
  *crc = c;
}

__attribute__((target("sse4.2,avx2"), always_inline)) static inline uint32_t run(
    uint8_t *to, const uint8_t *from, uint64_t bytes, int how) {
  uint64_t crc = 0xffffffff;
  uint64_t at = 0;
  for (; bytes - at >= BLOCK; at += BLOCK) {
    uint64_t a = crc, b = 0, c = 0;
    for (uint64_t i = at; i < at + RUN; i += 32) {
      take32(to + i, from + i, &a, how);
      take32(to + RUN + i, from + RUN + i, &b, how);
      take32(to + 2 * RUN + i, from + 2 * RUN + i, &c, how);
    }
    crc = shift(shift((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
  }
  if (how != NONE) {
    memcpy(to + at, from + at, bytes - at);
  }
  for (; bytes - at >= 8; at += 8) {
    crc = _mm_crc32_u64(crc, load(from + at));
  }
  for (; at < bytes; at++) {
    crc = _mm_crc32_u8((uint32_t)crc, from[at]);
  }
  if (how == STREAM) {
    _mm_sfence(); // streamed bytes are seen before whatever is stored next
  }
  return ~(uint32_t)crc;
}

__attribute__((target("sse4.2,avx2"))) uint32_t tandem_crc32c(const uint8_t *memory, uint64_t from, uint64_t bytes) {
  return run(NULL, memory + from, bytes, NONE);
}

__attribute__((target("sse4.2,avx2"))) uint32_t tandem_copy_crc32c(
    const uint8_t *source, uint64_t from, uint8_t *target, uint64_t to, uint64_t bytes) {
  return ((uintptr_t)target + to) % 32 == 0 ? run(target + to, source + from, bytes, STREAM)
                                            : run(target + to, source + from, bytes, STORE);
}

// Whether the CPU has what the functions above use.
int tandem_crc32c_supported(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("avx2");
}
#else
int tandem_crc32c_supported(void) { return 0; }
#endif
