#include "model/base/check.h"
#include "model/stream/operator.h"
#include "model/stream/operator_state.h"
#include "model/stream/pipeline.h"
#include "model/stream/timer_service.h"

struct process {
    struct operator_context *context;
    const struct process_parameters *parameters;
    struct collector *out;
    void *function;                 /* the job's own struct */
    struct operator_states *states; /* NULL: it has none */
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
    if (process->parameters->on_timer != NULL) {
        timers_open(context);
    }
    if (process->parameters->has_operator_state) {
        context->states = operator_states_create(context->host->arena);
        process->states = context->states;
    }
    process->function = arena_alloc(context->host->arena, 1, process->parameters->self_bytes);
    process->parameters->open(process->function, context);
    return process;
}

/* Apart from process_process, which so is nothing but a jump. */
__attribute__((noinline)) static void try_process(const struct process *process,
                                                  const struct record *record)
{
    if (!operator_throws(process->context, HOST_CALL_PROCESS)) {
        process->parameters->process(process->function, record, process->out);
    }
}

static void process_process(void *self, const struct record *record)
{
    const struct process *process = self;
    if (operator_may_throw(process->context, HOST_CALL_PROCESS)) {
        try_process(process, record);
        return;
    }
    process->parameters->process(process->function, record, process->out);
}

static void process_process2(void *self, const struct record *record)
{
    struct process *process = self;
    if (operator_throws(process->context, HOST_CALL_PROCESS)) {
        return;
    }
    process->parameters->process2(process->function, record, process->out);
}

static void fire(void *self, const struct timer *timer)
{
    struct process *process = self;
    process->parameters->on_timer(process->function, timer, process->out);
}

static void process_watermark(void *self, int64_t watermark_ms)
{
    struct process *process = self;
    timers_on_watermark(process->context, watermark_ms, fire, process);
}

static void process_processing_time(void *self, uint64_t now_ns)
{
    struct process *process = self;
    timers_on_processing_time(process->context, now_ns, fire, process);
}

/* Its own state: the operator states; timers are keyed state. */
static void process_snapshot(void *self, uint64_t checkpoint, struct buffer *out)
{
    (void)checkpoint;
    const struct process *process = self;
    if (process->states != NULL) {
        operator_states_snapshot(process->states, out);
    }
}

static enum status process_restore(void *self, struct bytes state)
{
    struct process *process = self;
    if (state.size == 0) {
        return STATUS_OK;
    }
    if (process->states == NULL) {
        return STATUS_CORRUPT;
    }
    enum status status = operator_states_restore(process->states, state);
    if (status == STATUS_OK && process->parameters->restored != NULL) {
        process->parameters->restored(process->function);
    }
    return status;
}

static void process_finish(void *self)
{
    struct process *process = self;
    if (process->parameters->finish != NULL) {
        process->parameters->finish(process->function, process->out);
    }
}

const struct operator_ops process_operator = {
    .open = process_open,
    .process = process_process,
    .process2 = process_process2,
    .watermark = process_watermark,
    .processing_time = process_processing_time,
    .snapshot = process_snapshot,
    .restore = process_restore,
    .finish = process_finish,
};
