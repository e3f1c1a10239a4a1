#include "model/stream/timer_service.h"

#include <signal.h>
#include <string.h>

#include "model/base/codec.h"
#include "model/base/prng.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

enum { MAX_PARALLELISM = 128 };

static struct arena arena;
static struct timer_service *service;

static const struct key_group_range everything = { 0, MAX_PARALLELISM - 1 };

static void setup(void)
{
    arena_init(&arena);
    service = timer_service_create(&arena, MAX_PARALLELISM, everything);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static struct timer timer_of(enum timer_kind kind, int64_t time_ms, int64_t number,
                             const char *name_space)
{
    struct timer timer = { .kind = kind,
                           .time_ms = time_ms,
                           .name_space = bytes_of_text(name_space) };
    struct key key;
    key_set_i64(&key, number);
    timer.key = key;
    timer.key.bytes = bytes_copy(&arena, key.bytes);
    return timer;
}

static bool add(enum timer_kind kind, int64_t time_ms, int64_t key, const char *name_space)
{
    struct timer timer = timer_of(kind, time_ms, key, name_space);
    return timer_service_add(service, &timer);
}

/* Pops a timer up to `limit_ms` and asserts which. */
static void pops(int64_t limit_ms, int64_t time_ms, int64_t key, const char *name_space)
{
    const struct timer *timer = timer_service_pop(service, TIMER_EVENT_TIME, limit_ms);
    ck_assert_ptr_nonnull(timer);
    ck_assert_int_eq(timer->time_ms, time_ms);
    ck_assert_int_eq((int64_t)load_u64(timer->key.bytes.data), key);
    ck_assert_int_eq(timer->key.hash, key_hash_i64(key));
    ck_assert(bytes_equal(timer->name_space, bytes_of_text(name_space)));
}

static void pops_none(int64_t limit_ms)
{
    ck_assert_ptr_null(timer_service_pop(service, TIMER_EVENT_TIME, limit_ms));
}

START_TEST(a_timer_fires_once_at_its_time)
{
    ck_assert(add(TIMER_EVENT_TIME, 10, 1, ""));
    pops_none(9);
    pops(10, 10, 1, "");
    pops_none(INT64_MAX);
    ck_assert_uint_eq(timer_service_count(service), 0);
}
END_TEST

/* M1. Of 0..5 the key groups are 94, 86, 127, 113, 7, 126. */
START_TEST(timers_fire_by_time_then_key_group_then_namespace)
{
    add(TIMER_EVENT_TIME, 20, 4, "");
    add(TIMER_EVENT_TIME, 10, 2, "");
    add(TIMER_EVENT_TIME, 10, 4, "b");
    add(TIMER_EVENT_TIME, 10, 0, "");
    add(TIMER_EVENT_TIME, 10, 4, "a");
    add(TIMER_EVENT_TIME, 10, 4, "ab");
    add(TIMER_EVENT_TIME, -5, 2, "");
    pops(50, -5, 2, "");
    pops(50, 10, 4, "a");
    pops(50, 10, 4, "ab");
    pops(50, 10, 4, "b");
    pops(50, 10, 0, "");
    pops(50, 10, 2, "");
    pops(50, 20, 4, "");
    pops_none(50);
}
END_TEST

START_TEST(the_same_timer_is_kept_once)
{
    ck_assert(add(TIMER_EVENT_TIME, 10, 1, "w"));
    ck_assert(!add(TIMER_EVENT_TIME, 10, 1, "w"));
    ck_assert(add(TIMER_EVENT_TIME, 10, 1, "v"));
    ck_assert(add(TIMER_EVENT_TIME, 11, 1, "w"));
    ck_assert(add(TIMER_EVENT_TIME, 10, 2, "w"));
    ck_assert(add(TIMER_PROCESSING_TIME, 10, 1, "w"));
    ck_assert_uint_eq(timer_service_count(service), 5);
}
END_TEST

START_TEST(a_deleted_timer_does_not_fire)
{
    add(TIMER_EVENT_TIME, 10, 1, "");
    add(TIMER_EVENT_TIME, 10, 2, "");
    struct timer timer = timer_of(TIMER_EVENT_TIME, 10, 1, "");
    ck_assert(timer_service_remove(service, &timer));
    ck_assert(!timer_service_remove(service, &timer));
    pops(10, 10, 2, "");
    pops_none(10);
}
END_TEST

/* M4 */
START_TEST(a_timer_that_fired_can_be_set_again)
{
    add(TIMER_EVENT_TIME, 10, 1, "");
    pops(10, 10, 1, "");
    ck_assert(add(TIMER_EVENT_TIME, 10, 1, ""));
    pops(10, 10, 1, "");
}
END_TEST

START_TEST(the_two_kinds_of_time_know_nothing_of_each_other)
{
    int64_t first_ms;
    add(TIMER_PROCESSING_TIME, 5, 1, "");
    pops_none(INT64_MAX);
    ck_assert(!timer_service_first_ms(service, TIMER_EVENT_TIME, &first_ms));
    ck_assert(timer_service_first_ms(service, TIMER_PROCESSING_TIME, &first_ms));
    ck_assert_int_eq(first_ms, 5);
}
END_TEST

/* Any order of adding, removing and firing, against a plain list. */
struct plain {
    int64_t time_ms;
    int64_t key;
};
enum { PLAIN_MAX = 400 };

static size_t earliest(const struct plain *list, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        uint32_t own = key_group_of(key_hash_i64(list[i].key), MAX_PARALLELISM);
        uint32_t other = key_group_of(key_hash_i64(list[best].key), MAX_PARALLELISM);
        bool is_earlier = list[i].time_ms != list[best].time_ms
                              ? list[i].time_ms < list[best].time_ms
                          : own != other ? own < other
                                         : list[i].key < list[best].key; /* below 256 */
        best = is_earlier ? i : best;
    }
    return best;
}

START_TEST(it_answers_as_a_plain_list_would)
{
    struct prng prng = { .state = 3 };
    struct plain list[PLAIN_MAX];
    size_t count = 0;
    uint64_t fired = 0;
    for (int i = 0; i < 20000; i++) {
        struct plain one = { .time_ms = (int64_t)prng_below(&prng, 50),
                             .key = (int64_t)prng_below(&prng, 30) };
        size_t at = 0;
        while (at < count && (list[at].time_ms != one.time_ms || list[at].key != one.key)) {
            at++;
        }
        struct timer timer = timer_of(TIMER_EVENT_TIME, one.time_ms, one.key, "n");
        switch (prng_below(&prng, 3)) {
        case 0:
            if (count < PLAIN_MAX) {
                ck_assert_int_eq(timer_service_add(service, &timer), at == count);
                list[count] = one;
                count += at == count;
            }
            break;
        case 1:
            ck_assert_int_eq(timer_service_remove(service, &timer), at < count);
            if (at < count) {
                list[at] = list[--count];
            }
            break;
        default:
            if (count > 0 && prng_below(&prng, 2) == 0) {
                size_t first = earliest(list, count);
                pops(INT64_MAX, list[first].time_ms, list[first].key, "n");
                list[first] = list[--count];
                fired++;
            }
        }
        arena_free(&arena, (void *)(uintptr_t)timer.key.bytes.data);
        ck_assert_uint_eq(timer_service_count(service), count);
        if (i % 100 == 0) {
            timer_service_check(service);
        }
    }
    ck_assert_uint_gt(fired, 1000);
}
END_TEST

/* ---- timers in the backend ------------------------------------------------------------------- */

static struct operator_context context_of(uint32_t subtask, uint32_t parallelism)
{
    static struct host host;
    host.arena = &arena;
    struct operator_context context = { .host = &host,
                                        .subtask = subtask,
                                        .parallelism = parallelism,
                                        .max_parallelism = MAX_PARALLELISM,
                                        .wake_ns = WAKE_NEVER };
    context.backend =
        backend_heap_create(&arena, key_group_range_of(subtask, MAX_PARALLELISM, parallelism), 1);
    timers_open(&context);
    return context;
}

static struct bytes snapshot_of(struct backend *backend)
{
    struct buffer *out = arena_alloc(&arena, 1, sizeof *out);
    buffer_init(out, &arena);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 1, 0);
    while (backend_snapshot_step(snapshot, out, 1 << 20) != BACKEND_DONE) {
    }
    backend_snapshot_end(snapshot);
    return buffer_bytes(out);
}

/* For `key`, if it belongs to the subtask, timers at key and key + 1; that at key + 1 is deleted.
 */
static void set_timers(struct operator_context *context, int64_t number)
{
    struct key key;
    key_set_i64(&key, number);
    context->key = &key;
    uint32_t group = operator_key_group(context);
    if (key_group_subtask(group, MAX_PARALLELISM, context->parallelism) == context->subtask) {
        backend_set_key(context->backend, group, key.bytes);
        timers_register(context, TIMER_PROCESSING_TIME, number, bytes_of_text("n"));
        timers_register(context, TIMER_PROCESSING_TIME, number + 1, bytes_of_text("n"));
        timers_delete(context, TIMER_PROCESSING_TIME, number + 1, bytes_of_text("n"));
    }
    context->key = NULL;
}

START_TEST(timers_follow_their_key_groups_to_another_parallelism)
{
    enum { OLD = 2, NEW = 3, KEYS = 200 };
    struct bytes snapshots[OLD];
    for (uint32_t i = 0; i < OLD; i++) {
        struct operator_context context = context_of(i, OLD);
        for (int64_t key = 0; key < KEYS; key++) {
            set_timers(&context, key);
        }
        snapshots[i] = snapshot_of(context.backend);
    }
    bool seen[KEYS] = { false };
    for (uint32_t i = 0; i < NEW; i++) {
        struct operator_context context = context_of(i, NEW);
        for (uint32_t k = 0; k < OLD; k++) {
            ck_assert_int_eq(restore_parts(context.backend, 1, &snapshots[k], 1), STATUS_OK);
        }
        ck_assert_int_eq(timers_restore(&context), STATUS_OK);
        timer_service_check(context.timers);
        ck_assert_uint_lt(context.wake_ns, UINT64_C(50) * 1000000); /* M3 */
        const struct timer *timer;
        while ((timer = timer_service_pop(context.timers, TIMER_PROCESSING_TIME, INT64_MAX)) !=
               NULL) {
            int64_t key = (int64_t)load_u64(timer->key.bytes.data);
            uint32_t group = key_group_of(timer->key.hash, MAX_PARALLELISM);
            ck_assert_int_eq(timer->time_ms, key);
            ck_assert(bytes_equal(timer->name_space, bytes_of_text("n")));
            ck_assert_uint_eq(key_group_subtask(group, MAX_PARALLELISM, NEW), i);
            ck_assert(!seen[key]);
            seen[key] = true;
        }
    }
    for (int64_t key = 0; key < KEYS; key++) {
        ck_assert(seen[key]);
    }
}
END_TEST

/* M2 */
START_TEST(a_processing_timer_wants_to_be_called_when_its_millisecond_is_over)
{
    struct operator_context context = context_of(0, 1);
    set_timers(&context, 7);
    ck_assert_uint_eq(context.wake_ns, 8 * 1000000);
    set_timers(&context, 3);
    ck_assert_uint_eq(context.wake_ns, 4 * 1000000);
}
END_TEST

START_TEST(a_timer_without_a_key_trips_a_check)
{
    struct operator_context context = context_of(0, 1);
    timers_register(&context, TIMER_EVENT_TIME, 1, bytes_of_text(""));
}
END_TEST

START_TEST(a_timer_of_another_subtasks_key_trips_a_check)
{
    struct key_group_range none = { 0, 0 };
    service = timer_service_create(&arena, MAX_PARALLELISM, none);
    (void)add(TIMER_EVENT_TIME, 1, 1, "");
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("timer_service");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_timer_fires_once_at_its_time);
    tcase_add_test(tcase, timers_fire_by_time_then_key_group_then_namespace);
    tcase_add_test(tcase, the_same_timer_is_kept_once);
    tcase_add_test(tcase, a_deleted_timer_does_not_fire);
    tcase_add_test(tcase, a_timer_that_fired_can_be_set_again);
    tcase_add_test(tcase, the_two_kinds_of_time_know_nothing_of_each_other);
    tcase_add_test(tcase, it_answers_as_a_plain_list_would);
    tcase_add_test(tcase, timers_follow_their_key_groups_to_another_parallelism);
    tcase_add_test(tcase, a_processing_timer_wants_to_be_called_when_its_millisecond_is_over);
    tcase_add_test_raise_signal(tcase, a_timer_without_a_key_trips_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_timer_of_another_subtasks_key_trips_a_check, SIGABRT);
    Suite *suite = suite_create("timer_service");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
