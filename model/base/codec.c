#include "model/base/codec.h"

#include <string.h>

#include "model/base/check.h"

void encode_u8(struct buffer *out, uint8_t value)
{
    *buffer_extend(out, 1) = value;
}

void encode_u16(struct buffer *out, uint16_t value)
{
    memcpy(buffer_extend(out, sizeof value), &value, sizeof value);
}

void encode_u32(struct buffer *out, uint32_t value)
{
    store_u32(buffer_extend(out, sizeof value), value);
}

void encode_u64(struct buffer *out, uint64_t value)
{
    store_u64(buffer_extend(out, sizeof value), value);
}

void encode_bytes(struct buffer *out, struct bytes value)
{
    CHECK(value.size <= UINT32_MAX);
    encode_u32(out, (uint32_t)value.size);
    buffer_append(out, value);
}

void decoder_init(struct decoder *decoder, struct bytes input)
{
    *decoder = (struct decoder){ .data = input.data, .size = input.size };
}

/* The next `size_bytes`, or NULL once anything failed. */
static const uint8_t *take(struct decoder *decoder, size_t size_bytes)
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

uint8_t decode_u8(struct decoder *decoder)
{
    const uint8_t *at = take(decoder, 1);
    return at == NULL ? 0 : *at;
}

uint16_t decode_u16(struct decoder *decoder)
{
    uint16_t value = 0;
    const uint8_t *at = take(decoder, sizeof value);
    if (at != NULL) {
        memcpy(&value, at, sizeof value);
    }
    return value;
}

uint32_t decode_u32(struct decoder *decoder)
{
    const uint8_t *at = take(decoder, sizeof(uint32_t));
    return at == NULL ? 0 : load_u32(at);
}

uint64_t decode_u64(struct decoder *decoder)
{
    const uint8_t *at = take(decoder, sizeof(uint64_t));
    return at == NULL ? 0 : load_u64(at);
}

struct bytes decode_bytes(struct decoder *decoder)
{
    size_t size = decode_u32(decoder);
    const uint8_t *at = take(decoder, size);
    return at == NULL ? (struct bytes){ 0 } : (struct bytes){ .data = at, .size = size };
}

enum status decoder_finish(const struct decoder *decoder)
{
    return decoder->failed || decoder->position != decoder->size ? STATUS_CORRUPT : STATUS_OK;
}
