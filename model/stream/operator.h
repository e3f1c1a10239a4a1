/* operator.h - the contract of an operator, and what it sees of the subtask it runs in.
 *
 * The operators of a subtask form a chain (or a tree, where a stream is used twice); each hands
 * records to the next through a collector. Calls come one at a time, on the subtask's own actor:
 *
 *   open -> restore -> run -> { process | process2 | watermark | processing_time | snapshot |
 *                               notify_complete }* -> finish -> { snapshot | notify_complete }*
 *
 * There is no close: memory goes with the actor's arena.
 *
 * O1  snapshot writes the operator's own state as of this moment; keyed state is the backend's.
 * O2  notify_complete(n) may be skipped for some n, and comes in rising order; it covers every
 *     snapshot with an id <= n.
 * O3  after finish no record is processed any more.
 * O4  restore gets what snapshot wrote in the checkpoint restored, or no bytes if there is none:
 *     so an operator with effects outside can clear away what earlier attempts left. At another
 *     parallelism it gets what its share of the old subtasks' is, by the rules of operator_state.h:
 *     what snapshot writes has the form given there.
 * O5  Watermarks rise; the last is WATERMARK_MAX, before finish. They are no part of a snapshot: a
 *     restored operator starts at WATERMARK_MIN.
 * O6  What an operator emits during a call has the timestamp context->timestamp_ms: that of the
 *     record or timer in hand, unless the operator sets another one.
 * O7  Numbers that come at once are taken as if they came one by one; who could fail at one of them
 *     does not take them. */
#ifndef FAULTLINE_STREAM_OPERATOR_H
#define FAULTLINE_STREAM_OPERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/host.h"
#include "model/state/backend.h"
#include "model/stream/input.h"
#include "model/stream/record.h"

enum { NUMBERS_AT_ONCE = 64 };

/* Where an operator sends records: the next operator, or the exchange. */
struct collector {
    void (*emit)(void *target, const struct record *record);
    /* Up to NUMBERS_AT_ONCE records that are numbers (is_number). False, and none was taken: they
     * must come one by one. NULL: they always must. */
    bool (*emit_numbers)(void *target, const int64_t *numbers, uint32_t count);
    void *target;
};

static inline void collector_emit(struct collector *out, const struct record *record)
{
    out->emit(out->target, record);
}
static inline bool collector_emit_numbers(struct collector *out, const int64_t *numbers,
                                          uint32_t count)
{
    return out->emit_numbers != NULL && out->emit_numbers(out->target, numbers, count);
}

/* Event time, in milliseconds since whatever the job takes for the beginning. */
#define NO_TIMESTAMP  INT64_MIN
#define WATERMARK_MIN INT64_MIN
#define WATERMARK_MAX INT64_MAX

/* No record with a timestamp of `ms` or less will follow; idle: nor is one to be waited for. */
struct watermark {
    int64_t ms;
    bool is_idle;
};

/* What a subtask tells its operators; outlives them. */
struct operator_context {
    struct host *host;
    const struct input_config *input;
    struct backend *backend; /* NULL in a vertex without keyed state */
    uint32_t vertex;
    uint32_t subtask;
    uint32_t parallelism;
    uint32_t split_count; /* of the input, whatever the parallelism */
    uint32_t max_parallelism;
    uint64_t attempt;
    int64_t timestamp_ms;    /* of the record or timer in hand (O6), or NO_TIMESTAMP */
    int64_t watermark_ms;    /* the newest that reached the head of the chain */
    const struct key *key;   /* of the record or timer in hand; NULL: it has none */
    struct timer_service *timers;     /* of the keyed function that has timers; else NULL */
    struct operator_states *states;   /* of the function that has operator state; else NULL */
    uint64_t wake_ns;                 /* processing_time is to be called then; WAKE_NEVER */
    struct buffer failure;    /* empty, or why the subtask must fail: set by operator_fail */
    bool failure_is_final;    /* restarting would not help */
    struct source *source;    /* at the head of the chain; NULL: none */
    /* During open: finds the collector of a side output of the operator being opened. */
    struct collector *(*side)(void *side_argument, const char *tag);
    void *side_argument;
};

#define WAKE_NEVER UINT64_MAX

struct operator_ops {
    /* Makes the operator; memory of context->host->arena. */
    void *(*open)(struct operator_context *context, const void *parameters, struct collector *out);
    void (*process)(void *self, const struct record *record);
    bool (*process_numbers)(void *self, const int64_t *numbers, uint32_t count); /* may be NULL */
    void (*process2)(void *self, const struct record *record); /* of the second side; NULL: none */
    void (*watermark)(void *self, int64_t watermark_ms);       /* before it goes on; may be NULL */
    void (*processing_time)(void *self, uint64_t now_ns);      /* may be NULL */
    /* Only of an operator that makes watermarks: those that come to it end there, but for the last.
     * Asked from time to time; an answer that says nothing new goes nowhere. */
    struct watermark (*make_watermark)(void *self, uint64_t now_ns);
    void (*snapshot)(void *self, uint64_t checkpoint, struct buffer *out); /* NULL: stateless */
    MUST_USE enum status (*restore)(void *self, struct bytes state);       /* NULL: stateless */
    void (*run)(void *self); /* every subtask of the attempt is restored; may be NULL */
    void (*finish)(void *self);                                            /* may be NULL */
    void (*notify_complete)(void *self, uint64_t checkpoint);              /* may be NULL */
    /* The job has ended for good: removes what no attempt will ever commit. May be NULL. */
    void (*clear_away)(struct host *host, const void *parameters);
    bool is_sink; /* the end of its chain: `out` of open is NULL */
};

/* In open: where to emit records for the side output `tag`; nowhere, if nobody reads it. */
struct collector *operator_side(struct operator_context *context, const char *tag);

/* The key group of context->key, which must be there. */
static inline uint32_t operator_key_group(const struct operator_context *context)
{
    CHECK(context->key != NULL);
    return key_group_of(context->key->hash, context->max_parallelism);
}

/* Emits a record with a timestamp of its own. */
static inline void operator_emit_at(struct operator_context *context, struct collector *out,
                                    const struct record *record, int64_t timestamp_ms)
{
    int64_t before_ms = context->timestamp_ms;
    context->timestamp_ms = timestamp_ms;
    collector_emit(out, record);
    context->timestamp_ms = before_ms;
}

/* Makes the subtask fail after the current call, with `why`; the first failure stays. `final`:
 * the job is not restarted, because the failure would come again. */
void operator_fail(struct operator_context *context, bool final, const char *why);

/* Fails because a storage call answered `status`; no failure for STATUS_OK, and none for
 * STATUS_HALTED, since nobody is left to hear it. True if `status` is STATUS_OK. */
bool operator_check(struct operator_context *context, enum status status, const char *what);

/* Is user call `call` one that operator_throws must be asked about? Hardly ever. */
static inline bool operator_may_throw(const struct operator_context *context,
                                      enum host_user_call call)
{
    return __builtin_expect((context->host->throwing >> call & 1u) != 0, 0);
}

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
extern const struct operator_ops filter_operator;
extern const struct operator_ops watermark_operator;
extern const struct operator_ops process_operator;
extern const struct operator_ops aggregate_operator;
extern const struct operator_ops window_operator;
extern const struct operator_ops file_sink_operator;

#endif
