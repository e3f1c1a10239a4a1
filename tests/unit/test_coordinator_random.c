#include "model/checkpoint/coordinator.h"

#include <check.h>
#include <stdlib.h>

#include "model/base/prng.h"
#include "tests/support/coordinator_play.h"
#include "tests/support/runner.h"

/* What the rules promise, whatever happens: kept by a plain observer of events and actions. */
enum { RANDOM_TASKS = 4, RANDOM_IDS = 2000 };

struct observer {
    uint64_t last_triggered;
    uint64_t last_completed;
    uint32_t pending_count;
    uint32_t failures;
    bool pending[RANDOM_IDS];
    bool open_commit[RANDOM_IDS];
    uint8_t acked[RANDOM_IDS]; /* tasks that acked, or finished */
    uint8_t finished;
    bool failing;
    uint32_t kept_count;
};

static void observe_end(struct observer *observer, uint64_t id)
{
    ck_assert(observer->pending[id]);
    observer->pending[id] = false;
    observer->open_commit[id] = false;
    observer->pending_count--;
}

static void observe(struct observer *observer, const struct coordinator_options *options,
                    const struct coordinator_action *action)
{
    uint64_t id = action->id;
    ck_assert_uint_lt(id, RANDOM_IDS);
    switch (action->kind) {
    case COORDINATOR_TRIGGER:
        ck_assert_uint_eq(id, observer->last_triggered + 1);
        ck_assert(!observer->failing);
        ck_assert_uint_ne(observer->finished, (1u << RANDOM_TASKS) - 1);
        observer->last_triggered = id;
        observer->pending[id] = true;
        observer->acked[id] = observer->finished;
        ck_assert_uint_le(++observer->pending_count, options->max_concurrent);
        break;
    case COORDINATOR_COMMIT:
        ck_assert(observer->pending[id]);
        ck_assert_uint_eq(observer->acked[id], (1u << RANDOM_TASKS) - 1);
        for (uint64_t other = 1; other <= observer->last_triggered; other++) {
            ck_assert(!observer->open_commit[other]);
        }
        observer->open_commit[id] = true;
        break;
    case COORDINATOR_NOTIFY_COMPLETE:
        ck_assert_uint_gt(id, observer->last_completed);
        observe_end(observer, id);
        observer->last_completed = id;
        observer->kept_count++;
        break;
    case COORDINATOR_NOTIFY_ABORTED: observe_end(observer, id); break;
    case COORDINATOR_SUBSUME:
        ck_assert_uint_lt(id, observer->last_completed);
        observer->kept_count--;
        break;
    case COORDINATOR_FAIL_JOB: observer->failing = true; break;
    case COORDINATOR_DISCARD: ck_assert(!observer->pending[id]); break;
    case COORDINATOR_DISCARD_ACK:
    case COORDINATOR_WAKE: break;
    }
}

static uint64_t some_open_commit(const struct observer *observer)
{
    for (uint64_t id = observer->last_triggered; id > 0; id--) {
        if (observer->open_commit[id]) {
            return id;
        }
    }
    return 0;
}

static void random_event(struct coordinator *coordinator, struct observer *observer,
                         struct prng *prng, uint64_t now_ns)
{
    uint64_t recent = observer->last_triggered < 4 ? observer->last_triggered : 4;
    uint64_t id = observer->last_triggered + 1 - prng_below(prng, recent + 1);
    uint32_t task = (uint32_t)prng_below(prng, RANDOM_TASKS);
    uint64_t choice = prng_below(prng, 1000);
    uint64_t open_id = some_open_commit(observer);
    if (choice < 550) {
        if (coordinator_on_ack(coordinator, now_ns, id, task) == COORDINATOR_ACK_ACCEPTED) {
            ck_assert(observer->pending[id]);
            ck_assert((observer->acked[id] >> task & 1) == 0);
            observer->acked[id] |= (uint8_t)(1u << task);
        }
    } else if (choice < 750 && open_id != 0) {
        coordinator_on_committed(coordinator, now_ns, open_id);
    } else if (choice < 770 && open_id != 0) {
        coordinator_on_commit_failed(coordinator, now_ns, open_id, choice % 2 == 0);
    } else if (choice < 790) {
        coordinator_on_decline(coordinator, now_ns, id, task, "declined");
    } else if (choice < 800) {
        coordinator_on_given_up(coordinator, now_ns, id, task);
    } else if (choice < 803) {
        coordinator_on_end_of_data(coordinator, now_ns, task);
    } else if (choice < 804) {
        coordinator_on_finished(coordinator, now_ns, task);
        for (uint64_t i = 1; i <= observer->last_triggered; i++) {
            observer->acked[i] |= (uint8_t)((uint32_t)observer->pending[i] << task);
        }
        observer->finished |= (uint8_t)(1u << task);
    } else {
        coordinator_on_time(coordinator, now_ns);
    }
}

static void drain(struct coordinator *coordinator, struct observer *observer,
                  const struct coordinator_options *options)
{
    uint32_t count;
    const struct coordinator_action *actions = coordinator_take_actions(coordinator, &count);
    for (uint32_t i = 0; i < count; i++) {
        observe(observer, options, &actions[i]);
    }
}

START_TEST(random_events_never_break_the_rules)
{
    uint64_t completed_count = 0;
    for (uint64_t seed = 0; seed < 25; seed++) {
        struct prng prng = { seed };
        struct arena arena;
        arena_init(&arena);
        struct coordinator_options options = options_with(1 + prng_below(&prng, 30), RANDOM_TASKS);
        options.min_pause_ns = prng_below(&prng, 20);
        options.max_concurrent = 1 + (uint32_t)prng_below(&prng, 4);
        options.tolerable_failures = (uint32_t)prng_below(&prng, 10);
        options.retained = 1 + (uint32_t)prng_below(&prng, 3);
        options.timeout_ns = 20 + prng_below(&prng, 200);
        struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
        struct observer *observer = arena_alloc(&arena, 1, sizeof *observer);
        coordinator_start(coordinator, 0, prng_next(&prng), NULL);
        uint64_t now_ns = 0;
        for (int i = 0; i < 1500; i++) {
            now_ns += prng_below(&prng, 4);
            random_event(coordinator, observer, &prng, now_ns);
            drain(coordinator, observer, &options);
            ck_assert_uint_le(observer->kept_count, options.retained);
            bool restart = observer->failing || observer->finished != 0;
            if (restart && prng_chance(&prng, 20000) && some_open_commit(observer) == 0) {
                coordinator_stop(coordinator, now_ns, "restart");
                drain(coordinator, observer, &options);
                ck_assert_uint_eq(observer->pending_count, 0);
                coordinator_start(coordinator, now_ns, prng_next(&prng), NULL);
                observer->failing = false;
                observer->finished = 0;
            }
        }
        completed_count += observer->last_completed;
        arena_drop(&arena);
    }
    ck_assert_uint_gt(completed_count, 500);
}
END_TEST

START_TEST(ten_thousand_subtasks_complete_checkpoint_after_checkpoint)
{
    enum { TASKS = 10000, ROUNDS = 20 };
    struct coordinator_options options = options_with(10, TASKS);
    options.max_concurrent = 1;
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
    coordinator_start(coordinator, 0, 0, NULL);
    uint32_t count;
    uint32_t accepted_count = 0;
    for (uint64_t id = 1; id <= ROUNDS; id++) {
        coordinator_on_time(coordinator, id * 10);
        for (uint32_t task = 0; task < TASKS; task++) {
            accepted_count +=
                coordinator_on_ack(coordinator, id * 10, id, task) == COORDINATOR_ACK_ACCEPTED;
        }
        coordinator_on_committed(coordinator, id * 10, id);
        coordinator_take_actions(coordinator, &count);
    }
    ck_assert_uint_eq(accepted_count, TASKS * ROUNDS);
    ck_assert_uint_eq(coordinator_next_id(coordinator), ROUNDS + 1);
    arena_drop(&arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("coordinator_random");
    TCase *tcase = tcase_create("coordinator_random");
    tcase_add_test(tcase, random_events_never_break_the_rules);
    tcase_add_test(tcase, ten_thousand_subtasks_complete_checkpoint_after_checkpoint);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
