#include "model/stream/pipeline.h"

#include "model/base/check.h"

void pipeline_init(struct pipeline *pipeline)
{
    *pipeline = (struct pipeline){ 0 };
}

static uint32_t add_vertex(struct pipeline *pipeline, const char *name, int32_t input)
{
    CHECK(pipeline->vertex_count < PIPELINE_VERTEX_COUNT_MAX);
    CHECK(pipeline_find_vertex(pipeline, bytes_of_text(name)) < 0);
    pipeline->vertices[pipeline->vertex_count] = (struct vertex){ .name = name, .input = input };
    return pipeline->vertex_count++;
}

/* Appends an operator to the stream's vertex, or, behind a key_by, to a new one called `name`. */
static struct stream add_operator(struct stream stream, const char *name,
                                  const struct operator_ops *ops, const void *parameters)
{
    if (stream.key_of != NULL) {
        uint32_t vertex = add_vertex(stream.pipeline, name, (int32_t)stream.vertex);
        stream.pipeline->vertices[vertex].key_of = stream.key_of;
        stream.vertex = vertex;
        stream.key_of = NULL;
    }
    struct vertex *vertex = &stream.pipeline->vertices[stream.vertex];
    CHECK(vertex->chain_length < PIPELINE_CHAIN_LENGTH_MAX);
    vertex->chain[vertex->chain_length++] =
        (struct operator_spec){ .name = name, .ops = ops, .parameters = parameters };
    return stream;
}

struct stream pipeline_source(struct pipeline *pipeline, const char *name)
{
    struct stream stream = { .pipeline = pipeline, .vertex = add_vertex(pipeline, name, -1) };
    return add_operator(stream, name, &source_operator, NULL);
}

struct stream stream_map(struct stream stream, const char *name,
                         const struct map_parameters *parameters)
{
    return add_operator(stream, name, &map_operator, parameters);
}

struct stream stream_key_by(struct stream stream, key_function key_of)
{
    CHECK(stream.key_of == NULL);
    stream.key_of = key_of;
    return stream;
}

struct stream stream_process(struct stream stream, const char *name,
                             const struct process_parameters *parameters)
{
    CHECK(stream.key_of != NULL);
    stream = add_operator(stream, name, &process_operator, parameters);
    stream.pipeline->vertices[stream.vertex].keyed = true;
    return stream;
}

void stream_file_sink(struct stream stream, const char *name)
{
    (void)add_operator(stream, name, &file_sink_operator, NULL);
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
