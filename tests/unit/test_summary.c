#include "reports/summary.h"

#include <string.h>

#include "tests/support/facts.h"
#include "tests/support/runner.h"

/* Every test has the job source -> count at parallelism 2: vertex 0 holds the sources. */
enum { SOURCE = 0, COUNT = 1, PARALLELISM = 2 };

#define MS UINT64_C(1000000)

struct world {
    struct arena arena;
    struct summary summary;
};

static void set_up(struct world *world)
{
    arena_init(&world->arena);
    summary_init(&world->summary, &world->arena, 2, PARALLELISM);
}

static void tear_down(struct world *world)
{
    arena_drop(&world->arena);
}

static void hear(struct world *world, struct fact_event event)
{
    summary_on_fact(&world->summary, &event);
}

static void hear_job(struct world *world, uint64_t time_ns, enum fact_kind kind)
{
    hear(world, fact_of_job(time_ns, kind));
}

static void hear_step(struct world *world, uint64_t time_ns, enum fact_kind kind, uint64_t id)
{
    hear(world, fact_of_checkpoint(time_ns, kind, id));
}

static void hear_running(struct world *world, uint64_t time_ns, uint64_t attempt)
{
    hear(world, fact_attempt(fact_of_job(time_ns, FACT_JOB_RUNNING), attempt));
}

static void hear_progress(struct world *world, uint64_t time_ns, uint64_t attempt, uint32_t subtask,
                          uint64_t records, uint64_t lag_ns)
{
    hear(world, fact_values(fact_of_task(time_ns, FACT_SOURCE_PROGRESS, attempt, SOURCE, subtask),
                            records, lag_ns));
}

/* JobManager 1 starts, attempt 1 runs from 10 ms on, and both sources have emitted some by 100. */
static void run_until_100_ms(struct world *world)
{
    hear(world, fact_values(fact_of_job(1 * MS, FACT_JOB_MANAGER_STARTED), 1, 0));
    hear_job(world, 2 * MS, FACT_RESTORE_CHOSEN);
    hear(world, fact_attempt(fact_of_job(3 * MS, FACT_JOB_DEPLOYED), 1));
    hear_running(world, 10 * MS, 1);
    hear_progress(world, 100 * MS, 1, 0, 500, 1 * MS);
    hear_progress(world, 100 * MS, 1, 1, 400, 2 * MS);
}

static void restart(struct world *world, uint64_t time_ns, uint64_t attempt, uint64_t checkpoint)
{
    hear_job(world, time_ns, FACT_JOB_CANCELLED);
    hear_step(world, time_ns + 1 * MS, FACT_RESTORE_CHOSEN, checkpoint);
    hear(world, fact_attempt(fact_of_job(time_ns + 2 * MS, FACT_JOB_DEPLOYED), attempt));
    hear_running(world, time_ns + 5 * MS, attempt);
}

/* ---- checkpoints ------------------------------------------------------------------------------
 */

START_TEST(a_checkpoint_has_its_phases_per_subtask)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_attempt(fact_of_checkpoint(100, FACT_CHECKPOINT_TRIGGERED, 7), 1));
    hear(&world, fact_values(fact_of_part(130, FACT_TASK_ALIGNED, 7, COUNT, 1), 20, 10));
    hear(&world, fact_values(fact_of_part(135, FACT_SNAPSHOT_TAKEN, 7, COUNT, 1), 5, 0));
    hear(&world, fact_values(fact_of_part(175, FACT_SNAPSHOT_WRITTEN, 7, COUNT, 1), 900, 40));
    hear(&world, fact_values(fact_of_part(176, FACT_TASK_ACKED, 7, COUNT, 1), 950, 30));
    hear(&world, fact_values(fact_of_part(180, FACT_ACK_RECEIVED, 7, COUNT, 1), 950, 0));
    hear_step(&world, 180, FACT_CHECKPOINT_ALL_ACKED, 7);
    hear(&world, fact_values(fact_of_checkpoint(200, FACT_CHECKPOINT_COMPLETED, 7), 1000, 100));

    const struct summary *summary = &world.summary;
    ck_assert_uint_eq(summary->checkpoint_count, 1);
    const struct checkpoint_summary *checkpoint = &summary->checkpoints[0];
    ck_assert_uint_eq(checkpoint->id, 7);
    ck_assert_uint_eq(checkpoint->attempt, 1);
    ck_assert_int_eq((int)checkpoint->fate, CHECKPOINT_DONE);
    ck_assert_uint_eq(checkpoint->triggered_ns, 100);
    ck_assert_uint_eq(checkpoint->all_acked_ns, 180);
    ck_assert_uint_eq(checkpoint->ended_ns, 200);
    ck_assert_uint_eq(checkpoint->bytes, 1000);
    ck_assert_uint_eq(checkpoint->acks, 1);
    ck_assert_uint_eq(summary->task_count, 1);
    const struct task_checkpoint_summary *task = &summary->tasks[0];
    ck_assert_uint_eq(task->checkpoint, 7);
    ck_assert_uint_eq(task->vertex, COUNT);
    ck_assert_uint_eq(task->subtask, 1);
    ck_assert_uint_eq(task->start_delay_ns, 20);
    ck_assert_uint_eq(task->alignment_ns, 10);
    ck_assert_uint_eq(task->sync_ns, 5);
    ck_assert_uint_eq(task->async_ns, 40);
    ck_assert_uint_eq(task->store_wait_ns, 30);
    ck_assert_uint_eq(task->bytes, 950);
    ck_assert_uint_eq(task->written_bytes, 900);
    ck_assert_uint_eq(task->acked_ns, 176);
    tear_down(&world);
}
END_TEST

START_TEST(overlapping_checkpoints_are_kept_apart)
{
    struct world world;
    set_up(&world);
    for (uint64_t id = 1; id <= 200; id++) {
        hear_step(&world, id, FACT_CHECKPOINT_TRIGGERED, id * 3);
    }
    for (uint64_t id = 200; id >= 1; id--) {
        for (uint32_t subtask = 0; subtask < PARALLELISM; subtask++) {
            hear(&world, fact_of_part(1000 + id, FACT_TASK_ACKED, id * 3, COUNT, subtask));
            hear(&world,
                 fact_values(fact_of_part(0, FACT_SNAPSHOT_TAKEN, id * 3, COUNT, subtask), id, 0));
        }
    }
    ck_assert_uint_eq(world.summary.checkpoint_count, 200);
    ck_assert_uint_eq(world.summary.task_count, 200 * PARALLELISM);
    for (size_t i = 0; i < world.summary.task_count; i++) {
        const struct task_checkpoint_summary *task = &world.summary.tasks[i];
        ck_assert_uint_eq(task->sync_ns * 3, task->checkpoint);
        ck_assert_uint_eq(task->acked_ns, 1000 + task->sync_ns);
    }
    tear_down(&world);
}
END_TEST

START_TEST(fates_are_counted_and_the_reason_is_kept)
{
    struct world world;
    set_up(&world);
    for (uint64_t id = 1; id <= 3; id++) {
        hear_step(&world, id * 10, FACT_CHECKPOINT_TRIGGERED, id);
    }
    char reason[] = "expired";
    hear(&world, fact_text(fact_of_checkpoint(40, FACT_CHECKPOINT_ABORTED, 1), reason));
    memset(reason, 'x', sizeof(reason) - 1); /* the text of a fact is borrowed */
    hear_step(&world, 50, FACT_CHECKPOINT_COMPLETED, 2);
    hear_step(&world, 60, FACT_CHECKPOINT_COMPLETED, 99);
    summary_on_end(&world.summary, 100);
    ck_assert_uint_eq(world.summary.triggered, 3);
    ck_assert_uint_eq(world.summary.completed, 1);
    ck_assert_uint_eq(world.summary.failed, 1);
    ck_assert_int_eq((int)world.summary.checkpoints[0].fate, CHECKPOINT_GIVEN_UP);
    ck_assert_str_eq(world.summary.checkpoints[0].reason, "expired");
    ck_assert_uint_eq(world.summary.checkpoints[0].ended_ns, 40);
    ck_assert_int_eq((int)world.summary.checkpoints[2].fate, CHECKPOINT_PENDING);
    ck_assert_uint_eq(world.summary.checkpoints[2].ended_ns, 0);
    tear_down(&world);
}
END_TEST

START_TEST(a_lost_job_manager_loses_its_pending_checkpoints_unless_one_is_restored)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear_step(&world, 110 * MS, FACT_CHECKPOINT_TRIGGERED, 1);
    hear_step(&world, 120 * MS, FACT_CHECKPOINT_TRIGGERED, 2);
    hear(&world, fact_values(fact_of_job(200 * MS, FACT_JOB_MANAGER_STARTED), 2, 0));
    ck_assert_uint_eq(world.summary.failed, 2);
    hear_step(&world, 210 * MS, FACT_RESTORE_CHOSEN, 1);
    ck_assert_uint_eq(world.summary.failed, 1);
    ck_assert_uint_eq(world.summary.completed, 1);
    ck_assert_int_eq((int)world.summary.checkpoints[0].fate, CHECKPOINT_DONE);
    ck_assert_str_eq(world.summary.checkpoints[0].reason, "");
    ck_assert_uint_eq(world.summary.checkpoints[1].ended_ns, 200 * MS);
    ck_assert_ptr_nonnull(strstr(world.summary.checkpoints[1].reason, "JobManager"));
    tear_down(&world);
}
END_TEST

START_TEST(rows_of_subtasks_are_bounded)
{
    struct world world;
    arena_init(&world.arena);
    summary_init(&world.summary, &world.arena, 2, SUMMARY_TASK_ROWS_MAX / 4);
    for (uint64_t id = 1; id <= 3; id++) {
        hear_step(&world, id, FACT_CHECKPOINT_TRIGGERED, id);
        ck_assert(!world.summary.tasks_truncated);
        hear(&world, fact_of_part(id, FACT_TASK_ACKED, id, 1, 5));
    }
    ck_assert(world.summary.tasks_truncated);
    ck_assert_uint_eq(world.summary.task_count, 2);
    tear_down(&world);
}
END_TEST

/* ---- recoveries -------------------------------------------------------------------------------
 */

START_TEST(a_recovery_runs_from_the_fault_until_every_source_is_back)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    summary_on_fault(&world.summary, 150 * MS, 150 * MS, "delay link", false);
    summary_on_fault(&world.summary, 160 * MS, 160 * MS, "crash task_manager[1]", true);
    hear_job(&world, 200 * MS, FACT_FAILURE_DETECTED);
    restart(&world, 210 * MS, 2, 3);
    hear_progress(&world, 216 * MS, 2, 0, 300, 0); /* restored here */
    hear_progress(&world, 216 * MS, 2, 1, 350, 0);
    hear_progress(&world, 300 * MS, 2, 0, 500, 90 * MS);
    hear_progress(&world, 310 * MS, 2, 1, 399, 90 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 0);
    hear_progress(&world, 320 * MS, 2, 1, 400, 90 * MS);
    hear_progress(&world, 330 * MS, 2, 1, 410, 90 * MS);

    ck_assert_uint_eq(world.summary.recovery_count, 1);
    const struct recovery_summary *recovery = &world.summary.recoveries[0];
    ck_assert_uint_eq(recovery->failed_ns, 160 * MS);
    ck_assert_str_eq(recovery->cause, "crash task_manager[1]");
    ck_assert_uint_eq(recovery->detected_ns, 200 * MS);
    ck_assert_uint_eq(recovery->cancelled_ns, 210 * MS);
    ck_assert_uint_eq(recovery->chosen_ns, 211 * MS);
    ck_assert_uint_eq(recovery->restored_from, 3);
    ck_assert_uint_eq(recovery->running_ns, 215 * MS);
    ck_assert_uint_eq(recovery->caught_up_ns, 320 * MS);
    ck_assert_uint_eq(recovery->records_replayed, 200 + 50);
    tear_down(&world);
}
END_TEST

START_TEST(a_source_that_lags_more_than_before_has_not_caught_up)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear_progress(&world, 150 * MS, 1, 0, 600, 250 * MS);
    hear_job(&world, 200 * MS, FACT_FAILURE_DETECTED);
    restart(&world, 210 * MS, 2, 0);
    hear_progress(&world, 300 * MS, 2, 0, 700, 251 * MS);
    hear_progress(&world, 300 * MS, 2, 1, 700, 101 * MS);
    hear_progress(&world, 310 * MS, 2, 0, 710, 250 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 0);
    hear_progress(&world, 320 * MS, 2, 1, 720, 100 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 320 * MS);
    tear_down(&world);
}
END_TEST

START_TEST(the_lag_between_fault_and_detection_does_not_count_as_before)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    summary_on_fault(&world.summary, 110 * MS, 110 * MS, "pause task_manager[0]", true);
    hear_progress(&world, 5000 * MS, 1, 0, 600, 4000 * MS);
    hear_job(&world, 5100 * MS, FACT_FAILURE_DETECTED);
    restart(&world, 5200 * MS, 2, 0);
    hear_progress(&world, 5300 * MS, 2, 1, 900, 0);
    hear_progress(&world, 5300 * MS, 2, 0, 900, 3000 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 0);
    hear_progress(&world, 5400 * MS, 2, 0, 950, 100 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 5400 * MS);
    tear_down(&world);
}
END_TEST

START_TEST(failures_before_the_job_runs_again_are_one_recovery)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    summary_on_fault(&world.summary, 150 * MS, 150 * MS, "crash task_manager[0]", true);
    hear_job(&world, 200 * MS, FACT_FAILURE_DETECTED);
    hear_job(&world, 210 * MS, FACT_JOB_CANCELLED);
    hear(&world, fact_attempt(fact_of_job(212 * MS, FACT_JOB_DEPLOYED), 2));
    hear_progress(&world, 213 * MS, 2, 0, 100, 0);
    summary_on_fault(&world.summary, 215 * MS, 215 * MS, "crash task_manager[1]", true);
    hear_job(&world, 220 * MS, FACT_FAILURE_DETECTED);
    restart(&world, 230 * MS, 3, 4);
    hear_progress(&world, 236 * MS, 3, 0, 100, 0);
    hear_progress(&world, 236 * MS, 3, 1, 400, 0);
    hear_progress(&world, 240 * MS, 3, 0, 500, 0);
    /* The next failure has no fault of its own: the second crash was part of the first recovery. */
    hear(&world, fact_text(fact_of_job(300 * MS, FACT_FAILURE_DETECTED), "task count[0] failed"));

    ck_assert_uint_eq(world.summary.recovery_count, 2);
    const struct recovery_summary *recovery = &world.summary.recoveries[0];
    ck_assert_uint_eq(recovery->failed_ns, 150 * MS);
    ck_assert_uint_eq(recovery->detected_ns, 200 * MS);
    ck_assert_uint_eq(recovery->cancelled_ns, 230 * MS);
    ck_assert_uint_eq(recovery->restored_from, 4);
    ck_assert_uint_eq(recovery->running_ns, 235 * MS);
    ck_assert_uint_eq(recovery->caught_up_ns, 240 * MS);
    ck_assert_uint_eq(recovery->records_replayed, 400);
    ck_assert_uint_eq(world.summary.recoveries[1].failed_ns, 300 * MS);
    ck_assert_str_eq(world.summary.recoveries[1].cause, "task count[0] failed");
    tear_down(&world);
}
END_TEST

START_TEST(a_recovery_cut_short_is_caught_up_with_its_successor)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear_job(&world, 200 * MS, FACT_FAILURE_DETECTED);
    restart(&world, 210 * MS, 2, 0);
    hear_progress(&world, 216 * MS, 2, 0, 0, 0);
    hear_progress(&world, 216 * MS, 2, 1, 400, 0);
    hear_progress(&world, 250 * MS, 2, 0, 200, 9000 * MS);
    hear_job(&world, 260 * MS, FACT_FAILURE_DETECTED);
    restart(&world, 270 * MS, 3, 0);
    hear_progress(&world, 276 * MS, 3, 0, 150, 0);
    hear_progress(&world, 276 * MS, 3, 1, 400, 0);
    hear_progress(&world, 280 * MS, 3, 0, 500, 8000 * MS); /* as late as never before the first */
    ck_assert_uint_eq(world.summary.recoveries[1].caught_up_ns, 0);
    hear_progress(&world, 290 * MS, 3, 0, 510, 50 * MS);
    ck_assert_uint_eq(world.summary.recovery_count, 2);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 290 * MS);
    ck_assert_uint_eq(world.summary.recoveries[1].caught_up_ns, 290 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].records_replayed, 500);
    ck_assert_uint_eq(world.summary.recoveries[1].records_replayed, 50);
    tear_down(&world);
}
END_TEST

START_TEST(a_task_failure_is_the_cause_where_no_fault_is)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear(&world, fact_text(fact_of_task(120 * MS, FACT_TASK_FAILED, 1, COUNT, 0), "bad record"));
    hear(&world, fact_text(fact_of_task(121 * MS, FACT_TASK_FAILED, 1, COUNT, 1), "lost peer"));
    hear_job(&world, 130 * MS, FACT_FAILURE_DETECTED);
    ck_assert_uint_eq(world.summary.recoveries[0].failed_ns, 120 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].detected_ns, 130 * MS);
    ck_assert_str_eq(world.summary.recoveries[0].cause, "bad record");
    tear_down(&world);
}
END_TEST

START_TEST(a_job_manager_that_takes_over_opens_a_recovery)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    summary_on_fault(&world.summary, 150 * MS, 150 * MS, "crash job_manager", true);
    hear(&world, fact_values(fact_of_job(400 * MS, FACT_JOB_MANAGER_STARTED), 2, 0));
    restart(&world, 500 * MS, 2, 9);
    ck_assert_uint_eq(world.summary.recovery_count, 1);
    ck_assert_uint_eq(world.summary.recoveries[0].failed_ns, 150 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].detected_ns, 400 * MS);
    ck_assert_str_eq(world.summary.recoveries[0].cause, "crash job_manager");
    ck_assert_uint_eq(world.summary.recoveries[0].running_ns, 505 * MS);
    tear_down(&world);
}
END_TEST

START_TEST(a_job_manager_is_missed_until_one_starts_whatever_else_breaks)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    summary_on_fault(&world.summary, 150 * MS, UINT64_MAX, "crash job_manager", true);
    summary_on_fault(&world.summary, 300 * MS, 310 * MS, "crash task_manager[1]", true);
    hear(&world, fact_values(fact_of_job(400 * MS, FACT_JOB_MANAGER_STARTED), 2, 0));
    restart(&world, 500 * MS, 2, 9);
    ck_assert_uint_eq(world.summary.recovery_count, 1);
    ck_assert_uint_eq(world.summary.recoveries[0].failed_ns, 150 * MS);
    ck_assert_str_eq(world.summary.recoveries[0].cause, "crash job_manager");
    tear_down(&world);
}
END_TEST

START_TEST(a_job_manager_that_died_before_its_first_start_is_no_later_cause)
{
    struct world world;
    set_up(&world);
    summary_on_fault(&world.summary, 1 * MS, UINT64_MAX, "crash job_manager", true);
    hear(&world, fact_values(fact_of_job(2 * MS, FACT_JOB_MANAGER_STARTED), 1, 0));
    run_until_100_ms(&world);
    hear_job(&world, 130 * MS, FACT_FAILURE_DETECTED);
    ck_assert_uint_eq(world.summary.recoveries[0].failed_ns, 130 * MS);
    tear_down(&world);
}
END_TEST

START_TEST(before_the_job_ever_ran_only_a_detected_failure_is_a_recovery)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_values(fact_of_job(1 * MS, FACT_JOB_MANAGER_STARTED), 1, 0));
    hear(&world, fact_values(fact_of_job(2 * MS, FACT_JOB_MANAGER_STARTED), 2, 0));
    ck_assert_uint_eq(world.summary.recovery_count, 0);
    hear_job(&world, 3 * MS, FACT_FAILURE_DETECTED);
    ck_assert_uint_eq(world.summary.recovery_count, 1);
    hear_running(&world, 9 * MS, 1);
    ck_assert_uint_eq(world.summary.recoveries[0].running_ns, 9 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 9 * MS);
    tear_down(&world);
}
END_TEST

START_TEST(the_end_of_the_input_or_of_the_job_ends_the_catch_up)
{
    for (int by_job = 0; by_job <= 1; by_job++) {
        struct world world;
        set_up(&world);
        run_until_100_ms(&world);
        hear_job(&world, 200 * MS, FACT_FAILURE_DETECTED);
        restart(&world, 210 * MS, 2, 0);
        hear_progress(&world, 250 * MS, 2, 0, 500, 0);
        hear_progress(&world, 250 * MS, 2, 1, 400, 5000 * MS);
        ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 0);
        if (by_job) {
            hear_job(&world, 260 * MS, FACT_JOB_FINISHED);
        } else {
            hear(&world, fact_of_task(260 * MS, FACT_TASK_END_OF_DATA, 2, SOURCE, 1));
        }
        ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 260 * MS);
        tear_down(&world);
    }
}
END_TEST

START_TEST(nobody_waits_for_a_source_that_has_finished)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear(&world, fact_of_task(110 * MS, FACT_TASK_FINISHED, 1, SOURCE, 1));
    hear_job(&world, 200 * MS, FACT_FAILURE_DETECTED);
    restart(&world, 210 * MS, 2, 5);
    hear_progress(&world, 250 * MS, 2, 0, 500, 0);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 250 * MS);
    tear_down(&world);
}
END_TEST

START_TEST(a_source_of_a_fenced_attempt_is_not_heard)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear_job(&world, 200 * MS, FACT_FAILURE_DETECTED);
    hear_progress(&world, 205 * MS, 1, 1, 450, 0); /* not cancelled yet: these are lost as well */
    restart(&world, 210 * MS, 2, 0);
    hear_progress(&world, 216 * MS, 1, 0, 9000, 0); /* a zombie */
    hear_progress(&world, 217 * MS, 2, 0, 0, 0);
    hear_progress(&world, 218 * MS, 2, 1, 0, 0);
    hear_progress(&world, 219 * MS, 1, 0, 9000, 0);
    hear_progress(&world, 230 * MS, 2, 0, 500, 0);
    hear_progress(&world, 231 * MS, 2, 1, 449, 0);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 0);
    hear_progress(&world, 232 * MS, 2, 1, 450, 0);
    ck_assert_uint_eq(world.summary.recoveries[0].caught_up_ns, 232 * MS);
    ck_assert_uint_eq(world.summary.recoveries[0].records_replayed, 500 + 450);
    tear_down(&world);
}
END_TEST

START_TEST(after_the_job_has_ended_nothing_opens)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear(&world, fact_text(fact_of_job(200 * MS, FACT_JOB_FAILED), "no restart is left"));
    hear_job(&world, 210 * MS, FACT_FAILURE_DETECTED);
    ck_assert_uint_eq(world.summary.recovery_count, 0);
    ck_assert_str_eq(world.summary.failure, "no restart is left");
    tear_down(&world);
}
END_TEST

/* ---- progress ---------------------------------------------------------------------------------
 */

START_TEST(progress_adds_the_sources_and_keeps_the_largest_lag)
{
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    hear_progress(&world, 200 * MS, 1, 0, 600, 0);
    ck_assert_uint_eq(world.summary.progress_count, 3);
    ck_assert_uint_eq(world.summary.progress[1].records, 900);
    ck_assert_uint_eq(world.summary.progress[1].lag_ns, 2 * MS);
    ck_assert_uint_eq(world.summary.progress[2].records, 1000);
    ck_assert_uint_eq(world.summary.progress[2].lag_ns, 2 * MS);
    tear_down(&world);
}
END_TEST

START_TEST(progress_stays_bounded_and_spans_the_run)
{
    enum { REPORTS = 100000 };
    struct world world;
    set_up(&world);
    run_until_100_ms(&world);
    for (uint64_t i = 1; i <= REPORTS; i++) {
        hear_progress(&world, (100 + i) * MS, 1, 0, 500 + i, i == 777 ? 99 * MS : 0);
    }
    summary_on_end(&world.summary, 2 * REPORTS * MS);
    const struct summary *summary = &world.summary;
    ck_assert_uint_le(summary->progress_count, SUMMARY_PROGRESS_POINTS_MAX);
    ck_assert_uint_ge(summary->progress_count, SUMMARY_PROGRESS_POINTS_MAX / 4);
    ck_assert_uint_eq(summary->progress[0].time_ns, 100 * MS);
    ck_assert_uint_eq(summary->progress[summary->progress_count - 1].time_ns, (100 + REPORTS) * MS);
    uint64_t lag_max_ns = 0;
    for (size_t i = 1; i < summary->progress_count; i++) {
        ck_assert_uint_gt(summary->progress[i].time_ns, summary->progress[i - 1].time_ns);
        ck_assert_uint_eq(summary->progress[i].records,
                          summary->progress[i].time_ns / MS + 400 + 400);
        lag_max_ns =
            summary->progress[i].lag_ns > lag_max_ns ? summary->progress[i].lag_ns : lag_max_ns;
    }
    ck_assert_uint_eq(lag_max_ns, 99 * MS); /* a peak survives the thinning */
    tear_down(&world);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("summary");
    TCase *checkpoints = tcase_create("checkpoints");
    tcase_add_test(checkpoints, a_checkpoint_has_its_phases_per_subtask);
    tcase_add_test(checkpoints, overlapping_checkpoints_are_kept_apart);
    tcase_add_test(checkpoints, fates_are_counted_and_the_reason_is_kept);
    tcase_add_test(checkpoints,
                   a_lost_job_manager_loses_its_pending_checkpoints_unless_one_is_restored);
    tcase_add_test(checkpoints, rows_of_subtasks_are_bounded);
    suite_add_tcase(suite, checkpoints);
    TCase *recoveries = tcase_create("recoveries");
    tcase_add_test(recoveries, a_recovery_runs_from_the_fault_until_every_source_is_back);
    tcase_add_test(recoveries, a_source_that_lags_more_than_before_has_not_caught_up);
    tcase_add_test(recoveries, the_lag_between_fault_and_detection_does_not_count_as_before);
    tcase_add_test(recoveries, failures_before_the_job_runs_again_are_one_recovery);
    tcase_add_test(recoveries, a_recovery_cut_short_is_caught_up_with_its_successor);
    tcase_add_test(recoveries, a_task_failure_is_the_cause_where_no_fault_is);
    tcase_add_test(recoveries, a_job_manager_that_takes_over_opens_a_recovery);
    tcase_add_test(recoveries, a_job_manager_is_missed_until_one_starts_whatever_else_breaks);
    tcase_add_test(recoveries, a_job_manager_that_died_before_its_first_start_is_no_later_cause);
    tcase_add_test(recoveries, before_the_job_ever_ran_only_a_detected_failure_is_a_recovery);
    tcase_add_test(recoveries, the_end_of_the_input_or_of_the_job_ends_the_catch_up);
    tcase_add_test(recoveries, nobody_waits_for_a_source_that_has_finished);
    tcase_add_test(recoveries, a_source_of_a_fenced_attempt_is_not_heard);
    tcase_add_test(recoveries, after_the_job_has_ended_nothing_opens);
    suite_add_tcase(suite, recoveries);
    TCase *progress = tcase_create("progress");
    tcase_add_test(progress, progress_adds_the_sources_and_keeps_the_largest_lag);
    tcase_add_test(progress, progress_stays_bounded_and_spans_the_run);
    suite_add_tcase(suite, progress);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
