#include "reports/timeline.h"

#include <jansson.h>
#include <string.h>

#include "tests/support/facts.h"
#include "tests/support/runner.h"

/* The job source -> count at parallelism 2. Groups of tracks: 1 faults, 2 JobManager, 3 source,
 * 4 count; see timeline.c. */
enum { SOURCE = 0, COUNT = 1 };
enum { GROUP_FAULTS = 1, GROUP_JOB_MANAGER = 2, GROUP_COUNT = 4 };

struct world {
    struct arena arena;
    struct timeline *timeline;
    json_t *document;
};

static void set_up(struct world *world)
{
    static const char *const names[] = { "source", "count" };
    arena_init(&world->arena);
    world->timeline = timeline_create(&world->arena, names, 2, 2);
    world->document = NULL;
}

static void tear_down(struct world *world)
{
    json_decref(world->document);
    arena_drop(&world->arena);
}

static void hear(struct world *world, struct fact_event event)
{
    timeline_on_fact(world->timeline, &event);
}

/* Ends the run and reads the document back. */
static void finish(struct world *world, uint64_t end_ns)
{
    struct buffer out;
    buffer_init(&out, &world->arena);
    timeline_write(world->timeline, end_ns, &out);
    json_error_t error;
    world->document = json_loadb((const char *)out.data, out.size, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(world->document != NULL, "line %d: %s", error.line, error.text);
    ck_assert(json_is_array(json_object_get(world->document, "traceEvents")));
}

static const char *text_of(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));
    return text == NULL ? "" : text;
}

static json_t *argument(const json_t *event, const char *key)
{
    return json_object_get(json_object_get(event, "args"), key);
}

static json_int_t integer_of(const json_t *event, const char *key)
{
    ck_assert(json_is_integer(json_object_get(event, key)));
    return json_integer_value(json_object_get(event, key));
}

/* The `skip`-th event of that phase and name, or NULL. */
static json_t *find(struct world *world, const char *phase, const char *name, size_t skip)
{
    json_t *event;
    size_t i;
    json_array_foreach(json_object_get(world->document, "traceEvents"), i, event)
    {
        if (strcmp(text_of(event, "ph"), phase) == 0 && strcmp(text_of(event, "name"), name) == 0 &&
            skip-- == 0) {
            return event;
        }
    }
    return NULL;
}

/* The times are whole nanoseconds below a second, so a double holds them well enough. */
static void expect_time(const json_t *event, const char *key, uint64_t time_ns)
{
    const json_t *value = json_object_get(event, key);
    ck_assert(json_is_real(value));
    ck_assert_double_eq_tol(json_real_value(value), (double)time_ns / 1000.0, 1e-6);
}

static json_t *expect_span(struct world *world, const char *name, json_int_t group,
                           uint64_t from_ns, uint64_t to_ns)
{
    json_t *event = find(world, "X", name, 0);
    ck_assert_msg(event != NULL, "no span %s", name);
    expect_time(event, "ts", from_ns);
    expect_time(event, "dur", to_ns - from_ns);
    ck_assert_int_eq(integer_of(event, "pid"), group);
    return event;
}

/* What is the track of this event called? */
static const char *track_name(struct world *world, const json_t *event)
{
    json_t *name;
    for (size_t i = 0; (name = find(world, "M", "thread_name", i)) != NULL; i++) {
        if (integer_of(name, "pid") == integer_of(event, "pid") &&
            integer_of(name, "tid") == integer_of(event, "tid")) {
            return json_string_value(argument(name, "name"));
        }
    }
    return "";
}

/* ---- promises ---------------------------------------------------------------------------------
 */

START_TEST(an_empty_run_is_a_valid_document)
{
    struct world world;
    set_up(&world);
    finish(&world, 0);
    ck_assert_ptr_nonnull(find(&world, "M", "process_name", 0));
    tear_down(&world);
}
END_TEST

START_TEST(the_phases_of_a_subtask_are_spans_that_end_at_their_facts)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_values(fact_of_part(130001, FACT_TASK_ALIGNED, 7, COUNT, 1), 20000, 10002));
    hear(&world, fact_values(fact_of_part(135001, FACT_SNAPSHOT_TAKEN, 7, COUNT, 1), 5000, 0));
    hear(&world, fact_values(fact_of_part(175001, FACT_SNAPSHOT_WRITTEN, 7, COUNT, 1), 9, 40000));
    finish(&world, 200000);
    json_t *alignment = expect_span(&world, "alignment", GROUP_COUNT, 119999, 130001);
    json_t *sync = expect_span(&world, "snapshot, sync", GROUP_COUNT, 130001, 135001);
    json_t *async = expect_span(&world, "snapshot, async", GROUP_COUNT, 135001, 175001);
    ck_assert_int_eq(json_integer_value(argument(alignment, "checkpoint")), 7);
    ck_assert_str_eq(track_name(&world, alignment), "count[1]");
    ck_assert_int_eq(integer_of(alignment, "tid"), integer_of(sync, "tid"));
    ck_assert_str_eq(track_name(&world, async), "count[1] upload");
    tear_down(&world);
}
END_TEST

/* A handler that takes its time tells facts that lie behind the last event of the simulation. */
START_TEST(what_began_after_the_end_ends_when_it_began)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_of_checkpoint(250000, FACT_CHECKPOINT_TRIGGERED, 7));
    finish(&world, 200000);
    json_t *checkpoint = expect_span(&world, "checkpoint 7", GROUP_JOB_MANAGER, 250000, 250000);
    ck_assert_str_eq(json_string_value(argument(checkpoint, "text")), "pending at the end");
    tear_down(&world);
}
END_TEST

START_TEST(an_alignment_of_no_time_is_no_span)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_values(fact_of_part(130, FACT_TASK_ALIGNED, 7, SOURCE, 1), 20, 0));
    finish(&world, 200);
    ck_assert_ptr_null(find(&world, "X", "alignment", 0));
    tear_down(&world);
}
END_TEST

START_TEST(a_restore_lasts_from_start_to_state)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_of_task(1000, FACT_TASK_STARTED, 1, COUNT, 0));
    hear(&world, fact_of_task(1500, FACT_TASK_STARTED, 1, COUNT, 1));
    hear(&world, fact_of_task(4000, FACT_TASK_RESTORED, 1, COUNT, 0));
    finish(&world, 9000);
    json_t *restore = expect_span(&world, "restore", GROUP_COUNT, 1000, 4000);
    ck_assert_str_eq(track_name(&world, restore), "count[0]");
    json_t *open = find(&world, "X", "restore", 1);
    ck_assert_ptr_nonnull(open);
    expect_time(open, "dur", 7500);
    ck_assert_str_eq(json_string_value(argument(open, "text")), "unfinished at the end");
    tear_down(&world);
}
END_TEST

START_TEST(a_checkpoint_is_a_span_with_its_outcome)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_of_checkpoint(100, FACT_CHECKPOINT_TRIGGERED, 1));
    hear(&world, fact_of_checkpoint(900, FACT_CHECKPOINT_COMPLETED, 1));
    hear(&world, fact_of_checkpoint(1000, FACT_CHECKPOINT_TRIGGERED, 2));
    hear(&world, fact_text(fact_of_checkpoint(1400, FACT_CHECKPOINT_ABORTED, 2), "expired"));
    hear(&world, fact_of_checkpoint(2000, FACT_CHECKPOINT_TRIGGERED, 3));
    finish(&world, 2500);
    json_t *first = expect_span(&world, "checkpoint 1", GROUP_JOB_MANAGER, 100, 900);
    json_t *second = expect_span(&world, "checkpoint 2", GROUP_JOB_MANAGER, 1000, 1400);
    json_t *third = expect_span(&world, "checkpoint 3", GROUP_JOB_MANAGER, 2000, 2500);
    ck_assert_str_eq(json_string_value(argument(first, "text")), "completed");
    ck_assert_str_eq(json_string_value(argument(second, "text")), "aborted: expired");
    ck_assert_str_eq(json_string_value(argument(third, "text")), "pending at the end");
    ck_assert_int_eq(integer_of(first, "tid"), integer_of(third, "tid"));
    ck_assert_str_eq(track_name(&world, first), "checkpoints");
    tear_down(&world);
}
END_TEST

START_TEST(spans_of_one_track_never_overlap)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_of_checkpoint(100, FACT_CHECKPOINT_TRIGGERED, 1));
    hear(&world, fact_of_checkpoint(200, FACT_CHECKPOINT_TRIGGERED, 2));
    hear(&world, fact_of_checkpoint(300, FACT_CHECKPOINT_COMPLETED, 2));
    hear(&world, fact_of_checkpoint(400, FACT_CHECKPOINT_COMPLETED, 1));
    hear(&world, fact_values(fact_of_part(500, FACT_SNAPSHOT_WRITTEN, 1, COUNT, 0), 0, 100));
    hear(&world, fact_values(fact_of_part(600, FACT_SNAPSHOT_WRITTEN, 2, COUNT, 0), 0, 150));
    timeline_on_fault(world.timeline, 700, 900, "late");
    timeline_on_fault(world.timeline, 100, 800, "early");
    finish(&world, 1000);
    ck_assert_int_ne(integer_of(find(&world, "X", "checkpoint 1", 0), "tid"),
                     integer_of(find(&world, "X", "checkpoint 2", 0), "tid"));
    ck_assert_int_ne(integer_of(find(&world, "X", "snapshot, async", 0), "tid"),
                     integer_of(find(&world, "X", "snapshot, async", 1), "tid"));
    ck_assert_int_ne(integer_of(find(&world, "X", "early", 0), "tid"),
                     integer_of(find(&world, "X", "late", 0), "tid"));
    tear_down(&world);
}
END_TEST

START_TEST(a_downtime_lasts_from_the_first_detection_until_running)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_of_job(10, FACT_JOB_RUNNING));
    hear(&world, fact_text(fact_of_job(1000, FACT_FAILURE_DETECTED), "heartbeat timeout"));
    hear(&world, fact_of_task(1100, FACT_TASK_STARTED, 2, COUNT, 0));
    hear(&world, fact_of_job(1200, FACT_FAILURE_DETECTED));
    hear(&world, fact_of_job(3000, FACT_JOB_RUNNING));
    finish(&world, 9000);
    json_t *downtime = expect_span(&world, "downtime", GROUP_JOB_MANAGER, 1000, 3000);
    ck_assert_str_eq(json_string_value(argument(downtime, "text")), "heartbeat timeout");
    ck_assert_str_eq(track_name(&world, downtime), "job");
    ck_assert_ptr_null(find(&world, "X", "downtime", 1));
    json_t *restore = expect_span(&world, "restore", GROUP_COUNT, 1100, 1200);
    ck_assert_str_eq(json_string_value(argument(restore, "text")), "abandoned");
    tear_down(&world);
}
END_TEST

START_TEST(a_takeover_is_a_downtime_and_loses_pending_checkpoints)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_values(fact_of_job(1, FACT_JOB_MANAGER_STARTED), 1, 0));
    hear(&world, fact_of_job(10, FACT_JOB_RUNNING));
    hear(&world, fact_of_checkpoint(100, FACT_CHECKPOINT_TRIGGERED, 1));
    hear(&world, fact_values(fact_of_job(500, FACT_JOB_MANAGER_STARTED), 2, 0));
    finish(&world, 900);
    (void)expect_span(&world, "checkpoint 1", GROUP_JOB_MANAGER, 100, 500);
    (void)expect_span(&world, "downtime", GROUP_JOB_MANAGER, 500, 900);
    tear_down(&world);
}
END_TEST

START_TEST(a_fault_is_a_span_or_a_mark)
{
    struct world world;
    set_up(&world);
    timeline_on_fault(world.timeline, 500, 900, "pause \"task_manager[1]\"\n");
    timeline_on_fault(world.timeline, 600, 600, "corrupt \xff file");
    finish(&world, 1000);
    (void)expect_span(&world, "pause \"task_manager[1]\"\n", GROUP_FAULTS, 500, 900);
    json_t *mark = find(&world, "i", "corrupt ? file", 0);
    ck_assert_ptr_nonnull(mark);
    expect_time(mark, "ts", 600);
    tear_down(&world);
}
END_TEST

START_TEST(steps_are_marks_and_traffic_is_left_out)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_of_part(100, FACT_BARRIER_EMITTED, 4, SOURCE, 1));
    hear(&world, fact_of_part(110, FACT_BARRIER_RECEIVED, 4, COUNT, 1));
    hear(&world, fact_of_task(120, FACT_SOURCE_PROGRESS, 1, SOURCE, 1));
    hear(&world, fact_of_checkpoint(130, FACT_MANIFEST_RENAMED, 4));
    finish(&world, 200);
    json_t *emitted = find(&world, "i", "barrier.emitted", 0);
    ck_assert_str_eq(track_name(&world, emitted), "source[1]");
    json_t *renamed = find(&world, "i", "manifest.renamed", 0);
    ck_assert_str_eq(track_name(&world, renamed), "job");
    ck_assert_int_eq(json_integer_value(argument(renamed, "checkpoint")), 4);
    ck_assert_ptr_null(find(&world, "i", "barrier.received", 0));
    ck_assert_ptr_null(find(&world, "i", "source.progress", 0));
    tear_down(&world);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("timeline");
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, an_empty_run_is_a_valid_document);
    tcase_add_test(promises, the_phases_of_a_subtask_are_spans_that_end_at_their_facts);
    tcase_add_test(promises, what_began_after_the_end_ends_when_it_began);
    tcase_add_test(promises, an_alignment_of_no_time_is_no_span);
    tcase_add_test(promises, a_restore_lasts_from_start_to_state);
    tcase_add_test(promises, a_checkpoint_is_a_span_with_its_outcome);
    tcase_add_test(promises, spans_of_one_track_never_overlap);
    tcase_add_test(promises, a_downtime_lasts_from_the_first_detection_until_running);
    tcase_add_test(promises, a_takeover_is_a_downtime_and_loses_pending_checkpoints);
    tcase_add_test(promises, a_fault_is_a_span_or_a_mark);
    tcase_add_test(promises, steps_are_marks_and_traffic_is_left_out);
    suite_add_tcase(suite, promises);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
