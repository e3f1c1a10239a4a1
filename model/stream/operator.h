/* operator.h - the contract of an operator, and what it sees of the subtask it runs in.
 *
 * The operators of a subtask form a chain; each hands records to the next through a collector.
 * Calls come one at a time, on the subtask's own actor:
 *
 *   open -> restore -> { process | snapshot | notify_complete }* -> finish
 *        -> { snapshot | notify_complete }*
 *
 * There is no close: memory goes with the actor's arena.
 *
 * O1  snapshot writes the operator's own state as of this moment; keyed state is the backend's.
 * O2  notify_complete(n) may be skipped for some n, and comes in rising order; it covers every
 *     snapshot with an id <= n.
 * O3  after finish no record is processed any more.
 * O4  restore gets what snapshot wrote in the checkpoint restored, or no bytes if there is none:
 *     so an operator with effects outside can clear away what earlier attempts left. */
#ifndef FAULTLINE_STREAM_OPERATOR_H
#define FAULTLINE_STREAM_OPERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/host.h"
#include "model/state/backend.h"
#include "model/stream/input.h"
#include "model/stream/record.h"

/* Where an operator sends records: the next operator, or the exchange. */
struct collector {
    void (*emit)(void *target, const struct record *record);
    void *target;
};

static inline void collector_emit(struct collector *out, const struct record *record)
{
    out->emit(out->target, record);
}

/* What a subtask tells its operators; outlives them. */
struct operator_context {
    struct host *host;
    const struct input_config *input;
    struct backend *backend; /* NULL in a vertex without keyed state */
    uint32_t vertex;
    uint32_t subtask;
    uint32_t parallelism;
    uint64_t attempt;
    uint64_t records_skipped; /* bad records left out so far, over all attempts */
    struct buffer failure;    /* empty, or why the subtask must fail: set by operator_fail */
    bool failure_is_final;    /* restarting would not help */
    const struct source *source; /* at the head of the chain; NULL: none */
};

struct operator_ops {
    /* Makes the operator; memory of context->host->arena. */
    void *(*open)(struct operator_context *context, const void *parameters, struct collector *out);
    void (*process)(void *self, const struct record *record);
    void (*snapshot)(void *self, uint64_t checkpoint, struct buffer *out); /* NULL: stateless */
    MUST_USE enum status (*restore)(void *self, struct bytes state);       /* NULL: stateless */
    void (*finish)(void *self);                                            /* may be NULL */
    void (*notify_complete)(void *self, uint64_t checkpoint);              /* may be NULL */
    /* The job has ended for good: removes what no attempt will ever commit. May be NULL. */
    void (*clear_away)(struct host *host, uint32_t parallelism);
};

/* Makes the subtask fail after the current call, with `why`; the first failure stays. `final`:
 * the job is not restarted, because the failure would come again. */
void operator_fail(struct operator_context *context, bool final, const char *why);

/* Fails because a storage call answered `status`; no failure for STATUS_OK, and none for
 * STATUS_HALTED, since nobody is left to hear it. True if `status` is STATUS_OK. */
bool operator_check(struct operator_context *context, enum status status, const char *what);

/* Asks the host whether user code fails now, and fails the subtask if so: not for good, since what
 * was thrown once may not come again. True: the call must not be made. */
static inline bool operator_throws(struct operator_context *context, enum host_user_call call)
{
    if (!host_throws(context->host, call)) {
        return false;
    }
    operator_fail(context, false, "exception in user code");
    return true;
}

/* The current record cannot be used because of `why`: left out and reported, or a final failure
 * that names its place, as the input's configuration says. */
void operator_bad_record(struct operator_context *context, const struct record *record,
                         const char *why);

/* The operators of pipeline.h. */
extern const struct operator_ops source_operator;
extern const struct operator_ops map_operator;
extern const struct operator_ops process_operator;
extern const struct operator_ops file_sink_operator;

#endif
