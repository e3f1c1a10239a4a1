#include "model/checkpoint/carried.h"

#include "model/base/check.h"

void carried_add(struct buffer *carried, struct bytes path, struct bytes part)
{
    CHECK(path.size > 0);
    encode_bytes(carried, path);
    encode_bytes(carried, part);
}

bool carried_next(struct decoder *decoder, struct bytes *path, struct bytes *part)
{
    if (decoder->failed || decoder->position == decoder->size) {
        return false;
    }
    *path = decode_bytes(decoder);
    *part = decode_bytes(decoder);
    return !decoder->failed;
}

bool carried_find(struct bytes carried, struct bytes path, struct bytes *part)
{
    struct decoder decoder;
    struct bytes found;
    decoder_init(&decoder, carried);
    while (carried_next(&decoder, &found, part)) {
        if (bytes_equal(found, path)) {
            return true;
        }
    }
    return false;
}
