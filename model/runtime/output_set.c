#include "model/runtime/output_set.h"

#include <string.h>

#include "model/base/check.h"
#include "model/runtime/task.h"

/* Calls for every input of the job that reads from `vertex`, in the order of the output channels:
 * vertices downstream, and the inputs of each. */
struct reader {
    uint32_t vertex;
    uint32_t index; /* of the input */
};

/* The next reader of `vertex` behind `*reader`; false: there is none. Begin with index = -1. */
static bool next_reader(const struct pipeline *pipeline, uint32_t vertex, struct reader *reader)
{
    for (reader->index++;; reader->vertex++, reader->index = 0) {
        if (reader->vertex == pipeline->vertex_count) {
            return false;
        }
        const struct vertex *at = &pipeline->vertices[reader->vertex];
        for (; reader->index < at->input_count; reader->index++) {
            if (at->inputs[reader->index].vertex == vertex) {
                return true;
            }
        }
    }
}

uint32_t output_set_first_channel(const struct pipeline *pipeline, uint32_t parallelism,
                                  uint32_t vertex, uint32_t index)
{
    uint32_t upstream = pipeline->vertices[vertex].inputs[index].vertex;
    uint32_t channel = 0;
    struct reader reader = { .index = UINT32_MAX };
    while (next_reader(pipeline, upstream, &reader)) {
        if (reader.vertex == vertex && reader.index == index) {
            return channel;
        }
        channel += vertex_input_channels(&pipeline->vertices[reader.vertex].inputs[reader.index],
                                         parallelism);
    }
    CHECK_UNREACHABLE("an input of its own upstream vertex");
}

void output_set_init(struct output_set *set, struct host *host, const struct job_config *config,
                     const struct pipeline *pipeline, const struct deployment *deployment,
                     uint32_t vertex, uint32_t subtask, const int64_t *timestamp_ms)
{
    *set = (struct output_set){ 0 };
    struct reader reader = { .index = UINT32_MAX };
    while (next_reader(pipeline, vertex, &reader)) {
        set->count++;
    }
    set->outputs = arena_alloc(host->arena, set->count, sizeof *set->outputs);
    set->exits = arena_alloc(host->arena, set->count, sizeof *set->exits);
    reader = (struct reader){ .index = UINT32_MAX };
    for (uint32_t i = 0; next_reader(pipeline, vertex, &reader); i++) {
        const struct vertex *to = &pipeline->vertices[reader.vertex];
        const struct vertex_input *input = &to->inputs[reader.index];
        bool is_forward = input->exchange == EXCHANGE_FORWARD;
        uint32_t receiver =
            task_index(deployment->parallelism, reader.vertex, is_forward ? subtask : 0);
        struct output_options options = {
            .attempt = deployment->attempt,
            .edge = (uint32_t)pipeline_edge(pipeline, vertex, reader.vertex),
            .source_channel = vertex_first_channel(to, reader.index, deployment->parallelism) +
                              (is_forward ? 0 : subtask),
            .channel_count = vertex_input_channels(input, deployment->parallelism),
            .receivers = deployment->addresses + receiver,
            .max_parallelism = deployment->max_parallelism,
            .exchange = input->exchange,
            .key_of = input->key_of,
            .timestamp_ms = input->has_timestamps ? timestamp_ms : NULL,
            .first_channel = input->exchange == EXCHANGE_REBALANCE ? subtask : 0,
            .buffer_bytes = config->buffer_bytes,
            .buffers_per_channel = config->buffers_per_channel,
        };
        output_init(&set->outputs[i], host, &options);
        set->exits[i] = (struct chain_exit){ .operator= input->operator,
                                             .tag = input->tag,
                                             .out = output_collector(&set->outputs[i]) };
    }
}

static struct message *make_event(struct host *host, const void *argument)
{
    const struct message *event = argument; /* a prototype: kind, attempt and data */
    struct message *message = host_message_new(host, event->size);
    message->kind = event->kind;
    message->attempt = event->attempt;
    message->size = event->size;
    memcpy(message->data, event->data, event->size);
    return message;
}

void output_set_broadcast(struct output_set *set, struct host *host, struct message *event)
{
    for (uint32_t i = 0; i < set->count; i++) {
        output_broadcast(&set->outputs[i], make_event, event);
    }
    host_message_free(host, event);
}

void output_set_watermark(struct output_set *set, struct host *host, uint32_t operator,
                          struct message * event)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->exits[i].operator== operator&& set->outputs[i].timestamp_ms != NULL) {
            output_broadcast(&set->outputs[i], make_event, event);
        }
    }
    host_message_free(host, event);
}

void output_set_flush(struct output_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        output_flush(&set->outputs[i]);
    }
}

void output_set_on_credit(struct output_set *set, uint32_t channel)
{
    struct output *output = set->outputs;
    while (channel >= output->channel_count) {
        channel -= output->channel_count;
        output++;
        CHECK(output < set->outputs + set->count);
    }
    output_on_credit(output, channel);
}
