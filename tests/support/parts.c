#include "tests/support/parts.h"

#include "model/base/check.h"

/* A part in memory. */
struct memory_part {
    struct part_source source;
    struct bytes left;
    enum status verdict; /* given with the last piece */
};

/* Small enough that entries and headers are cut in many places, and large enough that a part takes
 * no more than some hundred pieces. */
static size_t piece_size(struct bytes left)
{
    enum { PIECES = 256 };
    size_t size = 1 + left.data[0] + left.size / PIECES;
    return size < left.size ? size : left.size;
}

static enum status read_memory(struct part_source *source, struct buffer *out)
{
    struct memory_part *part = (struct memory_part *)(void *)source;
    CHECK(!source->has_ended);
    if (part->left.size > 0) {
        size_t size = piece_size(part->left);
        buffer_append(out, (struct bytes){ .data = part->left.data, .size = size });
        part->left.data += size;
        part->left.size -= size;
    }
    source->has_ended = part->left.size == 0;
    return source->has_ended ? part->verdict : STATUS_OK;
}

enum status restore_parts(struct backend *backend, uint64_t id, const struct bytes *parts,
                          uint32_t part_count)
{
    struct arena arena;
    arena_init(&arena);
    struct memory_part *read = arena_alloc(&arena, part_count + 1, sizeof *read);
    struct part_source **sources = arena_alloc(&arena, part_count + 1, sizeof *sources);
    for (uint32_t i = 0; i < part_count; i++) {
        read[i] = (struct memory_part){ .source = { .read = read_memory },
                                        .left = parts[i],
                                        .verdict = STATUS_OK };
        sources[i] = &read[i].source;
    }
    enum status status = backend_restore(backend, id, sources, part_count);
    arena_drop(&arena);
    return status;
}

enum status restore_damaged(struct backend *backend, uint64_t id, struct bytes part)
{
    struct memory_part read = { .source = { .read = read_memory },
                                .left = part,
                                .verdict = STATUS_CORRUPT };
    struct part_source *source = &read.source;
    return backend_restore(backend, id, &source, 1);
}

enum status read_part(struct host *host, struct bytes carried, const struct state_handle *handle,
                      struct buffer *out)
{
    struct store_part part;
    size_t size_before = out->size;
    enum status status = store_part_open(&part, host, carried, handle);
    if (status != STATUS_OK) {
        return status;
    }
    while (status == STATUS_OK && !part.source.has_ended) {
        status = part.source.read(&part.source, out);
    }
    store_part_close(&part);
    out->size = status == STATUS_OK ? out->size : size_before;
    return status;
}
