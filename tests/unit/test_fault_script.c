#include "sim/fault/fault_script.h"

#include "model/host.h"
#include "tests/support/cluster.h"
#include "tests/support/runner.h"

enum { WORKER_0 = PROCESS_FIRST_TASK_MANAGER, WORKER_1 };

static struct test_cluster cluster;

static void setup(void)
{
    cluster_init(&cluster);
}

static void teardown(void)
{
    cluster_free(&cluster);
}

static void again(void)
{
    cluster_free(&cluster);
    cluster_init(&cluster);
}

/* The n-th fact of a kind, from 1. */
static const struct fact_event *nth(enum fact_kind kind, uint32_t n)
{
    for (size_t i = 0; i < cluster.fact_count; i++) {
        if (cluster.facts[i].fact.kind == kind && --n == 0) {
            return &cluster.facts[i];
        }
    }
    ck_abort_msg("there is no such fact");
}

START_TEST(a_fault_strikes_at_its_time_and_its_effect_lasts)
{
    cluster_crash(&cluster, at(1234 * CLUSTER_MS), WORKER_0, 300 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    const struct fault_record *record = &cluster.run.faults[0];
    ck_assert(record->fired);
    ck_assert_ptr_eq(record->fault, &cluster.faults[0]);
    ck_assert_uint_eq(record->fired_ns, 1234 * CLUSTER_MS);
    ck_assert_uint_eq(record->ended_ns, 1534 * CLUSTER_MS);
    const struct fact_event *detected = nth(FACT_FAILURE_DETECTED, 1);
    ck_assert_uint_ge(detected->time_ns, record->fired_ns);
    ck_assert_uint_lt(detected->time_ns, record->fired_ns + 10 * CLUSTER_MS);
    /* Two register at the start; the dead one again once it is back. */
    ck_assert_uint_ge(nth(FACT_TASK_MANAGER_REGISTERED, 3)->time_ns, record->ended_ns);
}
END_TEST

START_TEST(a_fault_strikes_at_the_fact_it_waits_for)
{
    cluster_crash(&cluster, when(FACT_CHECKPOINT_TRIGGERED, 3, 1), WORKER_1, 100 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster.run.faults[0].fired_ns,
                      cluster_first(&cluster, FACT_CHECKPOINT_TRIGGERED, 3)->time_ns);
}
END_TEST

START_TEST(occurrences_are_counted_from_one)
{
    for (uint32_t occurrence = 1; occurrence <= 4; occurrence++) {
        again();
        cluster_pause(&cluster, when(FACT_ACK_RECEIVED, 0, occurrence), WORKER_0, CLUSTER_MS);
        cluster_run(&cluster);
        ck_assert(cluster_passed(&cluster));
        ck_assert_uint_eq(cluster.run.faults[0].fired_ns,
                          nth(FACT_ACK_RECEIVED, occurrence)->time_ns);
    }
}
END_TEST

START_TEST(a_subtask_in_the_trigger_is_heeded)
{
    for (uint32_t vertex = 0; vertex < 2; vertex++) {
        for (uint32_t subtask = 0; subtask < 2; subtask++) {
            again();
            cluster_pause(&cluster, when_task(FACT_TASK_ACKED, 2, vertex, subtask), WORKER_0,
                          CLUSTER_MS);
            cluster_run(&cluster);
            ck_assert(cluster_passed(&cluster));
            uint64_t expected_ns = 0;
            for (size_t i = 0; i < cluster.fact_count && expected_ns == 0; i++) {
                const struct fact *fact = &cluster.facts[i].fact;
                if (fact->kind == FACT_TASK_ACKED && fact->checkpoint == 2 &&
                    fact->vertex == vertex && fact->subtask == subtask) {
                    expected_ns = cluster.facts[i].time_ns;
                }
            }
            ck_assert_uint_gt(expected_ns, 0);
            ck_assert_uint_eq(cluster.run.faults[0].fired_ns, expected_ns);
        }
    }
}
END_TEST

START_TEST(a_fault_on_a_subtask_hits_the_process_that_runs_it)
{
    for (uint32_t subtask = 0; subtask < 2; subtask++) {
        again();
        cluster_crash(&cluster, at(CLUSTER_S), WORKER_0, 100 * CLUSTER_MS);
        cluster.faults[0].object =
            (struct fault_object){ .kind = OBJECT_TASK, .vertex = 1, .index = subtask };
        cluster_run(&cluster);
        ck_assert(cluster_passed(&cluster));
        uint32_t process = 0;
        for (size_t i = 0; i < cluster.fact_count && process == 0; i++) {
            const struct fact *fact = &cluster.facts[i].fact;
            if (fact->kind == FACT_TASK_STARTED && fact->vertex == 1 && fact->subtask == subtask) {
                process = actor_process(cluster.facts[i].actor);
            }
        }
        ck_assert_uint_gt(process, 0);
        ck_assert_uint_eq(nth(FACT_FAILURE_DETECTED, 1)->fact.values[0], process);
    }
}
END_TEST

START_TEST(all_task_managers_crash_together)
{
    cluster_crash(&cluster, at(CLUSTER_S), WORKER_0, 100 * CLUSTER_MS);
    cluster.faults[0].object = (struct fault_object){ .kind = OBJECT_ALL_TASK_MANAGERS };
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster_facts(&cluster, FACT_TASK_MANAGER_REGISTERED), 4);
}
END_TEST

START_TEST(what_is_dead_cannot_be_crashed)
{
    cluster_crash(&cluster, at(CLUSTER_S), WORKER_0, CLUSTER_S);
    cluster_crash(&cluster, at(CLUSTER_S + 500 * CLUSTER_MS), WORKER_0, CLUSTER_S);
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_NOT_FIRED);
    ck_assert(cluster.run.faults[0].fired);
    ck_assert(!cluster.run.faults[1].fired);
}
END_TEST

START_TEST(a_process_that_is_not_there_cannot_be_crashed)
{
    cluster_crash(&cluster, at(CLUSTER_S), PROCESS_FIRST_TASK_MANAGER + 7, CLUSTER_S);
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_NOT_FIRED);
}
END_TEST

START_TEST(a_fault_fires_once)
{
    cluster_crash(&cluster, when(FACT_TASK_ACKED, 0, 1), WORKER_0, 100 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster.run.summary.recovery_count, 1);
}
END_TEST

START_TEST(two_faults_can_wait_for_the_same_fact)
{
    cluster_crash(&cluster, when(FACT_CHECKPOINT_COMPLETED, 2, 1), PROCESS_JOB_MANAGER,
                  100 * CLUSTER_MS);
    cluster_crash(&cluster, when(FACT_CHECKPOINT_COMPLETED, 2, 1), WORKER_1, 100 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster.run.faults[0].fired_ns, cluster.run.faults[1].fired_ns);
}
END_TEST

/* The newest gap between a trigger and the barrier's arrival at a count subtask. */
static uint64_t barrier_time_ns(uint64_t checkpoint)
{
    return cluster_first(&cluster, FACT_BARRIER_RECEIVED, checkpoint)->time_ns -
           cluster_first(&cluster, FACT_BARRIER_EMITTED, checkpoint)->time_ns;
}

START_TEST(a_delayed_link_carries_later_for_its_time)
{
    cluster_delay(&cluster, at(600 * CLUSTER_MS), 400 * CLUSTER_MS, 30 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_lt(barrier_time_ns(1), 10 * CLUSTER_MS);
    const struct fact_event *second = cluster_first(&cluster, FACT_BARRIER_EMITTED, 2);
    ck_assert_uint_gt(second->time_ns, 600 * CLUSTER_MS);
    ck_assert_uint_lt(second->time_ns, CLUSTER_S);
    ck_assert_uint_ge(barrier_time_ns(2), 30 * CLUSTER_MS);
    ck_assert_uint_lt(barrier_time_ns(4), 10 * CLUSTER_MS);
    ck_assert_uint_eq(cluster.run.faults[0].ended_ns, CLUSTER_S);
}
END_TEST

static void damage(enum fault_verb verb, struct fault_trigger trigger, const char *glob)
{
    uint32_t index = cluster.scenario.fault_count++;
    cluster.faults[index] = (struct fault){ .trigger = trigger,
                                            .verb = verb,
                                            .object = { .kind = OBJECT_FILE, .glob = glob } };
}

START_TEST(a_damaged_checkpoint_is_refused)
{
    static const enum fault_verb verbs[] = { FAULT_CORRUPT, FAULT_REMOVE };
    for (size_t i = 0; i < 2; i++) {
        again();
        damage(verbs[i], when(FACT_CHECKPOINT_COMPLETED, 2, 1), "checkpoints/chk-2/*");
        cluster_crash(&cluster, at(1300 * CLUSTER_MS), WORKER_0, 100 * CLUSTER_MS);
        cluster.faults[1].trigger = when(FACT_CHECKPOINT_COMPLETED, 2, 1);
        cluster.scenario.expect.result = EXPECT_REFUSED;
        cluster_run(&cluster);
        ck_assert(cluster_passed(&cluster));
        ck_assert(cluster.run.faults[0].fired);
        ck_assert_uint_eq(cluster.run.faults[0].fired_ns, cluster.run.faults[0].ended_ns);
    }
}
END_TEST

START_TEST(damage_that_no_file_matches_does_not_fire)
{
    damage(FAULT_CORRUPT, at(CLUSTER_S), "checkpoints/chk-*/nothing-*");
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_NOT_FIRED);
}
END_TEST

START_TEST(a_paused_process_says_nothing_and_then_goes_on)
{
    cluster_pause(&cluster, at(CLUSTER_S), WORKER_0, 700 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster.run.summary.recovery_count, 0); /* below the heartbeat timeout */
    bool spoke_after = false;
    for (size_t i = 0; i < cluster.fact_count; i++) {
        if (actor_process(cluster.facts[i].actor) == WORKER_0) {
            uint64_t time_ns = cluster.facts[i].time_ns;
            /* A handler that ran when the pause began ends at its own clock. */
            ck_assert(time_ns <= CLUSTER_S + 50 * CLUSTER_MS || time_ns >= 1700 * CLUSTER_MS);
            spoke_after = spoke_after || time_ns >= 1700 * CLUSTER_MS;
        }
    }
    ck_assert(spoke_after);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("fault_script");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, a_fault_strikes_at_its_time_and_its_effect_lasts);
    tcase_add_test(tcase, a_fault_strikes_at_the_fact_it_waits_for);
    tcase_add_test(tcase, occurrences_are_counted_from_one);
    tcase_add_test(tcase, a_subtask_in_the_trigger_is_heeded);
    tcase_add_test(tcase, a_fault_on_a_subtask_hits_the_process_that_runs_it);
    tcase_add_test(tcase, all_task_managers_crash_together);
    tcase_add_test(tcase, what_is_dead_cannot_be_crashed);
    tcase_add_test(tcase, a_process_that_is_not_there_cannot_be_crashed);
    tcase_add_test(tcase, a_fault_fires_once);
    tcase_add_test(tcase, two_faults_can_wait_for_the_same_fact);
    tcase_add_test(tcase, a_delayed_link_carries_later_for_its_time);
    tcase_add_test(tcase, a_damaged_checkpoint_is_refused);
    tcase_add_test(tcase, damage_that_no_file_matches_does_not_fire);
    tcase_add_test(tcase, a_paused_process_says_nothing_and_then_goes_on);
    Suite *suite = suite_create("fault_script");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
