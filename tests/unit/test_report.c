#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/cost_law.h"
#include "reports/figure_cost.h"
#include "reports/figure_recovery.h"
#include "reports/junit.h"
#include "reports/report.h"
#include "reports/results_pack.h"
#include "tests/support/folder.h"
#include "tests/support/runner.h"

struct world {
    struct arena arena;
    struct buffer text;
    struct buffer error;
    struct folder folder;
    char path[96];
};

static void set_up(struct world *world)
{
    arena_init(&world->arena);
    buffer_init(&world->text, &world->arena);
    buffer_init(&world->error, &world->arena);
    world->folder = folder_make();
    (void)snprintf(world->path, sizeof world->path, "%s/results.db", world->folder.path);
}

static void tear_down(struct world *world)
{
    folder_remove(&world->folder);
    arena_drop(&world->arena);
}

static const char *text_of(struct buffer *buffer)
{
    *buffer_extend(buffer, 1) = '\0';
    return (const char *)buffer->data;
}

/* ---- cells by hand --------------------------------------------------------------------------- */

enum { TASK_STEPS = 5, INTERVAL_STEPS = 5, CELLS = TASK_STEPS * INTERVAL_STEPS };

/* N 2..32, T 1..16 s; durations come from the caller. */
static void make_cells(struct report_cell cells[CELLS], const char *name,
                       double duration_s(const struct report_cell *cell))
{
    for (int i = 0; i < CELLS; i++) {
        double tasks = ldexp(2, i / INTERVAL_STEPS);
        cells[i] = (struct report_cell){
            .sweep = name,
            .tasks = tasks,
            .parallelism = tasks / 2,
            .interval_s = ldexp(1, i % INTERVAL_STEPS),
            .passed = true,
            .checkpoints = 3,
            .bytes = 1e6 * tasks / 2,
            .written_bytes = 1e6 * tasks / 2,
            .task_bytes = 1e6,
            .keys = 1e6 * tasks / 2,
            .rate = 1000 * tasks / 2,
            .record_s = 1e-4,
            .store_rate = 1e8,
            .client_rate = INFINITY,
            .writers = INFINITY,
        };
        cells[i].duration_s = duration_s(&cells[i]);
        cells[i].phases_s[PHASE_ASYNC] = cells[i].duration_s;
    }
}

static double shared_s(const struct report_cell *cell)
{
    return 0.05 + cell->bytes / cell->store_rate;
}

static double incremental_s(const struct report_cell *cell)
{
    return 0.05 + cell->rate * cell->interval_s * 1e-6;
}

static struct cost_analysis analyse(struct world *world, const struct report_cell *cells)
{
    struct cost_regime regime = { .name = cells[0].sweep, .cells = cells, .cell_count = CELLS };
    struct cost_analysis analysis;
    ck_assert(cost_analyse(&analysis, &world->arena, &regime));
    cost_describe(&analysis, &regime, &world->arena, &world->text);
    return analysis;
}

START_TEST(full_snapshots_through_one_store_follow_their_law_and_not_the_formula)
{
    struct world world;
    set_up(&world);
    struct report_cell cells[CELLS];
    make_cells(cells, "shared-store", shared_s);
    struct cost_analysis analysis = analyse(&world, cells);
    ck_assert_int_eq(analysis.law, LAW_FULL_SHARED);
    ck_assert_double_eq_tol(analysis.own.r2, 1, 1e-9);
    ck_assert_double_eq_tol(analysis.own.slope, 1, 1e-9);
    ck_assert_double_eq_tol(analysis.own.intercept, 0.05, 1e-9);
    ck_assert_double_eq_tol(analysis.interval_effect, 0, 1e-12);
    ck_assert_double_lt(analysis.line.r2, 0.5);
    ck_assert_double_lt(analysis.formula_r2, -1000);
    ck_assert_ptr_nonnull(strstr(text_of(&world.text), "does not hold here"));
    tear_down(&world);
}
END_TEST

START_TEST(incremental_snapshots_of_new_keys_make_the_formula_hold)
{
    struct world world;
    set_up(&world);
    struct report_cell cells[CELLS];
    make_cells(cells, "incremental", incremental_s);
    for (int i = 0; i < CELLS; i++) {
        cells[i].incremental = true;
    }
    struct cost_analysis analysis = analyse(&world, cells);
    ck_assert_int_eq(analysis.law, LAW_INCREMENTAL);
    ck_assert_double_gt(analysis.line.r2, 0.99);
    ck_assert_double_gt(analysis.own.r2, 0.99);
    ck_assert_double_eq_tol(analysis.repeat_max, 0.016, 1e-9);
    ck_assert_ptr_nonnull(strstr(text_of(&world.text),
                                 "to T × N holds here, for T × N from 2 s to 512 s"));
    tear_down(&world);
}
END_TEST

START_TEST(the_law_is_told_by_where_the_time_goes)
{
    struct world world;
    set_up(&world);
    struct report_cell cells[CELLS];
    make_cells(cells, "any", shared_s);
    for (int i = 0; i < CELLS; i++) {
        cells[i].writers = 2;
    }
    ck_assert_int_eq(analyse(&world, cells).law, LAW_SLOTS);
    for (int i = 0; i < CELLS; i++) {
        cells[i].phases_s[PHASE_ALIGNMENT] = 2 * cells[i].duration_s;
    }
    ck_assert_int_eq(analyse(&world, cells).law, LAW_QUEUED);
    make_cells(cells, "any", shared_s);
    for (int i = 0; i < CELLS; i++) {
        cells[i].client_rate = 1e6;
    }
    ck_assert_int_eq(analyse(&world, cells).law, LAW_FULL_OWN);
    tear_down(&world);
}
END_TEST

static double own_disk_s(const struct report_cell *cell)
{
    return 0.05 + cell->task_bytes / cell->client_rate;
}

START_TEST(on_own_disks_the_largest_part_counts_and_not_the_number_of_parts)
{
    struct world world;
    set_up(&world);
    struct report_cell cells[CELLS];
    make_cells(cells, "own-disks", shared_s);
    for (int i = 0; i < CELLS; i++) {
        cells[i].store_rate = INFINITY;
        cells[i].client_rate = 1e6;
        cells[i].task_bytes = 16e6 / cells[i].parallelism; /* the same state on more disks */
        cells[i].duration_s = own_disk_s(&cells[i]);
    }
    struct cost_analysis analysis = analyse(&world, cells);
    ck_assert_int_eq(analysis.law, LAW_FULL_OWN);
    ck_assert_double_eq_tol(analysis.own.r2, 1, 1e-9);
    ck_assert_double_eq_tol(analysis.own.slope, 1, 1e-9);
    ck_assert_double_lt(analysis.tasks_ratio, 0.1);
    ck_assert_double_lt(analysis.line.slope, 0);
    ck_assert_ptr_nonnull(strstr(text_of(&world.text), "full snapshots, own disks (own-disks)"));
    tear_down(&world);
}
END_TEST

START_TEST(the_headline_has_a_panel_a_regime_with_its_three_fits_and_one_of_all)
{
    struct world world;
    set_up(&world);
    struct report_cell cells[2 * CELLS];
    make_cells(cells, "incremental", incremental_s);
    make_cells(cells + CELLS, "shared-store", shared_s);
    for (int i = 0; i < CELLS; i++) {
        cells[i].incremental = true;
    }
    struct report_data data = { .cells = cells, .cell_count = 2 * CELLS };
    struct cost_regime regimes[COST_REGIMES_MAX];
    ck_assert_uint_eq(cost_find_regimes(&data, regimes), 2);
    struct report_figure figure;
    figure_time_by_product(&figure, &world.arena, regimes, 2);
    ck_assert_uint_eq(figure.panel_count, 3);
    ck_assert_str_eq(figure.panels[0].name, "checkpoint-time-shared-store");
    ck_assert_str_eq(figure.panels[2].name, "checkpoint-time-r2");
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(strstr(figure.panels[i].body, "'R² of T × N: "));
        ck_assert_ptr_nonnull(strstr(figure.panels[i].body, "'R² of best a·T·N + b: "));
        ck_assert_ptr_nonnull(strstr(figure.panels[i].body, "'R² of own law: "));
        ck_assert_ptr_nonnull(strstr(figure.panels[i].body, "set yrange [0.01:1000]"));
        ck_assert_ptr_nonnull(strstr(figure.panels[i].body, "T × N (s)'"));
        ck_assert_ptr_nonnull(strstr(figure.panels[i].body, "checkpoint time (s)'"));
    }
    const char *caption = text_of(&figure.caption);
    ck_assert_ptr_nonnull(strstr(caption, "does not hold here"));
    ck_assert_ptr_nonnull(strstr(caption, "holds here"));
    tear_down(&world);
}
END_TEST

START_TEST(only_sweeps_over_both_and_without_failures_are_regimes)
{
    struct report_cell cells[3 * CELLS];
    make_cells(cells, "a-recovery", shared_s);
    make_cells(cells + CELLS, "backpressure", shared_s);
    make_cells(cells + 2 * CELLS, "shared-store", shared_s);
    cells[3].recoveries = 1;
    struct report_data data = { .cells = cells, .cell_count = 3 * CELLS };
    struct cost_regime regimes[COST_REGIMES_MAX];
    ck_assert_uint_eq(cost_find_regimes(&data, regimes), 2);
    ck_assert_str_eq(regimes[0].name, "shared-store");
    ck_assert_str_eq(regimes[1].name, "backpressure");
    ck_assert_uint_eq(regimes[1].cell_count, CELLS);
    for (int i = 0; i < CELLS; i++) {
        cells[CELLS + i].interval_s = 1;
    }
    ck_assert_uint_eq(cost_find_regimes(&data, regimes), 1);
}
END_TEST

START_TEST(recoveries_as_the_model_says_are_called_no_percent_apart)
{
    struct world world;
    set_up(&world);
    struct report_cell cells[CELLS];
    struct report_recovery recoveries[CELLS];
    make_cells(cells, "recovery", shared_s);
    for (int i = 0; i < CELLS; i++) {
        cells[i].parallelism = 1;
        cells[i].rate = 1000.0 * (1 + i / INTERVAL_STEPS);
        double behind_s = 10 + cells[i].interval_s;
        double catch_up_s = cells[i].rate * behind_s / (1 / cells[i].record_s - cells[i].rate);
        recoveries[i] = (struct report_recovery){ .cell = &cells[i],
                                                  .age_s = cells[i].interval_s,
                                                  .down_s = 10,
                                                  .catch_up_s = catch_up_s,
                                                  .total_s = 10 + catch_up_s };
    }
    struct report_data data = { .recoveries = recoveries, .recovery_count = CELLS };
    struct report_figure figure;
    figure_recovery(&figure, &world.arena, &data);
    ck_assert_uint_eq(figure.panel_count, 2);
    ck_assert_uint_eq(table_row_count(figure.table), CELLS);
    const char *caption = text_of(&figure.caption);
    ck_assert_ptr_nonnull(strstr(caption, "25 recoveries"));
    ck_assert_ptr_nonnull(strstr(caption, "at most 0.01 % apart"));
    tear_down(&world);
}
END_TEST

/* ---- text ------------------------------------------------------------------------------------ */

START_TEST(numbers_are_written_as_people_read_them)
{
    struct arena arena;
    arena_init(&arena);
    ck_assert_str_eq(text_number(&arena, 0), "0");
    ck_assert_str_eq(text_number(&arena, 1234567), "1,234,567");
    ck_assert_str_eq(text_number(&arena, -1234), "-1,234");
    ck_assert_str_eq(text_number(&arena, 12.5), "12.5");
    ck_assert_str_eq(text_number(&arena, 0.0004), "0.0004");
    ck_assert_str_eq(text_seconds(&arena, 0.0237), "23.7 ms");
    ck_assert_str_eq(text_seconds(&arena, 1.5), "1.5 s");
    ck_assert_str_eq(text_seconds(&arena, 0.000005), "5 µs");
    ck_assert_str_eq(text_seconds(&arena, 1800), "30 min");
    ck_assert_str_eq(text_seconds(&arena, 0), "0 s");
    ck_assert_str_eq(text_r2(&arena, 0.99987), "0.9999");
    ck_assert_str_eq(text_r2(&arena, -5000), "below -1,000");
    arena_drop(&arena);
}
END_TEST

START_TEST(quantities_of_a_scenario_are_read_with_their_units)
{
    ck_assert_double_eq_tol(report_quantity("4MiB/s", 0), 4194304, 1e-6);
    ck_assert_double_eq_tol(report_quantity("12/s", 0), 12, 1e-9);
    ck_assert_double_eq_tol(report_quantity("20k/s", 0), 20000, 1e-9);
    ck_assert_double_eq_tol(report_quantity("272100ns", 0), 272.1e-6, 1e-12);
    ck_assert(isinf(report_quantity("unlimited", INFINITY)));
    ck_assert_double_eq_tol(report_quantity(NULL, 7), 7, 1e-9);
    ck_assert_double_eq_tol(report_quantity("5parsec", 7), 7, 1e-9);
}
END_TEST

START_TEST(a_table_is_csv_with_its_quotes_doubled)
{
    struct world world;
    set_up(&world);
    static const char *const columns[] = { "name", "time (s)" };
    struct report_table table;
    table_init(&table, &world.arena, "t", "T", columns, 2);
    table_add(&table, "a \"b\", c");
    table_add_number(&table, 0.25);
    table_add(&table, "plain");
    table_add_number(&table, NAN);
    ck_assert_uint_eq(table_row_count(&table), 2);
    table_write_csv(&table, &world.text);
    ck_assert_str_eq(text_of(&world.text),
                     "name,time (s)\r\n\"a \"\"b\"\", c\",0.25\r\nplain,\r\n");
    tear_down(&world);
}
END_TEST

START_TEST(gnuplot_runs_nothing_that_stands_in_a_title)
{
    struct world world;
    set_up(&world);
    struct plot_axes axes = { .title = "it's `rm -rf /`\n", .x = "x", .y = "y" };
    plot_begin(&world.text, &axes);
    const char *script = text_of(&world.text);
    ck_assert_ptr_nonnull(strstr(script, "set title 'it''s ''rm -rf /'' ' "));
    ck_assert_ptr_null(strchr(script, '`'));
    tear_down(&world);
}
END_TEST

START_TEST(a_figure_is_drawn_alone_and_together)
{
    struct world world;
    set_up(&world);
    struct report_figure figure;
    figure_init(&figure, &world.arena, "all", "All");
    struct buffer body;
    buffer_init(&body, &world.arena);
    buffer_append_text(&body, "plot x\n");
    figure_add_panel(&figure, "one", "label", &body);
    figure_write_script(&figure, &world.text);
    const char *script = text_of(&world.text);
    ck_assert_ptr_nonnull(strstr(script, "set output 'one.svg'"));
    ck_assert_ptr_nonnull(strstr(script, "set output 'all.svg'"));
    ck_assert_ptr_nonnull(strstr(script, "set output 'all.png'"));
    tear_down(&world);
}
END_TEST

START_TEST(junit_counts_and_escapes)
{
    struct world world;
    set_up(&world);
    const struct junit_case cases[] = {
        { "g", "good", 1500000000, JUNIT_PASSED, "", "" },
        { "g", "bad <1>", 0, JUNIT_FAILED, "a & \"b\"\x01", "replay" },
        { "g", "gone", 0, JUNIT_ERROR, "no file", "" },
    };
    junit_write("s", cases, 3, &world.text);
    const char *xml = text_of(&world.text);
    ck_assert_ptr_nonnull(strstr(xml, "tests=\"3\" failures=\"1\" errors=\"1\" time=\"1.500\""));
    ck_assert_ptr_nonnull(strstr(xml, "name=\"bad &lt;1&gt;\""));
    ck_assert_ptr_nonnull(
        strstr(xml, "<failure message=\"a &amp; &quot;b&quot;?\">replay</failure>"));
    ck_assert_ptr_nonnull(strstr(xml, "<error message=\"no file\"></error>"));
    tear_down(&world);
}
END_TEST

/* ---- packages -------------------------------------------------------------------------------- */

static struct checkpoint_summary checkpoints_example[] = {
    { 1, 1, CHECKPOINT_DONE, "", 1000000000, 1100000000, 1200000000, 500, 2 },
    { 2, 1, CHECKPOINT_GIVEN_UP, "expired", 2000000000, 0, 2500000000, 0, 1 },
};
static struct task_checkpoint_summary tasks_example[] = { { 1, 0, 0, 1, 2, 3, 4, 2, 500, 300,
                                                            1100000000 } };
static struct recovery_summary recoveries_example[] = {
    { 3000000000, "crash it", 3100000000, 3200000000, 1, 3300000000, 3400000000, 3500000000, 77 },
};
static struct progress_point progress_example[] = { { 1000000000, 10, 0 },
                                                    { 3500000000, 20, 500000000 } };
static struct results_fault faults_example[] = { { "crash it", "crash", "count[0]", "at 3s",
                                                   3000000000, 3200000000, 1 } };

static struct results_package make_package(struct arena *arena, const char *name,
                                           const char *verdict, int exit_code, const char *message)
{
    struct results_violation *violation = arena_alloc(arena, 1, sizeof *violation);
    *violation = (struct results_violation){ "output", 5, message };
    return (struct results_package){
        .run = { .name = name,
                 .path = "p.json",
                 .seed = UINT64_MAX,
                 .build = "b1",
                 .verdict = verdict,
                 .exit_code = exit_code,
                 .records = 20,
                 .tasks = 2,
                 .parallelism = 1,
                 .interval_ns = 1000000000,
                 .simulated_ns = 4000000000,
                 .scenario_json = "{\"job\":{\"name\":\"count\"}}" },
        .summary = { .checkpoints = checkpoints_example,
                     .checkpoint_count = 2,
                     .tasks = tasks_example,
                     .task_count = 1,
                     .recoveries = recoveries_example,
                     .recovery_count = 1,
                     .progress = progress_example,
                     .progress_count = 2,
                     .triggered = 2,
                     .completed = 1,
                     .failed = 1,
                     .failure = "" },
        .faults = faults_example,
        .fault_count = 1,
        .violations = violation,
        .violation_count = exit_code == 0 ? 0 : 1,
    };
}

START_TEST(a_package_comes_out_as_it_went_in)
{
    struct world world;
    set_up(&world);
    struct results_package package = make_package(&world.arena, "n", "wrong", 1, "lost a record");
    results_pack(&package, &world.text);
    struct results_package copy;
    ck_assert_int_eq(results_unpack(&copy, &world.arena, buffer_bytes(&world.text)), STATUS_OK);
    ck_assert_uint_eq(copy.run.seed, UINT64_MAX);
    ck_assert_int_eq(copy.run.exit_code, 1);
    ck_assert_uint_eq(copy.summary.checkpoint_count, 2);
    ck_assert_str_eq(copy.summary.checkpoints[1].reason, "expired");
    ck_assert_int_eq(copy.summary.checkpoints[1].fate, CHECKPOINT_GIVEN_UP);
    ck_assert_uint_eq(copy.summary.recoveries[0].records_replayed, 77);
    ck_assert_str_eq(copy.violations[0].message, "lost a record");
    struct buffer again;
    buffer_init(&again, &world.arena);
    results_pack(&copy, &again);
    ck_assert(bytes_equal(buffer_bytes(&again), buffer_bytes(&world.text)));
    tear_down(&world);
}
END_TEST

START_TEST(a_package_that_was_cut_is_corrupt_wherever_it_was_cut)
{
    struct world world;
    set_up(&world);
    struct results_package package = make_package(&world.arena, "n", "pass", 0, "");
    results_pack(&package, &world.text);
    struct bytes whole = buffer_bytes(&world.text);
    for (size_t size = 0; size < whole.size; size++) {
        struct results_package copy;
        struct bytes cut = { .data = whole.data, .size = size };
        ck_assert_int_eq(results_unpack(&copy, &world.arena, cut), STATUS_CORRUPT);
    }
    tear_down(&world);
}
END_TEST

/* ---- the page -------------------------------------------------------------------------------- */

static void add_run(struct world *world, struct results *results,
                    const struct results_package *package)
{
    ck_assert_int_eq(results_add(results, &package->run, &package->summary, package->faults,
                                 package->fault_count, package->violations,
                                 package->violation_count, &world->error),
                     STATUS_OK);
}

static void fill_database(struct world *world)
{
    struct results *results = NULL;
    ck_assert_int_eq(results_open(&results, &world->arena, world->path, &world->error), STATUS_OK);
    struct results_package good = make_package(&world->arena, "good-one", "pass", 0, "");
    add_run(world, results, &good);
    struct results_package bad =
        make_package(&world->arena, "bad-one", "wrong", 1, "lost <script>alert(1)</script>");
    add_run(world, results, &bad);
    results_close(results);
}

static const char *make_page(struct world *world, struct report *report)
{
    enum status status = report_build(report, &world->arena, world->path, &world->error);
    ck_assert_msg(status == STATUS_OK, "%s", text_of(&world->error));
    static const char svg[] =
        "<?xml version=\"1.0\"?>\n<svg \n width=\"9\" height=\"9\"\n viewBox=\"0 0 9 9\"\n>\n"
        "<title>gnuplot</title><path id='gpPt0' stroke='rgb(  0,  76, 153)'/>"
        "<use xlink:href='#gpPt0' color='rgb(1, 2, 3)'/></svg>\n";
    if (report->figure_count > 0) {
        report->pictures[0][0] = bytes_of_text(svg);
    }
    struct report_page_options options = { .program = "faultline",
                                           .folder = "out/report",
                                           .build = "b1" };
    report_write_page(report, &options, &world->text);
    return text_of(&world->text);
}

START_TEST(failures_come_first_and_every_run_has_its_replay_command)
{
    struct world world;
    set_up(&world);
    fill_database(&world);
    struct report *report = arena_alloc(&world.arena, 1, sizeof *report);
    const char *page = make_page(&world, report);
    const char *failures = strstr(page, "<section id=\"failures\">");
    const char *figures = strstr(page, "<section id=\"failure\">");
    const char *runs = strstr(page, "<section id=\"runs\">");
    ck_assert_ptr_nonnull(failures);
    ck_assert_ptr_nonnull(figures);
    ck_assert_ptr_nonnull(runs);
    ck_assert(failures < figures && figures < runs);
    ck_assert_ptr_nonnull(strstr(runs, "<code>faultline run out/report/runs/1.json</code>"));
    ck_assert_ptr_nonnull(strstr(runs, "<code>faultline run out/report/runs/2.json</code>"));
    ck_assert(strstr(failures, "bad-one</td>") < figures);
    ck_assert(strstr(failures, "good-one</td>") > runs);
    tear_down(&world);
}
END_TEST

START_TEST(nothing_of_a_run_becomes_markup_and_nothing_comes_from_the_network)
{
    struct world world;
    set_up(&world);
    fill_database(&world);
    struct report *report = arena_alloc(&world.arena, 1, sizeof *report);
    const char *page = make_page(&world, report);
    ck_assert_ptr_null(strstr(page, "<script>alert"));
    ck_assert_ptr_nonnull(strstr(page, "lost &lt;script&gt;alert(1)&lt;/script&gt;"));
    ck_assert_ptr_null(strstr(page, "src="));
    ck_assert_ptr_null(strstr(page, "https://"));
    for (const char *at = page; (at = strstr(at, "http://")) != NULL; at++) {
        ck_assert(strncmp(at, "http://www.w3.org/", 18) == 0); /* names of SVG, not addresses */
    }
    tear_down(&world);
}
END_TEST

START_TEST(pictures_take_the_colours_of_the_page_and_names_of_their_own)
{
    struct world world;
    set_up(&world);
    fill_database(&world);
    struct report *report = arena_alloc(&world.arena, 1, sizeof *report);
    const char *page = make_page(&world, report);
    ck_assert_uint_gt(report->figure_count, 0);
    ck_assert_ptr_nonnull(strstr(page, "<path id='f0p0-gpPt0' stroke='var(--main)'/>"));
    ck_assert_ptr_nonnull(strstr(page, "xlink:href='#f0p0-gpPt0' color='rgb(1, 2, 3)'"));
    ck_assert_ptr_nonnull(strstr(page, "<svg viewBox=\"0 0 9 9\" role=\"img\" aria-label=\""));
    ck_assert_ptr_null(strstr(page, "<title>gnuplot"));
    ck_assert_ptr_null(strstr(page, "<?xml"));
    tear_down(&world);
}
END_TEST

START_TEST(the_story_is_that_of_a_run_with_a_recovery)
{
    struct world world;
    set_up(&world);
    fill_database(&world);
    struct report *report = arena_alloc(&world.arena, 1, sizeof *report);
    (void)make_page(&world, report);
    ck_assert_uint_eq(report->figure_count, 2);
    ck_assert_str_eq(report->figures[0].name, "failure");
    ck_assert_str_eq(report->figures[1].name, "timeline");
    const char *caption = text_of(&report->figures[1].caption);
    ck_assert_ptr_nonnull(strstr(caption, "At 3 s: crash it."));
    ck_assert_ptr_nonnull(strstr(caption, "runs again 400 ms later"));
    ck_assert_ptr_nonnull(strstr(caption, "after another 100 ms"));
    tear_down(&world);
}
END_TEST

START_TEST(a_comparison_is_drawn_if_it_has_cells_and_a_quantity_if_it_has_both_sides)
{
    struct world world;
    set_up(&world);
    struct results *results = NULL;
    ck_assert_int_eq(results_open(&results, &world.arena, world.path, &world.error), STATUS_OK);
    struct results_comparison rows[3];
    static const uint64_t live_ns[] = { 8, 10, 40 };
    for (uint32_t i = 0; i < 3; i++) {
        rows[i] = (struct results_comparison){
            .coordinates = arena_format(&world.arena, "{\"job.parallelism\":%u}", i + 1),
            .quantity = "checkpoint_time_ns",
            .tasks = 2 * i + 2,
            .interval_ns = 1000000,
            .costs = "{}",
            .simulated = 10,
            .live = live_ns[i],
        };
    }
    struct results_comparison_head grid = { "grid", "b1", "threads", 3, false };
    struct results_comparison_head single = { "single", "b1", "threads", 3, false };
    ck_assert_int_eq(results_keep_comparison(results, &grid, rows, 3, &world.error), STATUS_OK);
    ck_assert_int_eq(results_keep_comparison(results, &single, rows, 1, &world.error), STATUS_OK);
    results_close(results);
    struct report *report = arena_alloc(&world.arena, 1, sizeof *report);
    (void)make_page(&world, report);
    ck_assert_uint_eq(report->figure_count, 1);
    ck_assert_str_eq(report->figures[0].name, "simulated-live");
    ck_assert_uint_eq(report->figures[0].panel_count, 2);
    ck_assert_ptr_nonnull(strstr(text_of(&report->figures[0].caption),
                                 "1.00 times the live one in the median of 3 cells, from 0.25 to "
                                 "1.25."));
    tear_down(&world);
}
END_TEST

START_TEST(what_is_no_results_database_is_refused)
{
    struct world world;
    set_up(&world);
    struct report *report = arena_alloc(&world.arena, 1, sizeof *report);
    ck_assert_int_eq(report_build(report, &world.arena, world.path, &world.error),
                     STATUS_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(text_of(&world.error), "results.db: there is no results"));
    FILE *file = fopen(world.path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs("this is a text of more than sixteen bytes, not a database\n", file), 0);
    ck_assert_int_eq(fclose(file), 0);
    enum status status = report_build(report, &world.arena, world.path, &world.error);
    ck_assert(status == STATUS_CORRUPT || status == STATUS_INVALID);
    tear_down(&world);
}
END_TEST

static Suite *suite(void)
{
    Suite *result = suite_create("report");
    TCase *laws = tcase_create("laws");
    tcase_add_test(laws, full_snapshots_through_one_store_follow_their_law_and_not_the_formula);
    tcase_add_test(laws, incremental_snapshots_of_new_keys_make_the_formula_hold);
    tcase_add_test(laws, the_law_is_told_by_where_the_time_goes);
    tcase_add_test(laws, on_own_disks_the_largest_part_counts_and_not_the_number_of_parts);
    tcase_add_test(laws, the_headline_has_a_panel_a_regime_with_its_three_fits_and_one_of_all);
    tcase_add_test(laws, only_sweeps_over_both_and_without_failures_are_regimes);
    tcase_add_test(laws, recoveries_as_the_model_says_are_called_no_percent_apart);
    suite_add_tcase(result, laws);
    TCase *text = tcase_create("text");
    tcase_add_test(text, numbers_are_written_as_people_read_them);
    tcase_add_test(text, quantities_of_a_scenario_are_read_with_their_units);
    tcase_add_test(text, a_table_is_csv_with_its_quotes_doubled);
    tcase_add_test(text, gnuplot_runs_nothing_that_stands_in_a_title);
    tcase_add_test(text, a_figure_is_drawn_alone_and_together);
    tcase_add_test(text, junit_counts_and_escapes);
    tcase_add_test(text, a_package_comes_out_as_it_went_in);
    tcase_add_test(text, a_package_that_was_cut_is_corrupt_wherever_it_was_cut);
    suite_add_tcase(result, text);
    TCase *page = tcase_create("page");
    tcase_add_test(page, failures_come_first_and_every_run_has_its_replay_command);
    tcase_add_test(page, nothing_of_a_run_becomes_markup_and_nothing_comes_from_the_network);
    tcase_add_test(page, pictures_take_the_colours_of_the_page_and_names_of_their_own);
    tcase_add_test(page, the_story_is_that_of_a_run_with_a_recovery);
    tcase_add_test(page, a_comparison_is_drawn_if_it_has_cells_and_a_quantity_if_it_has_both_sides);
    tcase_add_test(page, what_is_no_results_database_is_refused);
    suite_add_tcase(result, page);
    return result;
}

int main(void)
{
    return run_suite(suite());
}
