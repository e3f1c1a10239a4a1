/* Jobs of the user's own: what `build` makes of a graph, and what it is told of its mistakes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/jobs/library_job.h"

static struct arena arena;
static struct buffer error;
static struct pipeline pipeline;

static void setup(void)
{
    arena_init(&arena);
    buffer_init(&error, &arena);
    pipeline_init(&pipeline);
}

static void teardown(void)
{
    arena_drop(&arena);
}

/* ---- functions that are never called --------------------------------------------------------- */

static void map_function(struct faultline_call *call, struct faultline_bytes record)
{
    call->api->emit(call, record);
}

static struct faultline_bytes whole(struct faultline_bytes record)
{
    return record;
}

static void opened(void *self, struct faultline_call *call)
{
    (void)self;
    (void)call;
}

static void processed(void *self, struct faultline_call *call, struct faultline_bytes record)
{
    (void)self;
    (void)call;
    (void)record;
}

static const struct faultline_map map = { .map = map_function };
static const struct faultline_key key = { .key_of = whole };
static const struct faultline_process process = { .open = opened, .process = processed };

static const struct faultline_process process_two = { .open = opened,
                                                      .process = processed,
                                                      .process2 = processed };

/* ---- jobs ------------------------------------------------------------------------------------ */

static void sound(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    struct faultline_stream *lines = api->map(api->source(graph), "split", &map);
    struct faultline_stream *first = api->process(api->key_by(lines, &key), "first", &process);
    api->sink(first, "sink");
    api->sink(api->side(first, "late"), "late");
    api->sink(api->process(api->key_by(first, &key), "second", &process), "other");
}

static void two_inputs(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    struct faultline_stream *lines = api->source(graph);
    struct faultline_stream *both =
        api->unite(api->map(lines, "even", &map), api->map(lines, "odd", &map), "all");
    struct faultline_stream *known = api->broadcast(api->map(lines, "rules", &map));
    struct faultline_stream *first =
        api->process(api->connect(api->key_by(both, &key), known), "first", &process_two);
    struct faultline_stream *second =
        api->connect(api->key_by(first, &key), api->key_by(both, &key));
    api->sink(api->process(second, "second", &process_two), "sink");
}

static void one_sided(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    struct faultline_stream *lines = api->source(graph);
    struct faultline_stream *both = api->connect(api->key_by(lines, &key), api->broadcast(lines));
    api->sink(api->process(both, "count", &process), "sink");
}

static void two_sided(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    api->sink(api->process(api->key_by(api->source(graph), &key), "count", &process_two), "sink");
}

static void connect_without_key(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    struct faultline_stream *lines = api->source(graph);
    api->sink(api->process(api->connect(lines, api->broadcast(lines)), "count", &process_two),
              "sink");
}

static void map_of_broadcast(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    api->sink(api->map(api->broadcast(api->source(graph)), "split", &map), "sink");
}

static void unite_of_keys(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    struct faultline_stream *lines = api->source(graph);
    api->sink(api->unite(lines, api->key_by(lines, &key), "all"), "sink");
}

static void three_sides(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    struct faultline_stream *lines = api->source(graph);
    struct faultline_stream *both = api->connect(api->key_by(lines, &key), api->broadcast(lines));
    api->sink(api->process(api->connect(both, api->broadcast(lines)), "count", &process_two),
              "sink");
}

static void no_sink(struct faultline_graph *graph)
{
    graph->api->source(graph);
}

static void two_sources(struct faultline_graph *graph)
{
    graph->api->source(graph);
    graph->api->sink(graph->api->source(graph), "sink");
}

static void no_key(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    api->sink(api->process(api->source(graph), "count", &process), "sink");
}

static void map_of_keys(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    api->sink(api->map(api->key_by(api->source(graph), &key), "split", &map), "sink");
}

static void same_name(struct faultline_graph *graph)
{
    const struct faultline_api *api = graph->api;
    api->sink(api->map(api->map(api->source(graph), "twice", &map), "twice", &map), "sink");
}

static void no_name(struct faultline_graph *graph)
{
    graph->api->sink(graph->api->map(graph->api->source(graph), "a b", &map), "sink");
}

static void no_function(struct faultline_graph *graph)
{
    graph->api->sink(graph->api->map(graph->api->source(graph), "split", NULL), "sink");
}

static void side_of_source(struct faultline_graph *graph)
{
    graph->api->sink(graph->api->side(graph->api->source(graph), "late"), "sink");
}

static void endless(struct faultline_graph *graph)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g",
                                         "h", "i", "j", "k", "l", "m" };
    struct faultline_stream *stream = graph->api->source(graph);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        stream = graph->api->map(stream, names[i], &map);
    }
    graph->api->sink(stream, "sink");
}

static const struct {
    void (*build)(struct faultline_graph *graph);
    const char *error;
} mistakes[] = {
    { no_sink, "\"job\" has no sink" },
    { two_sources, "\"source\" is asked for twice; a stream can be used more than once" },
    { no_key, "\"count\" has states, so a key_by must come right before it" },
    { map_of_keys, "\"split\" stands behind a key_by, where only a process can stand" },
    { same_name, "\"twice\" names two operators" },
    { no_name, "\"a b\" is no name of an operator: letters, digits, \"-\", \"_\" and \".\"" },
    { no_function, "\"split\" has no function" },
    { side_of_source, "\"late\" is no side output: it must be taken right behind a process" },
    { one_sided, "\"count\" stands behind a connect, so it must have `process2`" },
    { two_sided, "\"count\" has `process2`, so a connect must come before it" },
    { connect_without_key, "\"connect\" needs a key_by before its first stream, and a key_by or a "
                           "broadcast before its second" },
    { map_of_broadcast, "\"split\" stands behind a broadcast, where only a connect can stand" },
    { unite_of_keys, "\"all\" stands behind a key_by, where only a process can stand" },
    { three_sides,
      "\"connect\" is given what comes from a connect, where only a process can stand" },
    { endless, "\"l\" is one operator too many" },
};

START_TEST(a_library_builds_vertices_chains_and_sinks)
{
    struct faultline_job job = { FAULTLINE_JOB_VERSION, "job", sound };
    ck_assert(library_job_build(&job, &pipeline, &error));
    ck_assert_uint_eq(pipeline.vertex_count, 3);
    ck_assert_str_eq(pipeline.vertices[0].name, "source");
    ck_assert_str_eq(pipeline.vertices[1].name, "first");
    ck_assert_str_eq(pipeline.vertices[2].name, "second");
    ck_assert_uint_eq(pipeline.sink_count, 3);
    ck_assert(pipeline.vertices[1].keyed);
    ck_assert_uint_eq(error.size, 0);
}
END_TEST

START_TEST(streams_of_a_library_are_united_broadcast_and_connected)
{
    struct faultline_job job = { FAULTLINE_JOB_VERSION, "job", two_inputs };
    ck_assert(library_job_build(&job, &pipeline, &error));
    ck_assert_uint_eq(pipeline.vertex_count, 4);
    const struct vertex *all = &pipeline.vertices[1];
    const struct vertex *first = &pipeline.vertices[2];
    const struct vertex *second = &pipeline.vertices[3];
    ck_assert_str_eq(all->name, "all");
    ck_assert_uint_eq(all->input_count, 2);
    ck_assert_str_eq(first->name, "first");
    ck_assert_int_eq(first->inputs[0].exchange, EXCHANGE_HASH);
    ck_assert_uint_eq(first->inputs[0].side, 0);
    ck_assert_int_eq(first->inputs[1].exchange, EXCHANGE_BROADCAST);
    ck_assert_uint_eq(first->inputs[1].side, 1);
    ck_assert_str_eq(second->name, "second");
    ck_assert_int_eq(second->inputs[1].exchange, EXCHANGE_HASH);
    ck_assert_uint_eq(second->inputs[1].side, 1);
}
END_TEST

START_TEST(a_mistake_of_a_library_is_said_in_a_sentence_that_names_the_operator)
{
    struct faultline_job job = { FAULTLINE_JOB_VERSION, "job", mistakes[_i].build };
    ck_assert(!library_job_build(&job, &pipeline, &error));
    ck_assert_str_eq(arena_format(&arena, "%.*s", (int)error.size, (const char *)error.data),
                     mistakes[_i].error);
}
END_TEST

START_TEST(a_library_without_a_name_or_a_build_is_no_job)
{
    struct faultline_job job = { FAULTLINE_JOB_VERSION, "no/name", sound };
    ck_assert(!library_job_build(&job, &pipeline, &error));
    ck_assert_uint_gt(error.size, 0);
    buffer_reset(&error);
    job = (struct faultline_job){ FAULTLINE_JOB_VERSION, "job", NULL };
    ck_assert(!library_job_build(&job, &pipeline, &error));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("library job");
    TCase *tests = tcase_create("library job");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_library_builds_vertices_chains_and_sinks);
    tcase_add_test(tests, streams_of_a_library_are_united_broadcast_and_connected);
    tcase_add_loop_test(tests, a_mistake_of_a_library_is_said_in_a_sentence_that_names_the_operator,
                        0, sizeof mistakes / sizeof mistakes[0]);
    tcase_add_test(tests, a_library_without_a_name_or_a_build_is_no_job);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
