#include "model/checkpoint/shared_registry.h"

#include <signal.h>
#include <string.h>

#include "model/base/prng.h"
#include "tests/support/runner.h"

static struct arena arena;
static struct shared_registry *registry;

static void setup(void)
{
    arena_init(&arena);
    registry = shared_registry_create(&arena);
}

static void teardown(void)
{
    shared_registry_check(registry);
    shared_registry_destroy(registry);
    ck_assert_ptr_null(arena.blocks);
    arena_drop(&arena);
}

static void refer(uint64_t id, uint64_t creator, const char *name)
{
    shared_registry_refer(registry, id, creator, bytes_of_text(name));
    shared_registry_check(registry);
}

/* "1/a 3/c!": the files that nobody needs any more; `!` behind the last of a folder. */
static void assert_garbage(const struct shared_garbage *garbage, size_t count, const char *expected)
{
    struct buffer out;
    buffer_init(&out, &arena);
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(&out, "%s%llu/%s%s", i > 0 ? " " : "",
                             (unsigned long long)garbage[i].creator, garbage[i].name,
                             garbage[i].is_last ? "!" : "");
    }
    *buffer_extend(&out, 1) = '\0';
    ck_assert_str_eq((const char *)out.data, expected);
    buffer_free(&out);
    shared_registry_check(registry);
}

static void assert_released(uint64_t id, const char *expected)
{
    size_t count;
    const struct shared_garbage *garbage = shared_registry_release(registry, id, &count);
    assert_garbage(garbage, count, expected);
}

static void assert_confirmed(uint64_t id, const char *expected)
{
    size_t count;
    const struct shared_garbage *garbage = shared_registry_confirm(registry, id, &count);
    assert_garbage(garbage, count, expected);
}

START_TEST(i3_a_file_goes_with_the_last_checkpoint_that_refers_to_it)
{
    refer(1, 1, "a");
    refer(1, 1, "b");
    refer(2, 1, "a");
    refer(2, 2, "a");
    assert_released(1, "1/b");
    ck_assert(shared_registry_needs(registry, 1, bytes_of_text("a")));
    ck_assert(!shared_registry_needs(registry, 1, bytes_of_text("b")));
    ck_assert(!shared_registry_needs(registry, 3, bytes_of_text("a")));
    ck_assert(shared_registry_needs_folder(registry, 1));
    assert_released(2, "1/a! 2/a!");
    ck_assert(!shared_registry_needs_folder(registry, 1));
}
END_TEST

START_TEST(i2_a_pending_checkpoint_holds_the_files_of_its_base)
{
    refer(1, 1, "a");
    refer(1, 1, "b");
    shared_registry_pin(registry, 2, 1);
    shared_registry_pin(registry, 3, 1);
    assert_released(1, ""); /* subsumed while two checkpoints are taken on it */
    refer(2, 1, "a");
    refer(2, 2, "c");
    assert_confirmed(2, "");
    assert_released(3, "1/b"); /* aborted */
    assert_released(2, "1/a! 2/c!");
}
END_TEST

START_TEST(i2_a_confirmed_checkpoint_holds_its_own_parts_only)
{
    refer(1, 1, "a");
    refer(1, 1, "b");
    shared_registry_pin(registry, 2, 1);
    refer(2, 1, "b");
    assert_released(1, "");
    assert_confirmed(2, "1/a");
    assert_confirmed(2, "");
    assert_released(2, "1/b!");
}
END_TEST

START_TEST(what_is_referred_to_twice_counts_once)
{
    refer(4, 2, "a");
    refer(4, 2, "a");
    refer(4, 2, "ab");
    assert_released(4, "2/a 2/ab!");
}
END_TEST

START_TEST(an_unknown_checkpoint_refers_to_nothing)
{
    refer(1, 1, "a");
    assert_confirmed(7, "");
    assert_released(7, "");
    shared_registry_pin(registry, 9, 8);
    assert_released(9, "");
    assert_released(1, "1/a!");
}
END_TEST

START_TEST(garbage_comes_by_rising_creators_and_names)
{
    static const char *const names[] = { "b", "a", "c" };
    for (uint64_t creator = 12; creator > 8; creator--) {
        for (size_t i = 0; i < 3; i++) {
            refer(12, creator, names[i]);
        }
    }
    refer(13, 10, "b");
    assert_released(12, "9/a 9/b 9/c! 10/a 10/c 11/a 11/b 11/c! 12/a 12/b 12/c!");
    assert_released(13, "10/b!");
}
END_TEST

/* Random lives of checkpoints, against a plain table of who refers to what. */
enum { CHECKPOINTS = 150, SUBTASKS = 3, OPEN_MAX = 3, RETAINED = 2 };

struct life {
    bool own[CHECKPOINTS][SUBTASKS];    /* files that it refers to, by creator and subtask */
    bool pinned[CHECKPOINTS][SUBTASKS]; /* while it is pending */
    bool is_there;
    bool is_pending;
};

static struct life *lives;

static bool is_needed(uint64_t creator, uint32_t subtask)
{
    for (uint64_t id = 0; id < CHECKPOINTS; id++) {
        if (lives[id].is_there && (lives[id].own[creator][subtask] ||
                                   (lives[id].is_pending && lives[id].pinned[creator][subtask]))) {
            return true;
        }
    }
    return false;
}

/* All files that were there before and are not needed now, and no others, are garbage. */
static void compare(const struct shared_garbage *garbage, size_t count,
                    bool (*there)[CHECKPOINTS][SUBTASKS])
{
    size_t at = 0;
    for (uint64_t creator = 0; creator < CHECKPOINTS; creator++) {
        for (uint32_t i = 0; i < SUBTASKS; i++) {
            char name[] = { (char)('a' + i), '\0' };
            bool needed = is_needed(creator, i);
            if ((*there)[creator][i] && !needed) {
                ck_assert_uint_lt(at, count);
                ck_assert_uint_eq(garbage[at].creator, creator);
                ck_assert_str_eq(garbage[at].name, name);
                at++;
            }
            (*there)[creator][i] = needed;
            ck_assert(shared_registry_needs(registry, creator, bytes_of_text(name)) == needed);
        }
    }
    ck_assert_uint_eq(at, count);
}

static void begin(uint64_t id, uint64_t base)
{
    lives[id].is_there = true;
    lives[id].is_pending = true;
    memcpy(lives[id].pinned, lives[base].own, sizeof lives[id].pinned);
    shared_registry_pin(registry, id, base);
}

/* Acks of all subtasks: each keeps what its part of the base has, or writes all anew. */
static void ack(struct prng *prng, uint64_t id)
{
    for (uint32_t i = 0; i < SUBTASKS; i++) {
        char name[] = { (char)('a' + i), '\0' };
        bool keeps = !prng_chance(prng, 300000);
        for (uint64_t creator = 0; creator < id; creator++) {
            if (keeps && lives[id].pinned[creator][i]) {
                lives[id].own[creator][i] = true;
                shared_registry_refer(registry, id, creator, bytes_of_text(name));
            }
        }
        lives[id].own[id][i] = true;
        shared_registry_refer(registry, id, id, bytes_of_text(name));
    }
}

START_TEST(i2_i3_the_registry_agrees_with_a_plain_table_over_random_lives)
{
    struct prng prng = { .state = 11 };
    bool(*there)[CHECKPOINTS][SUBTASKS] = arena_alloc(&arena, 1, sizeof *there);
    lives = arena_alloc(&arena, CHECKPOINTS, sizeof *lives);
    uint64_t newest = 0; /* completed */
    uint64_t oldest = 1;
    for (uint64_t id = 1; id < CHECKPOINTS; id++) {
        size_t count;
        begin(id, newest);
        uint64_t done = id - prng_below(&prng, id < OPEN_MAX ? id : OPEN_MAX);
        if (!lives[done].is_pending) {
            continue;
        }
        ack(&prng, done);
        compare(NULL, 0, there);
        if (prng_chance(&prng, 300000) || done < newest) { /* aborted */
            lives[done].is_there = false;
            lives[done].is_pending = false;
            const struct shared_garbage *lost = shared_registry_release(registry, done, &count);
            compare(lost, count, there);
            continue;
        }
        lives[done].is_pending = false;
        newest = done;
        const struct shared_garbage *garbage = shared_registry_confirm(registry, done, &count);
        compare(garbage, count, there);
        for (; oldest + RETAINED <= newest; oldest++) { /* subsumed, or aborted as overtaken */
            lives[oldest].is_there = false;
            lives[oldest].is_pending = false;
            garbage = shared_registry_release(registry, oldest, &count);
            compare(garbage, count, there);
        }
        shared_registry_check(registry);
    }
    ck_assert_uint_gt(newest, CHECKPOINTS / 2);
    arena_free(&arena, lives);
    arena_free(&arena, there);
}
END_TEST

START_TEST(a_base_that_is_not_older_trips_a_check)
{
    shared_registry_pin(registry, 3, 3);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("shared_registry");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, i3_a_file_goes_with_the_last_checkpoint_that_refers_to_it);
    tcase_add_test(tcase, i2_a_pending_checkpoint_holds_the_files_of_its_base);
    tcase_add_test(tcase, i2_a_confirmed_checkpoint_holds_its_own_parts_only);
    tcase_add_test(tcase, what_is_referred_to_twice_counts_once);
    tcase_add_test(tcase, an_unknown_checkpoint_refers_to_nothing);
    tcase_add_test(tcase, garbage_comes_by_rising_creators_and_names);
    tcase_add_test(tcase, i2_i3_the_registry_agrees_with_a_plain_table_over_random_lives);
    tcase_add_test_raise_signal(tcase, a_base_that_is_not_older_trips_a_check, SIGABRT);
    Suite *suite = suite_create("shared_registry");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
