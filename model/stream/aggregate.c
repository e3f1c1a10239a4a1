#include "model/stream/aggregate.h"

#include "model/base/check.h"
#include "model/state/backend.h"
#include "model/stream/pipeline.h"

/* A rolling aggregate or a rolling reduce. */
struct rolling {
    struct operator_context *context;
    const void *parameters;
    struct collector *out;
    state_id state;
    struct buffer next; /* what the state becomes */
};

static void *rolling_open(struct operator_context *context, const void *parameters,
                          struct collector *out)
{
    CHECK(parameters != NULL);
    CHECK(context->backend != NULL);
    struct rolling *rolling = arena_alloc(context->host->arena, 1, sizeof *rolling);
    rolling->context = context;
    rolling->parameters = parameters;
    rolling->out = out;
    rolling->state = backend_declare_value(context->backend, "rolling");
    buffer_init(&rolling->next, context->host->arena);
    return rolling;
}

static void aggregate_process(void *self, const struct record *record)
{
    struct rolling *rolling = self;
    const struct aggregate_function *function = rolling->parameters;
    struct backend *backend = rolling->context->backend;
    if (operator_throws(rolling->context, HOST_CALL_PROCESS)) {
        return;
    }
    buffer_reset(&rolling->next);
    struct bytes accumulator = backend_get(backend, rolling->state);
    if (accumulator.data == NULL) {
        function->create(&rolling->next);
    } else {
        buffer_append(&rolling->next, accumulator);
    }
    function->add(&rolling->next, record);
    backend_put(backend, rolling->state, buffer_bytes(&rolling->next));
    function->result(&(struct aggregate_result){ .key = rolling->context->key,
                                                 .accumulator = buffer_bytes(&rolling->next) },
                     rolling->out);
}

static void reduce_process(void *self, const struct record *record)
{
    struct rolling *rolling = self;
    const struct reduce_parameters *parameters = rolling->parameters;
    struct backend *backend = rolling->context->backend;
    if (operator_throws(rolling->context, HOST_CALL_PROCESS)) {
        return;
    }
    buffer_reset(&rolling->next);
    struct bytes value = backend_get(backend, rolling->state);
    if (value.data == NULL) {
        buffer_append(&rolling->next, record->value);
    } else {
        parameters->reduce(value, record, &rolling->next);
    }
    backend_put(backend, rolling->state, buffer_bytes(&rolling->next));
    collector_emit(rolling->out, &(struct record){ .value = buffer_bytes(&rolling->next) });
}

const struct operator_ops aggregate_operator = { .open = rolling_open,
                                                 .process = aggregate_process };
const struct operator_ops reduce_operator = { .open = rolling_open, .process = reduce_process };
