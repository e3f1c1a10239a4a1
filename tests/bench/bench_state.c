/* What a state backend's calls cost: set_key + get + put of 8-byte keys and values at random, and
 * the snapshot and restore of all of it. Usage: bench_state [KEYS...] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/base/codec.h"
#include "model/base/prng.h"
#include "model/state/backend.h"

enum { KEY_GROUP_COUNT = 128, OPERATION_COUNT = 500000, ROUND_COUNT = 20 };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
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

static void count(struct backend *backend, state_id state, uint64_t key)
{
    backend_set_key(backend, group_of(key), bytes_of(&key));
    struct bytes old = backend_get(backend, state);
    uint64_t value = old.data == NULL ? 1 : load_u64(old.data) + 1;
    backend_put(backend, state,
                (struct bytes){ .data = (const uint8_t *)&value, .size = sizeof value });
}

/* The time of one set_key + get + put, in tenths of a nanosecond; the best of some rounds. With a
 * hint, each key is named that many operations before its turn. */
static uint64_t count_tenths_ns(struct backend *backend, state_id state, uint64_t key_count,
                                uint32_t hint_ahead)
{
    struct prng keys = { .state = 11 };
    struct prng hints = keys;
    for (uint32_t i = 0; i < hint_ahead; i++) {
        (void)prng_below(&hints, key_count);
    }
    uint64_t best_ns = UINT64_MAX;
    for (int round = 0; round < ROUND_COUNT; round++) {
        uint64_t start_ns = now_ns();
        for (uint32_t i = 0; i < OPERATION_COUNT; i++) {
            if (hint_ahead > 0) {
                uint64_t hint = prng_below(&hints, key_count);
                backend_prefetch(backend, group_of(hint), bytes_of(&hint));
            }
            count(backend, state, prng_below(&keys, key_count));
        }
        uint64_t took_ns = now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    return best_ns * 10 / OPERATION_COUNT;
}

static void bench(uint64_t key_count)
{
    struct arena arena;
    arena_init(&arena);
    struct key_group_range range = { .first = 0, .last = KEY_GROUP_COUNT - 1 };
    struct backend *backend = backend_heap_create(&arena, range);
    state_id state = backend_declare(backend, "count");
    uint64_t start_ns = now_ns();
    for (uint64_t key = 0; key < key_count; key++) {
        count(backend, state, key);
    }
    uint64_t fill_ns = (now_ns() - start_ns) / key_count;
    uint64_t count_tenths = count_tenths_ns(backend, state, key_count, 0);
    uint64_t hinted_tenths = count_tenths_ns(backend, state, key_count, 8);

    struct buffer out;
    buffer_init(&out, &arena);
    start_ns = now_ns();
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend);
    uint64_t begin_ns = now_ns() - start_ns;
    /* Each key is changed once while the snapshot is open: the dearest case. */
    start_ns = now_ns();
    for (uint64_t key = 0; key < key_count; key++) {
        count(backend, state, key);
    }
    uint64_t preserve_ns = (now_ns() - start_ns) / key_count;
    start_ns = now_ns();
    while (backend_snapshot_step(snapshot, &out, 65536)) {
    }
    uint64_t write_ns = (now_ns() - start_ns) / key_count;
    backend_snapshot_end(snapshot);

    start_ns = now_ns();
    struct backend *restored = backend_heap_create(&arena, range);
    if (backend_restore(restored, buffer_bytes(&out)) != STATUS_OK) {
        abort();
    }
    uint64_t restore_ns = (now_ns() - start_ns) / key_count;
    printf("%9" PRIu64 " keys: set_key+get+put %" PRIu64 ".%" PRIu64 " ns, with prefetch %" PRIu64
           ".%" PRIu64 " ns; new key %" PRIu64 " ns; snapshot begin %" PRIu64
           " ns, first change %" PRIu64 " ns, write %" PRIu64 " ns/key; restore %" PRIu64
           " ns/key\n",
           key_count, count_tenths / 10, count_tenths % 10, hinted_tenths / 10, hinted_tenths % 10,
           fill_ns, begin_ns, preserve_ns, write_ns, restore_ns);
    backend_destroy(restored);
    backend_destroy(backend);
    arena_drop(&arena);
}

int main(int argc, char **argv)
{
    static const uint64_t default_key_counts[] = { 100, 10000, 100000, 1000000 };
    for (int i = 1; i < argc; i++) {
        uint64_t key_count = strtoull(argv[i], NULL, 10);
        if (key_count == 0) {
            fprintf(stderr, "usage: bench_state [KEYS...]\n");
            return EXIT_FAILURE;
        }
        bench(key_count);
    }
    for (size_t i = 0; argc == 1 && i < sizeof default_key_counts / sizeof(uint64_t); i++) {
        bench(default_key_counts[i]);
    }
    return EXIT_SUCCESS;
}
