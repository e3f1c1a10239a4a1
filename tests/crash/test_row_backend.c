/* Lets each storage call of the SQLite backend's life fail once, or stops the process there: the
 * backend says so (B9) and does no harm, and another one restores what had been acknowledged. */
#include <check.h>
#include <string.h>

#include "model/state/backend_create.h"
#include "model/state/row_backend.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/disk_host.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

enum {
    KEYS = 400,
    OPERATIONS = 3000,
    VALUE_BYTES = 200, /* more than the cache holds, in all */
    CACHE_BYTES = 16 * 1024,
    SNAPSHOT_EVERY = 700,
    CALLS_MAX = 100000, /* more than any life has */
};

struct life {
    struct disk_host host;
    struct arena kept; /* what was acknowledged lies in the store, not in the process */
    struct backend *backend;
    state_id state;
    struct bytes acknowledged; /* the newest whole snapshot */
    uint64_t acknowledged_id;
};

static enum status open_backend(struct life *life)
{
    struct host *host = &life->host.host;
    struct backend_options options = { .kind = STATE_BACKEND_SQLITE,
                                       .range = all_groups,
                                       .parts_max = 1,
                                       .cache_bytes = CACHE_BYTES,
                                       .directory = "process-1",
                                       .name = "state" };
    enum status status = backend_empty_directory(host, STATE_BACKEND_SQLITE, "process-1");
    if (status == STATUS_OK) {
        status = backend_create(host, &options, &life->backend);
    }
    if (status == STATUS_OK) {
        life->state = backend_declare_value(life->backend, "n");
        status = backend_failure(life->backend);
    }
    return status;
}

/* True: the snapshot is complete, and may be acknowledged. */
static bool snapshot(struct life *life, uint64_t id)
{
    struct buffer out;
    buffer_init(&out, &life->kept);
    struct backend_snapshot *open = backend_snapshot_begin(life->backend, id, 0);
    struct bytes bytes = finish_snapshot(open, &out, 4000);
    backend_snapshot_end(open);
    if (backend_failure(life->backend) != STATUS_OK) {
        return false;
    }
    life->acknowledged = bytes;
    life->acknowledged_id = id;
    return true;
}

/* What every key holds after `count` operations is a number that follows from it. */
static uint64_t value_after(uint64_t key, uint64_t count)
{
    return count / KEYS + (count % KEYS > key);
}

static void write_value(struct life *life, uint64_t key, uint64_t number)
{
    uint8_t value[VALUE_BYTES];
    memset(value, (int)number, sizeof value);
    backend_set_key(life->backend, (uint32_t)(key % 128),
                    (struct bytes){ .data = (const uint8_t *)&key, .size = sizeof key });
    (void)backend_get(life->backend, life->state);
    backend_put(life->backend, life->state, (struct bytes){ .data = value, .size = sizeof value });
}

/* Goes on until something fails; the status of that. */
static enum status live(struct life *life)
{
    enum status status = open_backend(life);
    for (uint64_t i = 0; i < OPERATIONS && status == STATUS_OK; i++) {
        write_value(life, i % KEYS, value_after(i % KEYS, i + 1));
        status = backend_failure(life->backend);
        if (status == STATUS_OK && (i + 1) % SNAPSHOT_EVERY == 0 && !snapshot(life, i + 1)) {
            status = backend_failure(life->backend);
            ck_assert_int_ne(status, STATUS_OK);
        }
    }
    return status;
}

/* Restores in a new process what was acknowledged, and compares it. */
static void judge(struct life *life, struct disk *disk)
{
    disk_host_free(&life->host);
    disk_host_init(&life->host, disk, 0);
    ck_assert_int_eq(open_backend(life), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(life->backend), 0); /* B5 */
    if (life->acknowledged_id == 0) {
        return;
    }
    ck_assert_int_eq(restore_parts(life->backend, life->acknowledged_id, &life->acknowledged, 1),
                     STATUS_OK);
    row_backend_check(life->backend);
    ck_assert_uint_eq(backend_entry_count(life->backend), KEYS);
    for (uint64_t key = 0; key < KEYS; key++) {
        backend_set_key(life->backend, (uint32_t)(key % 128),
                        (struct bytes){ .data = (const uint8_t *)&key, .size = sizeof key });
        struct bytes value = backend_get(life->backend, life->state);
        ck_assert_uint_eq(value.size, VALUE_BYTES);
        ck_assert_uint_eq(value.data[0], value_after(key, life->acknowledged_id));
        ck_assert_uint_eq(value.data[VALUE_BYTES - 1], value.data[0]);
    }
}

/* One life in which storage call number `call` ends badly; false: there are fewer calls. */
static bool try_call(uint64_t call, enum status failure, bool destroys)
{
    struct arena arena;
    arena_init(&arena);
    struct disk *disk = disk_create(&arena);
    struct life life = { 0 };
    arena_init(&life.kept);
    disk_host_init(&life.host, disk, 0);
    if (failure == STATUS_HALTED) {
        disk_host_halt_at(&life.host, call, call % 2 == 0);
    } else {
        disk_host_fail_at(&life.host, call, failure);
    }
    enum status status = live(&life);
    bool was_reached = life.host.call_count >= call;
    ck_assert(was_reached || status == STATUS_OK);
    /* SQLite may do without a call, when it closes a file or looks for one. */
    ck_assert(status == STATUS_OK || status == failure || status == STATUS_NOT_FOUND);
    if (destroys && life.backend != NULL && status != STATUS_OK) {
        backend_destroy(life.backend);
    }
    judge(&life, disk);
    disk_host_free(&life.host);
    disk_destroy(disk);
    arena_drop(&life.kept);
    ck_assert_uint_eq(arena.live_count, 0);
    return was_reached;
}

static void try_every_call(enum status failure)
{
    uint64_t call = 1;
    while (call < CALLS_MAX && try_call(call, failure, call % 3 == 0)) {
        call += 1 + call / 16; /* all of the beginning, then ever fewer */
    }
    ck_assert_uint_gt(call, 500);
    ck_assert_uint_lt(call, CALLS_MAX);
}

START_TEST(b9_every_call_that_fails_is_noticed_before_anything_is_acknowledged)
{
    try_every_call(STATUS_IO);
}
END_TEST

START_TEST(b9_a_full_disk_is_noticed_before_anything_is_acknowledged)
{
    try_every_call(STATUS_NO_SPACE);
}
END_TEST

START_TEST(b5_a_process_that_dies_at_any_call_leaves_nothing_that_counts)
{
    try_every_call(STATUS_HALTED);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("row backend");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, b9_every_call_that_fails_is_noticed_before_anything_is_acknowledged);
    tcase_add_test(tcase, b9_a_full_disk_is_noticed_before_anything_is_acknowledged);
    tcase_add_test(tcase, b5_a_process_that_dies_at_any_call_leaves_nothing_that_counts);
    Suite *suite = suite_create("row_backend");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
