#include "model/stream/pipeline.h"

#include <signal.h>
#include <string.h>

#include "model/jobs/jobs.h"
#include "model/stream/watermark.h"
#include "model/stream/window.h"
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
    ck_assert_uint_eq(source->input_count, 0);
    ck_assert(!source->keyed);

    const struct vertex *count = &pipeline.vertices[1];
    ck_assert_str_eq(count->name, "count");
    ck_assert_uint_eq(count->chain_length, 3);
    ck_assert_ptr_eq(count->chain[0].ops, &process_operator);
    ck_assert_ptr_eq(count->chain[0].parameters, &processing);
    ck_assert_ptr_eq(count->chain[2].ops, &file_sink_operator);
    ck_assert_uint_eq(count->input_count, 1);
    ck_assert_uint_eq(count->inputs[0].vertex, 0);
    ck_assert_uint_eq(count->inputs[0].operator, 2);
    ck_assert_int_eq(count->inputs[0].exchange, EXCHANGE_HASH);
    ck_assert(count->inputs[0].key_of == key_one);
    ck_assert(count->keyed);
}
END_TEST

START_TEST(each_key_by_starts_a_vertex_behind_the_one_before)
{
    struct stream stream = pipeline_source(&pipeline, "source");
    stream = stream_process(stream_key_by(stream, key_one), "first", &processing);
    stream = stream_process(stream_key_by(stream, key_two), "second", &processing);
    stream_file_sink(stream, "out");
    ck_assert_uint_eq(pipeline.vertex_count, 3);
    ck_assert_uint_eq(pipeline.vertices[1].inputs[0].vertex, 0);
    ck_assert_uint_eq(pipeline.vertices[2].inputs[0].vertex, 1);
    ck_assert(pipeline.vertices[1].inputs[0].key_of == key_one);
    ck_assert(pipeline.vertices[2].inputs[0].key_of == key_two);
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

static void both(void *self, const struct record *record, struct collector *out)
{
    (void)self;
    collector_emit(out, record);
}

static const struct process_parameters connecting = { .self_bytes = 8,
                                                      .process = both,
                                                      .process2 = both };

static bool keep(struct operator_context *context, const struct record *record)
{
    (void)context;
    return record->value.size > 0;
}

static const struct filter_parameters filtering = { .keep = keep };

START_TEST(a_stream_used_twice_is_read_where_it_was_taken)
{
    struct stream numbers =
        stream_map(pipeline_source(&pipeline, "source"), "map", &mapping);
    struct stream first = stream_process(stream_key_by(numbers, key_one), "first", &processing);
    struct stream kept = stream_filter(numbers, "filter", &filtering);
    struct stream second = stream_process(stream_key_by(kept, key_two), "second", &processing);
    stream_file_sink(first, "a");
    stream_file_sink(second, "b");
    const struct vertex *source = &pipeline.vertices[0];
    ck_assert_uint_eq(source->chain_length, 3);
    ck_assert_int_eq(source->chain[1].parent, 0);
    ck_assert_int_eq(source->chain[2].parent, 1);
    ck_assert_uint_eq(pipeline.vertices[1].inputs[0].operator, 1); /* behind the map */
    ck_assert_uint_eq(pipeline.vertices[2].inputs[0].operator, 2); /* behind the filter */
    ck_assert_int_eq(pipeline_edge(&pipeline, 0, 1), 0);
    ck_assert_int_eq(pipeline_edge(&pipeline, 0, 2), 1);
    ck_assert_int_eq(pipeline_edge(&pipeline, 1, 2), -1);
    ck_assert_uint_eq(pipeline_edge_count(&pipeline), 2);
}
END_TEST

START_TEST(the_only_sink_has_no_directory_of_its_own_and_several_have)
{
    struct stream stream = pipeline_source(&pipeline, "source");
    stream_file_sink(stream, "one");
    ck_assert_ptr_null(pipeline.vertices[0].chain[1].parameters);
    stream_file_sink(stream_map(stream, "map", &mapping), "two");
    ck_assert_str_eq(pipeline.vertices[0].chain[1].parameters, "one");
    ck_assert_str_eq(pipeline.vertices[0].chain[3].parameters, "two");
    ck_assert_ptr_eq(pipeline.vertices[0].chain[2].parameters, &mapping);
}
END_TEST

START_TEST(a_union_reads_all_its_streams_on_one_side)
{
    struct stream a = pipeline_source(&pipeline, "a");
    struct stream b = pipeline_source(&pipeline, "b");
    struct stream all = stream_map(stream_union(a, b), "all", &mapping);
    stream_file_sink(all, "sink");
    int32_t at = pipeline_find_vertex(&pipeline, bytes_of_text("all"));
    ck_assert_int_eq(at, 2);
    const struct vertex *vertex = &pipeline.vertices[at];
    ck_assert_uint_eq(vertex->input_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(vertex->inputs[i].vertex, i);
        ck_assert_int_eq(vertex->inputs[i].exchange, EXCHANGE_FORWARD);
        ck_assert_uint_eq(vertex->inputs[i].side, 0);
    }
    ck_assert_uint_eq(vertex_first_channel(vertex, 2, 4), 2); /* one each */
}
END_TEST

START_TEST(a_connected_stream_has_two_sides_and_its_channels_are_numbered_input_by_input)
{
    struct stream a = pipeline_source(&pipeline, "a");
    struct stream b = pipeline_source(&pipeline, "b");
    struct stream c = pipeline_source(&pipeline, "c");
    struct stream keyed = stream_key_by(stream_union(a, b), key_one);
    struct stream out = stream_process(stream_connect(keyed, stream_broadcast(c)), "join",
                                       &connecting);
    stream_file_sink(stream_rebalance(out), "sink");
    const struct vertex *join = &pipeline.vertices[3];
    ck_assert_uint_eq(join->input_count, 3);
    ck_assert_uint_eq(join->inputs[1].side, 0);
    ck_assert_uint_eq(join->inputs[2].side, 1);
    ck_assert_int_eq(join->inputs[2].exchange, EXCHANGE_BROADCAST);
    ck_assert(join->inputs[2].key_of == NULL);
    for (uint32_t channel = 0; channel < 12; channel++) {
        ck_assert_ptr_eq(vertex_input_of_channel(join, channel, 4), &join->inputs[channel / 4]);
    }
    ck_assert_str_eq(pipeline.vertices[4].name, "sink"); /* a vertex of its own */
    ck_assert_uint_eq(pipeline_edge_count(&pipeline), 4);
    ck_assert_int_eq(pipeline_edge(&pipeline, 3, 4), 3);
}
END_TEST

START_TEST(two_inputs_between_the_same_vertices_are_one_edge)
{
    struct stream stream = pipeline_source(&pipeline, "source");
    struct stream all = stream_union(stream, stream_side(stream, "other"));
    stream_file_sink(stream_map(all, "all", &mapping), "sink");
    ck_assert_uint_eq(pipeline.vertices[1].input_count, 2);
    ck_assert_str_eq(pipeline.vertices[1].inputs[1].tag, "other");
    ck_assert_uint_eq(pipeline_edge_count(&pipeline), 1);
}
END_TEST

START_TEST(event_time_goes_with_the_stream)
{
    static const struct watermark_parameters strategy = { .timestamp_ms = NULL };
    struct stream stream = pipeline_source(&pipeline, "source");
    struct stream timed = stream_watermarks(stream, "time", &strategy);
    struct stream counts = stream_process(stream_key_by(timed, key_one), "timed", &processing);
    stream_file_sink(stream_process(stream_key_by(counts, key_two), "again", &processing), "a");
    stream_file_sink(stream_process(stream_key_by(stream, key_one), "plain", &processing), "b");
    ck_assert(!vertex_has_event_time(&pipeline.vertices[0]));
    ck_assert(vertex_has_event_time(&pipeline.vertices[1]));
    ck_assert(vertex_has_event_time(&pipeline.vertices[2]));
    ck_assert(!vertex_has_event_time(&pipeline.vertices[3]));
}
END_TEST

START_TEST(windows_over_a_stream_without_event_time_trip_a_check)
{
    static const struct window_parameters windowing = { .size_ms = 1 };
    struct stream stream = pipeline_source(&pipeline, "source");
    (void)stream_window(stream_key_by(stream, key_one), "windows", &windowing);
}
END_TEST

START_TEST(a_function_of_one_side_on_a_connected_stream_trips_a_check)
{
    struct stream stream = stream_key_by(pipeline_source(&pipeline, "source"), key_one);
    (void)stream_process(stream_connect(stream, stream), "join", &processing);
}
END_TEST

START_TEST(two_sinks_of_one_name_trip_a_check)
{
    struct stream stream = pipeline_source(&pipeline, "source");
    stream_file_sink(stream, "sink");
    stream_file_sink(stream, "sink");
}
END_TEST

START_TEST(a_union_of_keyed_streams_trips_a_check)
{
    struct stream stream = stream_key_by(pipeline_source(&pipeline, "source"), key_one);
    (void)stream_union(stream, stream);
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
    tcase_add_test(tcase, a_stream_used_twice_is_read_where_it_was_taken);
    tcase_add_test(tcase, the_only_sink_has_no_directory_of_its_own_and_several_have);
    tcase_add_test(tcase, a_union_reads_all_its_streams_on_one_side);
    tcase_add_test(tcase,
                   a_connected_stream_has_two_sides_and_its_channels_are_numbered_input_by_input);
    tcase_add_test(tcase, two_inputs_between_the_same_vertices_are_one_edge);
    tcase_add_test(tcase, event_time_goes_with_the_stream);
    tcase_add_test_raise_signal(tcase, windows_over_a_stream_without_event_time_trip_a_check,
                                SIGABRT);
    tcase_add_test_raise_signal(tcase, a_function_of_one_side_on_a_connected_stream_trips_a_check,
                                SIGABRT);
    tcase_add_test_raise_signal(tcase, two_sinks_of_one_name_trip_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_union_of_keyed_streams_trips_a_check, SIGABRT);
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
