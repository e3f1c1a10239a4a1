#include "model/base/check.h"
#include "model/stream/operator.h"
#include "model/stream/pipeline.h"

struct process {
    struct operator_context *context;
    const struct process_parameters *parameters;
    struct collector *out;
    void *function; /* the job's own struct */
};

static void *process_open(struct operator_context *context, const void *parameters,
                          struct collector *out)
{
    CHECK(parameters != NULL);
    CHECK(context->backend != NULL);
    struct process *process = arena_alloc(context->host->arena, 1, sizeof *process);
    process->context = context;
    process->parameters = parameters;
    process->out = out;
    process->function =
        arena_alloc(context->host->arena, 1, process->parameters->self_bytes);
    process->parameters->open(process->function, context);
    return process;
}

static void process_process(void *self, const struct record *record)
{
    struct process *process = self;
    if (operator_throws(process->context, HOST_CALL_PROCESS)) {
        return;
    }
    process->parameters->process(process->function, record, process->out);
}

const struct operator_ops process_operator = { .open = process_open, .process = process_process };
