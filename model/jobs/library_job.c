#include "model/jobs/library_job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/jobs/library_api.h"

enum { STREAMS_MAX = 2 * PIPELINE_VERTEX_COUNT_MAX, MESSAGE_SIZE = 200 };

struct library_graph;

struct library_stream {
    struct faultline_stream head;
    struct library_graph *graph;
    struct stream stream;
    bool is_keyed;
    bool is_broadcast; /* it can only be connected */
    bool is_connected; /* it has two sides */
};

/* After the first mistake nothing more is built. */
struct library_graph {
    struct faultline_graph head;
    struct pipeline *pipeline;
    struct buffer *error;
    bool has_source;
    uint32_t stream_count;
    struct library_stream streams[STREAMS_MAX];
};

/* Returns a stream that leads nowhere, so that the job's author need not ask. */
static struct faultline_stream *mistake(struct library_graph *graph, const char *name,
                                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct faultline_stream *mistake(struct library_graph *graph, const char *name,
                                        const char *format, ...)
{
    if (graph->error->size == 0) {
        char message[MESSAGE_SIZE];
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        buffer_append_format(graph->error, "\"%s\" %s", name == NULL ? "" : name, message);
    }
    return &graph->streams[0].head;
}

static struct faultline_stream *add_stream(struct library_graph *graph, struct stream stream)
{
    CHECK(graph->stream_count < STREAMS_MAX);
    struct library_stream *added = &graph->streams[graph->stream_count++];
    *added = (struct library_stream){ .head = { .api = &library_api },
                                      .graph = graph,
                                      .stream = stream };
    return &added->head;
}

static bool is_name_taken(const struct pipeline *pipeline, const char *name)
{
    for (uint32_t v = 0; v < pipeline->vertex_count; v++) {
        const struct vertex *vertex = &pipeline->vertices[v];
        for (uint32_t i = 0; i < vertex->chain_length; i++) {
            if (strcmp(vertex->chain[i].name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Faults name operators, and sinks have directories: `[`, `>` and `/` would be misunderstood. */
static bool is_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return name != NULL && *name != '\0' && *name != '.' && strspn(name, letters) == strlen(name);
}

/* Can an operator called `name` come behind `stream`? If not, that has been said. */
static bool may_add(const struct library_stream *stream, const char *name, bool needs_key)
{
    struct library_graph *graph = stream->graph;
    if (graph->error->size > 0) {
        return false;
    }
    if (!is_name(name)) {
        mistake(graph, name, "is no name of an operator: letters, digits, \"-\", \"_\" and \".\"");
    } else if (is_name_taken(graph->pipeline, name)) {
        mistake(graph, name, "names two operators");
    } else if (stream->is_broadcast) {
        mistake(graph, name, "stands behind a broadcast, where only a connect can stand");
    } else if (needs_key != stream->is_keyed) {
        mistake(graph, name,
                needs_key ? "has states, so a key_by must come right before it"
                          : "stands behind a key_by, where only a process can stand");
    } else if (graph->stream_count == STREAMS_MAX || !pipeline_has_room(&stream->stream)) {
        mistake(graph, name, "is one operator too many");
    } else {
        return true;
    }
    return false;
}

struct faultline_stream *library_source(struct faultline_graph *given)
{
    struct library_graph *graph = (struct library_graph *)given;
    if (graph->has_source) {
        return mistake(graph, "source", "is asked for twice; a stream can be used more than once");
    }
    graph->has_source = true;
    return add_stream(graph, pipeline_source(graph->pipeline, "source"));
}

struct faultline_stream *library_map(struct faultline_stream *given, const char *name,
                                     const struct faultline_map *map)
{
    struct library_stream *stream = (struct library_stream *)given;
    if (!may_add(stream, name, false)) {
        return given;
    }
    if (map == NULL || map->map == NULL) {
        return mistake(stream->graph, name, "has no function");
    }
    return add_stream(stream->graph,
                      pipeline_add_operator(&stream->stream, name, &library_map_operator, map));
}

struct faultline_stream *library_event_time(struct faultline_stream *given, const char *name,
                                            const struct faultline_event_time *event_time)
{
    struct library_stream *stream = (struct library_stream *)given;
    if (!may_add(stream, name, false)) {
        return given;
    }
    if (event_time == NULL || event_time->time_ms == NULL || event_time->disorder_ms < 0) {
        return mistake(stream->graph, name, "has no function, or a disorder_ms below 0");
    }
    struct stream timed =
        pipeline_add_operator(&stream->stream, name, &library_event_time_operator, event_time);
    timed.inputs[0].has_timestamps = true;
    return add_stream(stream->graph, timed);
}

struct faultline_stream *library_key_by(struct faultline_stream *given,
                                        const struct faultline_key *key)
{
    struct library_stream *stream = (struct library_stream *)given;
    struct library_graph *graph = stream->graph;
    if (graph->error->size > 0) {
        return given;
    }
    if (stream->is_keyed || stream->is_broadcast) {
        return mistake(graph, "key_by", "follows another one, or a broadcast");
    }
    if (key == NULL || key->key_of == NULL) {
        return mistake(graph, "key_by", "has no function");
    }
    if (!pipeline_has_room(&stream->stream) || graph->stream_count == STREAMS_MAX) {
        return mistake(graph, "key_by", "is one operator too many");
    }
    struct stream framed =
        pipeline_add_operator(&stream->stream, "key", &library_key_operator, key);
    struct library_stream *keyed =
        (struct library_stream *)add_stream(graph, stream_key_by(framed, library_key_of));
    keyed->is_keyed = true;
    return &keyed->head;
}

struct faultline_stream *library_process(struct faultline_stream *given, const char *name,
                                         const struct faultline_process *process)
{
    struct library_stream *stream = (struct library_stream *)given;
    if (!may_add(stream, name, true)) {
        return given;
    }
    if (process == NULL || process->open == NULL || process->process == NULL) {
        return mistake(stream->graph, name, "must have `open` and `process`");
    }
    if ((process->process2 != NULL) != stream->is_connected) {
        return mistake(stream->graph, name,
                       stream->is_connected ? "stands behind a connect, so it must have `process2`"
                                            : "has `process2`, so a connect must come before it");
    }
    return add_stream(stream->graph, pipeline_add_keyed(&stream->stream, name,
                                                        &library_process_operator, process));
}

/* Has one of the two a place in neither a unite nor a connect, or are they too many? If so, that
 * has been said. */
static bool may_join(const struct library_stream *first, const struct library_stream *second,
                     const char *name)
{
    struct library_graph *graph = first->graph;
    if (graph->error->size > 0) {
        return false;
    }
    if (first->is_connected || second->is_connected) {
        mistake(graph, name, "is given what comes from a connect, where only a process can stand");
    } else if (first->stream.input_count + second->stream.input_count > PIPELINE_INPUT_COUNT_MAX ||
               graph->stream_count == STREAMS_MAX) {
        mistake(graph, name, "is one stream too many");
    } else {
        return true;
    }
    return false;
}

struct faultline_stream *library_unite(struct faultline_stream *one, struct faultline_stream *other,
                                       const char *name)
{
    struct library_stream *first = (struct library_stream *)one;
    struct library_stream *second = (struct library_stream *)other;
    if (!may_join(first, second, name) || !may_add(first, name, false) ||
        !may_add(second, name, false)) {
        return one;
    }
    struct stream both = stream_union(first->stream, second->stream);
    if (!pipeline_has_room(&both)) {
        return mistake(first->graph, name, "is one operator too many");
    }
    return add_stream(first->graph,
                      pipeline_add_operator(&both, name, &library_pass_operator, NULL));
}

struct faultline_stream *library_broadcast(struct faultline_stream *given)
{
    struct library_stream *stream = (struct library_stream *)given;
    struct library_graph *graph = stream->graph;
    if (graph->error->size > 0) {
        return given;
    }
    if (stream->is_keyed || stream->is_broadcast) {
        return mistake(graph, "broadcast", "follows another one, or a key_by");
    }
    if (graph->stream_count == STREAMS_MAX) {
        return mistake(graph, "broadcast", "is one stream too many");
    }
    struct library_stream *added =
        (struct library_stream *)add_stream(graph, stream_broadcast(stream->stream));
    added->is_broadcast = true;
    return &added->head;
}

struct faultline_stream *library_connect(struct faultline_stream *one,
                                         struct faultline_stream *other)
{
    struct library_stream *first = (struct library_stream *)one;
    struct library_stream *second = (struct library_stream *)other;
    struct library_graph *graph = first->graph;
    if (!may_join(first, second, "connect")) {
        return one;
    }
    if (!first->is_keyed || (!second->is_keyed && !second->is_broadcast)) {
        return mistake(graph, "connect",
                       "needs a key_by before its first stream, and a key_by or "
                       "a broadcast before its second");
    }
    struct library_stream *added =
        (struct library_stream *)add_stream(graph, stream_connect(first->stream, second->stream));
    added->is_keyed = true;
    added->is_connected = true;
    return &added->head;
}

struct faultline_stream *library_side(struct faultline_stream *given, const char *tag)
{
    struct library_stream *stream = (struct library_stream *)given;
    struct library_graph *graph = stream->graph;
    if (graph->error->size > 0) {
        return given;
    }
    const struct vertex_input *input = &stream->stream.inputs[0];
    if (tag == NULL || stream->is_keyed || stream->is_broadcast || input->tag != NULL ||
        graph->pipeline->vertices[input->vertex].chain[input->operator].ops !=
            &library_process_operator) {
        return mistake(graph, tag, "is no side output: it must be taken right behind a process");
    }
    if (graph->stream_count == STREAMS_MAX) {
        return mistake(graph, tag, "is one stream too many");
    }
    return add_stream(graph, stream_side(stream->stream, tag));
}

void library_sink(struct faultline_stream *given, const char *name)
{
    struct library_stream *stream = (struct library_stream *)given;
    if (may_add(stream, name, false)) {
        stream_file_sink(stream->stream, name);
    }
}

bool library_job_build(const struct faultline_job *job, struct pipeline *pipeline,
                       struct buffer *error)
{
    CHECK(error->size == 0);
    CHECK(pipeline->vertex_count == 0);
    CHECK(job->version == FAULTLINE_JOB_VERSION);
    if (!is_name(job->name) || job->build == NULL) {
        buffer_append_text(error, "faultline_job must have a `build` and a name of letters, "
                                  "digits, \"-\", \"_\" and \".\"");
        return false;
    }
    struct library_graph graph = { .head = { .api = &library_api },
                                   .pipeline = pipeline,
                                   .error = error };
    /* Where mistakes lead. */
    graph.streams[0] = (struct library_stream){ .head = { .api = &library_api }, .graph = &graph };
    job->build(&graph.head);
    if (error->size == 0 && pipeline->sink_count == 0) {
        mistake(&graph, job->name, "has no sink");
    }
    return error->size == 0;
}
