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

enum status decoder_finish(const struct decoder *decoder)
{
    return decoder->failed || decoder->position != decoder->size ? STATUS_CORRUPT : STATUS_OK;
}
