/* timer_service.h - the timers of a keyed function: calls at a point of event or processing time.
 *
 * A timer belongs to a key and a namespace (a window; empty for a plain function); one with the
 * same kind, time, key and namespace is kept once. Timers are part of the keyed state: they lie in
 * the backend, as the entries of a map, and in a queue in memory that a restore fills from there.
 *
 * M1  Due timers fire in the order of time, then key group, key, namespace.
 * M2  A timer for event time t fires when the watermark reaches t; one for processing time t when
 *     the clock has passed t, so that all of that millisecond has been seen.
 * M3  Overdue processing timers fire right after a restore.
 * M4  A timer that fires is gone; the function may register it again.
 *
 * Source: Flink's InternalTimerServiceImpl. */
#ifndef FAULTLINE_STREAM_TIMER_SERVICE_H
#define FAULTLINE_STREAM_TIMER_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/stream/operator.h"

enum timer_kind { TIMER_EVENT_TIME, TIMER_PROCESSING_TIME, TIMER_KIND_COUNT };

struct timer {
    enum timer_kind kind;
    int64_t time_ms;
    struct key key;
    struct bytes name_space;
};

struct timer_service;

/* The queue, empty; its timers are of the key groups in `range`. */
struct timer_service *timer_service_create(struct arena *arena, uint32_t max_parallelism,
                                           struct key_group_range range);

/* Copies what `timer` points to. False: it was there already (added), or not (removed). */
bool timer_service_add(struct timer_service *service, const struct timer *timer);
bool timer_service_remove(struct timer_service *service, const struct timer *timer);

/* Takes out the first timer of `kind` with a time up to `limit_ms`. Borrowed until the next pop. */
const struct timer *timer_service_pop(struct timer_service *service, enum timer_kind kind,
                                      int64_t limit_ms);

/* The earliest time of a timer of `kind`; false: there is none. */
bool timer_service_first_ms(const struct timer_service *service, enum timer_kind kind,
                            int64_t *time_ms);

uint64_t timer_service_count(const struct timer_service *service);

/* Asserts the invariants, at the cost of a walk over everything: for tests. */
void timer_service_check(const struct timer_service *service);

/* ---- for functions, with context->key current ------------------------------------------------ */

void timers_register(struct operator_context *context, enum timer_kind kind, int64_t time_ms,
                     struct bytes name_space);
void timers_delete(struct operator_context *context, enum timer_kind kind, int64_t time_ms,
                   struct bytes name_space);

/* The clock, in milliseconds as timers count them. */
int64_t timers_now_ms(struct operator_context *context);

/* ---- for operators: the hooks of operator_ops that concern timers ---------------------------- */

typedef void (*timer_function)(void *self, const struct timer *timer);

/* Fires the due timers, with their key current and their time as timestamp (event time) or none;
 * stops when the subtask has failed. */
void timers_on_watermark(struct operator_context *context, int64_t watermark_ms,
                         timer_function fire, void *self);
void timers_on_processing_time(struct operator_context *context, uint64_t now_ns,
                               timer_function fire, void *self);

/* Creates context->timers, in the state "timers" of the backend. */
void timers_open(struct operator_context *context);

/* The backend is restored: takes up its timers, if the subtask has any. Errors: CORRUPT. */
MUST_USE enum status timers_restore(struct operator_context *context);

#endif
