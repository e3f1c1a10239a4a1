/* event_queue.h - the future event list, and the clock: simulated time moves only in a pop.
 *
 * Q1  Events come out in the order (due_ns, order of the pushes): equal times are first in, first
 *     out. The order depends on nothing else.
 * Q2  An event is never due before the clock: a push must not precede the last popped time.
 * Q3  There is no removal: who cancels marks its own record and ignores the event when it comes.
 * Q4  There is no peek: a look ahead would fix an order that a later push may still change.
 */
#ifndef FAULTLINE_SIM_EVENT_QUEUE_H
#define FAULTLINE_SIM_EVENT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct event {
    uint64_t due_ns;
    uint32_t kind;   /* the three payload fields belong to the user of the queue */
    uint32_t number;
    void *subject;
};

struct event_queue;

/* An empty queue at time 0; the caller destroys it. Aborts when out of memory, as a push does. */
struct event_queue *event_queue_create(void);

/* Frees the queue and forgets its events; their subjects are not touched. NULL is allowed. */
void event_queue_destroy(struct event_queue *queue);

/* Adds an event; event_queue_now_ns <= event.due_ns < UINT64_MAX, which is never. */
void event_queue_push(struct event_queue *queue, struct event event);

/* Takes the next event and moves the clock to it; false if there is none. */
bool event_queue_pop(struct event_queue *queue, struct event *event);

/* The clock: the time of the last popped event, 0 at first. */
uint64_t event_queue_now_ns(const struct event_queue *queue);

/* How many events are pending. */
uint64_t event_queue_size(const struct event_queue *queue);

/* Asserts every invariant of the structure; visits every pending event. For tests. */
void event_queue_check(const struct event_queue *queue);

#endif
