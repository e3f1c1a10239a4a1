#include "model/stream/aggregate.h"

#include "model/base/check.h"
#include "model/state/backend.h"
#include "model/stream/pipeline.h"

struct rolling {
    struct operator_context *context;
    const struct aggregate_function *function;
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
    rolling->function = parameters;
    rolling->out = out;
    rolling->state = backend_declare_value(context->backend, "rolling");
    buffer_init(&rolling->next, context->host->arena);
    return rolling;
}

static void aggregate_process(void *self, const struct record *record)
{
    struct rolling *rolling = self;
    const struct aggregate_function *function = rolling->function;
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

const struct operator_ops aggregate_operator = { .open = rolling_open,
                                                 .process = aggregate_process };
