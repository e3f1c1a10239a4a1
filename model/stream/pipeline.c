#include "model/stream/pipeline.h"

#include <string.h>

#include "model/base/check.h"
#include "model/stream/source.h"

void pipeline_init(struct pipeline *pipeline)
{
    pipeline->vertex_count = 0; /* the vertices are set as they come: there is room for many */
    pipeline->sink_count = 0;
}

static struct vertex *add_vertex(struct pipeline *pipeline, const char *name)
{
    CHECK(pipeline->vertex_count < PIPELINE_VERTEX_COUNT_MAX);
    CHECK(pipeline_find_vertex(pipeline, bytes_of_text(name)) < 0);
    struct vertex *vertex = &pipeline->vertices[pipeline->vertex_count++];
    *vertex = (struct vertex){ .name = name };
    return vertex;
}

/* The stream of what operator number `operator` of `vertex` emits. */
static struct stream stream_of(struct pipeline *pipeline, const struct vertex *vertex,
                               uint32_t operator, bool has_timestamps)
{
    return (struct stream){ .pipeline = pipeline,
                            .inputs = { { .vertex = (uint32_t)(vertex - pipeline->vertices),
                                          .operator= operator,
                                          .has_timestamps = has_timestamps } },
                                        .input_count = 1 };
}

static bool has_timestamps(const struct stream *stream)
{
    for (uint32_t i = 0; i < stream->input_count; i++) {
        if (stream->inputs[i].has_timestamps) {
            return true;
        }
    }
    return false;
}

static bool is_keyed(const struct stream *stream)
{
    return stream->inputs[0].key_of != NULL;
}

static bool has_two_sides(const struct stream *stream)
{
    return stream->inputs[stream->input_count - 1].side != 0;
}

/* A single input that stays in its subtask needs no exchange. */
static bool is_chainable(const struct stream *stream)
{
    return stream->input_count == 1 && stream->inputs[0].exchange == EXCHANGE_FORWARD;
}

/* Appends an operator to the vertex of the stream's only input, or to a new one called `name`. */
static struct stream add_operator(const struct stream *stream, const char *name,
                                  const struct operator_ops *ops, const void *parameters)
{
    CHECK(stream->input_count > 0);
    CHECK(!has_two_sides(stream) || ops->process2 != NULL);
    struct pipeline *pipeline = stream->pipeline;
    struct operator_spec spec = {
        .name = name, .ops = ops, .parameters = parameters, .parent = -1
    };
    struct vertex *vertex;
    if (is_chainable(stream)) {
        vertex = &pipeline->vertices[stream->inputs[0].vertex];
        spec.parent = (int32_t)stream->inputs[0].operator;
        spec.parent_tag = stream->inputs[0].tag;
        CHECK(!vertex->chain[spec.parent].ops->is_sink);
    } else {
        vertex = add_vertex(pipeline, name);
        memcpy(vertex->inputs, stream->inputs, sizeof vertex->inputs);
        vertex->input_count = stream->input_count;
    }
    CHECK(vertex->chain_length < PIPELINE_CHAIN_LENGTH_MAX);
    vertex->chain[vertex->chain_length] = spec;
    return stream_of(pipeline, vertex, vertex->chain_length++, has_timestamps(stream));
}

static struct stream add_source(struct pipeline *pipeline, const char *name,
                                const struct source_parameters *parameters)
{
    struct vertex *vertex = add_vertex(pipeline, name);
    vertex->chain[vertex->chain_length++] = (struct operator_spec){
        .name = name, .ops = &source_operator, .parameters = parameters, .parent = -1
    };
    return stream_of(pipeline, vertex, 0, false);
}

struct stream pipeline_source(struct pipeline *pipeline, const char *name)
{
    return add_source(pipeline, name, NULL);
}

struct stream pipeline_number_source(struct pipeline *pipeline, const char *name)
{
    static const struct source_parameters numbers = { .gives_numbers = true };
    return add_source(pipeline, name, &numbers);
}

static struct stream exchanged(struct stream stream, enum exchange exchange, key_function key_of)
{
    for (uint32_t i = 0; i < stream.input_count; i++) {
        CHECK(stream.inputs[i].exchange == EXCHANGE_FORWARD); /* it would be for nothing */
        CHECK(stream.inputs[i].side == 0);                    /* key the sides, then connect */
        stream.inputs[i].exchange = exchange;
        stream.inputs[i].key_of = key_of;
    }
    return stream;
}

struct stream stream_key_by(struct stream stream, key_function key_of)
{
    CHECK(key_of != NULL);
    return exchanged(stream, EXCHANGE_HASH, key_of);
}

struct stream stream_rebalance(struct stream stream)
{
    return exchanged(stream, EXCHANGE_REBALANCE, NULL);
}

struct stream stream_broadcast(struct stream stream)
{
    return exchanged(stream, EXCHANGE_BROADCAST, NULL);
}

static struct stream joined(struct stream first, const struct stream *second, uint8_t side)
{
    CHECK(first.pipeline == second->pipeline);
    for (uint32_t i = 0; i < second->input_count; i++) {
        CHECK(first.input_count < PIPELINE_INPUT_COUNT_MAX);
        struct vertex_input *input = &first.inputs[first.input_count++];
        *input = second->inputs[i];
        input->side = side;
    }
    return first;
}

struct stream stream_union(struct stream first, struct stream second)
{
    CHECK(!is_keyed(&first));
    CHECK(!is_keyed(&second));
    CHECK(!has_two_sides(&first));
    CHECK(!has_two_sides(&second));
    return joined(first, &second, 0);
}

struct stream stream_connect(struct stream first, struct stream second)
{
    CHECK(is_keyed(&first));
    CHECK(is_keyed(&second) || second.inputs[0].exchange == EXCHANGE_BROADCAST);
    CHECK(!has_two_sides(&first));
    CHECK(!has_two_sides(&second));
    return joined(first, &second, 1);
}

struct stream stream_side(struct stream stream, const char *tag)
{
    CHECK(tag != NULL);
    CHECK(is_chainable(&stream)); /* directly behind the operator that emits to it */
    CHECK(stream.inputs[0].tag == NULL);
    stream.inputs[0].tag = tag;
    return stream;
}

struct stream stream_map(struct stream stream, const char *name,
                         const struct map_parameters *parameters)
{
    return add_operator(&stream, name, &map_operator, parameters);
}

struct stream stream_filter(struct stream stream, const char *name,
                            const struct filter_parameters *parameters)
{
    return add_operator(&stream, name, &filter_operator, parameters);
}

struct stream stream_watermarks(struct stream stream, const char *name,
                                const struct watermark_parameters *parameters)
{
    struct stream result = add_operator(&stream, name, &watermark_operator, parameters);
    result.inputs[0].has_timestamps = true;
    return result;
}

struct stream pipeline_add_operator(const struct stream *stream, const char *name,
                                    const struct operator_ops *ops, const void *parameters)
{
    CHECK(!has_two_sides(stream));
    return add_operator(stream, name, ops, parameters);
}

bool pipeline_has_room(const struct stream *stream)
{
    const struct pipeline *pipeline = stream->pipeline;
    return is_chainable(stream) ? pipeline->vertices[stream->inputs[0].vertex].chain_length <
                                      PIPELINE_CHAIN_LENGTH_MAX
                                : pipeline->vertex_count < PIPELINE_VERTEX_COUNT_MAX;
}

struct stream pipeline_add_keyed(const struct stream *stream, const char *name,
                                 const struct operator_ops *ops, const void *parameters)
{
    CHECK(is_keyed(stream));
    struct stream result = add_operator(stream, name, ops, parameters);
    stream->pipeline->vertices[result.inputs[0].vertex].keyed = true;
    return result;
}

struct stream stream_process(struct stream stream, const char *name,
                             const struct process_parameters *parameters)
{
    CHECK((parameters->process2 != NULL) == has_two_sides(&stream));
    return pipeline_add_keyed(&stream, name, &process_operator, parameters);
}

struct stream stream_aggregate(struct stream stream, const char *name,
                               const struct aggregate_function *function)
{
    return pipeline_add_keyed(&stream, name, &aggregate_operator, function);
}

struct stream stream_window(struct stream stream, const char *name,
                            const struct window_parameters *parameters)
{
    CHECK(has_timestamps(&stream)); /* else no window ever fires */
    return pipeline_add_keyed(&stream, name, &window_operator, parameters);
}

/* The only sink of a job needs no directory of its own. */
static void name_directories(struct pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->vertex_count; i++) {
        struct vertex *vertex = &pipeline->vertices[i];
        for (uint32_t k = 0; k < vertex->chain_length; k++) {
            if (vertex->chain[k].ops->is_sink) {
                vertex->chain[k].parameters = vertex->chain[k].name;
            }
        }
    }
}

static bool has_sink(const struct pipeline *pipeline, const char *name)
{
    for (uint32_t i = 0; i < pipeline->vertex_count; i++) {
        const struct vertex *vertex = &pipeline->vertices[i];
        for (uint32_t k = 0; k < vertex->chain_length; k++) {
            if (vertex->chain[k].ops->is_sink && strcmp(vertex->chain[k].name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

void stream_file_sink(struct stream stream, const char *name)
{
    CHECK(!has_sink(stream.pipeline, name));
    (void)add_operator(&stream, name, &file_sink_operator, NULL);
    if (++stream.pipeline->sink_count > 1) {
        name_directories(stream.pipeline);
    }
}

int32_t pipeline_find_vertex(const struct pipeline *pipeline, struct bytes name)
{
    for (uint32_t i = 0; i < pipeline->vertex_count; i++) {
        if (bytes_equal(name, bytes_of_text(pipeline->vertices[i].name))) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* Does input `index` of `vertex` lead to an upstream vertex that none before it does? */
static bool begins_edge(const struct vertex *vertex, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (vertex->inputs[i].vertex == vertex->inputs[index].vertex) {
            return false;
        }
    }
    return true;
}

int32_t pipeline_edge(const struct pipeline *pipeline, uint32_t from, uint32_t to)
{
    CHECK(from < pipeline->vertex_count);
    CHECK(to < pipeline->vertex_count);
    int32_t edge = 0;
    for (uint32_t v = 0; v <= to; v++) {
        const struct vertex *vertex = &pipeline->vertices[v];
        for (uint32_t i = 0; i < vertex->input_count; i++) {
            if (v == to && vertex->inputs[i].vertex == from) {
                return edge;
            }
            edge += begins_edge(vertex, i);
        }
    }
    return -1;
}

uint32_t pipeline_edge_count(const struct pipeline *pipeline)
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < pipeline->vertex_count; v++) {
        for (uint32_t i = 0; i < pipeline->vertices[v].input_count; i++) {
            count += begins_edge(&pipeline->vertices[v], i);
        }
    }
    return count;
}

uint32_t vertex_first_channel(const struct vertex *vertex, uint32_t index, uint32_t parallelism)
{
    CHECK(index <= vertex->input_count);
    uint32_t channel = 0;
    for (uint32_t i = 0; i < index; i++) {
        channel += vertex_input_channels(&vertex->inputs[i], parallelism);
    }
    return channel;
}

const struct vertex_input *vertex_input_of_channel(const struct vertex *vertex, uint32_t channel,
                                                   uint32_t parallelism)
{
    const struct vertex_input *input = vertex->inputs;
    uint32_t channels;
    while (channel >= (channels = vertex_input_channels(input, parallelism))) {
        channel -= channels;
        input++;
        CHECK(input < vertex->inputs + vertex->input_count);
    }
    return input;
}

bool vertex_has_event_time(const struct vertex *vertex)
{
    for (uint32_t i = 0; i < vertex->input_count; i++) {
        if (vertex->inputs[i].has_timestamps) {
            return true;
        }
    }
    return false;
}
