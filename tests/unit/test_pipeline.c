#include "model/stream/pipeline.h"

#include <signal.h>
#include <string.h>

#include "model/jobs/jobs.h"
#include "tests/support/runner.h"

static struct pipeline pipeline;

static void setup(void)
{
    pipeline_init(&pipeline);
}

static void key_one(const struct record *record, struct key *key)
{
    (void)record;
    key_set_i64(key, 1);
}

static void key_two(const struct record *record, struct key *key)
{
    (void)record;
    key_set_i64(key, 2);
}

static void pass_on(struct operator_context *context, const struct record *record,
                    struct collector *out)
{
    (void)context;
    collector_emit(out, record);
}

static const struct map_parameters mapping = { .map = pass_on };
static const struct process_parameters processing = { .self_bytes = 8 };

START_TEST(operators_between_two_exchanges_are_one_chain)
{
    struct stream stream = pipeline_source(&pipeline, "numbers");
    stream = stream_map(stream, "one", &mapping);
    stream = stream_map(stream, "two", &mapping);
    stream = stream_process(stream_key_by(stream, key_one), "count", &processing);
    stream = stream_map(stream, "three", &mapping);
    stream_file_sink(stream, "out");
    ck_assert_uint_eq(pipeline.vertex_count, 2);

    const struct vertex *source = &pipeline.vertices[0];
    ck_assert_str_eq(source->name, "numbers");
    ck_assert_uint_eq(source->chain_length, 3);
    ck_assert_ptr_eq(source->chain[0].ops, &source_operator);
    ck_assert_ptr_eq(source->chain[1].ops, &map_operator);
    ck_assert_ptr_eq(source->chain[1].parameters, &mapping);
    ck_assert_str_eq(source->chain[2].name, "two");
    ck_assert_int_eq(source->input, -1);
    ck_assert(!source->keyed);
    ck_assert(source->key_of == NULL);

    const struct vertex *count = &pipeline.vertices[1];
    ck_assert_str_eq(count->name, "count");
    ck_assert_uint_eq(count->chain_length, 3);
    ck_assert_ptr_eq(count->chain[0].ops, &process_operator);
    ck_assert_ptr_eq(count->chain[0].parameters, &processing);
    ck_assert_ptr_eq(count->chain[2].ops, &file_sink_operator);
    ck_assert_int_eq(count->input, 0);
    ck_assert(count->keyed);
    ck_assert(count->key_of == key_one);
}
END_TEST

START_TEST(each_key_by_starts_a_vertex_behind_the_one_before)
{
    struct stream stream = pipeline_source(&pipeline, "source");
    stream = stream_process(stream_key_by(stream, key_one), "first", &processing);
    stream = stream_process(stream_key_by(stream, key_two), "second", &processing);
    stream_file_sink(stream, "out");
    ck_assert_uint_eq(pipeline.vertex_count, 3);
    ck_assert_int_eq(pipeline.vertices[1].input, 0);
    ck_assert_int_eq(pipeline.vertices[2].input, 1);
    ck_assert(pipeline.vertices[1].key_of == key_one);
    ck_assert(pipeline.vertices[2].key_of == key_two);
    ck_assert_uint_eq(pipeline.vertices[2].chain_length, 2);
}
END_TEST

START_TEST(vertices_are_found_by_name)
{
    struct stream stream = pipeline_source(&pipeline, "source");
    stream_file_sink(stream_process(stream_key_by(stream, key_one), "count", &processing), "sink");
    ck_assert_int_eq(pipeline_find_vertex(&pipeline, bytes_of_text("source")), 0);
    ck_assert_int_eq(pipeline_find_vertex(&pipeline, bytes_of_text("count")), 1);
    ck_assert_int_eq(pipeline_find_vertex(&pipeline, bytes_of_text("sink")), -1); /* chained */
    ck_assert_int_eq(pipeline_find_vertex(&pipeline, bytes_of_text("coun")), -1);
    ck_assert_int_eq(pipeline_find_vertex(&pipeline, bytes_of_text("")), -1);
}
END_TEST

START_TEST(the_count_job_is_a_source_and_a_count)
{
    const struct job_info *job = job_find("count");
    ck_assert_ptr_nonnull(job);
    job->build(&pipeline);
    ck_assert_uint_eq(pipeline.vertex_count, 2);
    ck_assert_uint_eq(pipeline.vertices[0].chain_length, 2); /* the map is chained to the source */
    ck_assert_uint_eq(pipeline.vertices[1].chain_length, 2); /* the sink to the count */
    ck_assert_int_eq(pipeline_find_vertex(&pipeline, bytes_of_text("source")), 0);
    ck_assert_int_eq(pipeline_find_vertex(&pipeline, bytes_of_text("count")), 1);
}
END_TEST

START_TEST(every_job_has_its_own_name_and_a_line_of_help)
{
    for (uint32_t i = 0; job_at(i) != NULL; i++) {
        ck_assert_ptr_eq(job_find(job_at(i)->name), job_at(i));
        ck_assert_uint_gt(strlen(job_at(i)->help), 0);
        ck_assert_ptr_null(strchr(job_at(i)->help, '\n'));
    }
    ck_assert_ptr_null(job_find("no such job"));
}
END_TEST

START_TEST(a_vertex_name_used_twice_trips_a_check)
{
    struct stream stream = pipeline_source(&pipeline, "same");
    (void)stream_process(stream_key_by(stream, key_one), "same", &processing);
}
END_TEST

START_TEST(a_keyed_function_without_key_by_trips_a_check)
{
    (void)stream_process(pipeline_source(&pipeline, "source"), "count", &processing);
}
END_TEST

START_TEST(a_chain_that_is_too_long_trips_a_check)
{
    struct stream stream = pipeline_source(&pipeline, "source");
    for (int i = 0; i < PIPELINE_CHAIN_LENGTH_MAX; i++) {
        stream = stream_map(stream, "map", &mapping);
    }
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("pipeline");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, operators_between_two_exchanges_are_one_chain);
    tcase_add_test(tcase, each_key_by_starts_a_vertex_behind_the_one_before);
    tcase_add_test(tcase, vertices_are_found_by_name);
    tcase_add_test(tcase, the_count_job_is_a_source_and_a_count);
    tcase_add_test(tcase, every_job_has_its_own_name_and_a_line_of_help);
    tcase_add_test_raise_signal(tcase, a_vertex_name_used_twice_trips_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_keyed_function_without_key_by_trips_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_chain_that_is_too_long_trips_a_check, SIGABRT);
    Suite *suite = suite_create("pipeline");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
