#include "tests/support/backend_kinds.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/codec.h"
#include "model/state/backend_create.h"
#include "model/state/changelog_backend.h"
#include "model/state/row_backend.h"
#include "tests/support/disk_host.h"

/* One disk and one host for all backends of a test; their memory is the test's. */
static struct arena world;
static struct disk *disk;
static struct disk_host host;

static struct host *host_with(struct arena *arena)
{
    if (disk == NULL) {
        arena_init(&world);
        disk = disk_create(&world);
        disk_host_init(&host, disk, 0);
        ck_assert_int_eq(backend_empty_directory(&host.host, STATE_BACKEND_SQLITE, "backends"),
                         STATUS_OK);
    }
    host.host.arena = arena;
    return &host.host;
}

static struct backend *create(enum state_backend kind, bool changelog, struct arena *arena,
                              struct key_group_range range, uint32_t parts_max)
{
    /* Working files are emptied when they are opened; no test has this many backends at a time. */
    enum { NAME_COUNT = DISK_HOST_FILES_MAX / 2 };
    static unsigned created;
    char name[16];
    struct backend *backend = NULL;
    (void)snprintf(name, sizeof name, "%u", created++ % NAME_COUNT);
    struct backend_options options = { .kind = kind,
                                       .range = range,
                                       .parts_max = parts_max,
                                       .changelog = changelog,
                                       .cache_bytes = 256 * 1024,
                                       .directory = "backends",
                                       .name = name };
    ck_assert_int_eq(backend_create(host_with(arena), &options, &backend), STATUS_OK);
    return backend;
}

static struct backend *create_sqlite(struct arena *arena, struct key_group_range range,
                                     uint32_t parts_max)
{
    return create(STATE_BACKEND_SQLITE, false, arena, range, parts_max);
}

static enum state_backend rocksdb_or_heap(void)
{
    return state_backend_is_built_in(STATE_BACKEND_ROCKSDB) ? STATE_BACKEND_ROCKSDB
                                                            : STATE_BACKEND_HEAP;
}

static struct backend *create_rocksdb(struct arena *arena, struct key_group_range range,
                                      uint32_t parts_max)
{
    return create(rocksdb_or_heap(), false, arena, range, parts_max);
}

static struct backend *create_changelog_heap(struct arena *arena, struct key_group_range range,
                                             uint32_t parts_max)
{
    return create(STATE_BACKEND_HEAP, true, arena, range, parts_max);
}

static struct backend *create_changelog_sqlite(struct arena *arena, struct key_group_range range,
                                               uint32_t parts_max)
{
    return create(STATE_BACKEND_SQLITE, true, arena, range, parts_max);
}

static struct backend *create_changelog_rocksdb(struct arena *arena, struct key_group_range range,
                                                uint32_t parts_max)
{
    return create(rocksdb_or_heap(), true, arena, range, parts_max);
}

static void check(const struct backend *backend)
{
    if (backend->ops == &changelog_backend_ops) {
        changelog_backend_check(backend);
        backend = changelog_backend_inner(backend);
    }
    if (backend->ops == &row_backend_ops) {
        row_backend_check(backend);
    } else {
        backend_heap_check(backend);
    }
}

const struct backend_kind backend_kinds[BACKEND_KIND_COUNT] = {
    { "heap", backend_heap_create, check, 1 },
    { "sqlite", create_sqlite, check, 4 },
    { "rocksdb", create_rocksdb, check, 20 },
    { "changelog of heap", create_changelog_heap, check, 1 },
    { "changelog of sqlite", create_changelog_sqlite, check, 4 },
    { "changelog of rocksdb", create_changelog_rocksdb, check, 20 },
};

uint64_t random_operations(uint64_t usual)
{
    const char *said = getenv("FAULTLINE_RANDOM_OPERATIONS");
    uint64_t number = said == NULL ? usual : strtoull(said, NULL, 10);
    ck_assert_uint_gt(number, 0);
    return number;
}

void set_number_key(struct backend *backend, const uint64_t *key)
{
    backend_set_key(backend, (uint32_t)(*key % 128),
                    (struct bytes){ .data = (const uint8_t *)key, .size = sizeof *key });
}

void put_number(struct backend *backend, state_id state, uint64_t key, uint64_t value)
{
    set_number_key(backend, &key);
    backend_put(backend, state,
                (struct bytes){ .data = (const uint8_t *)&value, .size = sizeof value });
}

void remove_number(struct backend *backend, state_id state, uint64_t key)
{
    set_number_key(backend, &key);
    backend_remove(backend, state);
}

uint64_t get_number(struct backend *backend, state_id state, uint64_t key)
{
    set_number_key(backend, &key);
    struct bytes value = backend_get(backend, state);
    if (value.data == NULL) {
        return UINT64_MAX;
    }
    ck_assert_uint_eq(value.size, sizeof(uint64_t));
    return load_u64(value.data);
}

struct bytes finish_snapshot(struct backend_snapshot *snapshot, struct buffer *out,
                             size_t limit_bytes)
{
    while (backend_snapshot_step(snapshot, out, limit_bytes)) {
    }
    return buffer_bytes(out);
}
