#include "sim/world/event_queue.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/prng.h"
#include "tests/support/runner.h"

enum {
    PENDING_MAX = 6000,
    CHECK_EVERY = 256, /* a full check visits every event, so it is not made after each step */
    ROUNDS = 24
};

/* The plain reference: every pending event in an array that is always in the order of Q1. */
struct reference {
    struct event events[PENDING_MAX];
    uint32_t first;
    uint32_t end;
};

/* A queue and its reference, fed the same events. The number of an event is its place in the order
 * of the pushes, so that a swap of two equal times shows. */
struct pair {
    struct event_queue *queue;
    struct reference reference;
    uint64_t now_ns;
    uint32_t pushed_count;
};

static struct pair *pair_create(void)
{
    struct pair *pair = calloc(1, sizeof *pair);
    CHECK(pair != NULL);
    pair->queue = event_queue_create();
    return pair;
}

static void pair_destroy(struct pair *pair)
{
    event_queue_destroy(pair->queue);
    free(pair);
}

static uint32_t pair_size(const struct pair *pair)
{
    return pair->reference.end - pair->reference.first;
}

static void reference_push(struct reference *reference, struct event event)
{
    size_t event_size = sizeof event;
    if (reference->end == PENDING_MAX) {
        uint32_t count = reference->end - reference->first;
        CHECK(count < PENDING_MAX);
        memmove(reference->events, reference->events + reference->first, count * event_size);
        reference->first = 0;
        reference->end = count;
    }
    uint32_t low = reference->first;
    uint32_t high = reference->end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reference->events[middle].due_ns <= event.due_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct event *slot = &reference->events[low];
    memmove(slot + 1, slot, (reference->end - low) * event_size);
    *slot = event;
    reference->end++;
}

/* Compared before it is asserted: an assertion of the test library costs more than a push. */
static void expect_clock_and_size(const struct pair *pair)
{
    if (event_queue_now_ns(pair->queue) != pair->now_ns) {
        ck_assert_uint_eq(event_queue_now_ns(pair->queue), pair->now_ns);
    }
    if (event_queue_size(pair->queue) != pair_size(pair)) {
        ck_assert_uint_eq(event_queue_size(pair->queue), pair_size(pair));
    }
}

static void expect_same(const struct event *event, const struct event *expected)
{
    if (event->due_ns != expected->due_ns || event->number != expected->number) {
        ck_assert_uint_eq(event->due_ns, expected->due_ns);
        ck_assert_uint_eq(event->number, expected->number);
    }
    if (event->kind != expected->kind || event->subject != expected->subject) {
        ck_assert_uint_eq(event->kind, expected->kind);
        ck_assert_ptr_eq(event->subject, expected->subject);
    }
}

static void pair_push(struct pair *pair, uint64_t due_ns)
{
    struct event event = { .due_ns = due_ns,
                           .kind = pair->pushed_count % 7,
                           .number = pair->pushed_count,
                           .subject = &pair->reference.events[pair->pushed_count % 5] };
    pair->pushed_count++;
    reference_push(&pair->reference, event);
    event_queue_push(pair->queue, event);
    expect_clock_and_size(pair);
}

static void pair_pop(struct pair *pair)
{
    struct event event = { .due_ns = 1 };
    bool is_popped = event_queue_pop(pair->queue, &event);
    if (is_popped != (pair_size(pair) > 0)) {
        ck_abort_msg("a pop said %d with %u pending", is_popped, pair_size(pair));
    }
    if (is_popped) {
        expect_same(&event, &pair->reference.events[pair->reference.first++]);
        pair->now_ns = event.due_ns;
    }
    expect_clock_and_size(pair);
}

static void pair_drain(struct pair *pair)
{
    while (pair_size(pair) > 0) {
        pair_pop(pair);
    }
    pair_pop(pair);
    event_queue_check(pair->queue);
}

static uint64_t delay_zero(struct prng *prng)
{
    return prng_below(prng, 1);
}

static uint64_t delay_tied(struct prng *prng)
{
    return prng_below(prng, 3);
}

static uint64_t delay_near(struct prng *prng)
{
    return prng_below(prng, 300000);
}

static uint64_t delay_second(struct prng *prng)
{
    return prng_below(prng, UINT64_C(1000000000));
}

static uint64_t delay_constant(struct prng *prng)
{
    return UINT64_C(500000) << prng_below(prng, 11);
}

static uint64_t delay_any_scale(struct prng *prng)
{
    return prng_next(prng) >> prng_between(prng, 8, 63);
}

static uint64_t delay_far(struct prng *prng)
{
    return UINT64_MAX / 2 - prng_below(prng, 2) * prng_below(prng, 1000);
}

typedef uint64_t delay_draw(struct prng *prng);

static delay_draw *const delays[] = { delay_zero,     delay_tied,      delay_near, delay_second,
                                      delay_constant, delay_any_scale, delay_far };

enum { DELAY_COUNT = sizeof delays / sizeof delays[0] };

/* One round has one mix of pushes and pops, so that over the rounds the queue fills and drains. */
static void random_round(struct pair *pair, struct prng *prng)
{
    delay_draw *draw = delays[prng_below(prng, DELAY_COUNT)];
    uint32_t push_ppm = (uint32_t)prng_below(prng, 1000000);
    uint64_t step_count = prng_below(prng, 2000);
    for (uint64_t i = 0; i < step_count; i++) {
        bool is_mixed = prng_chance(prng, 50000);
        uint64_t delay_ns = (is_mixed ? delays[prng_below(prng, DELAY_COUNT)] : draw)(prng);
        bool is_room = pair_size(pair) < PENDING_MAX - 1;
        if (prng_chance(prng, push_ppm) && is_room && delay_ns < UINT64_MAX - pair->now_ns) {
            pair_push(pair, pair->now_ns + delay_ns);
        } else {
            pair_pop(pair);
        }
        if (i % CHECK_EVERY == 0) {
            event_queue_check(pair->queue);
        }
    }
    event_queue_check(pair->queue);
}

START_TEST(random_operations_give_the_order_of_a_sorted_array)
{
    struct prng prng = { .state = (uint64_t)_i };
    struct pair *pair = pair_create();
    for (int round = 0; round < ROUNDS; round++) {
        random_round(pair, &prng);
        if (prng_chance(&prng, 200000)) {
            pair_drain(pair);
        }
    }
    pair_drain(pair);
    pair_destroy(pair);
}
END_TEST

/* The same with one kind of delay at a steady size: each kind meets each size class. */
START_TEST(a_steady_size_gives_the_order_of_a_sorted_array)
{
    static const uint32_t sizes[] = { 1, 2, 28, 29, 40, 41, 100, 1000, 3000 };
    delay_draw *draw = delays[_i];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct prng prng = { .state = i };
        struct pair *pair = pair_create();
        while (pair_size(pair) < sizes[i]) {
            pair_push(pair, draw(&prng));
        }
        for (int hold = 0; hold < 2000; hold++) {
            uint64_t delay_ns = draw(&prng);
            pair_pop(pair);
            pair_push(pair, pair->now_ns + delay_ns % (UINT64_MAX - pair->now_ns));
        }
        event_queue_check(pair->queue);
        pair_drain(pair);
        pair_destroy(pair);
    }
}
END_TEST

START_TEST(equal_times_come_out_first_in_first_out)
{
    struct pair *pair = pair_create();
    for (int i = 0; i < 1000; i++) {
        pair_push(pair, 77);
        pair_push(pair, 99);
    }
    for (int i = 0; i < 500; i++) {
        pair_pop(pair);
        pair_push(pair, 77);
    }
    pair_drain(pair);
    ck_assert_uint_eq(event_queue_now_ns(pair->queue), 99);
    pair_destroy(pair);
}
END_TEST

/* A million events within 300 microseconds, and a delayed answer to some of them: too many for the
 * sorted array, so the order is checked by itself. */
START_TEST(a_burst_of_a_million_comes_out_in_order)
{
    enum { BURST = 1000000 };
    struct prng prng = { .state = 5 };
    struct event_queue *queue = event_queue_create();
    for (uint32_t i = 0; i < BURST; i++) {
        uint64_t due_ns = 1000000000 + prng_below(&prng, 300000);
        event_queue_push(queue, (struct event){ .due_ns = due_ns, .number = i });
    }
    ck_assert_uint_eq(event_queue_size(queue), BURST);
    event_queue_check(queue);
    struct event last = { .due_ns = 0 };
    struct event event;
    uint32_t count = 0;
    for (uint32_t number = BURST; event_queue_pop(queue, &event); count++) {
        if (last.due_ns > event.due_ns ||
            (last.due_ns == event.due_ns && last.number >= event.number && count > 0)) {
            ck_abort_msg("event %u came after event %u", event.number, last.number);
        }
        last = event;
        if (event.number % 8 == 0 && event.number < BURST) {
            uint64_t due_ns = event.due_ns + prng_below(&prng, 20);
            event_queue_push(queue, (struct event){ .due_ns = due_ns, .number = number++ });
        }
    }
    ck_assert_uint_eq(count, BURST + BURST / 8);
    event_queue_check(queue);
    event_queue_destroy(queue);
}
END_TEST

START_TEST(a_drained_queue_is_refilled_after_a_long_gap)
{
    struct pair *pair = pair_create();
    for (uint64_t gap_ns = 1; gap_ns < UINT64_MAX / 4; gap_ns *= 3) {
        uint32_t count = (uint32_t)(gap_ns % 300) + 1;
        for (uint32_t i = 0; i < count; i++) {
            pair_push(pair, pair->now_ns + gap_ns / 2 + i % 5);
        }
        pair_drain(pair);
    }
    pair_destroy(pair);
}
END_TEST

START_TEST(the_last_time_of_all_can_be_used)
{
    struct pair *pair = pair_create();
    for (int i = 0; i < 100; i++) {
        pair_push(pair, UINT64_MAX - 1);
        pair_push(pair, UINT64_MAX - 2);
        pair_push(pair, UINT64_MAX / 2);
        pair_push(pair, 0);
    }
    for (int i = 0; i < 250; i++) {
        pair_pop(pair);
    }
    pair_push(pair, UINT64_MAX - 1);
    pair_drain(pair);
    ck_assert_uint_eq(event_queue_now_ns(pair->queue), UINT64_MAX - 1);
    pair_destroy(pair);
}
END_TEST

START_TEST(an_empty_queue_pops_nothing_and_keeps_the_clock)
{
    struct pair *pair = pair_create();
    pair_pop(pair);
    pair_push(pair, 12);
    pair_drain(pair);
    ck_assert_uint_eq(event_queue_now_ns(pair->queue), 12);
    pair_destroy(pair);
    event_queue_destroy(NULL);
}
END_TEST

START_TEST(pending_events_are_freed_with_the_queue)
{
    struct event_queue *queue = event_queue_create();
    for (uint64_t i = 0; i < 10000; i++) {
        event_queue_push(queue, (struct event){ .due_ns = i * i });
    }
    event_queue_check(queue);
    event_queue_destroy(queue);
}
END_TEST

START_TEST(a_push_before_the_clock_aborts)
{
    struct event_queue *queue = event_queue_create();
    struct event event;
    event_queue_push(queue, (struct event){ .due_ns = 10 });
    ck_assert(event_queue_pop(queue, &event));
    event_queue_push(queue, (struct event){ .due_ns = 9 });
}
END_TEST

START_TEST(a_push_at_never_aborts)
{
    struct event_queue *queue = event_queue_create();
    event_queue_push(queue, (struct event){ .due_ns = UINT64_MAX });
}
END_TEST

static Suite *event_queue_suite(void)
{
    Suite *suite = suite_create("event_queue");
    TCase *tcase = tcase_create("event_queue");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, random_operations_give_the_order_of_a_sorted_array, 0, 20);
    tcase_add_loop_test(tcase, a_steady_size_gives_the_order_of_a_sorted_array, 0, DELAY_COUNT);
    tcase_add_test(tcase, equal_times_come_out_first_in_first_out);
    tcase_add_test(tcase, a_burst_of_a_million_comes_out_in_order);
    tcase_add_test(tcase, a_drained_queue_is_refilled_after_a_long_gap);
    tcase_add_test(tcase, the_last_time_of_all_can_be_used);
    tcase_add_test(tcase, an_empty_queue_pops_nothing_and_keeps_the_clock);
    tcase_add_test(tcase, pending_events_are_freed_with_the_queue);
    tcase_add_test_raise_signal(tcase, a_push_before_the_clock_aborts, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_push_at_never_aborts, SIGABRT);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(event_queue_suite());
}
