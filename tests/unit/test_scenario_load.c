#include "sim/scenario/scenario_load.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/folder.h"
#include "tests/support/runner.h"
#include "tests/support/scenarios.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena);
}

static void tear_down(void)
{
    arena_drop(&arena);
}

/* ---- overrides ------------------------------------------------------------------------------- */

START_TEST(settings_replace_values_of_every_type)
{
    const char *settings[4] = { "checkpoint.interval=250ms", "restart.jitter=0.5",
                                "faults[1].on=count[3]", "about=42" };
    struct scenario s;
    ck_assert_str_eq(scenario_try_with(&s, &arena, scenario_example, settings), "");
    ck_assert_uint_eq(s.job.checkpoint.interval_ns, 250000000);
    ck_assert_uint_eq(s.job.restart.jitter_ppm, 500000);
    ck_assert_int_eq(s.faults[1].object.kind, OBJECT_TASK);
    ck_assert_uint_eq(s.faults[1].object.index, 3);
    ck_assert_str_eq(s.about, "42");
}
END_TEST

START_TEST(later_settings_win_and_alternatives_give_way)
{
    const char *settings[4] = { "job.parallelism=2", "job.parallelism=3", "random={}",
                                "job.input.records=7" };
    struct scenario s;
    ck_assert_str_eq(scenario_try_with(&s, &arena, scenario_example, settings), "");
    ck_assert_uint_eq(s.job.parallelism, 3);
    ck_assert_uint_eq(s.fault_count, 1);
    ck_assert_int_eq(s.job.input.kind, INPUT_GENERATOR);
    ck_assert_uint_eq(s.job.input.records, 7);
}
END_TEST

START_TEST(faults_take_the_place_of_random_ones)
{
    const char *settings[4] = { "faults=[]" };
    struct scenario s;
    ck_assert_str_eq(scenario_try_with(&s, &arena, RANDOM_SCENARIO("9"), settings), "");
    ck_assert_uint_eq(s.fault_count, 0);
    ck_assert(s.expect.all_fired);
}
END_TEST

static const char *const bad_settings[][2] = {
    { "checkpoint.intervall=1s",
      "checkpoint.intervall: unknown key; did you mean \"checkpoint.interval\"?" },
    { "job.input.bad_records=skip",
      "job.input.bad_records: unknown key; did you mean \"job.bad_records\"?" },
    { "checkpoint.interval=5",
      "checkpoint.interval: must be a duration such as \"250ms\" or \"off\"" },
    { "nonsense", "\"nonsense\" must be PATH=VALUE" },
    { "=5", "\"=5\" must be PATH=VALUE" },
    { "faults[9].for=1s", "faults[9].for: \"faults\" has 4 elements, counted from 0" },
    { "faults[].for=1s", "faults[].for: \"faults\" has 4 elements, counted from 0" },
    { "faults[0]={}", "faults[0].do: must be given" },
    { "random.on[0]=x", "random.on[0]: \"random.on\" has 0 elements, counted from 0" },
    { "plot[0].x=y", "plot[0].x: \"y\" is nothing over which checkpoint_time is drawn; known: "
                     "interval_x_tasks, tasks, interval, time" },
    { "about=\xff", "about: must be UTF-8" },
    { "\xff=1", "\xff: unknown key" },
    { "two\nlines=1", "two?lines: unknown key" },
    { "checkpoint=5", "checkpoint: must be an object" },
    { "cluster.slots=0", "cluster.slots: must be at least 1" },
};

START_TEST(a_bad_setting_is_blamed_on_the_command_line)
{
    const char *settings[4] = { bad_settings[_i][0] };
    struct scenario s;
    ck_assert_str_eq(scenario_try_with(&s, &arena, scenario_example, settings),
                     arena_format(&arena, "--set: %s", bad_settings[_i][1]));
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------- */

static const char *try_read(struct scenario *scenario, const char *path, enum status expected)
{
    struct buffer error;
    buffer_init(&error, &arena);
    ck_assert_int_eq(scenario_read(scenario, &arena, path, NULL, &error), expected);
    return text_of(&error, &arena);
}

START_TEST(a_scenario_that_is_like_another_starts_from_it)
{
    struct folder folder = folder_make();
    folder_put(
        &folder, &arena, "base.json",
        "{ \"name\": \"base\", \"about\": \"b\", \"seed\": 3,"
        "  \"job\": { \"name\": \"count\", \"parallelism\": 2,"
        "             \"input\": { \"file\": \"data/in.txt\", \"rate\": \"5/s\" } },"
        "  \"faults\": [ { \"at\": \"1s\", \"do\": \"crash\", \"on\": \"job_manager\" },"
        "                { \"at\": \"2s\", \"do\": \"crash\", \"on\": \"job_manager\" } ] }");
    folder_put(
        &folder, &arena, "middle.json",
        "{ \"like\": \"base.json\", \"checkpoint\": { \"interval\": \"1s\", \"retained\": 3 } }");
    const char *path = folder_put(
        &folder, &arena, "my top.json",
        "{ \"like\": \"middle.json\", \"job\": { \"parallelism\": 5 },"
        "  \"checkpoint\": { \"retained\": 4 },"
        "  \"faults\": [ { \"at\": \"3s\", \"do\": \"crash\", \"on\": \"job_manager\" } ] }");
    struct scenario s;
    ck_assert_str_eq(try_read(&s, path, STATUS_OK), "");
    ck_assert_str_eq(s.name, "my-top");
    ck_assert_str_eq(s.about, "");
    ck_assert_str_eq(s.path, path);
    ck_assert_uint_eq(s.seed, 3);
    ck_assert_uint_eq(s.job.parallelism, 5);
    ck_assert_uint_eq(s.job.checkpoint.interval_ns, 1000000000);
    ck_assert_uint_eq(s.job.checkpoint.retained, 4);
    ck_assert_uint_eq(s.fault_count, 1);
    ck_assert_uint_eq(s.faults[0].trigger.at_ns, UINT64_C(3000000000));
    ck_assert_str_eq(s.input_path, arena_format(&arena, "%s/data/in.txt", folder.path));
    ck_assert_str_eq(s.job.input.label, "data/in.txt");
    ck_assert_uint_eq(s.job.input.rate_per_s, 5);
    folder_remove(&folder);
}
END_TEST

START_TEST(an_error_is_blamed_on_the_file_it_is_in)
{
    struct folder folder = folder_make();
    const char *base = folder_put(&folder, &arena, "base.json",
                                  "{ \"job\": { \"name\": \"count\", \"parallelism\": 0 } }");
    const char *top =
        folder_put(&folder, &arena, "top.json",
                   "{ \"like\": \"base.json\", \"job\": { \"max_parallelism\": 5 } }");
    struct scenario s;
    ck_assert_str_eq(try_read(&s, top, STATUS_INVALID),
                     arena_format(&arena, "%s: job.parallelism: must be at least 1", base));
    folder_remove(&folder);
}
END_TEST

START_TEST(a_circle_of_files_is_refused)
{
    struct folder folder = folder_make();
    const char *a = folder_put(&folder, &arena, "a.json", "{ \"like\": \"b.json\" }");
    const char *b = folder_put(&folder, &arena, "b.json", "{ \"like\": \"./a.json\" }");
    struct scenario s;
    ck_assert_str_eq(try_read(&s, a, STATUS_INVALID),
                     arena_format(&arena, "%s: like: \"./a.json\" leads back to itself", b));
    folder_remove(&folder);
}
END_TEST

START_TEST(a_scenario_that_cannot_be_read_says_why)
{
    struct scenario s;
    ck_assert_str_eq(try_read(&s, "no/such.json", STATUS_NOT_FOUND), "no/such.json: no such file");
    ck_assert_str_eq(try_read(&s, "tests", STATUS_IO), "tests: Is a directory");
}
END_TEST

static const char bad_folder[] = "tests/cli/bad_scenarios";

START_TEST(every_bad_scenario_is_refused_with_its_sentence)
{
    FILE *expected = fopen(arena_format(&arena, "%s/expected.tsv", bad_folder), "r");
    ck_assert_msg(expected != NULL, "the tests run in the root of the project");
    char line[512];
    uint32_t count = 0;
    while (fgets(line, sizeof line, expected) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        ck_assert_ptr_nonnull(tab);
        *tab = '\0';
        const char *path = arena_format(&arena, "%s/%s", bad_folder, line);
        struct scenario s;
        const char *error = try_read(&s, path, STATUS_INVALID);
        ck_assert_msg(strncmp(error, path, strlen(path)) == 0, "%s", error);
        error += strlen(path) + 1;
        ck_assert_str_eq(error + (*error == ' ' ? 1 : 0), tab + 1);
        count++;
    }
    fclose(expected);

    uint32_t file_count = 0;
    DIR *folder = opendir(bad_folder);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        file_count += strstr(entry->d_name, ".json") != NULL ? 1 : 0;
    }
    closedir(folder);
    ck_assert_uint_eq(count, file_count);
    ck_assert_uint_ge(count, 50);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("scenario_load");
    TCase *tests = tcase_create("scenario_load");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, settings_replace_values_of_every_type);
    tcase_add_test(tests, later_settings_win_and_alternatives_give_way);
    tcase_add_test(tests, faults_take_the_place_of_random_ones);
    tcase_add_loop_test(tests, a_bad_setting_is_blamed_on_the_command_line, 0,
                        sizeof bad_settings / sizeof bad_settings[0]);
    tcase_add_test(tests, a_scenario_that_is_like_another_starts_from_it);
    tcase_add_test(tests, an_error_is_blamed_on_the_file_it_is_in);
    tcase_add_test(tests, a_circle_of_files_is_refused);
    tcase_add_test(tests, a_scenario_that_cannot_be_read_says_why);
    tcase_add_test(tests, every_bad_scenario_is_refused_with_its_sentence);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
