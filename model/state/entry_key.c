#include "model/state/entry_key.h"

#include <string.h>

#include "model/base/check.h"

/* A length from this on is written as this byte and the length as u32. */
enum { LONG_LENGTH = 0xff };

static void write_prefixed(struct buffer *out, struct bytes bytes)
{
    if (bytes.size < LONG_LENGTH) {
        encode_u8(out, (uint8_t)bytes.size);
    } else {
        CHECK(bytes.size <= UINT32_MAX);
        encode_u8(out, LONG_LENGTH);
        encode_u32(out, (uint32_t)bytes.size);
    }
    buffer_append(out, bytes);
}

void entry_key_write(struct buffer *out, const struct state_descriptor *state,
                     const struct entry_key *parts)
{
    if (state_is_plain(state)) {
        buffer_append(out, parts->key);
        return;
    }
    write_prefixed(out, parts->key);
    if (!state_has_subkey(state)) {
        buffer_append(out, parts->name_space);
        return;
    }
    if (state->has_namespace) {
        write_prefixed(out, parts->name_space);
    }
    buffer_append(out, parts->subkey);
}

static bool read_prefixed(struct bytes *from, struct bytes *bytes)
{
    if (from->size == 0) {
        return false;
    }
    size_t skip = 1;
    size_t size = from->data[0];
    if (size == LONG_LENGTH) {
        skip += sizeof(uint32_t);
        if (from->size < skip) {
            return false;
        }
        size = load_u32(from->data + 1);
        if (size < LONG_LENGTH) {
            return false; /* else one key would have two names */
        }
    }
    if (from->size - skip < size) {
        return false;
    }
    *bytes = (struct bytes){ .data = from->data + skip, .size = size };
    *from = (struct bytes){ .data = bytes->data + size, .size = from->size - skip - size };
    return true;
}

bool entry_key_read(const struct state_descriptor *state, struct bytes bytes,
                    struct entry_key *parts)
{
    CHECK(bytes.data != NULL || bytes.size == 0);
    *parts = (struct entry_key){ .key = bytes };
    if (state_is_plain(state)) {
        return true;
    }
    struct bytes rest = bytes;
    if (!read_prefixed(&rest, &parts->key)) {
        return false;
    }
    if (!state_has_subkey(state)) {
        parts->name_space = rest;
        return true;
    }
    if (state->has_namespace && !read_prefixed(&rest, &parts->name_space)) {
        return false;
    }
    parts->subkey = rest;
    return true;
}

struct bytes entry_key_prefix(const struct state_descriptor *state, struct bytes bytes)
{
    CHECK(state_has_subkey(state));
    struct entry_key parts;
    bool is_sound = entry_key_read(state, bytes, &parts);
    CHECK(is_sound);
    return (struct bytes){ .data = bytes.data, .size = bytes.size - parts.subkey.size };
}

int entry_key_compare(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}
