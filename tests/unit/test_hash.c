#include "model/base/hash.h"

#include <signal.h>
#include <string.h>

#include "model/base/prng.h"
#include "sim/world/random.h"
#include "tests/support/runner.h"

enum { INPUT_BYTES = 5000 };

static struct arena arena;
static uint8_t input[INPUT_BYTES];

static void setup(void)
{
    arena_init(&arena);
    struct prng prng = { .state = 3 };
    for (size_t i = 0; i < sizeof input; i++) {
        input[i] = (uint8_t)prng_next(&prng);
    }
}

static void teardown(void)
{
    arena_drop(&arena);
}

/* The hash of the first `size` bytes, given in pieces of `piece` bytes; 0: of random sizes. */
static uint64_t hash_in_pieces(size_t size, size_t piece, struct prng *prng)
{
    struct hash_stream stream;
    hash_stream_init(&stream, &arena);
    for (size_t at = 0; at < size;) {
        size_t step = piece != 0 ? piece : prng_below(prng, 700);
        step = step < size - at ? step : size - at;
        hash_stream_add(&stream, (struct bytes){ input + at, step });
        at += step;
    }
    return hash_stream_finish(&stream);
}

START_TEST(the_hash_is_xxh3)
{
    ck_assert_uint_eq(hash_bytes((struct bytes){ 0 }), UINT64_C(0x2d06800538d394c2));
    ck_assert_uint_eq(hash_bytes(bytes_of_text("")), UINT64_C(0x2d06800538d394c2));
}
END_TEST

START_TEST(a_stream_gives_the_same_hash_for_pieces_of_any_size)
{
    static const size_t sizes[] = {
        0, 1, 3, 8, 16, 17, 128, 129, 240, 241, 1024, 1025, INPUT_BYTES
    };
    static const size_t pieces[] = { 1, 2, 7, 64, 255, 256, 257, 1024, 0, 0, 0 };
    struct prng prng = { .state = 4 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t expected = hash_bytes((struct bytes){ input, sizes[i] });
        for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
            ck_assert_uint_eq(hash_in_pieces(sizes[i], pieces[j], &prng), expected);
        }
    }
}
END_TEST

START_TEST(a_finished_stream_leaves_nothing_behind)
{
    struct hash_stream stream;
    hash_stream_init(&stream, &arena);
    hash_stream_add(&stream, bytes_of_text("x"));
    (void)hash_stream_finish(&stream);
    ck_assert_ptr_null(arena.blocks);
}
END_TEST

START_TEST(every_single_bit_changes_the_hash)
{
    uint64_t expected = hash_bytes((struct bytes){ input, 1000 });
    for (size_t bit = 0; bit < 8 * 1000; bit++) {
        input[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_uint_ne(hash_bytes((struct bytes){ input, 1000 }), expected);
        input[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

/* Published first outputs of SplitMix64. */
START_TEST(the_generator_is_splitmix64)
{
    struct prng zero = { .state = 0 };
    ck_assert_uint_eq(prng_next(&zero), UINT64_C(0xe220a8397b1dcdaf));
    struct prng prng = { .state = 1234567 };
    ck_assert_uint_eq(prng_next(&prng), UINT64_C(6457827717110365317));
    ck_assert_uint_eq(prng_next(&prng), UINT64_C(3203168211198807973));
    ck_assert_uint_eq(prng_next(&prng), UINT64_C(9817491932198370423));
}
END_TEST

START_TEST(draws_below_a_bound_are_below_it_and_reach_every_value)
{
    struct prng prng = { .state = 5 };
    for (uint64_t bound = 1; bound <= 20; bound++) {
        uint64_t seen = 0;
        for (int i = 0; i < 2000; i++) {
            uint64_t value = prng_below(&prng, bound);
            ck_assert_uint_lt(value, bound);
            seen |= UINT64_C(1) << value;
        }
        ck_assert_uint_eq(seen, (UINT64_C(1) << bound) - 1);
    }
    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_lt(prng_below(&prng, UINT64_MAX), UINT64_MAX);
    }
}
END_TEST

START_TEST(draws_between_two_bounds_include_both)
{
    struct prng prng = { .state = 6 };
    bool low = false;
    bool high = false;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = prng_between(&prng, 100, 104);
        ck_assert_uint_ge(value, 100);
        ck_assert_uint_le(value, 104);
        low = low || value == 100;
        high = high || value == 104;
    }
    ck_assert(low && high);
    ck_assert_uint_eq(prng_between(&prng, 7, 7), 7);
    ck_assert_uint_eq(prng_between(&prng, UINT64_MAX, UINT64_MAX), UINT64_MAX);
    uint64_t all = 0;
    for (int i = 0; i < 1000; i++) {
        all |= prng_between(&prng, 0, UINT64_MAX); /* the whole range has no size in 64 bits */
    }
    ck_assert_uint_eq(all, UINT64_MAX);
}
END_TEST

START_TEST(a_chance_is_taken_as_often_as_it_says)
{
    struct prng prng = { .state = 7 };
    int taken = 0;
    for (int i = 0; i < 100000; i++) {
        ck_assert(!prng_chance(&prng, 0));
        ck_assert(prng_chance(&prng, 1000000));
        taken += prng_chance(&prng, 250000);
    }
    ck_assert_int_gt(taken, 24500); /* 25000 and 3.6 standard deviations */
    ck_assert_int_lt(taken, 25500);
}
END_TEST

START_TEST(streams_of_other_names_indices_and_seeds_differ)
{
    struct prng streams[] = {
        random_stream(1, "disk"),        random_stream(1, "network"),
        random_stream(2, "disk"),        random_stream_of(1, "actor", 0),
        random_stream_of(1, "actor", 1), random_stream_of(2, "actor", 0),
    };
    size_t count = sizeof streams / sizeof *streams;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            ck_assert_uint_ne(streams[i].state, streams[j].state);
        }
    }
    ck_assert_uint_eq(random_stream(1, "disk").state, streams[0].state);
}
END_TEST

START_TEST(a_draw_below_zero_trips_a_check)
{
    struct prng prng = { .state = 8 };
    (void)prng_below(&prng, 0);
}
END_TEST

START_TEST(a_range_upside_down_trips_a_check)
{
    struct prng prng = { .state = 9 };
    (void)prng_between(&prng, 2, 1);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("hash");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_hash_is_xxh3);
    tcase_add_test(tcase, a_stream_gives_the_same_hash_for_pieces_of_any_size);
    tcase_add_test(tcase, a_finished_stream_leaves_nothing_behind);
    tcase_add_test(tcase, every_single_bit_changes_the_hash);
    tcase_add_test(tcase, the_generator_is_splitmix64);
    tcase_add_test(tcase, draws_below_a_bound_are_below_it_and_reach_every_value);
    tcase_add_test(tcase, draws_between_two_bounds_include_both);
    tcase_add_test(tcase, a_chance_is_taken_as_often_as_it_says);
    tcase_add_test(tcase, streams_of_other_names_indices_and_seeds_differ);
    tcase_add_test_raise_signal(tcase, a_draw_below_zero_trips_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_range_upside_down_trips_a_check, SIGABRT);
    Suite *suite = suite_create("hash");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
