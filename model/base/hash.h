/* hash.h - checksums of durable bytes, and a mixer for tables. Key groups have a hash of their own:
 * see model/state/key_group.h. */
#ifndef FAULTLINE_BASE_HASH_H
#define FAULTLINE_BASE_HASH_H

#include <stdint.h>

#include "model/base/bytes.h"

/* XXH3, 64 bits: the checksum of manifests and state files, and the trace hash's digest of
 * payloads. The same on every machine. */
uint64_t hash_bytes(struct bytes bytes);

/* The same hash of bytes that come in pieces. */
struct hash_stream {
    struct arena *arena;
    void *memory; /* owned */
};

void hash_stream_init(struct hash_stream *stream, struct arena *arena);
void hash_stream_add(struct hash_stream *stream, struct bytes bytes);

/* The hash of all that was added; the stream is freed. */
uint64_t hash_stream_finish(struct hash_stream *stream);

/* A bijection that spreads every bit over all others (the finaliser of SplitMix64). */
static inline uint64_t hash_mix(uint64_t value)
{
    value ^= value >> 30;
    value *= UINT64_C(0xbf58476d1ce4e5b9);
    value ^= value >> 27;
    value *= UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

#endif
