/* The rules T1 to T4 of model/stream/file_sink.c. */
#include <stdio.h>
#include <string.h>

#include "model/base/codec.h"
#include "model/base/prng.h"
#include "model/stream/operator.h"
#include "tests/support/disk_host.h"
#include "tests/support/runner.h"

/* EMPTY_BYTES: a count, a name with its length, a mode, and that there are no items. */
enum { SUBTASK = 1, CALLS_MAX = 500, EMPTY_BYTES = 2 + 4 + 12 + 1 + 4 };

static struct arena arena;
static struct disk *disk;

static void setup(void)
{
    arena_init(&arena);
    disk = disk_create(&arena);
}

static void teardown(void)
{
    disk_destroy(disk);
    arena_drop(&arena);
}

/* One attempt's sink on a machine of its own. */
struct sink {
    struct disk_host machine;
    struct input_config input;
    struct operator_context context;
    void *self;
};

static void sink_begin(struct sink *sink, uint64_t attempt)
{
    *sink = (struct sink){ 0 };
    disk_host_init(&sink->machine, disk, (uint32_t)attempt);
    sink->context = (struct operator_context){ .host = &sink->machine.host,
                                               .input = &sink->input,
                                               .vertex = 1,
                                               .subtask = SUBTASK,
                                               .parallelism = 2,
                                               .attempt = attempt };
    buffer_init(&sink->context.failure, &sink->machine.arena);
}

static enum status sink_restore(struct sink *sink, struct bytes state)
{
    sink->self = file_sink_operator.open(&sink->context, NULL, NULL);
    return file_sink_operator.restore(sink->self, state);
}

static void sink_open(struct sink *sink, uint64_t attempt, struct bytes state)
{
    sink_begin(sink, attempt);
    ck_assert_int_eq(sink_restore(sink, state), STATUS_OK);
    file_sink_operator.run(sink->self);
    ck_assert_uint_eq(sink->context.failure.size, 0);
}

static void sink_close(struct sink *sink)
{
    disk_host_free(&sink->machine);
}

static void write_line(struct sink *sink, const char *line)
{
    struct record record = { .value = bytes_of_text(line) };
    file_sink_operator.process(sink->self, &record);
}

static struct bytes snapshot(struct sink *sink, uint64_t checkpoint)
{
    struct buffer state;
    buffer_init(&state, &arena);
    file_sink_operator.snapshot(sink->self, checkpoint, &state);
    return buffer_bytes(&state);
}

/* The first attempt's sink, which has written "a" for checkpoint 1, not completed; its state. */
static struct bytes open_with_pending_line(struct sink *sink)
{
    sink_open(sink, 1, (struct bytes){ 0 });
    write_line(sink, "a");
    return snapshot(sink, 1);
}

static void complete(struct sink *sink, uint64_t checkpoint)
{
    file_sink_operator.notify_complete(sink->self, checkpoint);
}

static void append_path(void *context, const char *path)
{
    buffer_append_format(context, "%s ", path);
}

static void assert_files(const char *expected)
{
    struct buffer paths;
    buffer_init(&paths, &arena);
    disk_each_file(disk, append_path, &paths);
    *buffer_extend(&paths, 1) = '\0';
    ck_assert_str_eq((const char *)paths.data, expected);
}

static void assert_content(const char *path, const char *expected)
{
    struct bytes content;
    ck_assert_msg(disk_peek(disk, path, &content), "%s is not there", path);
    ck_assert_msg(bytes_equal(content, bytes_of_text(expected)), "%s holds %.*s", path,
                  (int)content.size, (const char *)content.data);
}

static void cut(struct sink *sink, enum disk_survival survival)
{
    struct prng prng = { .state = 1 };
    disk_host_cut(&sink->machine, survival, &prng);
}

START_TEST(output_is_invisible_until_its_checkpoint_is_complete)
{
    struct sink sink;
    sink_open(&sink, 1, (struct bytes){ 0 });
    write_line(&sink, "a");
    write_line(&sink, "b");
    assert_files("");
    (void)snapshot(&sink, 7);
    assert_files("output/1/.pending-1-1 ");
    ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 0);
    complete(&sink, 7);
    assert_files("output/1/chk-7 ");
    assert_content("output/1/chk-7", "a\nb\n");
    ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 1);
    sink_close(&sink);
}
END_TEST

START_TEST(a_commit_tells_its_checkpoint_and_its_size)
{
    struct sink sink;
    sink_open(&sink, 3, (struct bytes){ 0 });
    write_line(&sink, "12345");
    (void)snapshot(&sink, 7);
    complete(&sink, 7);
    ck_assert_uint_eq(sink.machine.fact_count, 1);
    const struct fact *fact = &sink.machine.facts[0];
    ck_assert_int_eq(fact->kind, FACT_SINK_COMMITTED);
    ck_assert_uint_eq(fact->checkpoint, 7);
    ck_assert_uint_eq(fact->values[0], 6);
    ck_assert_uint_eq(fact->vertex, 1);
    ck_assert_uint_eq(fact->subtask, SUBTASK);
    ck_assert_uint_eq(fact->attempt, 3);
    sink_close(&sink);
}
END_TEST

START_TEST(a_checkpoint_without_output_makes_no_file)
{
    struct sink sink;
    sink_open(&sink, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(snapshot(&sink, 1).size, EMPTY_BYTES); /* no transactions */
    complete(&sink, 1);
    write_line(&sink, "a");
    (void)snapshot(&sink, 2);
    complete(&sink, 2);
    assert_files("output/1/chk-2 ");
    sink_close(&sink);
}
END_TEST

START_TEST(what_was_pre_committed_survives_the_loss_of_all_that_is_not_synced)
{
    struct sink sink;
    struct bytes state = open_with_pending_line(&sink);
    write_line(&sink, "lost");
    cut(&sink, DISK_LOSE);
    sink_open(&sink, 2, state);
    assert_content("output/1/chk-1", "a\n");
    sink_close(&sink);
}
END_TEST

START_TEST(what_was_committed_survives_the_loss_of_all_that_is_not_synced)
{
    struct sink sink;
    (void)open_with_pending_line(&sink);
    complete(&sink, 1);
    cut(&sink, DISK_LOSE);
    assert_files("output/1/chk-1 ");
}
END_TEST

START_TEST(output_larger_than_one_write_is_whole)
{
    enum { LINES = 30000 };
    struct sink sink;
    struct buffer expected;
    buffer_init(&expected, &arena);
    sink_open(&sink, 1, (struct bytes){ 0 });
    for (int i = 0; i < LINES; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "line %d", i);
        write_line(&sink, line);
        buffer_append_format(&expected, "%s\n", line);
    }
    (void)snapshot(&sink, 1);
    complete(&sink, 1);
    struct bytes content;
    ck_assert(disk_peek(disk, "output/1/chk-1", &content));
    ck_assert(bytes_equal(content, buffer_bytes(&expected)));
    sink_close(&sink);
}
END_TEST

/* T1 */
START_TEST(the_next_attempt_deletes_what_no_checkpoint_names)
{
    struct sink sink;
    struct bytes state = open_with_pending_line(&sink);
    complete(&sink, 1);
    write_line(&sink, "b");
    (void)snapshot(&sink, 2); /* never completes */
    sink_close(&sink);
    assert_files("output/1/.pending-1-2 output/1/chk-1 ");
    sink_open(&sink, 2, state);
    assert_files("output/1/chk-1 ");
    assert_content("output/1/chk-1", "a\n");
    sink_close(&sink);
}
END_TEST

/* T1 */
START_TEST(a_first_attempt_without_checkpoint_leaves_nothing_to_the_second)
{
    struct sink sink;
    (void)open_with_pending_line(&sink);
    sink_close(&sink);
    sink_open(&sink, 2, (struct bytes){ 0 });
    assert_files("");
    sink_close(&sink);
}
END_TEST

/* T1 */
START_TEST(the_restore_of_a_zombie_leaves_newer_attempts_alone)
{
    struct sink newer;
    struct sink zombie;
    sink_open(&newer, 10, (struct bytes){ 0 });
    write_line(&newer, "a");
    (void)snapshot(&newer, 1);
    sink_open(&zombie, 9, (struct bytes){ 0 }); /* 9 < 10, although "9" > "1" */
    assert_files("output/1/.pending-10-1 ");
    complete(&newer, 1);
    assert_content("output/1/chk-1", "a\n");
    sink_close(&zombie);
    sink_close(&newer);
}
END_TEST

/* T2 */
START_TEST(a_restore_commits_what_its_checkpoint_names)
{
    struct sink sink;
    struct bytes state = open_with_pending_line(&sink);
    sink_close(&sink);
    sink_open(&sink, 2, state);
    assert_files("output/1/chk-1 ");
    assert_content("output/1/chk-1", "a\n");
    ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 1);
    sink_close(&sink);
}
END_TEST

/* T2 */
START_TEST(a_commit_done_before_is_not_done_again)
{
    struct sink sink;
    struct bytes state = open_with_pending_line(&sink);
    complete(&sink, 1);
    sink_close(&sink);
    for (uint64_t attempt = 2; attempt < 5; attempt++) {
        sink_open(&sink, attempt, state);
        assert_files("output/1/chk-1 ");
        assert_content("output/1/chk-1", "a\n");
        ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 0);
        ck_assert_uint_eq(snapshot(&sink, attempt).size, EMPTY_BYTES); /* it is pending no more */
        sink_close(&sink);
    }
}
END_TEST

/* T2 */
START_TEST(a_checkpoint_whose_transaction_is_gone_cannot_be_restored)
{
    struct sink sink;
    struct bytes state = open_with_pending_line(&sink);
    sink_close(&sink);
    ck_assert_int_eq(disk_remove(disk, 1, "output/1/.pending-1-1"), STATUS_OK);
    sink_begin(&sink, 2);
    ck_assert_int_eq(sink_restore(&sink, state), STATUS_CORRUPT);
    ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 0);
    sink_close(&sink);
}
END_TEST

START_TEST(a_transaction_that_is_gone_at_its_commit_is_a_final_failure)
{
    struct sink sink;
    (void)open_with_pending_line(&sink);
    ck_assert_int_eq(disk_remove(disk, 1, "output/1/.pending-1-1"), STATUS_OK);
    complete(&sink, 1);
    ck_assert_uint_gt(sink.context.failure.size, 0);
    ck_assert(sink.context.failure_is_final);
    ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 0);
    sink_close(&sink);
}
END_TEST

/* T2 */
START_TEST(a_commit_that_cannot_be_looked_up_is_no_proof_of_loss)
{
    struct sink sink;
    struct bytes state = open_with_pending_line(&sink);
    complete(&sink, 1);
    sink_close(&sink);
    sink_begin(&sink, 2);
    disk_host_fail_at(&sink.machine, 6, STATUS_IO); /* two directories, the rename, the look */
    ck_assert_int_eq(sink_restore(&sink, state), STATUS_OK);
    ck_assert_uint_gt(sink.context.failure.size, 0);
    ck_assert(!sink.context.failure_is_final);
    sink_close(&sink);
    sink_open(&sink, 3, state);
    assert_content("output/1/chk-1", "a\n");
    sink_close(&sink);
}
END_TEST

/* T3 */
START_TEST(the_next_completed_checkpoint_commits_what_an_aborted_one_left)
{
    struct sink sink;
    (void)open_with_pending_line(&sink);
    write_line(&sink, "b");
    (void)snapshot(&sink, 2);
    write_line(&sink, "c");
    (void)snapshot(&sink, 3);
    complete(&sink, 2);
    assert_content("output/1/chk-1", "a\n");
    assert_content("output/1/chk-2", "b\n");
    assert_files("output/1/.pending-1-3 output/1/chk-1 output/1/chk-2 ");
    complete(&sink, 3);
    assert_files("output/1/chk-1 output/1/chk-2 output/1/chk-3 ");
    sink_close(&sink);
}
END_TEST

/* T3 */
START_TEST(a_restore_commits_what_an_aborted_checkpoint_left)
{
    struct sink sink;
    (void)open_with_pending_line(&sink);
    write_line(&sink, "b");
    struct bytes state = snapshot(&sink, 2);
    write_line(&sink, "c");
    (void)snapshot(&sink, 3);
    sink_close(&sink);
    sink_open(&sink, 2, state);
    assert_files("output/1/chk-1 output/1/chk-2 ");
    sink_close(&sink);
}
END_TEST

START_TEST(a_late_notification_of_an_older_checkpoint_changes_nothing)
{
    struct sink sink;
    sink_open(&sink, 1, (struct bytes){ 0 });
    write_line(&sink, "a");
    (void)snapshot(&sink, 5);
    complete(&sink, 4);
    assert_files("output/1/.pending-1-1 ");
    complete(&sink, 5);
    complete(&sink, 5);
    assert_files("output/1/chk-5 ");
    ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 1);
    sink_close(&sink);
}
END_TEST

START_TEST(a_job_that_ended_leaves_no_hidden_file)
{
    struct sink sink;
    (void)open_with_pending_line(&sink);
    complete(&sink, 1);
    write_line(&sink, "b");
    (void)snapshot(&sink, 2);
    /* Subtask 0 never had a directory. */
    file_sink_operator.clear_away(&sink.machine.host, NULL);
    assert_files("output/1/chk-1 ");
    sink_close(&sink);
}
END_TEST

START_TEST(one_of_several_sinks_has_a_directory_of_its_own)
{
    struct sink sink;
    sink_begin(&sink, 1);
    sink.self = file_sink_operator.open(&sink.context, "errors", NULL);
    ck_assert_int_eq(file_sink_operator.restore(sink.self, (struct bytes){ 0 }), STATUS_OK);
    write_line(&sink, "a");
    (void)snapshot(&sink, 1);
    complete(&sink, 1);
    write_line(&sink, "b");
    (void)snapshot(&sink, 2);
    assert_files("output/errors/1/.pending-1-2 output/errors/1/chk-1 ");
    file_sink_operator.clear_away(&sink.machine.host, "errors");
    assert_files("output/errors/1/chk-1 ");
    sink_close(&sink);
}
END_TEST

/* T4: subtask 1 of two takes over what subtask 4 of five had pre-committed. */
static void open_as(struct sink *sink, uint32_t subtask, uint32_t parallelism, uint64_t attempt,
                    struct bytes state)
{
    sink_begin(sink, attempt);
    sink->context.subtask = subtask;
    sink->context.parallelism = parallelism;
    ck_assert_int_eq(sink_restore(sink, state), STATUS_OK);
    ck_assert_uint_eq(sink->context.failure.size, 0);
}

START_TEST(what_another_subtask_wrote_is_committed_in_its_directory)
{
    struct sink sink;
    open_as(&sink, 4, 5, 1, (struct bytes){ 0 });
    write_line(&sink, "a");
    (void)snapshot(&sink, 1);
    write_line(&sink, "b");
    struct bytes state = snapshot(&sink, 2);
    sink_close(&sink);
    open_as(&sink, 1, 2, 2, state);
    ck_assert_uint_eq(disk_host_facts(&sink.machine, FACT_SINK_COMMITTED), 2);
    assert_content("output/4/chk-1", "a\n");
    assert_content("output/4/chk-2", "b\n");
    ck_assert_uint_eq(snapshot(&sink, 3).size, EMPTY_BYTES); /* it is nobody's any more */
    sink_close(&sink);
}
END_TEST

START_TEST(the_directories_of_subtasks_that_are_gone_are_cleared_by_one_of_those_left)
{
    struct sink sink;
    for (uint32_t subtask = 0; subtask < 5; subtask++) {
        open_as(&sink, subtask, 5, 1, (struct bytes){ 0 });
        write_line(&sink, "a");
        (void)snapshot(&sink, 1);
        sink_close(&sink);
    }
    open_as(&sink, 1, 2, 2, (struct bytes){ 0 });
    assert_files("output/0/.pending-1-1 output/1/.pending-1-1 output/2/.pending-1-1 "
                 "output/3/.pending-1-1 output/4/.pending-1-1 "); /* not before all are restored */
    file_sink_operator.run(sink.self);
    assert_files("output/0/.pending-1-1 output/2/.pending-1-1 output/4/.pending-1-1 ");
    sink_close(&sink);
    open_as(&sink, 0, 2, 2, (struct bytes){ 0 });
    file_sink_operator.run(sink.self);
    assert_files("");
    sink_close(&sink);
}
END_TEST

START_TEST(a_damaged_state_is_corrupt)
{
    struct sink sink;
    struct bytes state = open_with_pending_line(&sink);
    sink_close(&sink);
    for (size_t size = 1; size < state.size; size++) {
        sink_begin(&sink, 2);
        ck_assert_int_eq(sink_restore(&sink, (struct bytes){ state.data, size }), STATUS_CORRUPT);
        sink_close(&sink);
        assert_files("output/1/.pending-1-1 "); /* nothing was committed or deleted */
    }
}
END_TEST

START_TEST(a_storage_error_is_a_failure_that_a_restart_may_cure)
{
    for (uint64_t call = 1;; call++) {
        struct sink sink;
        sink_open(&sink, call, (struct bytes){ 0 });
        write_line(&sink, "a");
        disk_host_fail_at(&sink.machine, call, STATUS_NO_SPACE);
        (void)snapshot(&sink, call);
        if (sink.context.failure.size == 0) {
            complete(&sink, call);
        }
        bool failed = sink.context.failure.size > 0;
        ck_assert(!sink.context.failure_is_final);
        ck_assert(failed || disk_host_facts(&sink.machine, FACT_SINK_COMMITTED) == 1);
        sink_close(&sink);
        if (!failed) {
            ck_assert_uint_ge(call, 5); /* open, write, sync, directory sync, rename ... */
            break;
        }
    }
}
END_TEST

/* ---- the power is cut at every call ---------------------------------------------------------- */

/* A job of five lines, read again from where the checkpoint says. */
static const char *const lines[] = { "one", "two", "three", "four", "five" };
enum { LINES = sizeof lines / sizeof *lines };

/* The newest completed checkpoint. */
struct completed {
    uint64_t id;
    struct bytes state;
    int lines; /* read before it */
};

/* Takes a checkpoint after each of the lines from completed->lines on; number 2 of an attempt is
 * aborted. True if the power stayed on. */
static bool live(struct sink *sink, uint64_t attempt, uint64_t call, bool has_effect,
                 struct completed *completed, uint64_t *next_id)
{
    sink_begin(sink, attempt);
    if (call > 0) {
        disk_host_halt_at(&sink->machine, call, has_effect);
    }
    enum status status = sink_restore(sink, completed->state);
    ck_assert(sink->machine.is_halted || status == STATUS_OK);
    file_sink_operator.run(sink->self);
    int aborted = completed->lines + 1;
    for (int i = completed->lines; i < LINES && !sink->machine.is_halted; i++) {
        write_line(sink, lines[i]);
        uint64_t id = (*next_id)++;
        struct bytes state = snapshot(sink, id);
        if (sink->machine.is_halted || (i == aborted && i + 1 < LINES)) {
            continue; /* no ack, or an abort */
        }
        *completed = (struct completed){ .id = id, .state = state, .lines = i + 1 };
        complete(sink, id);
    }
    ck_assert_uint_eq(sink->context.failure.size, 0);
    return !sink->machine.is_halted;
}

struct visible {
    struct buffer content;
    uint64_t last_id;
};

static void append_visible(void *context, const char *path)
{
    struct visible *visible = context;
    unsigned long long id;
    if (sscanf(path, "output/1/chk-%llu", &id) == 1) {
        struct bytes content;
        ck_assert_uint_gt(id, visible->last_id); /* fewer than ten: names sort as numbers */
        visible->last_id = id;
        ck_assert(disk_peek(disk, path, &content));
        buffer_append(&visible->content, content);
    } else {
        ck_abort_msg("%s was left", path);
    }
}

static void assert_all_lines_once(void)
{
    struct visible visible = { .last_id = 0 };
    buffer_init(&visible.content, &arena);
    disk_each_file(disk, append_visible, &visible);
    ck_assert(bytes_equal(buffer_bytes(&visible.content),
                          bytes_of_text("one\ntwo\nthree\nfour\nfive\n")));
}

/* False once the call lies behind the end of the first life. */
static bool assert_cut(uint64_t call, uint64_t second_call, bool has_effect,
                       enum disk_survival survival, uint64_t seed)
{
    struct completed completed = { 0 };
    struct prng prng = { .state = seed };
    uint64_t next_id = 1;
    uint64_t attempt = 1;
    struct sink sink;
    disk_destroy(disk);
    disk = disk_create(&arena);
    bool was_cut = !live(&sink, attempt, call, has_effect, &completed, &next_id);
    for (bool is_off = was_cut; is_off;) {
        call = ++attempt == 2 ? second_call : 0;
        disk_host_cut(&sink.machine, survival, &prng);
        is_off = !live(&sink, attempt, call, has_effect, &completed, &next_id);
    }
    sink_close(&sink);
    assert_all_lines_once();
    return was_cut;
}

START_TEST(no_power_cut_loses_a_line_or_shows_it_twice)
{
    for (uint64_t call = 1; call < CALLS_MAX; call++) {
        bool was_cut = true;
        for (int effect = 0; effect < 2; effect++) {
            was_cut = assert_cut(call, 0, effect, DISK_KEEP, 1);
            was_cut = assert_cut(call, 0, effect, DISK_LOSE, 1) && was_cut;
            for (uint64_t seed = 1; seed <= 8; seed++) {
                was_cut = assert_cut(call, 0, effect, DISK_TEAR, seed) && was_cut;
            }
        }
        if (!was_cut) {
            ck_assert_uint_gt(call, 25); /* there was something to cut */
            return;
        }
    }
    ck_abort_msg("the job never ends");
}
END_TEST

START_TEST(no_power_cut_during_a_restore_after_a_power_cut_does)
{
    for (uint64_t call = 3; call < 40; call += 2) {
        for (uint64_t second = 1; second < 15; second++) {
            (void)assert_cut(call, second, true, DISK_LOSE, 1);
            (void)assert_cut(call, second, false, DISK_KEEP, 1);
            (void)assert_cut(call, second, false, DISK_TEAR, call * second);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("file_sink");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, output_is_invisible_until_its_checkpoint_is_complete);
    tcase_add_test(tcase, a_commit_tells_its_checkpoint_and_its_size);
    tcase_add_test(tcase, a_checkpoint_without_output_makes_no_file);
    tcase_add_test(tcase, what_was_pre_committed_survives_the_loss_of_all_that_is_not_synced);
    tcase_add_test(tcase, what_was_committed_survives_the_loss_of_all_that_is_not_synced);
    tcase_add_test(tcase, output_larger_than_one_write_is_whole);
    tcase_add_test(tcase, the_next_attempt_deletes_what_no_checkpoint_names);
    tcase_add_test(tcase, a_first_attempt_without_checkpoint_leaves_nothing_to_the_second);
    tcase_add_test(tcase, the_restore_of_a_zombie_leaves_newer_attempts_alone);
    tcase_add_test(tcase, a_restore_commits_what_its_checkpoint_names);
    tcase_add_test(tcase, a_commit_done_before_is_not_done_again);
    tcase_add_test(tcase, a_checkpoint_whose_transaction_is_gone_cannot_be_restored);
    tcase_add_test(tcase, a_transaction_that_is_gone_at_its_commit_is_a_final_failure);
    tcase_add_test(tcase, a_commit_that_cannot_be_looked_up_is_no_proof_of_loss);
    tcase_add_test(tcase, the_next_completed_checkpoint_commits_what_an_aborted_one_left);
    tcase_add_test(tcase, a_restore_commits_what_an_aborted_checkpoint_left);
    tcase_add_test(tcase, a_late_notification_of_an_older_checkpoint_changes_nothing);
    tcase_add_test(tcase, a_job_that_ended_leaves_no_hidden_file);
    tcase_add_test(tcase, one_of_several_sinks_has_a_directory_of_its_own);
    tcase_add_test(tcase, what_another_subtask_wrote_is_committed_in_its_directory);
    tcase_add_test(tcase,
                   the_directories_of_subtasks_that_are_gone_are_cleared_by_one_of_those_left);
    tcase_add_test(tcase, a_damaged_state_is_corrupt);
    tcase_add_test(tcase, a_storage_error_is_a_failure_that_a_restart_may_cure);
    tcase_add_test(tcase, no_power_cut_loses_a_line_or_shows_it_twice);
    tcase_add_test(tcase, no_power_cut_during_a_restore_after_a_power_cut_does);
    Suite *suite = suite_create("file_sink");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
