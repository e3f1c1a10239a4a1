/* What the state backends cost, a row for each and each number of keys: set_key + get + put of
 * 8-byte keys and values at random; snapshots and restores of all of them; what an incremental
 * snapshot writes for what has changed; maps and lists. Each is measured alone and with a changelog
 * around it ("heap+log"). SQLite's file lies on a simulated disk, in memory: so what is measured is
 * the backend, and not the disk of the machine.
 *
 * "Longest stop" is the longest time for which no record can be processed because of a snapshot: of
 * its beginning, of one of its steps, of its end, or of STOP_CHANGES changes while it is open, in
 * the best of some snapshots, since a system that has something else to do stops everybody.
 *
 * Ten million keys take a backend of rows some minutes: without numbers of keys they are left out
 * with a changelog around it, which adds little to what a million tell.
 * Usage: bench_state [BACKEND[+log]] [KEYS...] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/codec.h"
#include "model/base/prng.h"
#include "model/state/backend_create.h"
#include "tests/support/disk_host.h"
#include "tests/support/parts.h"

enum {
    KEY_GROUP_COUNT = 128,
    OPERATION_COUNT = 500000,
    FORESEEN_KEYS = 16,
    ROUND_COUNT = 20,
    NS_PER_S = 1000000000,
    ROUNDS_NS = NS_PER_S, /* after that long there is no further round */
    PARTS_MAX = 8,
    STEP_BYTES = 65536,
    MAP_ENTRIES = 1000,
    CHANGED_PER_CENT = 1,
    ENTRY_BYTES = 32, /* of a snapshot, about */
    STOP_CHANGES = 64,
    SNAPSHOT_COUNT = 2,         /* of which the best counts */
    ROWS_CHANGED_MAX = 1000000, /* while a snapshot of a backend of rows is open */
    LOGGED_ROWS_MAX = 1000000,  /* without numbers of keys */
};

static const uint64_t WHOLE_NS = UINT64_C(10) * NS_PER_S; /* ... no further whole snapshot */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A cheap stand-in for the key group: the bench measures the backend alone. */
static uint32_t group_of(uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 57);
}

static struct bytes bytes_of(const uint64_t *number)
{
    return (struct bytes){ .data = (const uint8_t *)number, .size = sizeof *number };
}

static void count_current(struct backend *backend, state_id state)
{
    struct bytes old = backend_get(backend, state);
    uint64_t value = old.data == NULL ? 1 : load_u64(old.data) + 1;
    backend_put(backend, state,
                (struct bytes){ .data = (const uint8_t *)&value, .size = sizeof value });
}

static void count(struct backend *backend, state_id state, uint64_t key)
{
    backend_set_key(backend, group_of(key), bytes_of(&key));
    count_current(backend, state);
}

struct bench {
    struct disk_host host; /* first */
    enum state_backend kind;
    bool changelog;
    uint32_t created_count;
    uint64_t key_count;
    uint64_t snapshot_count; /* their ids */
    struct backend *backend;
    state_id state;
};

static void take_snapshot(struct bench *bench, uint64_t base)
{
    struct buffer out;
    buffer_init(&out, &bench->host.arena);
    struct backend_snapshot *snapshot =
        backend_snapshot_begin(bench->backend, ++bench->snapshot_count, base);
    while (backend_snapshot_step(snapshot, &out, STEP_BYTES) != BACKEND_DONE) {
        buffer_reset(&out);
    }
    backend_snapshot_end(snapshot);
    buffer_free(&out);
}

/* Takes a whole snapshot and one that builds on it: as behind a job's first checkpoints, what
 * follows is logged for the next one, and what only older ones could ask for is gone. Returns the
 * id of the newest. */
static uint64_t begin_log(struct bench *bench)
{
    take_snapshot(bench, 0);
    take_snapshot(bench, bench->snapshot_count);
    return bench->snapshot_count;
}

/* Counts some random keys that are foreseen before. */
static void count_foreseen(struct bench *bench, struct prng *prng)
{
    uint64_t numbers[FORESEEN_KEYS];
    struct bytes bytes[FORESEEN_KEYS];
    struct backend_key keys[FORESEEN_KEYS];
    for (uint32_t i = 0; i < FORESEEN_KEYS; i++) {
        numbers[i] = prng_below(prng, bench->key_count);
        bytes[i] = bytes_of(&numbers[i]);
        keys[i].bytes = &bytes[i];
        keys[i].key_group = group_of(numbers[i]);
    }
    backend_foresee(bench->backend, keys, FORESEEN_KEYS);
    for (uint32_t i = 0; i < FORESEEN_KEYS; i++) {
        backend_set_foreseen(bench->backend, &keys[i]);
        count_current(bench->backend, bench->state);
    }
}

/* The time of one set_key + get + put, in tenths of a nanosecond; the best of some rounds. */
static uint64_t count_tenths_ns(struct bench *bench, bool is_foreseen)
{
    struct prng prng = { .state = 11 };
    uint64_t best_ns = UINT64_MAX;
    uint64_t begin_ns = now_ns();
    for (int round = 0; round < ROUND_COUNT && now_ns() - begin_ns < ROUNDS_NS; round++) {
        if (bench->changelog) {
            (void)begin_log(bench);
        }
        uint64_t start_ns = now_ns();
        for (uint32_t i = 0; i < OPERATION_COUNT; i += is_foreseen ? FORESEEN_KEYS : 1) {
            if (is_foreseen) {
                count_foreseen(bench, &prng);
            } else {
                count(bench->backend, bench->state, prng_below(&prng, bench->key_count));
            }
        }
        uint64_t took_ns = now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    return best_ns * 10 / OPERATION_COUNT;
}

static struct backend *create(struct bench *bench)
{
    char name[16];
    struct backend *backend = NULL;
    (void)snprintf(name, sizeof name, "%u", bench->created_count++);
    struct backend_options options = {
        .kind = bench->kind,
        .range = { .first = 0, .last = KEY_GROUP_COUNT - 1 },
        .parts_max = PARTS_MAX,
        .changelog = bench->changelog,
        .cache_bytes = 64 << 20,
        .directory = "backends",
        .name = arena_text(&bench->host.arena, name),
    };
    if (backend_create(&bench->host.host, &options, &backend) != STATUS_OK) {
        abort();
    }
    return backend;
}

static uint64_t rate_mb_s(uint64_t bytes, uint64_t took_ns)
{
    return took_ns == 0 ? 0 : bytes * 1000 / took_ns;
}

/* Writes snapshot `id` on `base`, a step at a time; `*stop_ns` is the longest of the calls. */
static uint64_t write_snapshot(struct backend_snapshot *snapshot, struct buffer *out,
                               uint64_t *stop_ns)
{
    uint64_t start_ns = now_ns();
    enum backend_step left;
    do {
        uint64_t step_ns = now_ns();
        left = backend_snapshot_step(snapshot, out, STEP_BYTES);
        step_ns = now_ns() - step_ns;
        *stop_ns = step_ns > *stop_ns ? step_ns : *stop_ns;
    } while (left != BACKEND_DONE);
    return now_ns() - start_ns;
}

static void end_snapshot(struct backend_snapshot *snapshot, uint64_t *stop_ns)
{
    uint64_t end_ns = now_ns();
    backend_snapshot_end(snapshot);
    end_ns = now_ns() - end_ns;
    *stop_ns = end_ns > *stop_ns ? end_ns : *stop_ns;
}

/* Changes every key whose number is a multiple of `step`; returns how many these are. `*stop_ns` is
 * raised to the longest time of STOP_CHANGES of them. */
static uint64_t count_all(struct bench *bench, uint64_t step, uint64_t *stop_ns)
{
    uint64_t start_ns = now_ns();
    uint64_t changes = 0;
    for (uint64_t key = 0; key < bench->key_count; key += step) {
        count(bench->backend, bench->state, key);
        if (++changes % STOP_CHANGES == 0) {
            uint64_t end_ns = now_ns();
            *stop_ns = end_ns - start_ns > *stop_ns ? end_ns - start_ns : *stop_ns;
            start_ns = end_ns;
        }
    }
    return changes;
}

/* Puts the keys; returns the time of one. */
static uint64_t fill_ns(struct bench *bench)
{
    uint64_t start_ns = now_ns();
    for (uint64_t key = 0; key < bench->key_count; key++) {
        count(bench->backend, bench->state, key);
    }
    return (now_ns() - start_ns) / bench->key_count;
}

static void bench_updates(struct bench *bench)
{
    uint64_t new_ns = fill_ns(bench);
    uint64_t plain = count_tenths_ns(bench, false);
    uint64_t foreseen = count_tenths_ns(bench, true);
    printf("%7s%-4s %8" PRIu64 " keys: update %" PRIu64 ".%" PRIu64 " ns, foreseen %" PRIu64
           ".%" PRIu64 " ns, new key %" PRIu64 " ns\n",
           state_backend_name(bench->kind), bench->changelog ? "+log" : "", bench->key_count,
           plain / 10, plain % 10, foreseen / 10, foreseen % 10, new_ns);
}

struct snapshot_times {
    uint64_t write_ns;
    uint64_t stop_ns;
    uint64_t change_ns;
};

/* Writes a whole snapshot; each key, or of many rows some, is changed once while it is open: the
 * dearest case. */
static struct snapshot_times write_whole(struct bench *bench, struct buffer *out)
{
    struct snapshot_times times;
    buffer_reset(out);
    uint64_t start_ns = now_ns();
    struct backend_snapshot *snapshot =
        backend_snapshot_begin(bench->backend, ++bench->snapshot_count, 0);
    times.stop_ns = now_ns() - start_ns;
    start_ns = now_ns();
    bool is_heap = bench->kind == STATE_BACKEND_HEAP;
    uint64_t step = is_heap ? 1 : 1 + (bench->key_count - 1) / ROWS_CHANGED_MAX;
    uint64_t changes = count_all(bench, step, &times.stop_ns);
    times.change_ns = (now_ns() - start_ns) / changes;
    times.write_ns = write_snapshot(snapshot, out, &times.stop_ns);
    end_snapshot(snapshot, &times.stop_ns);
    return times;
}

static void bench_whole(struct bench *bench, struct buffer *whole)
{
    /* Or the growth of the buffer, and the first touch of its pages, would count as a stop. */
    (void)memset(buffer_extend(whole, bench->key_count * ENTRY_BYTES), 0,
                 bench->key_count * ENTRY_BYTES);
    struct snapshot_times best = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
    uint64_t begin_ns = now_ns();
    for (int i = 0; i < SNAPSHOT_COUNT && now_ns() - begin_ns < WHOLE_NS; i++) {
        struct snapshot_times times = write_whole(bench, whole);
        best.write_ns = times.write_ns < best.write_ns ? times.write_ns : best.write_ns;
        best.stop_ns = times.stop_ns < best.stop_ns ? times.stop_ns : best.stop_ns;
        best.change_ns = times.change_ns < best.change_ns ? times.change_ns : best.change_ns;
    }
    struct backend *restored = create(bench);
    struct bytes bytes = buffer_bytes(whole);
    uint64_t restore_ns = now_ns();
    if (restore_parts(restored, bench->snapshot_count, &bytes, 1) != STATUS_OK) {
        abort();
    }
    restore_ns = now_ns() - restore_ns;
    backend_destroy(restored);
    printf("%24ssnapshot %" PRIu64 " MB/s, longest stop %" PRIu64 " us, change during it %" PRIu64
           " ns, restore %" PRIu64 " MB/s\n",
           "", rate_mb_s(whole->size, best.write_ns), best.stop_ns / 1000, best.change_ns,
           rate_mb_s(whole->size, restore_ns));
}

/* What a snapshot on a base costs, of a state in which CHANGED_PER_CENT have changed since. */
static void bench_increment(struct bench *bench, struct buffer *out)
{
    uint64_t stop_ns = 0;
    uint64_t base = begin_log(bench);
    uint64_t changes = count_all(bench, 100 / CHANGED_PER_CENT, &stop_ns);
    uint64_t changed = changes * 2 * sizeof(uint64_t);
    buffer_reset(out);
    uint64_t part_ns = now_ns();
    struct backend_snapshot *snapshot =
        backend_snapshot_begin(bench->backend, ++bench->snapshot_count, base);
    stop_ns = now_ns() - part_ns;
    (void)write_snapshot(snapshot, out, &stop_ns);
    part_ns = now_ns() - part_ns;
    end_snapshot(snapshot, &stop_ns);
    printf("%24sof %d%% changed: %" PRIu64 " bytes for %" PRIu64 " in %" PRIu64
           " us, longest stop %" PRIu64 " us\n",
           "", CHANGED_PER_CENT, (uint64_t)out->size, changed, part_ns / 1000, stop_ns / 1000);
}

/* A map and a list of 1000 for one key. */
static void bench_collections(struct bench *bench)
{
    struct state_descriptor map = { .name = "map",
                                    .kind = STATE_MAP,
                                    .value = { .name = "bytes" },
                                    .subkey = { .name = "bytes" } };
    struct state_descriptor list = { .name = "list",
                                     .kind = STATE_LIST,
                                     .value = { .name = "bytes" } };
    state_id map_id = backend_declare(bench->backend, &map);
    state_id list_id = backend_declare(bench->backend, &list);
    uint64_t zero = 0;
    backend_set_key(bench->backend, 0, bytes_of(&zero));
    uint64_t put_ns = now_ns();
    for (uint64_t i = 0; i < MAP_ENTRIES; i++) {
        uint64_t subkey = hash_mix(i);
        backend_set_subkey(bench->backend, bytes_of(&subkey));
        backend_put(bench->backend, map_id, bytes_of(&i));
    }
    put_ns = now_ns() - put_ns;
    struct backend_entry entry;
    uint64_t first_ns = now_ns();
    backend_iterate(bench->backend, map_id, SCOPE_MAP);
    while (backend_next(bench->backend, map_id, &entry)) {
    }
    first_ns = now_ns() - first_ns;
    uint64_t again_ns = now_ns();
    backend_iterate(bench->backend, map_id, SCOPE_MAP);
    while (backend_next(bench->backend, map_id, &entry)) {
    }
    again_ns = now_ns() - again_ns;
    uint64_t append_ns = now_ns();
    for (uint64_t i = 0; i < MAP_ENTRIES; i++) {
        backend_append(bench->backend, list_id, bytes_of(&i));
    }
    append_ns = now_ns() - append_ns;
    printf("%24smap put %" PRIu64 " ns, step of the first iteration %" PRIu64
           " ns, of others %" PRIu64 " ns; list append %" PRIu64 " ns\n",
           "", put_ns / MAP_ENTRIES, first_ns / MAP_ENTRIES, again_ns / MAP_ENTRIES,
           append_ns / MAP_ENTRIES);
}

static void bench(enum state_backend kind, bool changelog, uint64_t key_count)
{
    struct arena world;
    struct bench bench = { .kind = kind, .changelog = changelog, .key_count = key_count };
    arena_init(&world);
    disk_host_init(&bench.host, disk_create(&world), 0);
    if (backend_empty_directory(&bench.host.host, kind, "backends") != STATUS_OK) {
        abort();
    }
    bench.backend = create(&bench);
    bench.state = backend_declare_value(bench.backend, "count");
    bench_updates(&bench);
    struct buffer out;
    buffer_init(&out, &bench.host.arena);
    bench_whole(&bench, &out);
    bench_increment(&bench, &out);
    buffer_free(&out);
    bench_collections(&bench);
    (void)fflush(stdout);
    disk_host_free(&bench.host);
    arena_drop(&world);
}

/* Does `only`, a name as the rows have it, or NULL for all, want this one? */
static bool is_wanted(const char *only, enum state_backend kind, bool changelog)
{
    size_t size = strlen(state_backend_name(kind));
    return only == NULL || (strncmp(only, state_backend_name(kind), size) == 0 &&
                            strcmp(only + size, changelog ? "+log" : "") == 0);
}

static void bench_kinds(const char *only, uint64_t key_count, bool is_limited)
{
    for (enum state_backend kind = 0; kind < STATE_BACKEND_COUNT; kind++) {
        for (int changelog = 0; changelog < 2; changelog++) {
            bool is_long = changelog && kind != STATE_BACKEND_HEAP && key_count > LOGGED_ROWS_MAX;
            if (is_wanted(only, kind, changelog) && state_backend_is_built_in(kind) &&
                !(is_limited && is_long)) {
                bench(kind, changelog, key_count);
            }
        }
    }
}

static bool is_backend(const char *name)
{
    bool is_known = false;
    for (enum state_backend kind = 0; kind < STATE_BACKEND_COUNT; kind++) {
        is_known = is_known || is_wanted(name, kind, false) || is_wanted(name, kind, true);
    }
    return is_known;
}

int main(int argc, char **argv)
{
    static const uint64_t default_key_counts[] = { 1000, 1000000, 10000000 };
    int first = argc > 1 && is_backend(argv[1]) ? 2 : 1;
    const char *only = first == 2 ? argv[1] : NULL;
    for (int i = first; i < argc; i++) {
        uint64_t key_count = strtoull(argv[i], NULL, 10);
        if (key_count == 0) {
            fprintf(stderr, "usage: bench_state [BACKEND[+log]] [KEYS...]\n");
            return EXIT_FAILURE;
        }
        bench_kinds(only, key_count, false);
    }
    for (size_t i = 0; argc == first && i < sizeof default_key_counts / sizeof(uint64_t); i++) {
        bench_kinds(only, default_key_counts[i], true);
    }
    return EXIT_SUCCESS;
}
