#include "model/checkpoint/store_table.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"

/* A part of a checkpoint that is being taken (T1). */
struct kept_part {
    struct kept_part *next;
    uint64_t checkpoint;
    struct bytes path;
    struct bytes part;
};

struct table_store {
    struct store base;
    struct blob_table *table;
    struct kept_part *kept;
};

static struct table_store *store_of(struct store *base)
{
    return (struct table_store *)(void *)base;
}

static enum status begin(struct store *base, uint64_t id, bool shared)
{
    (void)base;
    (void)shared;
    CHECK(id > 0);
    return STATUS_OK;
}

static void put(struct store *base, uint64_t id, struct bytes path, struct bytes part)
{
    struct table_store *store = store_of(base);
    struct arena *arena = base->host->arena;
    struct kept_part *kept = arena_alloc(arena, 1, sizeof *kept);
    *kept = (struct kept_part){ .next = store->kept,
                                .checkpoint = id,
                                .path = bytes_copy(arena, path),
                                .part = bytes_copy(arena, part) };
    store->kept = kept;
}

static void drop_kept(struct table_store *store, uint64_t id)
{
    struct arena *arena = store->base.host->arena;
    struct kept_part **link = &store->kept;
    while (*link != NULL) {
        struct kept_part *kept = *link;
        if (kept->checkpoint != id) {
            link = &kept->next;
            continue;
        }
        *link = kept->next;
        arena_free(arena, (void *)(uintptr_t)kept->path.data);
        arena_free(arena, (void *)(uintptr_t)kept->part.data);
        arena_free(arena, kept);
    }
}

static void report(struct store *store, enum fact_kind kind, uint64_t id, uint64_t attempt,
                   uint64_t value)
{
    host_trace(store->host, &(struct fact){ .kind = kind,
                                            .vertex = FACT_NO_TASK,
                                            .subtask = FACT_NO_TASK,
                                            .attempt = attempt,
                                            .checkpoint = id,
                                            .values = { value, 0 } });
}

/* T2 */
static enum status commit(struct store *base, uint64_t id, uint64_t attempt, struct bytes manifest)
{
    struct table_store *store = store_of(base);
    char path[STORE_PATH_SIZE];
    CHECK(manifest.size > 0);
    store_file(path, id, STORE_MANIFEST);
    enum status status = blob_table_begin(store->table);
    for (const struct kept_part *kept = store->kept; kept != NULL && status == STATUS_OK;
         kept = kept->next) {
        if (kept->checkpoint == id) {
            status = blob_table_put(store->table, kept->path, kept->part);
        }
    }
    if (status == STATUS_OK) {
        status = blob_table_put(store->table, bytes_of_text(path), manifest);
    }
    if (status == STATUS_OK) {
        report(base, FACT_MANIFEST_WRITTEN, id, attempt, manifest.size);
        status = blob_table_end(store->table);
    }
    if (status == STATUS_OK) {
        report(base, FACT_MANIFEST_SYNCED, id, attempt, 0);
        drop_kept(store, id);
    }
    return status;
}

/* Is `path` the manifest of a checkpoint? */
static bool parse_manifest(struct bytes path, uint64_t *id)
{
    static const char root[] = STORE_ROOT "/";
    static const char name[] = "/" STORE_MANIFEST;
    size_t root_size = sizeof root - 1;
    size_t name_size = sizeof name - 1;
    if (path.size <= root_size + name_size || memcmp(path.data, root, root_size) != 0 ||
        memcmp(path.data + path.size - name_size, name, name_size) != 0) {
        return false;
    }
    return store_parse_directory(
        (struct bytes){ .data = path.data + root_size, .size = path.size - root_size - name_size },
        id);
}

/* Among `*count` rising ids, with room for one more; a damaged table may say one twice. */
static void insert_rising(uint64_t *ids, size_t *count, uint64_t id)
{
    size_t at = *count;
    while (at > 0 && ids[at - 1] > id) {
        at--;
    }
    if (at == 0 || ids[at - 1] < id) {
        memmove(ids + at + 1, ids + at, (*count - at) * sizeof *ids);
        ids[at] = id;
        ++*count;
    }
}

static enum status list(struct store *base, struct arena *arena, uint64_t **ids, size_t *count)
{
    struct buffer paths;
    struct decoder decoder;
    size_t capacity = 0;
    buffer_init(&paths, arena);
    *ids = NULL;
    *count = 0;
    enum status status =
        blob_table_list(store_of(base)->table, bytes_of_text(STORE_ROOT "/"), &paths);
    decoder_init(&decoder, buffer_bytes(&paths));
    while (decoder.position < decoder.size) {
        uint64_t id;
        if (parse_manifest(decode_bytes(&decoder), &id)) {
            *ids = arena_grow(arena, *ids, &capacity, *count + 1, sizeof **ids);
            insert_rising(*ids, count, id);
        }
    }
    buffer_free(&paths);
    return status;
}

static enum status read(struct store *base, const char *path, struct buffer *out)
{
    return blob_table_get(store_of(base)->table, bytes_of_text(path), out);
}

/* Within a transaction: removes what has one of the listed paths, and `is_needed` does not want. */
static enum status remove_listed(struct table_store *store, const struct buffer *paths,
                                 store_needed_function is_needed, void *context, uint64_t *removed)
{
    struct decoder decoder;
    enum status status = STATUS_OK;
    decoder_init(&decoder, buffer_bytes(paths));
    while (decoder.position < decoder.size && status == STATUS_OK) {
        uint64_t id;
        struct bytes name;
        struct bytes path = decode_bytes(&decoder);
        if (is_needed != NULL && store_parse_shared(path, &id, &name)) {
            char *text = arena_format(store->base.host->arena, "%.*s", (int)name.size,
                                      (const char *)name.data);
            bool is_kept = is_needed(context, id, "") || is_needed(context, id, text);
            arena_free(store->base.host->arena, text);
            if (is_kept) {
                continue;
            }
        }
        status = blob_table_remove(store->table, path);
        *removed += status == STATUS_OK;
    }
    return status;
}

/* One transaction over all that lies below `prefix`; none, if nothing does. */
static enum status remove_below(struct table_store *store, const char *prefix,
                                store_needed_function is_needed, void *context, uint64_t *removed)
{
    struct buffer paths;
    *removed = 0;
    buffer_init(&paths, store->base.host->arena);
    enum status status = blob_table_list(store->table, bytes_of_text(prefix), &paths);
    if (status == STATUS_OK && paths.size > 0) {
        status = blob_table_begin(store->table);
        if (status == STATUS_OK) {
            status = remove_listed(store, &paths, is_needed, context, removed);
        }
        if (status == STATUS_OK) {
            status = blob_table_end(store->table);
        }
    }
    buffer_free(&paths);
    return status;
}

static enum status discard_directory(struct table_store *store, const char *directory)
{
    uint64_t removed;
    char *prefix = arena_format(store->base.host->arena, "%s/", directory);
    enum status status = remove_below(store, prefix, NULL, NULL, &removed);
    arena_free(store->base.host->arena, prefix);
    return status;
}

static enum status discard(struct store *base, uint64_t id)
{
    char directory[STORE_PATH_SIZE];
    drop_kept(store_of(base), id);
    store_directory(directory, id);
    return discard_directory(store_of(base), directory);
}

static enum status discard_shared(struct store *base, uint64_t id)
{
    char directory[STORE_PATH_SIZE];
    store_shared_directory(directory, id);
    return discard_directory(store_of(base), directory);
}

static enum status remove_shared(struct store *base, const struct shared_garbage *garbage,
                                 size_t count)
{
    struct table_store *store = store_of(base);
    enum status status = count == 0 ? STATUS_OK : blob_table_begin(store->table);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        char path[STORE_PATH_SIZE];
        store_shared_file(path, garbage[i].creator, garbage[i].name);
        status = blob_table_remove(store->table, bytes_of_text(path));
    }
    return count == 0 || status != STATUS_OK ? status : blob_table_end(store->table);
}

static enum status sweep_shared(struct store *base, store_needed_function is_needed, void *context,
                                uint64_t *removed)
{
    return remove_below(store_of(base), STORE_SHARED "/", is_needed, context, removed);
}

/* There are none (T2). */
static enum status discard_incomplete(struct store *base)
{
    (void)base;
    return STATUS_OK;
}

/* Nothing is written ahead: a part reaches the table with its manifest (T2). */
static enum status begin_attempt(struct store *base, uint64_t attempt)
{
    (void)base;
    CHECK(attempt > 0);
    return STATUS_OK;
}

static enum status end_attempts(struct store *base, uint64_t kept, uint64_t *removed)
{
    (void)base;
    (void)kept;
    *removed = 0;
    return STATUS_OK;
}

static const struct store_ops table_ops = {
    .begin = begin,
    .put = put,
    .commit = commit,
    .list = list,
    .read = read,
    .discard = discard,
    .discard_shared = discard_shared,
    .remove_shared = remove_shared,
    .sweep_shared = sweep_shared,
    .discard_incomplete = discard_incomplete,
    .begin_attempt = begin_attempt,
    .end_attempts = end_attempts,
};

struct store *store_table_create(struct blob_table *table)
{
    struct table_store *store = arena_alloc(table->host->arena, 1, sizeof *store);
    store->base = (struct store){ .ops = &table_ops, .host = table->host };
    store->table = table;
    return &store->base;
}
