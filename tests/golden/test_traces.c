/* Single steps of the protocol as a person would tell them, compared line by line with the texts
 * beside this file. After a wanted change: UPDATE_GOLDEN=1 rewrites them; read the difference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- telling --------------------------------------------------------------------------------- */

static void append_time(struct buffer *out, uint64_t time_ns)
{
    uint64_t us = time_ns / 1000;
    buffer_append_format(out, "[%3llu.%06llu] ", (unsigned long long)us / 1000000,
                         (unsigned long long)us % 1000000);
}

static void append_who(struct buffer *out, const struct fact_event *event)
{
    char who[32];
    uint32_t process = actor_process(event->actor);
    if (event->fact.vertex != FACT_NO_TASK) {
        (void)snprintf(who, sizeof who, "%s[%u]",
                       cluster.run.pipeline.vertices[event->fact.vertex].name, event->fact.subtask);
    } else if (process == PROCESS_JOB_MANAGER) {
        (void)snprintf(who, sizeof who, "job_manager");
    } else {
        (void)snprintf(who, sizeof who, "task_manager[%u]", process - WORKER_0);
    }
    buffer_append_format(out, "%-15s ", who);
}

static void append_fact(struct buffer *out, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    append_time(out, event->time_ns);
    append_who(out, event);
    buffer_append_text(out, fact_info(fact->kind)->name);
    if (fact->checkpoint != 0) {
        buffer_append_format(out, " %llu", (unsigned long long)fact->checkpoint);
    }
    if (fact->kind == FACT_JOB_DEPLOYED) {
        buffer_append_format(out, " as attempt %llu", (unsigned long long)fact->attempt);
    }
    if (fact->text.size > 0) {
        buffer_append_format(out, " (%.*s)", (int)fact->text.size, (const char *)fact->text.data);
    }
    buffer_append_text(out, "\n");
}

/* Steps of the protocol; progress and marks are none. */
static bool is_step(enum fact_kind kind)
{
    return kind < FACT_KIND_COUNT && kind != FACT_SOURCE_PROGRESS &&
           strncmp(fact_info(kind)->name, "mark.", 5) != 0;
}

static void append_faults(struct buffer *out, uint64_t from_ns, uint64_t until_ns)
{
    for (uint32_t i = 0; i < cluster.scenario.fault_count; i++) {
        const struct fault_record *record = &cluster.run.faults[i];
        if (record->fired && from_ns <= record->fired_ns && record->fired_ns < until_ns) {
            append_time(out, record->fired_ns);
            buffer_append_text(out, "-- ");
            fault_describe(&cluster.scenario, record->fault, out);
            buffer_append_text(out, "\n");
        }
    }
}

/* Everything between two facts, both included, in the order of time. */
static struct bytes tell(const struct fact_event *from, const struct fact_event *to)
{
    struct buffer out;
    buffer_init(&out, &cluster.arena);
    ck_assert(from != NULL && to != NULL);
    size_t count = 0;
    const struct fact_event **told = arena_alloc(&cluster.arena, cluster.fact_count, sizeof *told);
    for (const struct fact_event *event = cluster.facts; event < cluster.facts + cluster.fact_count;
         event++) {
        if (event->time_ns >= from->time_ns && event->time_ns <= to->time_ns &&
            is_step(event->fact.kind)) {
            size_t at = count++;
            for (; at > 0 && told[at - 1]->time_ns > event->time_ns; at--) {
                told[at] = told[at - 1];
            }
            told[at] = event;
        }
    }
    for (size_t i = 0; i < count; i++) {
        append_fact(&out, told[i]);
        if (i + 1 < count) {
            append_faults(&out, told[i]->time_ns, told[i + 1]->time_ns);
        }
    }
    return buffer_bytes(&out);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static struct bytes read_golden(const char *path)
{
    struct buffer content;
    buffer_init(&content, &cluster.arena);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be read: is this the project's root?", path);
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        *buffer_extend(&content, 1) = (uint8_t)c;
    }
    (void)fclose(file);
    return buffer_bytes(&content);
}

static void write_golden(const char *path, struct bytes text)
{
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "%s cannot be written", path);
    ck_assert_uint_eq(fwrite(text.data, 1, text.size, file), text.size);
    ck_assert_int_eq(fclose(file), 0);
}

static struct bytes line_at(struct bytes text, size_t at)
{
    const uint8_t *end = at < text.size ? memchr(text.data + at, '\n', text.size - at) : NULL;
    size_t size = end != NULL ? (size_t)(end - (text.data + at)) : text.size - at;
    return (struct bytes){ text.data + at, size };
}

static void assert_golden(const char *name, struct bytes told)
{
    const char *path = arena_format(&cluster.arena, "tests/golden/%s.txt", name);
    if (getenv("UPDATE_GOLDEN") != NULL) {
        write_golden(path, told);
    }
    struct bytes expected = read_golden(path);
    size_t at = 0;
    for (int line = 1; at < told.size && at < expected.size; line++) {
        struct bytes a = line_at(expected, at);
        struct bytes b = line_at(told, at);
        ck_assert_msg(bytes_equal(a, b), "%s:%d:\nexpected %.*s\ngot      %.*s", path, line,
                      (int)a.size, (const char *)a.data, (int)b.size, (const char *)b.data);
        at += a.size + 1;
    }
    ck_assert_msg(told.size == expected.size, "%s has %zu bytes, %zu were told", path,
                  expected.size, told.size);
}

/* The last fact of a kind for a checkpoint. */
static const struct fact_event *last(enum fact_kind kind, uint64_t checkpoint)
{
    const struct fact_event *found = NULL;
    for (size_t i = 0; i < cluster.fact_count; i++) {
        const struct fact *fact = &cluster.facts[i].fact;
        if (fact->kind == kind && fact->checkpoint == checkpoint) {
            found = &cluster.facts[i];
        }
    }
    return found;
}

/* The job runs again, for the second time. */
static const struct fact_event *running_again(void)
{
    const struct fact_event *found = NULL;
    uint32_t times = 0;
    for (size_t i = 0; i < cluster.fact_count && times < 2; i++) {
        if (cluster.facts[i].fact.kind == FACT_JOB_RUNNING) {
            found = &cluster.facts[i];
            times++;
        }
    }
    ck_assert_uint_eq(times, 2);
    return found;
}

/* ---- the steps ------------------------------------------------------------------------------- */

START_TEST(one_checkpoint_without_a_fault)
{
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    assert_golden("one_checkpoint", tell(cluster_first(&cluster, FACT_CHECKPOINT_TRIGGERED, 2),
                                         last(FACT_SINK_COMMITTED, 2)));
}
END_TEST

START_TEST(a_start_and_an_end)
{
    cluster.scenario.job.parallelism = 1;
    cluster.scenario.job.input.records = 100;
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    assert_golden("start_and_end", tell(cluster_first(&cluster, FACT_JOB_MANAGER_STARTED, 0),
                                        cluster_first(&cluster, FACT_JOB_FINISHED, 0)));
}
END_TEST

START_TEST(a_task_manager_crashes_after_its_ack)
{
    cluster_crash(&cluster, when_task(FACT_TASK_ACKED, 2, 0, 0), WORKER_0, 50 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    assert_golden("task_manager_crash_after_ack",
                  tell(cluster_first(&cluster, FACT_CHECKPOINT_TRIGGERED, 2), running_again()));
}
END_TEST

START_TEST(a_job_manager_crashes_after_the_manifest_has_its_name)
{
    cluster_crash(&cluster, when(FACT_MANIFEST_RENAMED, 2, 1), PROCESS_JOB_MANAGER,
                  50 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    assert_golden("job_manager_crash_after_rename",
                  tell(cluster_first(&cluster, FACT_CHECKPOINT_ALL_ACKED, 2), running_again()));
}
END_TEST

/* The barriers of checkpoint 2 are slow, so that its acks are on their way when it times out. */
START_TEST(a_checkpoint_times_out_and_its_acks_come_late)
{
    cluster.scenario.job.parallelism = 1;
    cluster.scenario.cluster.network.latency_min_ns = 40 * CLUSTER_MS;
    cluster.scenario.cluster.network.latency_max_ns = 40 * CLUSTER_MS;
    cluster.scenario.job.checkpoint.timeout_ns = 200 * CLUSTER_MS;
    cluster.scenario.job.checkpoint.tolerable_failures = 1;
    cluster_delay(&cluster, when(FACT_CHECKPOINT_TRIGGERED, 2, 1), 200 * CLUSTER_MS,
                  70 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_ptr_nonnull(cluster_first(&cluster, FACT_CHECKPOINT_ABORTED, 2));
    ck_assert_ptr_nonnull(cluster_first(&cluster, FACT_ACK_REJECTED, 2));
    assert_golden(
        "timeout_and_late_ack",
        tell(cluster_first(&cluster, FACT_CHECKPOINT_TRIGGERED, 2), last(FACT_SINK_COMMITTED, 3)));
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("traces");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_checkpoint_without_a_fault);
    tcase_add_test(tcase, a_start_and_an_end);
    tcase_add_test(tcase, a_task_manager_crashes_after_its_ack);
    tcase_add_test(tcase, a_job_manager_crashes_after_the_manifest_has_its_name);
    tcase_add_test(tcase, a_checkpoint_times_out_and_its_acks_come_late);
    Suite *suite = suite_create("traces");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
