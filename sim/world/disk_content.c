#include "sim/world/disk_content.h"

#include <string.h>

#include "model/base/check.h"

enum {
    CONTENT_SIZE_MAX = INT32_MAX,   /* far above any file of a simulation, far below overflow */
    FOLD_COST_BYTES_MIN = 1u << 20, /* below this a list of writes is not worth folding */
};

void disk_content_init(struct disk_content *content, struct arena *arena)
{
    CHECK(arena != NULL);
    *content = (struct disk_content){ .arena = arena };
}

static void forget_writes(struct disk_content *content)
{
    for (size_t i = 0; i < content->write_count; i++) {
        arena_free(content->arena, content->writes[i].saved);
    }
    arena_free(content->arena, content->writes);
    content->writes = NULL;
    content->write_count = 0;
    content->write_capacity = 0;
    content->cost_bytes = 0;
    content->folded_bytes = 0;
}

void disk_content_free(struct disk_content *content)
{
    forget_writes(content);
    arena_free(content->arena, content->data);
    disk_content_init(content, content->arena);
}

void disk_content_borrow(struct disk_content *content, struct bytes input)
{
    CHECK(content->size == 0);
    CHECK(content->write_count == 0);
    CHECK(input.size <= CONTENT_SIZE_MAX);
    content->input = input.size > 0 ? input.data : NULL;
    content->size = input.size;
}

struct bytes disk_content_bytes(const struct disk_content *content)
{
    const uint8_t *data = content->input != NULL ? content->input : content->data;
    return (struct bytes){ .data = data, .size = content->size };
}

static void own_input(struct disk_content *content)
{
    if (content->input != NULL) {
        CHECK(content->data == NULL);
        content->data = arena_grow(content->arena, NULL, &content->capacity, content->size, 1);
        memcpy(content->data, content->input, content->size);
        content->input = NULL;
    }
}

static uint8_t *copy_range(const struct disk_content *content, size_t offset, size_t size)
{
    CHECK(offset + size <= content->size);
    if (size == 0) {
        return NULL;
    }
    return memcpy(arena_alloc_raw(content->arena, size), content->data + offset, size);
}

/* Does the write to the content alone. */
static void place(struct disk_content *content, const struct disk_write *write, const uint8_t *data)
{
    size_t end = write->offset + write->size;
    size_t size = write->truncates || end > content->size ? end : content->size;
    CHECK(size <= CONTENT_SIZE_MAX);
    content->data = arena_grow(content->arena, content->data, &content->capacity, size, 1);
    if (write->offset > content->size) {
        memset(content->data + content->size, 0, write->offset - content->size);
    }
    if (write->size > 0) {
        CHECK(data != NULL);
        memcpy(content->data + write->offset, data, write->size);
    }
    content->size = size;
}

static size_t saved_start(const struct disk_write *write)
{
    return write->offset < write->size_before ? write->offset : write->size_before;
}

/* Where the bytes end that `write` replaces in a file of `size_before` bytes. */
static size_t saved_end(const struct disk_write *write)
{
    size_t end = write->offset + write->size;
    return write->truncates || end > write->size_before ? write->size_before : end;
}

/* Undoes `write`, the newest that is done; it keeps the bytes that it wrote. */
static void undo(struct disk_content *content, struct disk_write *write)
{
    CHECK(write->size_before <= content->capacity);
    CHECK(write->offset + write->size <= content->size);
    uint8_t *redo = copy_range(content, write->offset, write->size);
    content->size = write->size_before;
    if (write->saved_size > 0) {
        memcpy(content->data + saved_start(write), write->saved, write->saved_size);
    }
    arena_free(content->arena, write->saved);
    content->cost_bytes -= sizeof *write + write->saved_size;
    write->saved = redo;
    write->saved_size = redo != NULL ? write->size : 0;
}

static size_t synced_size_of(const struct disk_content *content)
{
    return content->write_count > 0 ? content->writes[0].size_before : content->size;
}

static bool is_written_by_one(const struct disk_content *content)
{
    for (size_t i = 1; i < content->write_count; i++) {
        if (content->writes[i].client != content->writes[0].client) {
            return false;
        }
    }
    return true;
}

/* The content of the last sync, which had `size` bytes. */
static uint8_t *copy_synced(const struct disk_content *content, size_t size)
{
    if (size == 0) {
        return NULL;
    }
    uint8_t *synced = arena_alloc_raw(content->arena, size);
    memcpy(synced, content->data, size < content->size ? size : content->size);
    for (size_t i = content->write_count; i > 0; i--) {
        const struct disk_write *write = &content->writes[i - 1];
        size_t start = saved_start(write);
        if (write->saved_size > 0 && start < size) {
            size_t left = size - start;
            memcpy(synced + start, write->saved,
                   write->saved_size < left ? write->saved_size : left);
        }
    }
    return synced;
}

/* Replaces all unsynced writes by one that turns the content of the last sync into the present one
 * (W4), at a cost that does not depend on the size of the present one. A cut then tears the file
 * between these two contents. */
static void fold(struct disk_content *content)
{
    content->folded_bytes = content->cost_bytes;
    if (!is_written_by_one(content)) {
        return;
    }
    size_t synced_size = synced_size_of(content);
    struct disk_write all = { .client = content->writes[0].client,
                              .truncates = true,
                              .size = content->size,
                              .size_before = synced_size,
                              .saved = copy_synced(content, synced_size),
                              .saved_size = synced_size };
    for (size_t i = 0; i < content->write_count; i++) {
        arena_free(content->arena, content->writes[i].saved);
    }
    content->writes[0] = all;
    content->write_count = 1;
    content->cost_bytes = sizeof all + all.saved_size;
    content->folded_bytes = content->cost_bytes;
}

/* Does a write and remembers how to undo it, unless nothing can undo it. */
static void perform(struct disk_content *content, struct disk_write write, const uint8_t *data)
{
    CHECK(write.offset <= CONTENT_SIZE_MAX);
    CHECK(write.size <= CONTENT_SIZE_MAX);
    if (write.client == DISK_NOBODY && content->write_count == 0) {
        place(content, &write, data);
        return;
    }
    write.size_before = content->size;
    size_t start = saved_start(&write);
    size_t end = saved_end(&write);
    write.saved_size = end > start ? end - start : 0;
    write.saved = copy_range(content, start, write.saved_size);
    place(content, &write, data);
    content->writes = arena_grow(content->arena, content->writes, &content->write_capacity,
                                 content->write_count + 1, sizeof *content->writes);
    content->writes[content->write_count++] = write;
    content->cost_bytes += sizeof write + write.saved_size;
}

static void perform_and_fold(struct disk_content *content, struct disk_write write,
                             const uint8_t *data)
{
    own_input(content);
    perform(content, write, data);
    if (content->cost_bytes >
        2 * content->folded_bytes + synced_size_of(content) + FOLD_COST_BYTES_MIN) {
        fold(content);
    }
}

void disk_content_write(struct disk_content *content, uint32_t client, size_t offset,
                        struct bytes bytes)
{
    struct disk_write write = { .client = client, .offset = offset, .size = bytes.size };
    if (bytes.size > 0) {
        perform_and_fold(content, write, bytes.data);
    }
}

void disk_content_truncate(struct disk_content *content, uint32_t client, size_t size_bytes)
{
    struct disk_write write = { .client = client, .truncates = true, .offset = size_bytes };
    /* Where it changes nothing now, it may after a cut has undone what lies before it. */
    if (size_bytes != content->size || content->write_count > 0) {
        perform_and_fold(content, write, NULL);
    }
}

void disk_content_sync(struct disk_content *content)
{
    forget_writes(content);
}

/* Reduces `write`, whose new bytes lie at `*data`, to what TEAR leaves of it; false if that is
 * nothing. */
static bool tear(struct disk_write *write, const uint8_t **data, struct prng *prng)
{
    enum { LOST, KEPT, TORN, FATES };
    uint64_t first = write->offset / DISK_SECTOR_BYTES + 1;
    uint64_t last = write->size > 0 ? (write->offset + write->size - 1) / DISK_SECTOR_BYTES : 0;
    uint64_t fate = prng_below(prng, first <= last ? FATES : TORN);
    if (fate != TORN) {
        return fate == KEPT;
    }
    size_t boundary = (size_t)prng_between(prng, first, last) * DISK_SECTOR_BYTES;
    CHECK(boundary > write->offset);
    CHECK(boundary < write->offset + write->size);
    size_t before = boundary - write->offset;
    if (prng_below(prng, 2) == 0) {
        write->size = before;
        write->truncates = false; /* the new end of the file lay in the lost part */
    } else {
        write->offset = boundary;
        write->size -= before;
        *data += before;
    }
    return true;
}

/* Everything that `client` wrote is durable; writes that nothing can undo leave the list as soon as
 * nothing before them can be undone (W3). */
static void keep(struct disk_content *content, uint32_t client)
{
    size_t settled = 0;
    for (size_t i = 0; i < content->write_count; i++) {
        struct disk_write *write = &content->writes[i];
        write->client = write->client == client ? DISK_NOBODY : write->client;
        if (settled == i && write->client == DISK_NOBODY) {
            content->cost_bytes -= sizeof *write + write->saved_size;
            arena_free(content->arena, write->saved);
            settled++;
        }
    }
    content->write_count -= settled;
    if (content->write_count == 0) {
        forget_writes(content);
    } else if (settled > 0) {
        memmove(content->writes, content->writes + settled,
                content->write_count * sizeof *content->writes);
    }
}

static bool has_write_of(const struct disk_content *content, uint32_t client)
{
    for (size_t i = 0; i < content->write_count; i++) {
        if (content->writes[i].client == client) {
            return true;
        }
    }
    return false;
}

void disk_content_cut(struct disk_content *content, uint32_t client, enum disk_survival survival,
                      struct prng *prng)
{
    CHECK(client != DISK_NOBODY);
    CHECK(survival == DISK_KEEP || survival == DISK_LOSE || survival == DISK_TEAR);
    if (!has_write_of(content, client)) {
        return;
    }
    if (survival == DISK_KEEP) {
        keep(content, client);
        return;
    }
    size_t count = content->write_count;
    for (size_t i = count; i > 0; i--) {
        undo(content, &content->writes[i - 1]);
    }
    CHECK(content->cost_bytes == 0);
    /* The redone writes are put into the same list from its start: never more than were read. */
    content->write_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct disk_write write = content->writes[i];
        uint8_t *saved = write.saved;
        const uint8_t *data = saved;
        bool is_alive = true;
        if (write.client == client) {
            write.client = DISK_NOBODY;
            is_alive = survival == DISK_TEAR && tear(&write, &data, prng);
        }
        if (is_alive) {
            perform(content, write, data);
        }
        arena_free(content->arena, saved);
    }
    if (content->write_count == 0) {
        forget_writes(content);
    }
}

void disk_content_check(const struct disk_content *content)
{
    CHECK(content->size <= CONTENT_SIZE_MAX);
    CHECK(content->input == NULL || content->data == NULL);
    CHECK(content->input == NULL || content->write_count == 0);
    CHECK(content->input != NULL || content->size <= content->capacity);
    CHECK(content->write_count <= content->write_capacity);
    size_t cost_bytes = 0;
    size_t size = synced_size_of(content);
    for (size_t i = 0; i < content->write_count; i++) {
        const struct disk_write *write = &content->writes[i];
        size_t end = write->offset + write->size;
        CHECK(write->size_before == size);
        CHECK(write->saved_size <= size);
        CHECK((write->saved == NULL) == (write->saved_size == 0));
        size = write->truncates || end > size ? end : size;
        cost_bytes += sizeof *write + write->saved_size;
    }
    CHECK(content->write_count == 0 || content->writes[0].client != DISK_NOBODY);
    CHECK(size == content->size);
    CHECK(cost_bytes == content->cost_bytes);
}
