/* codec.h - how numbers and byte runs are written to messages and files, and read back.
 *
 * Little-endian fixed-width integers; a run of bytes is its length (u32) and the bytes. Encoding
 * appends to a buffer and cannot fail. Decoding latches the first error: after it every read
 * answers zero or empty, so a decoder reads a whole structure and asks once at the end. */
#ifndef FAULTLINE_BASE_CODEC_H
#define FAULTLINE_BASE_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/check.h"
#include "model/base/status.h"

void encode_u8(struct buffer *out, uint8_t value);
void encode_u16(struct buffer *out, uint16_t value);
void encode_u32(struct buffer *out, uint32_t value);
void encode_u64(struct buffer *out, uint64_t value);
void encode_bytes(struct buffer *out, struct bytes value);

struct decoder {
    const uint8_t *data;
    size_t size;
    size_t position;
    bool failed; /* a read went past the end */
};

/* Reads from `input`, which stays borrowed. */
void decoder_init(struct decoder *decoder, struct bytes input);

/* STATUS_OK if nothing failed and the input was read to its end, else STATUS_CORRUPT. */
MUST_USE enum status decoder_finish(const struct decoder *decoder);

/* Fixed-width access to plain memory, for the hot path. */
static inline void store_u32(uint8_t *at, uint32_t value)
{
    __builtin_memcpy(at, &value, sizeof value);
}
static inline void store_u64(uint8_t *at, uint64_t value)
{
    __builtin_memcpy(at, &value, sizeof value);
}
static inline uint16_t load_u16(const uint8_t *at)
{
    uint16_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}
static inline uint32_t load_u32(const uint8_t *at)
{
    uint32_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}
static inline uint64_t load_u64(const uint8_t *at)
{
    uint64_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files and messages are little-endian");

/* The next `size_bytes`, or NULL once anything failed. Borrowed from the decoder's input. */
static inline const uint8_t *decoder_take(struct decoder *decoder, size_t size_bytes)
{
    CHECK(decoder->position <= decoder->size);
    if (decoder->failed || decoder->size - decoder->position < size_bytes) {
        decoder->failed = true;
        return NULL;
    }
    const uint8_t *at = decoder->data + decoder->position;
    decoder->position += size_bytes;
    return at;
}

/* Inline, for whoever restores state decodes nothing else. */
static inline uint8_t decode_u8(struct decoder *decoder)
{
    const uint8_t *at = decoder_take(decoder, 1);
    return at == NULL ? 0 : *at;
}
static inline uint16_t decode_u16(struct decoder *decoder)
{
    const uint8_t *at = decoder_take(decoder, sizeof(uint16_t));
    return at == NULL ? 0 : load_u16(at);
}
static inline uint32_t decode_u32(struct decoder *decoder)
{
    const uint8_t *at = decoder_take(decoder, sizeof(uint32_t));
    return at == NULL ? 0 : load_u32(at);
}
static inline uint64_t decode_u64(struct decoder *decoder)
{
    const uint8_t *at = decoder_take(decoder, sizeof(uint64_t));
    return at == NULL ? 0 : load_u64(at);
}

/* A run of bytes; borrowed from the decoder's input. */
static inline struct bytes decode_bytes(struct decoder *decoder)
{
    size_t size = decode_u32(decoder);
    const uint8_t *at = decoder_take(decoder, size);
    return at == NULL ? (struct bytes){ 0 } : (struct bytes){ .data = at, .size = size };
}

#endif
