#include "model/live/live_actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/live/live_cluster.h"

#define NEVER         UINT64_MAX
#define MAILBOX_TIMER UINT32_MAX /* the kind of an item that is no message: a timer that is due */

enum { MESSAGE_BYTES_MIN = 64, NS_PER_S = 1000000000 };

uint64_t live_clock_ns(void)
{
    struct timespec now;
    int result = clock_gettime(CLOCK_MONOTONIC, &now);
    CHECK(result == 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t live_actor_now_ns(const struct live_actor *actor)
{
    uint64_t real_ns = live_clock_ns() - actor->process->epoch_ns;
    uint64_t slowness = actor->process->options.slowness;
    return slowness == 1 ? real_ns : real_ns / slowness;
}

/* ---- messages -------------------------------------------------------------------------------- */

struct message *live_message_new(uint32_t capacity)
{
    capacity = capacity < MESSAGE_BYTES_MIN ? MESSAGE_BYTES_MIN : capacity;
    struct message *message = malloc(sizeof *message + capacity);
    CHECK(message != NULL);
    *message = (struct message){ .capacity = capacity };
    return message;
}

void live_message_free(struct message *message)
{
    CHECK(message->held_link == NULL);
    free(message);
}

void live_message_hold(struct live_actor *actor, struct message *message)
{
    CHECK(message->held_link == NULL);
    message->held_next = actor->held;
    message->held_link = &actor->held;
    if (message->held_next != NULL) {
        message->held_next->held_link = &message->held_next;
    }
    actor->held = message;
}

void live_message_release(struct message *message)
{
    CHECK(message->held_link != NULL && *message->held_link == message);
    *message->held_link = message->held_next;
    if (message->held_next != NULL) {
        message->held_next->held_link = message->held_link;
    }
    message->held_next = NULL;
    message->held_link = NULL;
}

void live_queue_push(struct live_queue *queue, struct message *message)
{
    message->next = NULL;
    if (queue->head == NULL) {
        queue->head = message;
    } else {
        queue->tail->next = message;
    }
    queue->tail = message;
}

struct message *live_queue_pop(struct live_queue *queue)
{
    struct message *message = queue->head;
    if (message != NULL) {
        queue->head = message->next;
        message->next = NULL;
    }
    return message;
}

void live_actor_push(struct live_actor *actor, struct message *message)
{
    live_queue_push(&actor->inbox, message);
    atomic_store_explicit(&actor->has_inbox, true, memory_order_release);
    if (actor->is_sleeping) {
        actor->is_sleeping = false;
        (void)pthread_cond_signal(&actor->wake);
    }
}

/* When what of the same sender and stream is held up will all have come; 0: nothing is. */
static uint64_t held_up_until_ns(const struct live_actor *actor, const struct message *message)
{
    uint64_t due_ns = 0;
    for (const struct live_delayed *other = actor->delayed; other != NULL; other = other->next) {
        if (other->in_order && other->message->stream == message->stream &&
            actor_process(other->message->from) == actor_process(message->from)) {
            due_ns = other->due_ns; /* they are sorted by it */
        }
    }
    return due_ns;
}

void live_actor_push_late(struct live_actor *actor, struct message *message, uint64_t due_ns,
                          bool in_order)
{
    struct live_delayed **link = &actor->delayed;
    uint64_t behind_ns = in_order ? held_up_until_ns(actor, message) : 0;
    if (behind_ns == 0 && due_ns <= live_actor_now_ns(actor)) {
        live_actor_push(actor, message);
        return;
    }
    due_ns = behind_ns > due_ns ? behind_ns : due_ns;
    while (*link != NULL && (*link)->due_ns <= due_ns) {
        link = &(*link)->next;
    }
    struct live_delayed *delayed = arena_alloc(&actor->process->arena, 1, sizeof *delayed);
    *delayed = (struct live_delayed){
        .next = *link, .due_ns = due_ns, .message = message, .in_order = in_order
    };
    *link = delayed;
    atomic_store_explicit(&actor->delayed_due_ns, actor->delayed->due_ns, memory_order_release);
    if (actor->is_sleeping) {
        actor->is_sleeping = false;
        (void)pthread_cond_signal(&actor->wake);
    }
}

void live_actor_drop_late(struct live_actor *actor, uint32_t process, uint32_t incarnation)
{
    struct live_delayed **link = &actor->delayed;
    while (*link != NULL) {
        struct live_delayed *delayed = *link;
        actor_id from = delayed->message->from;
        if (actor_process(from) != process || actor_incarnation(from) != incarnation) {
            link = &delayed->next;
            continue;
        }
        *link = delayed->next;
        live_message_free(delayed->message);
        arena_free(&actor->process->arena, delayed);
    }
}

/* With the lock held: what was held up long enough arrives. */
static void take_delayed(struct live_actor *actor, uint64_t now_ns)
{
    while (actor->delayed != NULL && actor->delayed->due_ns <= now_ns) {
        struct live_delayed *delayed = actor->delayed;
        actor->delayed = delayed->next;
        live_queue_push(&actor->inbox, delayed->message);
        arena_free(&actor->process->arena, delayed);
    }
    uint64_t due_ns = actor->delayed == NULL ? NEVER : actor->delayed->due_ns;
    atomic_store_explicit(&actor->delayed_due_ns, due_ns, memory_order_relaxed);
    atomic_store_explicit(&actor->has_inbox, actor->inbox.head != NULL, memory_order_relaxed);
}

/* With the lock held: puts what has come behind what waits already. */
static void take_inbox(struct live_actor *actor)
{
    if (actor->inbox.head == NULL) {
        return;
    }
    if (actor->queue.head == NULL) {
        actor->queue = actor->inbox;
    } else {
        actor->queue.tail->next = actor->inbox.head;
        actor->queue.tail = actor->inbox.tail;
    }
    actor->inbox.head = NULL;
    atomic_store_explicit(&actor->has_inbox, false, memory_order_relaxed);
}

static void look_into_inbox(struct live_actor *actor)
{
    uint64_t due_ns = atomic_load_explicit(&actor->delayed_due_ns, memory_order_acquire);
    bool is_due = due_ns != NEVER && due_ns <= live_actor_now_ns(actor);
    if (is_due || atomic_load_explicit(&actor->has_inbox, memory_order_acquire)) {
        (void)pthread_mutex_lock(&actor->process->lock);
        take_delayed(actor, live_actor_now_ns(actor));
        take_inbox(actor);
        (void)pthread_mutex_unlock(&actor->process->lock);
    }
}

/* ---- timers ---------------------------------------------------------------------------------- */

static timer_id timer_id_of(const struct live_actor *actor, const struct live_timer *timer)
{
    return (uint64_t)timer->generation << 32 | ((uint64_t)(timer - actor->timers) + 1);
}

static struct live_timer *timer_find(struct live_actor *actor, timer_id id)
{
    uint64_t number = id & UINT32_MAX;
    if (number == 0 || number > actor->timer_count) {
        return NULL;
    }
    struct live_timer *timer = &actor->timers[number - 1];
    return timer->armed && timer->generation == id >> 32 ? timer : NULL;
}

static struct live_timer *timer_new(struct live_actor *actor)
{
    for (size_t i = 0; i < actor->timer_count; i++) {
        if (!actor->timers[i].armed) {
            return &actor->timers[i];
        }
    }
    actor->timers = arena_grow(&actor->arena, actor->timers, &actor->timer_capacity,
                               actor->timer_count + 1, sizeof *actor->timers);
    struct live_timer *timer = &actor->timers[actor->timer_count++];
    *timer = (struct live_timer){ 0 };
    return timer;
}

/* The timer that is due first, and set first of those; NULL: none. */
static struct live_timer *first_timer(struct live_actor *actor)
{
    struct live_timer *first = NULL;
    for (size_t i = 0; i < actor->timer_count; i++) {
        struct live_timer *timer = &actor->timers[i];
        bool is_earlier = first == NULL || timer->due_ns < first->due_ns ||
                          (timer->due_ns == first->due_ns && timer->number < first->number);
        if (timer->armed && !timer->queued && is_earlier) {
            first = timer;
        }
    }
    return first;
}

static void find_due(struct live_actor *actor)
{
    const struct live_timer *first = first_timer(actor);
    actor->due_ns = first == NULL ? NEVER : first->due_ns;
}

static void timer_free(struct live_timer *timer)
{
    timer->armed = false;
    timer->generation++;
}

timer_id live_timer_set(struct live_actor *actor, uint64_t due_ns, uint64_t tag)
{
    struct live_timer *timer = timer_new(actor);
    timer->due_ns = due_ns;
    timer->tag = tag;
    timer->number = actor->timers_set++;
    timer->armed = true;
    timer->queued = due_ns <= live_actor_now_ns(actor);
    timer_id id = timer_id_of(actor, timer);
    if (timer->queued) { /* behind what waits already */
        look_into_inbox(actor);
        struct message *item = live_message_new(0);
        item->kind = MAILBOX_TIMER;
        item->attempt = id;
        live_queue_push(&actor->queue, item);
    } else if (due_ns < actor->due_ns) {
        actor->due_ns = due_ns;
    }
    return id;
}

void live_timer_cancel(struct live_actor *actor, timer_id id)
{
    struct live_timer *timer = timer_find(actor, id);
    if (timer != NULL) {
        timer_free(timer);
        find_due(actor);
    }
}

/* ---- handlers -------------------------------------------------------------------------------- */

/* Those who were spawned start when the handler is over. They are found by their index: some may
 * have been stopped meanwhile. */
static void start_spawned(struct live_actor *actor)
{
    struct live_process *process = actor->process;
    (void)pthread_mutex_lock(&process->lock);
    for (size_t i = 0; i < actor->spawned_count && !process->is_halted; i++) {
        struct live_actor *child = process->actors[actor->spawned[i]];
        if (child != NULL && !child->has_thread) {
            live_actor_start(child);
        }
    }
    (void)pthread_mutex_unlock(&process->lock);
    actor->spawned_count = 0;
}

static void begin_handler(struct live_actor *actor)
{
    if (actor->process->options.tells != NULL) {
        actor->began_ns = live_actor_now_ns(actor);
    }
}

static void end_handler(struct live_actor *actor)
{
    if (actor->spawned_count > 0 && !live_actor_is_dead(actor)) {
        start_spawned(actor);
    }
}

static void fire(struct live_actor *actor, struct live_timer *timer)
{
    timer_id id = timer_id_of(actor, timer);
    uint64_t tag = timer->tag;
    timer_free(timer);
    find_due(actor);
    begin_handler(actor);
    actor->ops->on_timer(actor->self, id, tag);
    end_handler(actor);
}

static void run_item(struct live_actor *actor, struct message *item)
{
    if (item->kind == MAILBOX_TIMER) {
        struct live_timer *timer = timer_find(actor, item->attempt);
        live_message_free(item);
        if (timer != NULL) { /* else cancelled while it waited */
            fire(actor, timer);
        }
        return;
    }
    begin_handler(actor);
    bool is_told = (live_process_tells(actor->process, item) & LIVE_TELL_RECEIVED) != 0;
    struct live_report report = {
        .kind = LIVE_PASSING,
        .passing = { .from_ns = actor->began_ns,
                     .from = item->from,
                     .to = actor->host.self, /* it may have been sent to any incarnation */
                     .message_kind = item->kind,
                     .stream = item->stream,
                     .is_received = true },
    };
    live_message_hold(actor, item);
    actor->ops->on_message(actor->self, item);
    if (is_told) {
        report.passing.until_ns = live_actor_now_ns(actor);
        live_actor_report(actor, &report);
    }
    end_handler(actor);
}

static struct timespec moment_of(const struct live_actor *actor, uint64_t due_ns)
{
    const struct live_process *process = actor->process;
    uint64_t clock_ns = process->epoch_ns + due_ns * process->options.slowness;
    return (struct timespec){ .tv_sec = (time_t)(clock_ns / NS_PER_S),
                              .tv_nsec = (long)(clock_ns % NS_PER_S) };
}

/* Nothing is to be done before a message comes or a timer is due. */
static void sleep_until_due(struct live_actor *actor)
{
    struct live_process *process = actor->process;
    (void)pthread_mutex_lock(&process->lock);
    take_delayed(actor, live_actor_now_ns(actor));
    take_inbox(actor);
    if (actor->queue.head == NULL && !live_actor_is_dead(actor)) {
        uint64_t due_ns = actor->delayed == NULL ? NEVER : actor->delayed->due_ns;
        due_ns = actor->due_ns < due_ns ? actor->due_ns : due_ns;
        actor->is_sleeping = true;
        if (due_ns == NEVER) {
            (void)pthread_cond_wait(&actor->wake, &process->lock);
        } else {
            struct timespec moment = moment_of(actor, due_ns);
            (void)pthread_cond_timedwait(&actor->wake, &process->lock, &moment);
        }
        actor->is_sleeping = false;
        take_inbox(actor);
    }
    (void)pthread_mutex_unlock(&process->lock);
}

static void wait_while_paused(struct live_actor *actor)
{
    struct live_process *process = actor->process;
    if (atomic_load_explicit(&process->may_pause, memory_order_acquire)) {
        (void)pthread_mutex_lock(&process->lock);
        while (process->is_paused && !process->is_halted) {
            (void)pthread_cond_wait(&process->resumed, &process->lock);
        }
        (void)pthread_mutex_unlock(&process->lock);
    }
}

static void *actor_main(void *argument)
{
    struct live_actor *actor = argument;
    wait_while_paused(actor);
    if (!live_actor_is_dead(actor)) {
        begin_handler(actor);
        actor->self = actor->ops->on_start(&actor->host, actor->argument);
        end_handler(actor);
    }
    while (!live_actor_is_dead(actor)) {
        wait_while_paused(actor);
        if (actor->due_ns != NEVER && actor->due_ns <= live_actor_now_ns(actor)) {
            fire(actor, first_timer(actor));
            continue;
        }
        if (atomic_load_explicit(&actor->delayed_due_ns, memory_order_relaxed) != NEVER) {
            look_into_inbox(actor);
        }
        struct message *item = live_queue_pop(&actor->queue);
        if (item != NULL) {
            run_item(actor, item);
        } else {
            sleep_until_due(actor);
        }
    }
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void init_wake(struct live_actor *actor)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int result = pthread_cond_init(&actor->wake, &attributes);
    CHECK(result == 0);
    (void)pthread_condattr_destroy(&attributes);
}

/* To be given memory in small pages takes longer than to read a file into it, or to fill it with
 * the state of a checkpoint: so the system is asked for large ones, as far as they lie wholly
 * within. Where it has none, that is slower, and all. */
static void ask_for_large_pages(void *block, size_t size_bytes)
{
    uint8_t *at = block;
    size_t unaligned = (size_t)((uintptr_t)at % ARENA_LARGE_BYTES);
    size_t before = unaligned == 0 ? 0 : ARENA_LARGE_BYTES - unaligned;
    if (size_bytes >= before + ARENA_LARGE_BYTES) {
        size_t within = size_bytes - before;
        (void)madvise(at + before, within - within % ARENA_LARGE_BYTES, MADV_HUGEPAGE);
    }
}

struct live_actor *live_actor_create(struct live_process *process, uint32_t index,
                                     const struct actor_ops *ops, struct bytes argument)
{
    CHECK(!process->is_halted);
    struct live_actor *actor = arena_alloc(&process->arena, 1, sizeof *actor);
    arena_init(&actor->arena);
    actor->arena.on_large = ask_for_large_pages;
    actor->host = (struct host){ .ops = &process->ops,
                                 .arena = &actor->arena,
                                 .self = actor_address(process->options.number,
                                                       process->options.incarnation, index) };
    actor->process = process;
    actor->number = process->actors_ever++;
    actor->ops = ops;
    actor->argument = bytes_copy(&actor->arena, argument);
    actor->prng.state = hash_mix(process->options.seed ^ hash_mix(actor->host.self));
    actor->due_ns = NEVER;
    atomic_init(&actor->delayed_due_ns, NEVER);
    init_wake(actor);
    size_t old_count = process->actor_count;
    if (index >= old_count) {
        process->actors = arena_grow(&process->arena, process->actors, &process->actor_capacity,
                                     (size_t)index + 1, sizeof(struct live_actor *));
        memset(process->actors + old_count, 0,
               ((size_t)index + 1 - old_count) * sizeof(struct live_actor *));
        process->actor_count = (size_t)index + 1;
    }
    CHECK(process->actors[index] == NULL);
    process->actors[index] = actor;
    return actor;
}

void live_actor_start(struct live_actor *actor)
{
    CHECK(!actor->has_thread);
    int result = pthread_create(&actor->thread, NULL, actor_main, actor);
    if (result != 0) {
        (void)fprintf(stderr, "live: no more threads can be started: %s\n", strerror(result));
        _exit(LIVE_EXIT_NO_THREAD);
    }
    actor->has_thread = true;
}

struct live_actor *live_actor_find(struct live_process *process, actor_id address)
{
    uint32_t incarnation = actor_incarnation(address);
    uint32_t index = actor_index(address);
    CHECK(actor_process(address) == process->options.number);
    if (index >= process->actor_count ||
        (incarnation != HOST_INCARNATION_ANY && incarnation != process->options.incarnation)) {
        return NULL;
    }
    return process->actors[index];
}

void live_actor_kill(struct live_actor *actor)
{
    atomic_store_explicit(&actor->dead, true, memory_order_release);
    actor->process->actors[actor_index(actor->host.self)] = NULL;
    (void)pthread_cond_signal(&actor->wake);
}

static void free_queue(struct live_queue *queue)
{
    struct message *message;
    while ((message = live_queue_pop(queue)) != NULL) {
        live_message_free(message);
    }
}

void live_actor_reap(struct live_actor *actor)
{
    CHECK(live_actor_is_dead(actor));
    if (actor->has_thread) {
        int result = pthread_join(actor->thread, NULL);
        CHECK(result == 0);
    }
    while (actor->held != NULL) {
        struct message *message = actor->held;
        live_message_release(message);
        live_message_free(message);
    }
    free_queue(&actor->queue);
    free_queue(&actor->inbox);
    for (struct live_delayed *delayed = actor->delayed; delayed != NULL; delayed = delayed->next) {
        live_message_free(delayed->message);
    }
    live_files_close(actor);
    arena_drop(&actor->arena);
    (void)pthread_cond_destroy(&actor->wake);
}
