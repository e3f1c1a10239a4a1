#include "sim/campaign/outputs.h"

#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/figure_choice.h"
#include "sim/campaign/output_files.h"
#include "sim/scenario/scenario_json.h"
#include "tests/support/folder.h"
#include "tests/support/runner.h"

/* A run of a thousand records with one crash, and an empty folder. */
struct fixture {
    struct arena arena;
    struct scenario scenario;
    struct fault fault;
    struct run run;
    struct verdict_view view;
    struct buffer error;
    struct folder folder;
    struct outputs_options options;
};

static void run_with(struct fixture *fixture, bool keep)
{
    struct run_options options = { .keep_trace = keep, .keep_timeline = keep };
    run_scenario(&fixture->run, &fixture->arena, &fixture->scenario, (struct bytes){ 0 }, &options);
    fixture->view = (struct verdict_view){ .run = &fixture->run };
    fixture->view.violations =
        oracle_violations(fixture->run.oracle, &fixture->view.violation_count);
}

static void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    arena_init(&fixture->arena);
    buffer_init(&fixture->error, &fixture->arena);
    scenario_init(&fixture->scenario);
    fixture->scenario.name = "small";
    fixture->scenario.job.parallelism = 2;
    fixture->scenario.job.input.records = 1000;
    fixture->scenario.job.input.keys = 10;
    fixture->fault = (struct fault){
        .trigger = { .kind = TRIGGER_AT, .at_ns = UINT64_C(100000000) },
        .verb = FAULT_CRASH,
        .object = { .kind = OBJECT_TASK_MANAGER, .index = 0 },
        .for_ns = 1000000,
    };
    fixture->scenario.faults = &fixture->fault;
    fixture->scenario.fault_count = 1;
    fixture->folder = folder_make();
    fixture->options.folder = folder_path(&fixture->folder, &fixture->arena, "a/b");
    fixture->options.build = "test";
    run_with(fixture, false);
}

static void fixture_free(struct fixture *fixture)
{
    folder_remove(&fixture->folder);
    arena_drop(&fixture->arena);
}

static void write_folder(struct fixture *fixture)
{
    enum status status = outputs_write(&fixture->view, &fixture->options, &fixture->error);
    ck_assert_msg(status == STATUS_OK, "%.*s", (int)fixture->error.size,
                  (const char *)fixture->error.data);
}

static bool has_file(const struct fixture *fixture, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->options.folder, name);
    return access(path, F_OK) == 0;
}

static uint32_t count_files(const struct fixture *fixture)
{
    DIR *folder = opendir(fixture->options.folder);
    ck_assert_ptr_nonnull(folder);
    uint32_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        count += entry->d_name[0] == '.' ? 0 : 1;
    }
    (void)closedir(folder);
    return count;
}

static uint32_t count_lines(const struct fixture *fixture, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->options.folder, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    uint32_t count = 0;
    int c;
    while ((c = fgetc(file)) != EOF) {
        count += c == '\n' ? 1 : 0;
    }
    (void)fclose(file);
    return count;
}

static json_t *read_result(const struct fixture *fixture)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/result.json", fixture->options.folder);
    json_error_t error;
    json_t *result = json_load_file(path, 0, &error);
    ck_assert_msg(result != NULL, "%s", error.text);
    return result;
}

START_TEST(a_folder_holds_the_four_files_and_nothing_else)
{
    struct fixture fixture;
    fixture_init(&fixture);
    write_folder(&fixture);
    ck_assert_uint_eq(count_files(&fixture), 4);
    ck_assert_uint_eq(count_lines(&fixture, "output.txt"), 1000);
    ck_assert_uint_eq(count_lines(&fixture, "state.tsv"), 10);
    ck_assert(has_file(&fixture, "run.json"));
    ck_assert(has_file(&fixture, "result.json"));
    fixture_free(&fixture);
}
END_TEST

START_TEST(the_result_has_every_promised_field)
{
    static const char *const keys[] = { "name",    "seed",        "verdict",    "trace_hash",
                                        "records", "tasks",       "events",     "simulated_s",
                                        "wall_s",  "checkpoints", "recoveries", "violations",
                                        "faults" };
    struct fixture fixture;
    fixture_init(&fixture);
    write_folder(&fixture);
    json_t *result = read_result(&fixture);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        ck_assert_msg(json_object_get(result, keys[i]) != NULL, "no %s", keys[i]);
    }
    ck_assert_uint_eq(json_object_size(result), sizeof keys / sizeof *keys);
    ck_assert_str_eq(json_string_value(json_object_get(result, "name")), "small");
    ck_assert_str_eq(json_string_value(json_object_get(result, "verdict")), "pass");
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(result, "trace_hash"))), 16);
    ck_assert_int_eq(json_integer_value(json_object_get(result, "records")), 1000);
    ck_assert_int_eq(json_integer_value(json_object_get(result, "tasks")), 4);
    const json_t *fault = json_array_get(json_object_get(result, "faults"), 0);
    ck_assert(json_is_true(json_object_get(fault, "fired")));
    ck_assert_uint_eq(json_array_size(json_object_get(result, "recoveries")), 1);
    json_decref(result);
    fixture_free(&fixture);
}
END_TEST

START_TEST(the_run_file_gives_the_same_run_again)
{
    struct fixture fixture;
    fixture_init(&fixture);
    write_folder(&fixture);
    const char *path = arena_format(&fixture.arena, "%s/run.json", fixture.options.folder);
    struct scenario scenario;
    struct scenario_overrides none = { 0 };
    enum status status = scenario_read(&scenario, &fixture.arena, path, &none, &fixture.error);
    ck_assert_int_eq(status, STATUS_OK);
    struct run again;
    run_scenario(&again, &fixture.arena, &scenario, (struct bytes){ 0 },
                 &(struct run_options){ 0 });
    ck_assert_uint_eq(again.trace_hash, fixture.run.trace_hash);
    fixture_free(&fixture);
}
END_TEST

START_TEST(a_trace_is_written_if_kept_and_does_not_outlive_its_run)
{
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t hash = fixture.run.trace_hash;
    run_with(&fixture, true);
    ck_assert_uint_eq(fixture.run.trace_hash, hash);
    write_folder(&fixture);
    ck_assert_uint_gt(count_lines(&fixture, "trace.jsonl"), 10);
    ck_assert(has_file(&fixture, "timeline.json"));
    run_with(&fixture, false);
    write_folder(&fixture);
    ck_assert_uint_eq(count_files(&fixture), 4);
    fixture_free(&fixture);
}
END_TEST

START_TEST(the_figures_that_the_scenario_chose_are_drawn_and_no_others)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.options.plots = true;
    write_folder(&fixture);
    ck_assert(has_file(&fixture, "progress.gp"));
    ck_assert(has_file(&fixture, "checkpoints.gp"));
    fixture.scenario.plots = 1u << CHOICE_PROGRESS;
    run_with(&fixture, false);
    write_folder(&fixture);
    ck_assert(has_file(&fixture, "progress.gp"));
    ck_assert(!has_file(&fixture, "checkpoints.gp"));
    ck_assert(!has_file(&fixture, "checkpoints.svg"));
    fixture.scenario.plots = 1u << CHOICE_PHASES; /* of a sweep: says nothing about a run */
    run_with(&fixture, false);
    write_folder(&fixture);
    ck_assert(has_file(&fixture, "checkpoints.gp"));
    fixture_free(&fixture);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_named_and_leaves_no_result)
{
    struct fixture fixture;
    fixture_init(&fixture);
    write_folder(&fixture);
    /* A folder cannot be replaced by a file, whoever runs the test. */
    const char *path = arena_format(&fixture.arena, "%s/state.tsv", fixture.options.folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(outputs_write(&fixture.view, &fixture.options, &fixture.error), STATUS_IO);
    const char *sentence = arena_format(&fixture.arena, "%s: cannot write: Is a directory", path);
    ck_assert(bytes_equal(buffer_bytes(&fixture.error), bytes_of_text(sentence)));
    ck_assert(!has_file(&fixture, "result.json"));
    ck_assert_uint_eq(count_files(&fixture), 3); /* no temporary file remains */
    fixture_free(&fixture);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.options.folder = "/dev/null/x";
    ck_assert_int_eq(outputs_write(&fixture.view, &fixture.options, &fixture.error), STATUS_IO);
    ck_assert(bytes_equal(buffer_bytes(&fixture.error),
                          bytes_of_text("/dev/null: cannot make the folder: Not a directory")));
    fixture_free(&fixture);
}
END_TEST

START_TEST(what_is_wrong_is_in_the_result_even_if_it_is_no_utf8)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct violation violation = { .property = PROPERTY_OUTPUT, .message = "bad \xff byte" };
    struct unmet unmet = { .message = "expect.result: ..." };
    fixture.view.violations = &violation;
    fixture.view.violation_count = 1;
    fixture.run.unmet = &unmet;
    fixture.run.unmet_count = 1;
    fixture.view.verified = true;
    fixture.view.second_hash = fixture.run.trace_hash + 1;
    write_folder(&fixture);
    json_t *result = read_result(&fixture);
    const json_t *violations = json_object_get(result, "violations");
    static const char *const names[] = { "output", "expect", "determinism" };
    ck_assert_uint_eq(json_array_size(violations), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *item = json_array_get(violations, i);
        ck_assert_str_eq(json_string_value(json_object_get(item, "property")), names[i]);
    }
    const json_t *first = json_array_get(violations, 0);
    ck_assert_str_eq(json_string_value(json_object_get(first, "message")), "bad ? byte");
    json_decref(result);
    fixture_free(&fixture);
}
END_TEST

START_TEST(a_run_is_found_in_the_database)
{
    struct fixture fixture;
    fixture_init(&fixture);
    const char *path = folder_path(&fixture.folder, &fixture.arena, "results.db");
    struct results *results;
    ck_assert_int_eq(results_open(&results, &fixture.arena, path, &fixture.error), STATUS_OK);
    ck_assert_int_eq(outputs_add(&fixture.view, "test", results, &fixture.error), STATUS_OK);
    struct buffer json;
    buffer_init(&json, &fixture.arena);
    scenario_write(fixture.run.scenario, &json);
    *buffer_extend(&json, 1) = '\0';
    bool contained = false;
    ck_assert_int_eq(
        results_contain(results, (const char *)json.data, "test", &contained, &fixture.error),
        STATUS_OK);
    ck_assert(contained);
    results_close(results);
    fixture_free(&fixture);
}
END_TEST

/* In a child: a file that may not grow is the end of who writes to it. */
static _Noreturn void write_until_killed(const struct output_folder *folder)
{
    static const uint8_t content[4096];
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){ .rlim_cur = 1000, .rlim_max = 1000 });
    (void)!output_file_write(folder, "file", (struct bytes){ content, sizeof content });
    _exit(0);
}

START_TEST(of_a_file_whose_writer_dies_nothing_is_left)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct output_folder folder = { .arena = &fixture.arena,
                                    .path = fixture.options.folder,
                                    .error = &fixture.error };
    ck_assert_int_eq(output_folder_make(&folder), STATUS_OK);
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        write_until_killed(&folder);
    }
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGXFSZ);
    ck_assert_int_eq(rmdir(folder.path), 0);
    fixture_free(&fixture);
}
END_TEST

static Suite *suite(void)
{
    Suite *result = suite_create("outputs");
    TCase *all = tcase_create("outputs");
    tcase_add_test(all, a_folder_holds_the_four_files_and_nothing_else);
    tcase_add_test(all, the_result_has_every_promised_field);
    tcase_add_test(all, the_run_file_gives_the_same_run_again);
    tcase_add_test(all, a_trace_is_written_if_kept_and_does_not_outlive_its_run);
    tcase_add_test(all, the_figures_that_the_scenario_chose_are_drawn_and_no_others);
    tcase_add_test(all, a_file_that_cannot_be_written_is_named_and_leaves_no_result);
    tcase_add_test(all, a_folder_that_cannot_be_made_is_named);
    tcase_add_test(all, of_a_file_whose_writer_dies_nothing_is_left);
    tcase_add_test(all, what_is_wrong_is_in_the_result_even_if_it_is_no_utf8);
    tcase_add_test(all, a_run_is_found_in_the_database);
    suite_add_tcase(result, all);
    return result;
}

int main(void)
{
    return run_suite(suite());
}
