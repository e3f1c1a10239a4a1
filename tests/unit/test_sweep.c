#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "sim/campaign/sweep.h"
#include "tests/support/folder.h"
#include "tests/support/runner.h"

struct world {
    struct arena arena;
    struct buffer error;
    struct folder folder;
    char scenario[96];
    char database[96];
    struct results *results;
};

#define SMALL                                                                                      \
    "{ \"name\": \"grid\", \"job\": { \"name\": \"count\", \"input\": { \"records\": 200, "        \
    "\"keys\": 10, \"rate\": \"2k/s\" } }, \"checkpoint\": { \"interval\": \"20ms\" }, "           \
    "\"sweep\": "

static void write_scenario(struct world *world, const char *sweep)
{
    FILE *file = fopen(world->scenario, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fprintf(file, "%s%s }\n", SMALL, sweep), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void set_up(struct world *world, const char *sweep)
{
    arena_init(&world->arena);
    buffer_init(&world->error, &world->arena);
    world->folder = folder_make();
    (void)snprintf(world->scenario, sizeof world->scenario, "%s/grid.json", world->folder.path);
    (void)snprintf(world->database, sizeof world->database, "%s/results.db", world->folder.path);
    write_scenario(world, sweep);
    ck_assert_int_eq(results_open(&world->results, &world->arena, world->database, &world->error),
                     STATUS_OK);
}

static void tear_down(struct world *world)
{
    results_close(world->results);
    folder_remove(&world->folder);
    arena_drop(&world->arena);
}

static const char *error_text(struct world *world)
{
    *buffer_extend(&world->error, 1) = '\0';
    return (const char *)world->error.data;
}

static enum status sweep(struct world *world, struct sweep_state *state, const char *build,
                         const struct scenario_overrides *overrides)
{
    static const struct scenario_overrides none = { 0 };
    struct sweep_options options = { .scenario = world->scenario,
                                     .overrides = overrides == NULL ? &none : overrides,
                                     .build = build,
                                     .results = world->results,
                                     .processes = 2 };
    return sweep_run(state, &world->arena, &options, &world->error);
}

/* The first column of the first row. */
static int64_t read_number(struct world *world, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(world->database, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    ck_assert_int_eq(sqlite3_finalize(statement), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return number;
}

static enum status read_grid(struct world *world, struct sweep_grid *grid)
{
    struct scenario scenario;
    return scenario_read_sweep(grid, &scenario, &world->arena, world->scenario,
                               &(struct scenario_overrides){ 0 }, &world->error);
}

/* ---- the grid -------------------------------------------------------------------------------- */

START_TEST(lists_ranges_and_objects_make_axes)
{
    struct world world;
    set_up(&world, "{ \"checkpoint.interval\": [\"10ms\", \"1s\"], \"seed\": \"3..5\", "
                   "\"size\": [{ \"job.parallelism\": 2, \"job.input.rate\": \"1k/s\" }] }");
    struct sweep_grid grid;
    ck_assert_int_eq(read_grid(&world, &grid), STATUS_OK);
    ck_assert_uint_eq(grid.axis_count, 3);
    ck_assert_uint_eq(grid.cell_count, 6);
    ck_assert_str_eq(grid.axes[0].values[1].settings[0].text, "checkpoint.interval=1s");
    ck_assert_str_eq(grid.axes[0].values[1].settings[0].json, "\"1s\"");
    ck_assert_uint_eq(grid.axes[1].value_count, 3);
    ck_assert_str_eq(grid.axes[1].values[0].settings[0].text, "seed=3");
    ck_assert_str_eq(grid.axes[1].values[2].settings[0].text, "seed=5");
    ck_assert_uint_eq(grid.axes[2].values[0].setting_count, 2);
    ck_assert_str_eq(grid.axes[2].values[0].settings[1].text, "job.input.rate=1k/s");
    tear_down(&world);
}
END_TEST

START_TEST(a_grid_that_makes_no_sense_is_refused_with_its_place)
{
    static const char *const wrong[][2] = {
        { "{ \"seed\": \"a..b\" }", "sweep[\"seed\"]: " },
        { "{ \"seed\": \"5..1\" }", "sweep[\"seed\"]: " },
        { "{ \"seed\": \"1..99999999\" }", "at most 20000 cells" },
        { "{ \"seed\": [] }", "sweep[\"seed\"]: must have at least one value" },
        { "{ \"seed\": 7 }", "must be a list of values, or a range of whole numbers" },
        { "{ \"sede\": [1] }", "did you mean \"seed\"?" },
        { "{ \"size\": [{ \"job.paralelism\": 1 }] }", "sweep[\"size\"][0][\"job.paralelism\"]: " },
        { "{ \"size\": [{ \"seed\": 1 }, 4] }", "sweep[\"size\"][1]: must be an object" },
        { "{ \"seed\": \"1..200\", \"job.input.keys\": \"1..200\" }", "at most 20000 cells" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct world world;
        set_up(&world, wrong[i][0]);
        struct sweep_grid grid;
        ck_assert_int_eq(read_grid(&world, &grid), STATUS_INVALID);
        const char *sentence = error_text(&world);
        ck_assert_msg(strstr(sentence, wrong[i][1]) != NULL, "%s: %s", wrong[i][0], sentence);
        tear_down(&world);
    }
}
END_TEST

START_TEST(a_bad_value_names_its_cell_and_runs_nothing)
{
    struct world world;
    set_up(&world, "{ \"job.parallelism\": [1, 0] }");
    struct sweep_state state;
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_INVALID);
    const char *sentence = error_text(&world);
    ck_assert_ptr_nonnull(strstr(sentence, "grid.json: sweep (job.parallelism=0): "));
    ck_assert_ptr_nonnull(strstr(sentence, "must be at least 1"));
    ck_assert_ptr_null(strstr(sentence, "--set"));
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM run"), 0);
    tear_down(&world);
}
END_TEST

/* ---- running --------------------------------------------------------------------------------- */

START_TEST(every_cell_is_run_once_with_its_coordinates)
{
    struct world world;
    set_up(&world, "{ \"job.parallelism\": [1, 2], \"seed\": \"1..3\" }");
    struct sweep_state state;
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
    ck_assert_uint_eq(state.cell_count, 6);
    ck_assert_uint_eq(state.ended_count, 6);
    ck_assert_int_eq(state.worst, VERDICT_PASS);
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM run"), 6);
    ck_assert_int_eq(read_number(&world,
                                 "SELECT count(*) FROM sweep_cell JOIN run ON id = run_id WHERE"
                                 " sweep = 'grid' AND json_extract(coordinates,"
                                 " '$.\"job.parallelism\"') = parallelism"
                                 " AND json_extract(coordinates, '$.seed') = seed"),
                     6);
    ck_assert_int_ge(read_number(&world, "SELECT count(*) FROM checkpoint"), 6);
    ck_assert_int_ge(read_number(&world, "SELECT count(*) FROM task_checkpoint"), 12);
    tear_down(&world);
}
END_TEST

START_TEST(the_same_grid_twice_leaves_the_same_rows)
{
    struct world world;
    set_up(&world, "{ \"seed\": \"1..4\" }");
    struct sweep_state state;
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
    ck_assert_uint_eq(state.ended_count, 0);
    ck_assert_uint_eq(state.found_count, 4);
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM run"), 4);
    /* Another build proves nothing about this one. */
    ck_assert_int_eq(sweep(&world, &state, "c", NULL), STATUS_OK);
    ck_assert_uint_eq(state.ended_count, 4);
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM sweep_cell"), 4);
    tear_down(&world);
}
END_TEST

START_TEST(a_larger_grid_runs_only_what_is_missing)
{
    struct world world;
    set_up(&world, "{ \"seed\": [1, 2] }");
    struct sweep_state state;
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
    write_scenario(&world, "{ \"seed\": [2, 3, 4] }");
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
    ck_assert_uint_eq(state.found_count, 1);
    ck_assert_uint_eq(state.ended_count, 2);
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM run"), 4);
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM sweep_cell"), 3);
    tear_down(&world);
}
END_TEST

START_TEST(two_spellings_of_one_cell_are_one_run)
{
    struct world world;
    set_up(&world, "{ \"checkpoint.interval\": [\"50ms\", \"0.05s\"] }");
    struct sweep_state state;
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
    ck_assert_uint_eq(state.ended_count, 1);
    ck_assert_uint_eq(state.found_count, 1);
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM run"), 1);
    tear_down(&world);
}
END_TEST

START_TEST(the_worst_cell_counts_also_when_it_was_there_before)
{
    struct world world;
    set_up(&world, "{ \"expect.checkpoints\": [\"any\", \"== 1000\"] }");
    struct sweep_state state;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
        ck_assert_int_eq(state.worst, VERDICT_WRONG);
        ck_assert_uint_eq(state.failed_count, 1);
    }
    tear_down(&world);
}
END_TEST

START_TEST(overrides_hold_in_every_cell_but_for_what_the_grid_sets)
{
    struct world world;
    set_up(&world, "{ \"seed\": [1, 2] }");
    const char *settings[] = { "job.parallelism=3" };
    struct scenario_overrides overrides = {
        .settings = settings, .setting_count = 1, .has_seed = true, .seed = 9
    };
    struct sweep_state state;
    ck_assert_int_eq(sweep(&world, &state, "b", &overrides), STATUS_OK);
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM run WHERE parallelism = 3"), 2);
    ck_assert_int_eq(read_number(&world, "SELECT sum(seed) FROM run"), 3);
    tear_down(&world);
}
END_TEST

START_TEST(an_unreadable_input_is_the_surroundings_and_leaves_no_row)
{
    struct world world;
    set_up(&world, "{ \"seed\": [1] }");
    FILE *file = fopen(world.scenario, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs("{ \"name\": \"grid\", \"job\": { \"name\": \"count\", \"input\": "
                           "{ \"file\": \"gone.txt\" } }, \"sweep\": { \"seed\": [1, 2] } }\n",
                           file),
                     0);
    ck_assert_int_eq(fclose(file), 0);
    struct sweep_state state;
    ck_assert_int_eq(sweep(&world, &state, "b", NULL), STATUS_OK);
    ck_assert_int_eq(state.worst, VERDICT_SURROUNDINGS);
    ck_assert_int_eq(state.cells[0].fate, SWEEP_FAILED);
    ck_assert_ptr_nonnull(strstr(state.cells[0].message, "gone.txt"));
    ck_assert_int_eq(read_number(&world, "SELECT count(*) FROM run"), 0);
    tear_down(&world);
}
END_TEST

static Suite *suite(void)
{
    Suite *result = suite_create("sweep");
    TCase *grid = tcase_create("grid");
    tcase_add_test(grid, lists_ranges_and_objects_make_axes);
    tcase_add_test(grid, a_grid_that_makes_no_sense_is_refused_with_its_place);
    tcase_add_test(grid, a_bad_value_names_its_cell_and_runs_nothing);
    suite_add_tcase(result, grid);
    TCase *running = tcase_create("running");
    tcase_set_timeout(running, 60);
    tcase_add_test(running, every_cell_is_run_once_with_its_coordinates);
    tcase_add_test(running, the_same_grid_twice_leaves_the_same_rows);
    tcase_add_test(running, a_larger_grid_runs_only_what_is_missing);
    tcase_add_test(running, two_spellings_of_one_cell_are_one_run);
    tcase_add_test(running, the_worst_cell_counts_also_when_it_was_there_before);
    tcase_add_test(running, overrides_hold_in_every_cell_but_for_what_the_grid_sets);
    tcase_add_test(running, an_unreadable_input_is_the_surroundings_and_leaves_no_row);
    suite_add_tcase(result, running);
    return result;
}

int main(void)
{
    return run_suite(suite());
}
