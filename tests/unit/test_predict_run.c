#include "sim/command/predict_run.h"

#include <string.h>

#include "model/runtime/process.h"
#include "tests/support/cluster.h"
#include "tests/support/near.h"
#include "tests/support/runner.h"

static struct test_cluster cluster;
static struct prediction prediction;
static struct buffer error;

static void setup(void)
{
    cluster_init(&cluster);
    buffer_init(&error, &cluster.arena);
}

static void teardown(void)
{
    cluster_free(&cluster);
}

/* ---- fixtures -------------------------------------------------------------------------------- */

static void predict_with(double failure_rate, double recovery_limit_s)
{
    struct predict_wish wish = { .failure_rate = failure_rate,
                                 .recovery_limit_s = recovery_limit_s };
    cluster.scenario.faults = cluster.faults;
    enum status status = predict_scenario(&prediction, &cluster.arena, &cluster.scenario,
                                          (struct bytes){ 0 }, &wish, &error);
    ck_assert_msg(status == STATUS_OK, "%.*s", (int)error.size, (const char *)error.data);
}

/* Fails the test unless the two are within `share` of `measured`. */
static void expect_within(const char *what, double model, double measured, double share)
{
    ck_assert_msg(measured > 0, "%s was not measured", what);
    expect_near(what, 0, model, measured, share * measured);
}

static struct prediction *predict(void)
{
    predict_with(0, 0);
    return &prediction;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

START_TEST(a_checkpoint_takes_as_long_as_its_round_trips)
{
    struct prediction *it = predict();
    ck_assert(it->uploads);
    ck_assert_uint_eq(it->checkpoint_calls, 3 + 3 + 4 + 4); /* sink, upload, manifest, record */
    ck_assert_uint_ge(it->checkpoint_count, 2);
    expect_within("checkpoint", it->output.configured.duration_s, it->input.measured.duration_s,
                  0.05);
    expect_within("period", it->output.configured.period_s, it->input.measured.period_s, 0.001);
    expect_within("stop", it->output.stop_s, it->input.measured.stop_s, 0.1);
}
END_TEST

START_TEST(small_state_travels_in_the_manifest_without_an_upload)
{
    cluster.scenario.job.checkpoint.inline_threshold_bytes = 1 << 20;
    struct prediction *it = predict();
    ck_assert(!it->uploads);
    ck_assert_uint_eq(it->checkpoint_calls, 3 + 4 + 4);
    expect_within("checkpoint", it->output.configured.duration_s, it->input.measured.duration_s,
                  0.05);
}
END_TEST

/* 0: the network is the narrow place; 1: the store is. */
static void fill_a_store(enum store_kind store, int narrow)
{
    cluster.scenario.job.checkpoint.store = store;
    cluster.scenario.job.checkpoint.interval_ns = CLUSTER_S;
    cluster.scenario.job.input.records = 20000;
    cluster.scenario.job.input.keys = 10000;
    if (narrow == 0) {
        cluster.scenario.cluster.network.bandwidth_bytes_per_s = 1024 * 1024;
    } else {
        cluster.scenario.cluster.store.write_bytes_per_s = 4 * 1024 * 1024;
    }
}

START_TEST(to_the_job_managers_memory_the_state_takes_the_network)
{
    fill_a_store(STORE_MEMORY, _i);
    struct prediction *it = predict();
    ck_assert_uint_eq(it->checkpoint_calls, 3 + 4); /* sink, record */
    expect_within("checkpoint", it->output.configured.duration_s, it->input.measured.duration_s,
                  0.05);
}
END_TEST

START_TEST(into_a_database_the_state_takes_the_network_and_then_the_store)
{
    fill_a_store(STORE_SQLITE, _i);
    struct prediction *it = predict();
    ck_assert_uint_eq(it->checkpoint_calls, 3 + 5 + 4); /* sink, transaction, record */
    expect_within("checkpoint", it->output.configured.duration_s, it->input.measured.duration_s,
                  0.05);
}
END_TEST

/* What the cache does not hold is written before the end, and read to be freed. */
START_TEST(a_state_larger_than_the_cache_of_the_database_costs_round_trips)
{
    fill_a_store(STORE_SQLITE, 1);
    cluster.scenario.job.checkpoint.interval_ns = CLUSTER_S;
    cluster.scenario.job.input.records = 100000;
    cluster.scenario.job.input.rate_per_s = 50000;
    cluster.scenario.job.input.keys = 10000000;
    cluster.scenario.cluster.store.write_bytes_per_s = 64 * 1024 * 1024;
    struct prediction *it = predict();
    ck_assert_uint_eq(it->checkpoint_calls, 3 + 8 + 4);
    ck_assert(it->input.state_bytes > 1024 * 1024);
    ck_assert(it->store.discard.calls > 50);
    expect_within("checkpoint", it->output.configured.duration_s, it->input.measured.duration_s,
                  0.1);
}
END_TEST

START_TEST(what_was_in_the_memory_of_a_job_manager_is_not_recovered)
{
    fill_a_store(STORE_MEMORY, 0);
    cluster_crash(&cluster, at(CLUSTER_S), PROCESS_JOB_MANAGER, 50 * CLUSTER_MS);
    ck_assert(!predict()->is_of_scenario);
    cluster_crash(&cluster, at(CLUSTER_S), PROCESS_FIRST_TASK_MANAGER, 50 * CLUSTER_MS);
    ck_assert(predict()->is_of_scenario);
}
END_TEST

START_TEST(a_slow_store_is_felt_in_bytes_per_second)
{
    cluster.scenario.job.checkpoint.interval_ns = CLUSTER_S;
    cluster.scenario.job.input.records = 10000;
    cluster.scenario.job.input.keys = 2000;
    double fast_s = predict()->output.duration_full_s;
    cluster.scenario.cluster.store.write_bytes_per_s = 128 * 1024;
    struct prediction *it = predict();
    ck_assert(it->output.duration_full_s > 3 * fast_s);
    expect_within("checkpoint", it->output.duration_full_s, it->input.measured.duration_s, 0.1);
    expect_within("stop", it->output.stop_s, it->input.measured.stop_s, 0.1);
}
END_TEST

START_TEST(the_output_too_goes_through_the_store)
{
    cluster.scenario.cluster.store.write_bytes_per_s = 100000;
    struct prediction *it = predict();
    /* A line has a key of 1 or 2 digits, " : ", a count of 1 or 2, and its end. */
    ck_assert(it->input.capacity > 100000 / 8.0);
    ck_assert(it->input.capacity < 100000 / 6.0);
}
END_TEST

START_TEST(the_state_is_that_of_the_run_without_faults)
{
    struct prediction *it = predict();
    double calm_bytes = it->input.state_bytes;
    uint64_t calm_ns = it->probe_ns;
    ck_assert(calm_bytes > 50 * 8);
    cluster_crash(&cluster, at(CLUSTER_S), PROCESS_FIRST_TASK_MANAGER, 50 * CLUSTER_MS);
    it = predict();
    ck_assert_uint_eq(it->probe_ns, calm_ns);
    expect_near("state", 0, it->input.state_bytes, calm_bytes, 0);
}
END_TEST

START_TEST(a_job_too_short_for_a_checkpoint_is_predicted_from_its_last)
{
    cluster.scenario.job.checkpoint.interval_ns = 1000 * CLUSTER_S;
    struct prediction *it = predict();
    ck_assert_uint_eq(it->checkpoint_count, 0);
    ck_assert(it->input.state_bytes > 50 * 8);
    expect_near("duration", 0, it->input.measured.duration_s, 0, 0);
    ck_assert(it->output.duration_full_s > 0);
}
END_TEST

/* ---- recoveries ------------------------------------------------------------------------------ */

/* One fault, and the model of its downtime against the run. */
static const struct predicted_recovery *only_recovery(enum failure_kind kind)
{
    struct prediction *it = predict();
    ck_assert_uint_eq(it->recovery_count, 1);
    ck_assert_int_eq(it->recoveries[0].model.kind, kind);
    ck_assert_int_eq(it->assumed.kind, kind);
    expect_near("assumed", 0, it->input.detection_s, it->recoveries[0].model.detection_s, 0);
    expect_near("measured", 0, it->input.measured.downtime_s, it->recoveries[0].downtime_s, 0);
    return &it->recoveries[0];
}

static void expect_recovery(enum failure_kind kind)
{
    const struct predicted_recovery *recovery = only_recovery(kind);
    expect_within("downtime", prediction.output.downtime_s, recovery->downtime_s, 0.2);
    /* Sources report every 50 ms only. */
    expect_near("recovery", 0, recovery->model_recovery_s, recovery->recovery_s,
                0.2 * recovery->recovery_s + 0.05);
}

START_TEST(a_process_that_dies_is_noticed_at_once)
{
    cluster_crash(&cluster, when(FACT_TASK_ACKED, 3, 1), PROCESS_FIRST_TASK_MANAGER,
                  50 * CLUSTER_MS);
    expect_recovery(FAILURE_PROCESS);
    expect_near("detection", 0, prediction.input.detection_s, 0, 0);
}
END_TEST

START_TEST(a_machine_without_power_is_noticed_by_the_heartbeat)
{
    cluster.scenario.job.heartbeat_interval_ns = 100 * CLUSTER_MS;
    cluster.scenario.job.heartbeat_timeout_ns = 500 * CLUSTER_MS;
    cluster_cut(&cluster, when(FACT_TASK_ACKED, 3, 1), PROCESS_FIRST_TASK_MANAGER, 20 * CLUSTER_S,
                DISK_LOSE);
    expect_recovery(FAILURE_SILENT);
    expect_near("detection", 0, prediction.input.detection_s, 0.55, 1e-9);
}
END_TEST

START_TEST(a_machine_that_returns_soon_is_noticed_then)
{
    cluster.scenario.job.heartbeat_timeout_ns = 50 * CLUSTER_S;
    cluster_cut(&cluster, when(FACT_TASK_ACKED, 3, 1), PROCESS_FIRST_TASK_MANAGER, 300 * CLUSTER_MS,
                DISK_LOSE);
    expect_recovery(FAILURE_SILENT);
    expect_near("detection", 0, prediction.input.detection_s, 0.3, 1e-9);
}
END_TEST

START_TEST(a_job_manager_waits_for_no_restart_delay)
{
    cluster.scenario.job.restart.delay_ns = 20 * CLUSTER_S;
    cluster_crash(&cluster, when(FACT_TASK_ACKED, 3, 1), PROCESS_JOB_MANAGER, 400 * CLUSTER_MS);
    expect_recovery(FAILURE_JOB_MANAGER);
}
END_TEST

START_TEST(the_longest_failure_of_the_scenario_is_assumed)
{
    cluster_crash(&cluster, at(700 * CLUSTER_MS), PROCESS_FIRST_TASK_MANAGER, 50 * CLUSTER_MS);
    cluster_crash(&cluster, at(1300 * CLUSTER_MS), PROCESS_JOB_MANAGER, 900 * CLUSTER_MS);
    struct prediction *it = predict();
    ck_assert_uint_eq(it->recovery_count, 2);
    ck_assert_int_eq(it->recoveries[0].model.kind, FAILURE_PROCESS);
    ck_assert_int_eq(it->recoveries[1].model.kind, FAILURE_JOB_MANAGER);
    ck_assert_int_eq(it->assumed.kind, FAILURE_JOB_MANAGER);
    expect_near("measured", 0, it->input.measured.downtime_s, it->recoveries[1].downtime_s, 0);
}
END_TEST

START_TEST(without_faults_a_task_manager_falls_silent)
{
    struct prediction *it = predict();
    ck_assert_int_eq(it->assumed.kind, FAILURE_SILENT);
    ck_assert_uint_eq(it->recovery_count, 0);
    const struct job_config *job = &cluster.scenario.job;
    ck_assert(it->input.detection_s * 1e9 >= (double)job->heartbeat_timeout_ns);
    ck_assert(it->input.detection_s * 1e9 <=
              (double)(job->heartbeat_timeout_ns + job->heartbeat_interval_ns));
}
END_TEST

/* ---- load ------------------------------------------------------------------------------------ */

START_TEST(capacity_is_that_of_the_busiest_subtask)
{
    cluster.scenario.cluster.cpu.record_ns = 1000;
    cluster.scenario.job.input.keys = 1;
    expect_near("one key", 0, predict()->input.capacity, 1e6, 1);
    cluster.scenario.job.input.keys = 1000000;
    expect_near("many keys", 0, predict()->input.capacity, 2e6, 10);
}
END_TEST

START_TEST(a_limit_and_a_rate_decide_on_the_interval)
{
    predict_with(1.0 / 3600, 0);
    ck_assert_int_eq(prediction.output.bound, PREDICT_BY_UTILISATION);
    predict_with(1.0 / 3600, 1);
    ck_assert_int_eq(prediction.output.bound, PREDICT_LIMIT_BROKEN);
    predict_with(0, 0);
    ck_assert_int_eq(prediction.output.bound, PREDICT_NO_REASON);
}
END_TEST

/* ---- what cannot be predicted, and how rates are spelt --------------------------------------- */

START_TEST(without_an_interval_nothing_is_predicted)
{
    cluster.scenario.job.checkpoint.interval_ns = 0;
    struct predict_wish wish = { 0 };
    ck_assert_int_eq(predict_scenario(&prediction, &cluster.arena, &cluster.scenario,
                                      (struct bytes){ 0 }, &wish, &error),
                     STATUS_INVALID);
    ck_assert_uint_gt(error.size, 0);
}
END_TEST

START_TEST(a_rate_is_a_number_and_a_unit)
{
    static const struct {
        const char *text;
        double per_s; /* 0: refused */
    } cases[] = {
        { "3/day", 3.0 / 86400 },
        { "1/h", 1.0 / 3600 },
        { "0.075/min", 0.00125 },
        { "2/s", 2 },
        { ".5/s", 0.5 },
        { "3", 0 },
        { "", 0 },
        { "/s", 0 },
        { "0/s", 0 },
        { "-1/s", 0 },
        { "1e3/s", 0 },
        { "inf/s", 0 },
        { "1/week", 0 },
        { "1/s ", 0 },
        { "1.2.3/s", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double per_s = -1;
        bool ok = predict_parse_rate(cases[i].text, &per_s);
        ck_assert_msg(ok == (cases[i].per_s > 0), "\"%s\"", cases[i].text);
        expect_near(cases[i].text, i, per_s, ok ? cases[i].per_s : -1, 1e-12);
    }
}
END_TEST

START_TEST(text_and_json_name_what_was_measured)
{
    cluster_crash(&cluster, at(CLUSTER_S), PROCESS_FIRST_TASK_MANAGER, 50 * CLUSTER_MS);
    predict_with(1.0 / 3600, 0);
    struct buffer text;
    buffer_init(&text, &cluster.arena);
    predict_run_write(&prediction, &text);
    *buffer_extend(&text, 1) = '\0';
    const char *lines = (const char *)text.data;
    ck_assert_ptr_nonnull(strstr(lines, "14 round trips"));
    ck_assert_ptr_nonnull(strstr(lines, "Recommended checkpoint interval: "));
    ck_assert_ptr_nonnull(strstr(lines, "The scenario's recoveries"));
    ck_assert_ptr_nonnull(strstr(lines, prediction.recoveries[0].cause));
    buffer_reset(&text);
    predict_run_write_json(&prediction, &text);
    *buffer_extend(&text, 1) = '\0';
    lines = (const char *)text.data;
    ck_assert_ptr_nonnull(strstr(lines, "\"decided_by\": \"useful_work\""));
    ck_assert_ptr_nonnull(strstr(lines, "\"failure\": \"process\""));
    ck_assert_ptr_nonnull(strstr(lines, "\"longest_within_limit_s\": null"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("predict_run");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_checkpoint_takes_as_long_as_its_round_trips);
    tcase_add_test(all, small_state_travels_in_the_manifest_without_an_upload);
    tcase_add_loop_test(all, to_the_job_managers_memory_the_state_takes_the_network, 0, 2);
    tcase_add_loop_test(all, into_a_database_the_state_takes_the_network_and_then_the_store, 0, 2);
    tcase_add_test(all, a_state_larger_than_the_cache_of_the_database_costs_round_trips);
    tcase_add_test(all, what_was_in_the_memory_of_a_job_manager_is_not_recovered);
    tcase_add_test(all, a_slow_store_is_felt_in_bytes_per_second);
    tcase_add_test(all, the_output_too_goes_through_the_store);
    tcase_add_test(all, the_state_is_that_of_the_run_without_faults);
    tcase_add_test(all, a_job_too_short_for_a_checkpoint_is_predicted_from_its_last);
    tcase_add_test(all, a_process_that_dies_is_noticed_at_once);
    tcase_add_test(all, a_machine_without_power_is_noticed_by_the_heartbeat);
    tcase_add_test(all, a_machine_that_returns_soon_is_noticed_then);
    tcase_add_test(all, a_job_manager_waits_for_no_restart_delay);
    tcase_add_test(all, the_longest_failure_of_the_scenario_is_assumed);
    tcase_add_test(all, without_faults_a_task_manager_falls_silent);
    tcase_add_test(all, capacity_is_that_of_the_busiest_subtask);
    tcase_add_test(all, a_limit_and_a_rate_decide_on_the_interval);
    tcase_add_test(all, without_an_interval_nothing_is_predicted);
    tcase_add_test(all, a_rate_is_a_number_and_a_unit);
    tcase_add_test(all, text_and_json_name_what_was_measured);
    suite_add_tcase(suite, all);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
