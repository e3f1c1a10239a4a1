#include "reports/predict.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "tests/support/near.h"
#include "tests/support/runner.h"

/* 16 tasks with 100 MB each: 1.6 GB through a store of 1 GB/s are 1.6 s, which is more than the
 * 0.5 s that each task needs alone at 200 MB/s. Capacity is twice the input, so that catching up
 * takes as long as the job is behind. Down: 5 + 2 + 1.6 + 0.4 = 9 s. */
static struct predict_input full_job(void)
{
    return (struct predict_input){
        .task_count = 16,
        .operator_count = 5,
        .input_count = 4,
        .hop_delay_s = 0.125,
        .task_bytes = 100e6,
        .input_rate = 10000,
        .capacity = 20000,
        .interval_s = 60,
        .min_pause_s = 0.35,
        .sync_s = 1,
        .fixed_s = 0.05,
        .ack_s = 0.001,
        .task_write_rate = 200e6,
        .shared_write_rate = 1e9,
        .failure_rate = 1.0 / 3600,
        .detection_s = 5,
        .restart_s = 2,
        .first_record_s = 0.4,
    };
}

/* 64 tasks, each changing 1,000 entries of 100 bytes per second, never the same: 64 ms of a store
 * of 100 MB/s for each second of the interval. */
static struct predict_input incremental_job(void)
{
    struct predict_input input = full_job();
    input.task_count = 64;
    input.task_bytes = 0;
    input.state_bytes = 160e6;
    input.incremental = true;
    input.changes =
        (struct model_changes){ .key_count = INFINITY, .update_rate = 1000, .entry_bytes = 100 };
    input.task_write_rate = 50e6;
    input.shared_write_rate = 100e6;
    return input;
}

static struct predict_output compute(const struct predict_input *input)
{
    struct predict_output output;
    predict_compute(input, &output);
    return output;
}

START_TEST(a_full_snapshot_is_predicted_as_computed_by_hand)
{
    const struct predict_input input = full_job();
    struct predict_output output = compute(&input);
    expect_near("law (a)", 0, output.duration_full_s, 1.65, 1e-12);
    ck_assert(isnan(output.duration_incremental_s));
    expect_near("law (e)", 0, output.duration_max_sum_s, 0.05 + 0.5 + 1 + 0.5 + 1.6 + 0.016, 1e-12);
    expect_near("stop", 0, output.stop_s, 1, 0);
    expect_near("restore", 0, output.restore_s, 1.6, 1e-12);
    expect_near("downtime", 0, output.downtime_s, 9, 1e-12);
    const struct predict_point *point = &output.configured;
    expect_near("period", 0, point->period_s, 60, 0);
    expect_near("overhead", 0, point->overhead, 1.0 / 60, 1e-15);
    expect_near("recovery, mean", 0, point->recovery_s.mean, 9 + 31.65 + 9, 1e-9);
    expect_near("recovery, worst", 0, point->recovery_s.worst, 9 + 61.65 + 9, 1e-9);
    expect_near("replayed, mean", 0, point->replayed_records.mean, 316500, 1e-6);
    expect_near("replayed, worst", 0, point->replayed_records.worst, 616500, 1e-6);
    expect_near("peak lag", 0, point->peak_lag_records, 706500, 1e-6);
    /* The checkpoint can be used 0.65 s after its stop, later than its barriers are through. */
    double u = 59.0 / 3600 * exp(-9.65 / 3600) / (exp(60.0 / 3600) - 1);
    expect_near("utilisation", 0, point->utilisation, u, 1e-12);
}
END_TEST

START_TEST(without_a_limit_the_optimum_of_the_utilisation_is_recommended)
{
    struct predict_input input = full_job();
    struct predict_output output = compute(&input);
    expect_near("Young", 0, output.young_s, 1 + sqrt(7200), 1e-12);
    expect_near("Daly", 0, output.daly_s, 85.187, 0.0005);
    expect_near("optimum", 0, output.optimum_s, 85.187461, 5.1e-7);
    expect_near("shortest", 0, output.shortest_s, 2, 1e-12);
    ck_assert_double_eq(output.limit_s, INFINITY);
    ck_assert_int_eq(output.bound, PREDICT_BY_UTILISATION);
    ck_assert_double_eq(output.recommended_s, output.optimum_s);
    ck_assert_double_ge(output.recommended.utilisation, output.configured.utilisation);
    input.recovery_limit_s = 1000; /* far away: changes nothing */
    output = compute(&input);
    ck_assert_int_eq(output.bound, PREDICT_BY_UTILISATION);
    expect_near("limit", 0, output.limit_s, 1000 - 9 - 1.65 - 9, 1e-9);
}
END_TEST

START_TEST(a_recovery_limit_cuts_the_interval_to_the_largest_that_keeps_it)
{
    struct predict_input input = full_job();
    static const struct {
        double limit_s, interval_s;
    } rows[] = { { 60, 40.35 }, { 79.65, 60 }, { 21.66, 2.01 } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        input.recovery_limit_s = rows[i].limit_s;
        struct predict_output output = compute(&input);
        ck_assert_int_eq(output.bound, PREDICT_BY_LIMIT);
        expect_near("interval", i, output.recommended_s, rows[i].interval_s, 1e-9);
        expect_near("worst recovery", i, output.recommended.recovery_s.worst, rows[i].limit_s,
                    1e-9);
    }
    input.failure_rate = 0; /* no optimum: the limit alone decides */
    input.recovery_limit_s = 60;
    struct predict_output output = compute(&input);
    ck_assert_int_eq(output.bound, PREDICT_BY_LIMIT);
    expect_near("interval", 9, output.recommended_s, 40.35, 1e-9);
}
END_TEST

START_TEST(a_limit_that_no_interval_keeps_gives_the_shortest_interval)
{
    struct predict_input input = full_job();
    static const double limits_s[] = { 21.6, 9, 1 }; /* the best is 9 + 2 + 1.65 + 9 = 21.65 */
    for (size_t i = 0; i < 3; i++) {
        input.recovery_limit_s = limits_s[i];
        struct predict_output output = compute(&input);
        ck_assert_int_eq(output.bound, PREDICT_LIMIT_BROKEN);
        ck_assert_double_eq(output.limit_s, 0);
        expect_near("interval", i, output.recommended_s, 2, 1e-12);
        expect_near("worst recovery", i, output.recommended.recovery_s.worst, 21.65, 1e-9);
    }
}
END_TEST

START_TEST(an_interval_is_raised_to_what_a_checkpoint_and_its_pause_take)
{
    struct predict_input input = full_job();
    input.failure_rate = 2;
    struct predict_output output = compute(&input);
    ck_assert_double_lt(output.optimum_s, 1.5); /* C + M at most */
    ck_assert_int_eq(output.bound, PREDICT_BY_DURATION);
    expect_near("interval", 0, output.recommended_s, 2, 1e-12);
    input.interval_s = 0.1;
    output = compute(&input);
    expect_near("period", 0, output.configured.period_s, 2, 1e-12);
    expect_near("overhead", 0, output.configured.overhead, 0.5, 1e-12);
}
END_TEST

START_TEST(an_incremental_snapshot_is_predicted_as_computed_by_hand)
{
    struct predict_input input = incremental_job();
    input.interval_s = 10;
    input.recovery_limit_s = 60;
    struct predict_output output = compute(&input);
    expect_near("law (a)", 0, output.duration_full_s, 0.05 + 1.6, 1e-12);
    expect_near("law (c)", 0, output.duration_incremental_s, 0.69, 1e-12);
    expect_near("law (e)", 0, output.duration_max_sum_s, 0.05 + 0.5 + 1 + 0.02 + 0.64 + 0.064,
                1e-12);
    expect_near("downtime", 0, output.downtime_s, 9, 1e-12);
    /* T = 0.05 + 0.064 T + 0.35, and 9 + T + 0.05 + 0.064 T + 9 = 60. */
    expect_near("shortest", 0, output.shortest_s, 0.4 / 0.936, 1e-12);
    expect_near("limit", 0, output.limit_s, 41.95 / 1.064, 1e-9);
    ck_assert_int_eq(output.bound, PREDICT_BY_LIMIT);
    input.interval_s = 0.1;
    output = compute(&input);
    expect_near("period", 0, output.configured.period_s, 0.4 / 0.936, 1e-12);
    expect_near("duration", 0, output.configured.duration_s, 0.05 + 0.064 * 0.4 / 0.936, 1e-12);
}
END_TEST

START_TEST(a_store_that_is_slower_than_the_changes_allows_no_interval)
{
    struct predict_input input = incremental_job();
    input.shared_write_rate = 6.4e6; /* 64 tasks with 100 kB/s each */
    input.recovery_limit_s = 60;
    struct predict_output output = compute(&input);
    ck_assert_int_eq(output.bound, PREDICT_STORE_TOO_SLOW);
    ck_assert_double_eq(output.shortest_s, INFINITY);
    ck_assert_double_eq(output.recommended_s, INFINITY);
    ck_assert_double_eq(output.configured.recovery_s.worst, INFINITY);
    ck_assert_double_eq(output.configured.utilisation, 0);
    input.changes.key_count = 1e6; /* keys repeat: at most 64 times 100 MB */
    output = compute(&input);
    ck_assert(isfinite(output.shortest_s));
    double duration_s = 0.05 + 64 * 1e8 * (1 - exp(-output.shortest_s / 1000)) / 6.4e6;
    expect_near("shortest", 0, output.shortest_s, duration_s + 0.35, 1e-9);
}
END_TEST

START_TEST(a_job_without_spare_capacity_is_given_its_optimum)
{
    struct predict_input input = full_job();
    input.capacity = input.input_rate;
    input.recovery_limit_s = 60;
    struct predict_output output = compute(&input);
    ck_assert_double_eq(output.configured.recovery_s.mean, INFINITY);
    ck_assert_double_eq(output.limit_s, 0);
    ck_assert_int_eq(output.bound, PREDICT_BY_UTILISATION);
    ck_assert_double_eq(output.recommended_s, output.optimum_s);
}
END_TEST

START_TEST(without_failures_and_limit_any_interval_will_do)
{
    struct predict_input input = full_job();
    input.failure_rate = 0;
    struct predict_output output = compute(&input);
    ck_assert_int_eq(output.bound, PREDICT_NO_REASON);
    ck_assert_double_eq(output.recommended_s, INFINITY);
    expect_near("utilisation", 0, output.configured.utilisation, 59.0 / 60, 1e-12);
    input.input_rate = 0; /* nothing to catch up with: a limit above the downtime always holds */
    input.recovery_limit_s = 9.5;
    output = compute(&input);
    ck_assert_int_eq(output.bound, PREDICT_NO_REASON);
    ck_assert_double_eq(output.limit_s, INFINITY);
    expect_near("replayed", 0, output.recommended.replayed_records.worst, 0, 0);
}
END_TEST

START_TEST(where_nothing_stops_the_work_checkpoints_follow_each_other)
{
    struct predict_input input = full_job();
    input.sync_s = 0;
    struct predict_output output = compute(&input);
    ck_assert_double_eq(output.optimum_s, 0);
    ck_assert_int_eq(output.bound, PREDICT_BY_DURATION);
    expect_near("interval", 0, output.recommended_s, 2, 1e-12);
    input.barrier_window_s = 0.5; /* now barriers are waited for: 0.5 * 3 / 5 */
    output = compute(&input);
    expect_near("stop", 0, output.stop_s, 0.3, 1e-15);
}
END_TEST

START_TEST(where_nothing_costs_anything_the_limit_still_holds)
{
    const struct predict_input input = {
        .task_count = 1,
        .operator_count = 1,
        .input_count = 1,
        .input_rate = 1,
        .capacity = 2,
        .interval_s = 1,
        .task_write_rate = INFINITY,
        .shared_write_rate = INFINITY,
        .recovery_limit_s = 7,
        .detection_s = 1,
    };
    struct predict_output output = compute(&input);
    ck_assert_double_eq(output.shortest_s, 0);
    expect_near("limit", 0, output.limit_s, 5, 1e-12);
    ck_assert_int_eq(output.bound, PREDICT_BY_LIMIT);
    ck_assert_double_eq(output.recommended.overhead, 0);
}
END_TEST

START_TEST(the_recommendation_trusts_what_was_measured)
{
    struct predict_input input = full_job();
    input.recovery_limit_s = 60;
    input.measured = (struct predict_measured){ .duration_s = 3.3, .stop_s = 4, .downtime_s = 12 };
    struct predict_output output = compute(&input);
    expect_near("model's duration", 0, output.configured.duration_s, 1.65, 1e-12);
    expect_near("model's downtime", 0, output.downtime_s, 9, 1e-12);
    expect_near("scale", 0, output.scale, 2, 1e-12);
    expect_near("Young", 0, output.young_s, 4 + sqrt(2 * 4 * 3600.0), 1e-9);
    expect_near("shortest", 0, output.shortest_s, 3.65, 1e-12);
    expect_near("interval", 0, output.recommended_s, 60 - 12 - 3.3 - 12, 1e-9);
    /* 0.69 s by the law at 10 s, whatever the configured interval. */
    input = incremental_job();
    input.measured = (struct predict_measured){ .period_s = 10, .duration_s = 1.38 };
    output = compute(&input);
    expect_near("scale", 1, output.scale, 2, 1e-12);
}
END_TEST

struct page {
    struct arena arena;
    struct buffer text;
};

/* The text for `input`, zero-terminated; until page_free. */
static const char *page_of(struct page *page, const struct predict_input *input)
{
    arena_init(&page->arena);
    buffer_init(&page->text, &page->arena);
    struct predict_output output = compute(input);
    predict_append(input, &output, &page->text);
    buffer_append_format(&page->text, "%c", 0);
    return (const char *)page->text.data;
}

static void expect_text(const struct predict_input *input, const char *expected)
{
    struct page page;
    const char *text = page_of(&page, input);
    ck_assert_msg(strstr(text, expected) != NULL, "no \"%s\" in:\n%s", expected, text);
    arena_drop(&page.arena);
}

START_TEST(the_text_gives_the_models_and_the_reasons)
{
    struct predict_input input = full_job();
    input.recovery_limit_s = 60;
    struct page page;
    const char *text = page_of(&page, &input);
    ck_assert_str_eq(text, "At an interval of 60 s                model\n"
                           "  checkpoint, full snapshots          1.65 s\n"
                           "  checkpoint, nothing overlapping     3.666 s\n"
                           "  start to start of checkpoints       60 s\n"
                           "  stop of the work in each            1 s\n"
                           "  share of time stopped               1.67 %\n"
                           "  downtime of a failure               9 s\n"
                           "  recovery, mean                      49.65 s\n"
                           "  recovery, worst                     79.65 s\n"
                           "  records replayed, mean              316500\n"
                           "  records replayed, worst             616500\n"
                           "  records waiting, worst              706500\n"
                           "  share of useful work                97.3 %\n"
                           "Intervals\n"
                           "  Young 1974                          85.85 s\n"
                           "  Daly 2006, higher order             85.19 s\n"
                           "  most useful work                    85.19 s\n"
                           "Recommended checkpoint interval: 40.3s\n"
                           "  - Useful work: there is most of it at 85.19 s, with a failure every"
                           " 60 min on average.\n"
                           "  - Recovery: the limit of 60 s is kept up to 40.35 s. This decides.\n"
                           "  - Duration: a checkpoint and the pause after it must be over before"
                           " the next: no interval below 2 s is kept.\n"
                           "  - Then: a checkpoint of 1.65 s, recovery 39.83 s (worst 60 s),"
                           " useful work 96.7 %.\n");
    arena_drop(&page.arena);
}
END_TEST

START_TEST(the_text_shows_measurements_beside_the_models)
{
    struct predict_input input = full_job();
    input.measured = (struct predict_measured){
        .period_s = 60.2,
        .duration_s = 3.3,
        .stop_s = 4,
        .downtime_s = 12,
        .recovery_s = { .mean = 55, .worst = 90 },
        .replayed_records = { .mean = 320000, .worst = 12 },
    };
    expect_text(&input, "model           measured\n");
    expect_text(&input, "full snapshots          1.65 s          3.3 s\n");
    expect_text(&input, "start of checkpoints       60 s            60.2 s\n");
    expect_text(&input, "each            1 s             4 s\n");
    expect_text(&input, "stopped               1.67 %          6.64 %\n");
    expect_text(&input, "failure               9 s             12 s\n");
    expect_text(&input, "recovery, worst                     79.65 s         90 s\n");
    expect_text(&input, "replayed, mean              316500          320000\n");
    expect_text(&input, "replayed, worst             616500          12\n");
    expect_text(&input, "take 2 times as long as the law says.\n");
    expect_text(&input, "The stop of the work is the measured one.\n");
    input = incremental_job();
    input.measured.duration_s = 5;
    expect_text(&input, "full snapshots          1.65 s\n");
    expect_text(&input, "incremental             3.89 s          5 s\n");
}
END_TEST

START_TEST(the_text_names_the_bound_that_decided)
{
    struct predict_input input = full_job();
    expect_text(&input, "every 60 min on average. This decides.\n  - Recovery: no limit is set.\n");
    input.recovery_limit_s = 20;
    expect_text(&input, "interval: 2s\n");
    expect_text(&input, "of 20 s cannot be kept: even at the shortest interval the worst takes "
                        "21.65 s. This decides.\n");
    input.capacity = 5000;
    expect_text(&input, "the capacity of 5000 records/s is not above the input of 10000: ");
    expect_text(&input, "  recovery, mean                      never\n");
    input = full_job();
    input.failure_rate = 2;
    input.min_pause_s = 0;
    expect_text(&input, "interval: 1.65s\n");
    expect_text(&input, "  - Duration: a checkpoint must be over before the next: no interval "
                        "below 1.65 s is kept. This decides.\n");
    input.failure_rate = 0;
    expect_text(&input, "Any checkpoint interval will do\n  - Useful work: without failures no "
                        "interval is too long.\n");
    input.sync_s = 0;
    input.failure_rate = 1;
    expect_text(&input, "checkpoints do not stop the work, so none comes too soon.\n");
    input = full_job();
    input.input_rate = 0;
    input.recovery_limit_s = 10;
    input.failure_rate = 1.0 / 86400;
    input.sync_s = 2e-4;
    expect_text(&input, "the limit of 10 s is kept at any interval.\n");
    expect_text(&input, "with a failure every 24 h on average.");
    expect_text(&input, "in each            200 us\n");
    input.failure_rate = 1.0 / (86400 * 365);
    expect_text(&input, "with a failure every 365 days on average.");
    input = incremental_job();
    input.shared_write_rate = 1e6;
    expect_text(&input, "No checkpoint interval works\n");
    expect_text(&input, "takes longer than the one before. This decides.\n");
}
END_TEST

START_TEST(the_recommended_interval_is_rounded_to_the_safe_side)
{
    static const struct {
        double interval_s;
        enum predict_bound bound;
        const char *text;
    } rows[] = {
        { 28.39, PREDICT_BY_LIMIT, "28.3s" },
        { 28.31, PREDICT_BY_DURATION, "28.4s" },
        { 2.15, PREDICT_BY_LIMIT, "2.15s" },
        { 2.15, PREDICT_BY_DURATION, "2.15s" },
        { 0.0123456, PREDICT_BY_UTILISATION, "0.0123s" },
        { 1234.9, PREDICT_BY_LIMIT, "1234s" },
        { 1234.1, PREDICT_LIMIT_BROKEN, "1235s" },
        { 60, PREDICT_BY_UTILISATION, "60s" },
        { 999.9, PREDICT_BY_DURATION, "1000s" },
        { 0, PREDICT_BY_UTILISATION, "0s" },
        { 100, PREDICT_BY_LIMIT, "100s" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena arena;
        arena_init(&arena);
        struct buffer out;
        buffer_init(&out, &arena);
        const struct predict_output output = {
            .recommended_s = rows[i].interval_s,
            .bound = rows[i].bound,
        };
        predict_append_interval(&output, &out);
        ck_assert_msg(bytes_equal(buffer_bytes(&out), bytes_of_text(rows[i].text)),
                      "row %zu: %.*s, expected %s", i, (int)out.size, (const char *)out.data,
                      rows[i].text);
        arena_drop(&arena);
    }
}
END_TEST

START_TEST(state_given_both_per_task_and_in_all_is_a_programming_error)
{
    struct predict_input input = full_job();
    input.state_bytes = 1;
    (void)compute(&input);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("predict");
    TCase *tests = tcase_create("predict");
    tcase_add_test(tests, a_full_snapshot_is_predicted_as_computed_by_hand);
    tcase_add_test(tests, without_a_limit_the_optimum_of_the_utilisation_is_recommended);
    tcase_add_test(tests, a_recovery_limit_cuts_the_interval_to_the_largest_that_keeps_it);
    tcase_add_test(tests, a_limit_that_no_interval_keeps_gives_the_shortest_interval);
    tcase_add_test(tests, an_interval_is_raised_to_what_a_checkpoint_and_its_pause_take);
    tcase_add_test(tests, an_incremental_snapshot_is_predicted_as_computed_by_hand);
    tcase_add_test(tests, a_store_that_is_slower_than_the_changes_allows_no_interval);
    tcase_add_test(tests, a_job_without_spare_capacity_is_given_its_optimum);
    tcase_add_test(tests, without_failures_and_limit_any_interval_will_do);
    tcase_add_test(tests, where_nothing_stops_the_work_checkpoints_follow_each_other);
    tcase_add_test(tests, where_nothing_costs_anything_the_limit_still_holds);
    tcase_add_test(tests, the_recommendation_trusts_what_was_measured);
    tcase_add_test(tests, the_text_gives_the_models_and_the_reasons);
    tcase_add_test(tests, the_text_shows_measurements_beside_the_models);
    tcase_add_test(tests, the_text_names_the_bound_that_decided);
    tcase_add_test(tests, the_recommended_interval_is_rounded_to_the_safe_side);
    tcase_add_test_raise_signal(tests, state_given_both_per_task_and_in_all_is_a_programming_error,
                                SIGABRT);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
