#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/checkpoint/blob_table.h"

struct blob {
    struct bytes path;
    struct bytes content; /* both are copies */
};

struct memory_table {
    struct blob_table base;
    struct blob *blobs; /* by rising paths */
    size_t count;
    size_t capacity;
};

static struct memory_table *memory_of(struct blob_table *table)
{
    return (struct memory_table *)(void *)table;
}

static int compare(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The number of the first blob whose path is not below `path`. */
static size_t position(const struct memory_table *table, struct bytes path)
{
    size_t low = 0;
    size_t high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(table->blobs[middle].path, path) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct blob *find(const struct memory_table *table, struct bytes path)
{
    size_t at = position(table, path);
    bool is_there = at < table->count && compare(table->blobs[at].path, path) == 0;
    return is_there ? &table->blobs[at] : NULL;
}

static enum status begin_or_end(struct blob_table *base)
{
    (void)base;
    return STATUS_OK;
}

static void free_bytes(struct arena *arena, struct bytes bytes)
{
    arena_free(arena, (void *)(uintptr_t)bytes.data);
}

/* Nobody can look into this memory: so it is told, and shown, what comes and what goes. */
static void report(struct host *host, enum fact_kind kind, const struct blob *blob)
{
    bool is_put = kind == FACT_BLOB_PUT;
    host_trace(host, &(struct fact){ .kind = kind,
                                     .vertex = FACT_NO_TASK,
                                     .subtask = FACT_NO_TASK,
                                     .values = { is_put ? blob->content.size : 0, 0 },
                                     .text = blob->path,
                                     .content = is_put ? blob->content : (struct bytes){ 0 } });
}

static enum status put(struct blob_table *base, struct bytes path, struct bytes content)
{
    struct memory_table *table = memory_of(base);
    struct arena *arena = base->host->arena;
    CHECK(path.size > 0);
    struct blob *blob = find(table, path);
    if (blob != NULL) {
        free_bytes(arena, blob->content);
    } else {
        size_t at = position(table, path);
        table->blobs = arena_grow(arena, table->blobs, &table->capacity, table->count + 1,
                                  sizeof *table->blobs);
        blob = &table->blobs[at];
        memmove(blob + 1, blob, (table->count - at) * sizeof *blob);
        blob->path = bytes_copy(arena, path);
        table->count++;
    }
    blob->content = bytes_copy(arena, content);
    report(base->host, FACT_BLOB_PUT, blob);
    return STATUS_OK;
}

static enum status remove_blob(struct blob_table *base, struct bytes path)
{
    struct memory_table *table = memory_of(base);
    struct blob *blob = find(table, path);
    if (blob != NULL) {
        report(base->host, FACT_BLOB_REMOVED, blob);
        free_bytes(base->host->arena, blob->path);
        free_bytes(base->host->arena, blob->content);
        table->count--;
        size_t at = (size_t)(blob - table->blobs);
        memmove(blob, blob + 1, (table->count - at) * sizeof *blob);
    }
    return STATUS_OK;
}

static enum status get(struct blob_table *base, struct bytes path, struct buffer *out)
{
    const struct blob *blob = find(memory_of(base), path);
    if (blob == NULL) {
        return STATUS_NOT_FOUND;
    }
    buffer_append(out, blob->content);
    return STATUS_OK;
}

static enum status list(struct blob_table *base, struct bytes prefix, struct buffer *paths)
{
    const struct memory_table *table = memory_of(base);
    for (size_t i = position(table, prefix); i < table->count; i++) {
        struct bytes path = table->blobs[i].path;
        if (path.size < prefix.size || memcmp(path.data, prefix.data, prefix.size) != 0) {
            break;
        }
        encode_bytes(paths, path);
    }
    return STATUS_OK;
}

static const struct blob_table_ops memory_ops = {
    .begin = begin_or_end,
    .end = begin_or_end,
    .put = put,
    .remove = remove_blob,
    .get = get,
    .list = list,
};

struct blob_table *blob_table_memory_create(struct host *host)
{
    struct memory_table *table = arena_alloc(host->arena, 1, sizeof *table);
    table->base = (struct blob_table){ .ops = &memory_ops, .host = host };
    return &table->base;
}
