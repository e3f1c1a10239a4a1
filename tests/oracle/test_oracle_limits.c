/* The oracle's properties of limits - deployment, restarts, pace, abandoned, credit,
 * heartbeat - against runs that keep them and runs that break one. */
#include "tests/support/oracle_world.h"
#include "tests/support/runner.h"

static struct oracle_world world;

static void setup(void)
{
    oracle_world_init(&world);
}

static void teardown(void)
{
    oracle_world_free(&world);
}

static void fail_and_deploy(void)
{
    oracle_tell(&world, FACT_FAILURE_DETECTED, 0);
    oracle_tell(&world, FACT_JOB_CANCELLED, 0);
    oracle_tell(&world, FACT_RESTART_SCHEDULED, 0);
    world.attempt++;
    oracle_tell(&world, FACT_RESTORE_CHOSEN, 0);
    oracle_tell(&world, FACT_JOB_DEPLOYED, 0);
}

/* ---- 9 deployment ---------------------------------------------------------------------------- */

START_TEST(running_before_all_are_restored_is_found)
{
    oracle_world_start(&world);
    fail_and_deploy();
    oracle_tell_task(&world, FACT_TASK_RESTORED, 0, 0, 0);
    oracle_tell_task(&world, FACT_TASK_RESTORED, 0, 1, 0);
    oracle_tell_task(&world, FACT_TASK_RESTORED, 1, 1, 0);
    oracle_tell(&world, FACT_JOB_RUNNING, 0);
    ck_assert(oracle_says(&world, PROPERTY_DEPLOYMENT,
                          "attempt 2 runs although 3 of its 4 subtasks are restored"));
}
END_TEST

static void deploy_at(uint32_t parallelism, uint32_t max_parallelism)
{
    world.attempt++;
    oracle_tell(&world, FACT_RESTORE_CHOSEN, 0);
    oracle_tell_values(&world, FACT_JOB_DEPLOYED, parallelism, max_parallelism);
}

START_TEST(another_parallelism_than_the_one_accepted_is_found)
{
    struct fault rescale = { .verb = FAULT_RESCALE, .parallelism = 3 };
    world.scenario.faults = &rescale;
    world.scenario.fault_count = 1;
    oracle_world_start(&world);
    deploy_at(3, 128); /* asked for: whoever accepted it may have died before it could say so */
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_DEPLOYMENT), 0);
    oracle_tell_values(&world, FACT_RESCALE_ACCEPTED, 3, 128);
    deploy_at(3, 128);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_DEPLOYMENT), 0);
    deploy_at(2, 128); /* what the scenario began with holds no more */
    ck_assert(oracle_says(&world, PROPERTY_DEPLOYMENT, "attempt 4 was deployed at parallelism 2"));
    deploy_at(3, 256);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_DEPLOYMENT), 2);
}
END_TEST

START_TEST(what_an_older_attempt_restored_does_not_count)
{
    oracle_world_start(&world);
    fail_and_deploy();
    world.attempt = 1;
    oracle_restore_subtasks(&world);
    world.attempt = 2;
    oracle_tell(&world, FACT_JOB_RUNNING, 0);
    ck_assert(oracle_says(&world, PROPERTY_DEPLOYMENT, "although 0 of its 4"));
}
END_TEST

START_TEST(a_subtask_that_is_restored_twice_is_found)
{
    oracle_world_start(&world);
    oracle_tell_task(&world, FACT_TASK_RESTORED, 1, 0, 0);
    ck_assert(oracle_says(&world, PROPERTY_DEPLOYMENT, "count[0] was restored twice"));
}
END_TEST

/* 0: its manifest is damaged; 1: a state file; 2: neither. */
START_TEST(running_from_a_damaged_checkpoint_is_found)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 4, 4);
    const char *path = _i == 0 ? "checkpoints/chk-1/_metadata" : "checkpoints/chk-1/count-0";
    oracle_on_damage(world.oracle, path);
    if (_i < 2) {
        oracle_write_file(&world, path, "damaged");
    }
    oracle_restart(&world, 1);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_DEPLOYMENT), _i < 2);
}
END_TEST

/* ---- 10 restarts ----------------------------------------------------------------------------- */

START_TEST(one_restart_more_than_allowed_is_found)
{
    world.scenario.job.restart.attempts = 2;
    oracle_world_start(&world);
    oracle_restart(&world, 0);
    oracle_restart(&world, 0);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    oracle_restart(&world, 0);
    ck_assert(oracle_says(&world, PROPERTY_RESTARTS, "restart number 3"));
}
END_TEST

START_TEST(a_new_job_manager_counts_restarts_anew)
{
    world.scenario.job.restart.attempts = 1;
    oracle_world_start(&world);
    oracle_restart(&world, 0);
    oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    oracle_restart(&world, 0);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(a_restart_without_a_strategy_is_found)
{
    world.scenario.job.restart.strategy = RESTART_NONE;
    oracle_world_start(&world);
    oracle_restart(&world, 0);
    ck_assert(oracle_says(&world, PROPERTY_RESTARTS, "at most 0 are allowed"));
}
END_TEST

/* 0: within the interval; 1: the oldest lies before it. */
START_TEST(restarts_beyond_the_failure_rate_are_found)
{
    world.scenario.job.restart.strategy = RESTART_FAILURE_RATE;
    world.scenario.job.restart.max_failures = 2;
    world.scenario.job.restart.failure_interval_ns = 3 * ORACLE_SECOND;
    oracle_world_start(&world);
    for (int i = 0; i < 3; i++) {
        oracle_restart(&world, 0);
        oracle_wait(&world, _i == 0 ? ORACLE_SECOND : 2 * ORACLE_SECOND);
    }
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_RESTARTS), _i == 0);
}
END_TEST

/* 0: too early; 1: in time; 2: too early by a clock that goes wrong. */
START_TEST(a_deployment_before_the_delay_is_over_is_found)
{
    struct fault clock = { .verb = FAULT_CLOCK };
    world.scenario.faults = &clock;
    world.scenario.fault_count = _i == 2;
    oracle_world_start(&world);
    oracle_tell(&world, FACT_FAILURE_DETECTED, 0);
    oracle_tell_why(&world, FACT_RESTART_SCHEDULED, 0, ORACLE_SECOND, "");
    oracle_wait(&world, _i == 1 ? ORACLE_SECOND : ORACLE_SECOND / 2);
    world.attempt++;
    oracle_tell(&world, FACT_RESTORE_CHOSEN, 0);
    oracle_tell(&world, FACT_JOB_DEPLOYED, 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_RESTARTS), _i == 0);
}
END_TEST

/* The job says that it has no restart left after one of two. */
START_TEST(giving_up_too_early_is_found)
{
    world.scenario.job.restart.attempts = 2;
    oracle_world_start(&world);
    oracle_restart(&world, 0);
    oracle_tell_why(&world, FACT_JOB_FAILED, 0, 0, "the restart strategy allows no more: because");
    ck_assert(oracle_says(&world, PROPERTY_RESTARTS, "gave up after 1 restarts"));
}
END_TEST

/* So many tries of three, each but the last followed by the next. */
START_TEST(a_checkpoint_refused_before_its_last_try_is_found)
{
    oracle_world_start(&world);
    for (int i = 1; i < _i; i++) {
        oracle_tell_why(&world, FACT_RESTORE_RETRIED, 4, (uint64_t)i, "input/output error");
    }
    oracle_tell_why(&world, FACT_JOB_FAILED, 0, 1, "checkpoint 4 cannot be restored (damaged)");
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_RESTARTS), _i < 3);
}
END_TEST

START_TEST(tries_of_a_restore_that_worked_do_not_count_for_the_next)
{
    oracle_world_start(&world);
    oracle_tell_why(&world, FACT_RESTORE_RETRIED, 4, 1, "input/output error");
    oracle_restart(&world, 0);
    oracle_tell_why(&world, FACT_RESTORE_RETRIED, 4, 1, "input/output error");
    oracle_tell_why(&world, FACT_JOB_FAILED, 0, 1, "checkpoint 4 cannot be restored (damaged)");
    ck_assert(oracle_says(&world, PROPERTY_RESTARTS, "after 2 tries"));
}
END_TEST

/* 0: because a call failed; 1: because of what lies there. */
START_TEST(giving_up_when_the_store_fails_is_found)
{
    oracle_world_start(&world);
    oracle_tell_why(&world, FACT_JOB_FAILED, 0, 1,
                    _i == 0 ? "the job's durable record or its checkpoints: input/output error"
                            : "the job's durable record or its checkpoints: damaged");
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_RESTARTS), _i == 0);
}
END_TEST

/* ---- 11 pace --------------------------------------------------------------------------------- */

/* So many more than one may be under way. */
START_TEST(too_many_checkpoints_under_way_are_found)
{
    world.scenario.job.checkpoint.max_concurrent = 2;
    oracle_world_start(&world);
    for (int id = 1; id <= 2 + _i; id++) {
        oracle_tell(&world, FACT_CHECKPOINT_TRIGGERED, (uint64_t)id);
    }
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), (uint32_t)_i);
}
END_TEST

START_TEST(checkpoints_that_ended_are_not_under_way)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 2, 2);
    oracle_trigger(&world, 2);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 2, 0, "given up for a newer one");
    oracle_trigger(&world, 3);
    oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    oracle_trigger(&world, 4);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), 0);
}
END_TEST

/* 0: too soon; 1: when the pause is over; 2: soon, but after all data; 3: by a new JobManager. */
START_TEST(a_trigger_within_the_pause_is_found)
{
    world.scenario.job.checkpoint.min_pause_ns = ORACLE_SECOND / 2;
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 2, 2);
    if (_i == 1) {
        oracle_wait(&world, ORACLE_SECOND / 2);
    }
    for (uint32_t i = 0; _i == 2 && i < 4; i++) {
        oracle_tell_task(&world, FACT_TASK_END_OF_DATA, i / 2, i % 2, 0);
    }
    if (_i == 3) {
        oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    }
    oracle_trigger(&world, 2);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), _i == 0);
}
END_TEST

/* 0: long after its timeout; 1: soon after; 2: triggered before the last fault ended. */
START_TEST(a_checkpoint_that_completes_long_after_its_timeout_is_found)
{
    oracle_world_start(&world);
    oracle_tell(&world, FACT_CHECKPOINT_TRIGGERED, 1);
    uint64_t triggered_ns = world.now_ns;
    oracle_wait(&world, (_i == 1 ? 14 : 16) * ORACLE_SECOND);
    oracle_tell(&world, FACT_CHECKPOINT_ALL_ACKED, 1);
    oracle_on_end(world.oracle, OUTCOME_STUCK, world.now_ns, _i == 2 ? triggered_ns + 1 : 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), _i == 0);
}
END_TEST

static const char *const failures[] = { "expired", "declined: no space", "trigger failed",
                                        "commit failed" };

/* One may fail; two do, in a row or not, and the job goes on. */
START_TEST(failed_checkpoints_that_do_not_fail_the_job_are_found)
{
    world.scenario.job.checkpoint.tolerable_failures = 1;
    oracle_world_start(&world);
    oracle_trigger(&world, 1);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 1, 0, failures[_i]);
    oracle_trigger(&world, 2);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 2, 0, failures[_i]);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), 0);
    oracle_trigger(&world, 3);
    ck_assert(oracle_says(&world, PROPERTY_PACE, "the job did not fail"));
}
END_TEST

START_TEST(a_completed_checkpoint_forgives_failed_ones)
{
    world.scenario.job.checkpoint.tolerable_failures = 1;
    oracle_world_start(&world);
    oracle_trigger(&world, 1);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 1, 0, "expired");
    oracle_checkpoint(&world, 2, 2, 2);
    oracle_trigger(&world, 3);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 3, 0, "expired");
    oracle_discard(&world, 1);
    oracle_finish_right(&world, 4);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), 0);
}
END_TEST

/* So many fail, of which one is tolerable; then the job fails because of the last. */
START_TEST(a_job_that_fails_for_a_tolerable_failure_is_found)
{
    world.scenario.job.checkpoint.tolerable_failures = 1;
    oracle_world_start(&world);
    for (int id = 1; id <= _i; id++) {
        oracle_trigger(&world, (uint64_t)id);
        oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, (uint64_t)id, 0, "expired");
    }
    oracle_tell_why(&world, FACT_FAILURE_DETECTED, 0, 0, "expired");
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), _i < 2);
}
END_TEST

START_TEST(checkpoints_that_end_with_their_attempt_do_not_count)
{
    oracle_world_start(&world);
    oracle_trigger(&world, 1);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 1, 0, "subsumed");
    oracle_trigger(&world, 2);
    oracle_tell(&world, FACT_FAILURE_DETECTED, 0);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 2, 0, "the job failed");
    oracle_trigger(&world, 3);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_PACE), 0);
}
END_TEST

/* ---- 12 abandoned ---------------------------------------------------------------------------- */

/* 0: long after; 1: while the news may be on its way; 2: while a fault may hold them; 3: by a
 * subtask of an older attempt; 4: by one of an attempt that failed. */
START_TEST(a_snapshot_for_a_checkpoint_that_was_given_up_is_found)
{
    oracle_world_start(&world);
    oracle_trigger(&world, 1);
    oracle_tell_why(&world, FACT_CHECKPOINT_ABORTED, 1, 0, "given up for a newer one");
    oracle_wait(&world, (_i == 1 ? 4 : 6) * ORACLE_SECOND);
    if (_i == 3) {
        oracle_restart(&world, 0);
        world.attempt = 1;
    }
    if (_i == 4) {
        oracle_tell_why(&world, FACT_FAILURE_DETECTED, 0, 0, "no heartbeat within the timeout");
    }
    oracle_tell_task(&world, FACT_SNAPSHOT_TAKEN, 1, 1, 1);
    oracle_on_end(world.oracle, OUTCOME_STUCK, world.now_ns,
                  _i == 2 ? world.now_ns - ORACLE_SECOND : 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_ABANDONED), _i == 0);
}
END_TEST

/* ---- 13 credit ------------------------------------------------------------------------------- */

/* On edge 0, from one address to another. */
static void send_buffer(uint64_t sender, uint64_t receiver)
{
    oracle_on_credit(world.oracle,
                     &(struct credit_event){ .sender = sender, .receiver = receiver });
}

static void return_credit(uint64_t sender, uint64_t receiver)
{
    oracle_on_credit(
        world.oracle,
        &(struct credit_event){ .sender = sender, .receiver = receiver, .is_returned = true });
}

/* So many beyond the two that may be on their way. */
START_TEST(a_buffer_sent_without_credit_is_found)
{
    world.scenario.job.buffers_per_channel = 2;
    oracle_world_start(&world);
    for (int i = 0; i < 2 + _i; i++) {
        send_buffer(7, 9);
    }
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CREDIT), (uint32_t)_i);
    ck_assert(_i == 0 || oracle_says(&world, PROPERTY_CREDIT,
                                     "source->count: a subtask had 3 buffers on their way"));
}
END_TEST

START_TEST(a_buffer_that_was_consumed_is_not_on_its_way)
{
    world.scenario.job.buffers_per_channel = 1;
    oracle_world_start(&world);
    for (int i = 0; i < 5; i++) {
        send_buffer(7, 9);
        return_credit(7, 9);
    }
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

/* More channels than the table has room for at first: none is lost or taken for another. */
START_TEST(each_channel_has_a_credit_of_its_own)
{
    enum { ADDRESSES = 20 };
    world.scenario.job.buffers_per_channel = 1;
    oracle_world_start(&world);
    for (uint64_t pair = 0; pair < ADDRESSES * ADDRESSES; pair++) {
        send_buffer(1 + pair / ADDRESSES, 1000 + pair % ADDRESSES);
    }
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    for (uint64_t pair = 0; pair < ADDRESSES * ADDRESSES; pair++) {
        return_credit(1 + pair / ADDRESSES, 1000 + pair % ADDRESSES);
        send_buffer(1 + pair / ADDRESSES, 1000 + pair % ADDRESSES);
    }
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    send_buffer(1, 1000);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CREDIT), 1);
}
END_TEST

START_TEST(a_credit_for_no_buffer_is_found)
{
    world.scenario.job.buffers_per_channel = 1;
    oracle_world_start(&world);
    send_buffer(7, 9);
    return_credit(7, 9);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    return_credit(7, 9);
    ck_assert(oracle_says(&world, PROPERTY_CREDIT, "for a buffer that was never sent"));
}
END_TEST

/* ---- 14 heartbeat ---------------------------------------------------------------------------- */

enum { MANAGER = 1, WORKER = 2, OTHER_WORKER = 3, OTHER_MANAGER = 4 };

/* Of the first TaskManager, at some moment of the next for_ns. */
static void heartbeat_within(uint64_t for_ns, enum heartbeat_kind kind, uint64_t manager,
                             uint64_t worker)
{
    oracle_on_heartbeat(world.oracle, &(struct heartbeat_event){ .time_ns = world.now_ns,
                                                                 .until_ns = world.now_ns + for_ns,
                                                                 .job_manager = manager,
                                                                 .task_manager = worker,
                                                                 .process = 1,
                                                                 .kind = kind });
}

static void heartbeat(enum heartbeat_kind kind, uint64_t manager, uint64_t worker)
{
    heartbeat_within(0, kind, manager, worker);
}

static void tell_of_worker(enum fact_kind kind, const char *text)
{
    oracle_on_fact(world.oracle, &(struct fact_event){ .time_ns = world.now_ns,
                                                       .fact = { .kind = kind,
                                                                 .vertex = FACT_NO_TASK,
                                                                 .subtask = FACT_NO_TASK,
                                                                 .attempt = world.attempt,
                                                                 .values = { 1 },
                                                                 .text = bytes_of_text(text) } });
}

static void start_with_worker(void)
{
    world.scenario.job.task_managers = 2;
    world.scenario.job.heartbeat_timeout_ns = 2 * ORACLE_SECOND;
    oracle_world_start(&world);
    heartbeat(HEARTBEAT_REGISTERING, MANAGER, WORKER);
    tell_of_worker(FACT_TASK_MANAGER_REGISTERED, "");
}

static void lose_worker(void)
{
    tell_of_worker(FACT_FAILURE_DETECTED, "task_manager[0]: no heartbeat within the timeout");
}

START_TEST(a_silent_task_manager_that_is_kept_is_found)
{
    start_with_worker();
    world.now_ns += ORACLE_SECOND;
    heartbeat(HEARTBEAT_HEARD, MANAGER, WORKER);
    world.now_ns += 2 * ORACLE_SECOND - 1;
    heartbeat(HEARTBEAT_SENT, MANAGER, WORKER);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    world.now_ns += 1;
    heartbeat(HEARTBEAT_SENT, MANAGER, WORKER);
    ck_assert(oracle_says(&world, PROPERTY_HEARTBEAT, "it had been silent for 2000 ms"));
}
END_TEST

START_TEST(a_task_manager_that_is_given_up_although_it_was_heard_of_is_found)
{
    start_with_worker();
    world.now_ns += ORACLE_SECOND;
    heartbeat(HEARTBEAT_HEARD, MANAGER, WORKER);
    world.now_ns += ORACLE_SECOND + (_i == 0 ? 0 : ORACLE_SECOND);
    lose_worker();
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_HEARTBEAT), _i == 0);
}
END_TEST

START_TEST(a_silence_counts_from_the_last_moment_at_which_it_may_have_begun)
{
    start_with_worker();
    heartbeat_within(ORACLE_SECOND, HEARTBEAT_HEARD, MANAGER, WORKER);
    world.now_ns += 3 * ORACLE_SECOND - 1;
    heartbeat(HEARTBEAT_SENT, MANAGER, WORKER);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    world.now_ns += 1;
    heartbeat(HEARTBEAT_SENT, MANAGER, WORKER);
    ck_assert(oracle_says(&world, PROPERTY_HEARTBEAT, "it had been silent for 2000 ms"));
}
END_TEST

START_TEST(who_may_have_been_silent_since_the_first_such_moment_may_be_given_up)
{
    start_with_worker();
    heartbeat_within(ORACLE_SECOND, HEARTBEAT_HEARD, MANAGER, WORKER);
    world.now_ns += 2 * ORACLE_SECOND - (_i == 0 ? 1 : 0);
    lose_worker();
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_HEARTBEAT), _i == 0);
}
END_TEST

START_TEST(what_somebody_else_says_is_no_sign_of_life)
{
    start_with_worker();
    world.now_ns += ORACLE_SECOND;
    heartbeat(HEARTBEAT_HEARD, MANAGER, OTHER_WORKER);
    heartbeat(HEARTBEAT_REGISTERING, MANAGER, OTHER_WORKER); /* it is not registered */
    world.now_ns += ORACLE_SECOND;
    lose_worker();
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(a_new_job_manager_has_heard_of_nobody)
{
    start_with_worker();
    world.now_ns += 3 * ORACLE_SECOND;
    heartbeat(HEARTBEAT_SENT, OTHER_MANAGER, WORKER);
    heartbeat(HEARTBEAT_REGISTERING, OTHER_MANAGER, WORKER);
    tell_of_worker(FACT_TASK_MANAGER_REGISTERED, "");
    heartbeat(HEARTBEAT_SENT, OTHER_MANAGER, WORKER);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("oracle: limits");
    TCase *tests = tcase_create("limits");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, running_before_all_are_restored_is_found);
    tcase_add_test(tests, another_parallelism_than_the_one_accepted_is_found);
    tcase_add_test(tests, what_an_older_attempt_restored_does_not_count);
    tcase_add_test(tests, a_subtask_that_is_restored_twice_is_found);
    tcase_add_loop_test(tests, running_from_a_damaged_checkpoint_is_found, 0, 3);
    tcase_add_test(tests, one_restart_more_than_allowed_is_found);
    tcase_add_test(tests, a_new_job_manager_counts_restarts_anew);
    tcase_add_test(tests, a_restart_without_a_strategy_is_found);
    tcase_add_loop_test(tests, restarts_beyond_the_failure_rate_are_found, 0, 2);
    tcase_add_loop_test(tests, a_deployment_before_the_delay_is_over_is_found, 0, 3);
    tcase_add_test(tests, giving_up_too_early_is_found);
    tcase_add_loop_test(tests, a_checkpoint_refused_before_its_last_try_is_found, 1, 4);
    tcase_add_test(tests, tries_of_a_restore_that_worked_do_not_count_for_the_next);
    tcase_add_loop_test(tests, giving_up_when_the_store_fails_is_found, 0, 2);
    tcase_add_loop_test(tests, too_many_checkpoints_under_way_are_found, 0, 2);
    tcase_add_test(tests, checkpoints_that_ended_are_not_under_way);
    tcase_add_loop_test(tests, a_trigger_within_the_pause_is_found, 0, 4);
    tcase_add_loop_test(tests, a_checkpoint_that_completes_long_after_its_timeout_is_found, 0, 3);
    tcase_add_loop_test(tests, failed_checkpoints_that_do_not_fail_the_job_are_found, 0, 4);
    tcase_add_test(tests, a_completed_checkpoint_forgives_failed_ones);
    tcase_add_loop_test(tests, a_job_that_fails_for_a_tolerable_failure_is_found, 1, 3);
    tcase_add_test(tests, checkpoints_that_end_with_their_attempt_do_not_count);
    tcase_add_loop_test(tests, a_snapshot_for_a_checkpoint_that_was_given_up_is_found, 0, 5);
    tcase_add_loop_test(tests, a_buffer_sent_without_credit_is_found, 0, 3);
    tcase_add_test(tests, a_buffer_that_was_consumed_is_not_on_its_way);
    tcase_add_test(tests, each_channel_has_a_credit_of_its_own);
    tcase_add_test(tests, a_credit_for_no_buffer_is_found);
    tcase_add_test(tests, a_silent_task_manager_that_is_kept_is_found);
    tcase_add_test(tests, a_silence_counts_from_the_last_moment_at_which_it_may_have_begun);
    tcase_add_loop_test(tests, who_may_have_been_silent_since_the_first_such_moment_may_be_given_up,
                        0, 2);
    tcase_add_loop_test(tests, a_task_manager_that_is_given_up_although_it_was_heard_of_is_found, 0,
                        2);
    tcase_add_test(tests, what_somebody_else_says_is_no_sign_of_life);
    tcase_add_test(tests, a_new_job_manager_has_heard_of_nobody);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
