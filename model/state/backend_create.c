#include "model/state/backend_create.h"

#include <string.h>

#include "model/base/check.h"
#include "model/state/changelog_backend.h"
#include "model/state/row_backend.h"
#include "model/state/row_store_rocksdb.h"
#include "model/state/row_store_sqlite.h"

const char *state_backend_name(enum state_backend kind)
{
    switch (kind) {
    case STATE_BACKEND_HEAP: return "heap";
    case STATE_BACKEND_SQLITE: return "sqlite";
    case STATE_BACKEND_ROCKSDB: return "rocksdb";
    case STATE_BACKEND_COUNT: break;
    }
    CHECK_UNREACHABLE("a state backend");
}

bool state_backend_is_built_in(enum state_backend kind)
{
    CHECK(kind < STATE_BACKEND_COUNT);
    return kind != STATE_BACKEND_ROCKSDB || row_store_rocksdb_is_built_in();
}

static enum status create_sqlite(struct host *host, const struct backend_options *options,
                                 struct row_store **store)
{
    char *path = arena_format(host->arena, "%s/%s.db", options->directory, options->name);
    enum status status = row_store_sqlite_create(host, path, options->cache_bytes, store);
    arena_free(host->arena, path);
    return status;
}

static enum status create_plain(struct host *host, const struct backend_options *options,
                                uint32_t parts_max, struct backend **backend)
{
    struct row_store *store = NULL;
    enum status status = STATUS_OK;
    switch (options->kind) {
    case STATE_BACKEND_HEAP:
        *backend = backend_heap_create(host->arena, options->range, parts_max);
        return STATUS_OK;
    case STATE_BACKEND_SQLITE: status = create_sqlite(host, options, &store); break;
    case STATE_BACKEND_ROCKSDB:
        status = row_store_rocksdb_create(host, options->cache_bytes, &store);
        break;
    case STATE_BACKEND_COUNT: CHECK_UNREACHABLE("a state backend");
    }
    if (status == STATUS_OK) {
        *backend = row_backend_create(host, options->range, parts_max, store);
    }
    return status;
}

enum status backend_create(struct host *host, const struct backend_options *options,
                           struct backend **backend)
{
    if (!options->changelog) {
        return create_plain(host, options, options->parts_max, backend);
    }
    struct backend *inner;
    enum status status = create_plain(host, options, 1, &inner);
    if (status == STATUS_OK) {
        struct changelog_options changelog = {
            .parts_max = options->parts_max,
            .interval_ns = options->materialization_interval_ns,
            .persist_bytes = options->persist_bytes,
        };
        *backend = changelog_backend_create(host->arena, inner, &changelog);
    }
    return status;
}

/* Appends the name with its final zero. */
static void note_name(void *context, const char *name)
{
    struct buffer *names = context;
    buffer_append_text(names, name);
    buffer_append(names, (struct bytes){ .data = (const uint8_t *)"", .size = 1 });
}

/* Removes all files of the directory. */
static enum status remove_files(struct host *host, const char *directory)
{
    struct buffer names;
    buffer_init(&names, host->arena);
    enum status status = host_list(host, HOST_LOCAL, directory, note_name, &names);
    for (size_t at = 0; at < names.size && status == STATUS_OK;) {
        const char *name = (const char *)names.data + at;
        char *path = arena_format(host->arena, "%s/%s", directory, name);
        status = host_remove(host, HOST_LOCAL, path);
        arena_free(host->arena, path);
        at += strlen(name) + 1;
    }
    buffer_free(&names);
    return status;
}

enum status backend_empty_directory(struct host *host, enum state_backend kind,
                                    const char *directory)
{
    if (kind != STATE_BACKEND_SQLITE) {
        return STATUS_OK;
    }
    enum status status = host_make_dir(host, HOST_LOCAL, directory);
    return status == STATUS_EXISTS ? remove_files(host, directory) : status;
}
