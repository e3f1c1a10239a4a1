#include "tests/support/keyed.h"

#include "model/base/check.h"
#include "model/base/hash.h"

struct keyed_state keyed_of(struct arena *arena, const struct state_handle *parts, uint32_t count)
{
    struct buffer encoded;
    struct keyed_state keyed = { .part_count = count };
    buffer_init(&encoded, arena);
    for (uint32_t i = 0; i < count; i++) {
        state_handle_encode(&encoded, &parts[i]);
        keyed.size_bytes += parts[i].size_bytes;
    }
    keyed.parts = buffer_bytes(&encoded);
    return keyed;
}

struct state_handle inline_part(struct bytes part)
{
    return (struct state_handle){ .kind = HANDLE_INLINE,
                                  .size_bytes = part.size,
                                  .checksum = hash_bytes(part),
                                  .location = part };
}

struct state_handle file_part(const char *path, struct bytes part)
{
    return (struct state_handle){ .kind = HANDLE_FILE,
                                  .size_bytes = part.size,
                                  .checksum = hash_bytes(part),
                                  .location = bytes_of_text(path) };
}

struct state_handle part_of(const struct keyed_state *keyed, uint32_t index)
{
    struct state_handle part = { .kind = HANDLE_INLINE };
    struct decoder decoder;
    CHECK(index < keyed->part_count);
    keyed_state_begin(keyed, &decoder);
    for (uint32_t i = 0; i <= index; i++) {
        keyed_state_next(&decoder, &part);
    }
    return part;
}
