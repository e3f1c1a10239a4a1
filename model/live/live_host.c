#include "model/base/check.h"
#include "model/live/live_actor.h"

static struct live_actor *actor_of(struct host *host)
{
    return (struct live_actor *)host;
}

void live_actor_report(struct live_actor *actor, const struct live_report *report)
{
    const struct live_port *port = &actor->process->options.port;
    if (!live_actor_is_dead(actor)) { /* H3 */
        port->report(port->context, report);
    }
}

static uint64_t now_ns(struct host *host)
{
    return live_actor_now_ns(actor_of(host));
}

static uint64_t random_bits(struct host *host)
{
    return prng_next(&actor_of(host)->prng);
}

/* The work itself has taken the time that the simulator would charge for it. */
static void charge(struct host *host, enum host_work work, uint64_t amount)
{
    (void)host;
    (void)work;
    (void)amount;
}

static timer_id timer_set(struct host *host, uint64_t due_ns, uint64_t tag)
{
    return live_timer_set(actor_of(host), due_ns, tag);
}

static void timer_cancel(struct host *host, timer_id id)
{
    live_timer_cancel(actor_of(host), id);
}

/* ---- messages -------------------------------------------------------------------------------- */

static struct message *message_new(struct host *host, uint32_t capacity)
{
    struct message *message = live_message_new(capacity);
    live_message_hold(actor_of(host), message);
    return message;
}

static void message_free(struct host *host, struct message *message)
{
    (void)host;
    live_message_release(message);
    live_message_free(message);
}

/* Before it leaves: so no consequence of it is told with an earlier time. */
static void tell_sent(struct live_actor *actor, const struct message *message)
{
    struct live_report report = {
        .kind = LIVE_PASSING,
        .passing = { .from_ns = actor->began_ns,
                     .until_ns = live_actor_now_ns(actor),
                     .from = message->from,
                     .to = message->to,
                     .message_kind = message->kind,
                     .stream = message->stream },
    };
    live_actor_report(actor, &report);
}

static void send(struct host *host, actor_id to, struct message *message)
{
    struct live_actor *actor = actor_of(host);
    struct live_process *process = actor->process;
    CHECK(message->kind != HOST_PEER_LOST && message->kind != HOST_CHANNELS_LOST);
    CHECK(message->size <= message->capacity);
    live_message_release(message);
    message->from = host->self;
    message->to = to;
    if ((live_process_tells(process, message) & LIVE_TELL_SENT) != 0) {
        tell_sent(actor, message);
    }
    if (live_actor_is_dead(actor) || actor_process(to) >= process->options.process_count) {
        live_message_free(message); /* H3 */
    } else if (actor_process(to) == process->options.number) {
        live_process_deliver(process, message);
    } else {
        process->options.port.send(process->options.port.context, message);
    }
}

/* With the lock held. */
static void tell_lost(struct live_process *process, actor_id watcher, actor_id peer)
{
    struct live_actor *actor = live_actor_find(process, watcher);
    if (actor != NULL) {
        struct message *message = live_message_new(0);
        message->kind = HOST_PEER_LOST;
        message->from = peer;
        message->to = watcher;
        live_actor_push(actor, message);
    }
}

/* A peer that was never connected may still come. */
static bool is_gone(const struct live_process *process, actor_id peer)
{
    const struct live_peer *known = &process->peers[actor_process(peer)];
    return actor_incarnation(peer) < known->incarnation ||
           (actor_incarnation(peer) == known->incarnation && !known->is_connected);
}

static void watch(struct host *host, actor_id peer)
{
    struct live_actor *actor = actor_of(host);
    struct live_process *process = actor->process;
    CHECK(actor_process(peer) < process->options.process_count);
    (void)pthread_mutex_lock(&process->lock);
    if (live_actor_is_dead(actor)) {
        /* H3 */
    } else if (!is_gone(process, peer)) {
        struct live_watch *entry = arena_alloc(&process->arena, 1, sizeof *entry);
        *entry =
            (struct live_watch){ .next = process->watches, .watcher = host->self, .peer = peer };
        process->watches = entry;
    } else {
        tell_lost(process, host->self, peer);
    }
    (void)pthread_mutex_unlock(&process->lock);
}

void live_process_peer_lost(struct live_process *process, uint32_t number, uint32_t incarnation)
{
    (void)pthread_mutex_lock(&process->lock);
    if (process->peers[number].incarnation == incarnation) {
        process->peers[number].is_connected = false;
    }
    for (size_t i = 0; i < process->actor_count; i++) {
        if (process->actors[i] != NULL) {
            live_actor_drop_late(process->actors[i], number, incarnation);
        }
    }
    struct live_watch **link = &process->watches;
    while (*link != NULL) {
        struct live_watch *entry = *link;
        if (actor_process(entry->peer) == number && actor_incarnation(entry->peer) == incarnation) {
            tell_lost(process, entry->watcher, entry->peer);
            *link = entry->next;
            arena_free(&process->arena, entry);
        } else {
            link = &entry->next;
        }
    }
    (void)pthread_mutex_unlock(&process->lock);
}

/* ---- actors ---------------------------------------------------------------------------------- */

static actor_id spawn(struct host *host, uint32_t index, const struct actor_ops *ops,
                      struct bytes argument)
{
    struct live_actor *actor = actor_of(host);
    struct live_process *process = actor->process;
    actor->spawned = arena_grow(&actor->arena, actor->spawned, &actor->spawned_capacity,
                                actor->spawned_count + 1, sizeof *actor->spawned);
    (void)pthread_mutex_lock(&process->lock);
    if (!live_actor_is_dead(actor)) {
        (void)live_actor_create(process, index, ops, argument);
        actor->spawned[actor->spawned_count++] = index;
    }
    (void)pthread_mutex_unlock(&process->lock);
    return actor_address(actor_process(host->self), actor_incarnation(host->self), index);
}

/* Another actor is waited for: when this returns, nothing of it runs any more, and what it was lent
 * may be freed. An actor that ends itself is waited for when the process ends. */
static void stop(struct host *host, actor_id id)
{
    struct live_actor *actor = actor_of(host);
    struct live_process *process = actor->process;
    CHECK(actor_process(id) == actor_process(host->self));
    (void)pthread_mutex_lock(&process->lock);
    struct live_actor *target = live_actor_is_dead(actor) ? NULL : live_actor_find(process, id);
    if (target != NULL) {
        live_actor_kill(target);
    }
    if (target == actor) {
        actor->next_ended = process->ended;
        process->ended = actor;
    }
    (void)pthread_mutex_unlock(&process->lock);
    if (target != NULL && target != actor) {
        live_actor_reap(target);
        (void)pthread_mutex_lock(&process->lock);
        arena_free(&process->arena, target);
        (void)pthread_mutex_unlock(&process->lock);
    }
}

static void trace(struct host *host, const struct fact *fact)
{
    struct live_actor *actor = actor_of(host);
    struct live_report report = {
        .kind = LIVE_FACT,
        .event = { .time_ns = live_actor_now_ns(actor), .actor = host->self, .fact = *fact },
    };
    live_actor_report(actor, &report);
}

const struct host_ops live_host_ops = {
    .now_ns = now_ns,
    .random = random_bits,
    .charge = charge,
    .timer_set = timer_set,
    .timer_cancel = timer_cancel,
    .message_new = message_new,
    .message_free = message_free,
    .send = send,
    .watch = watch,
    .spawn = spawn,
    .stop = stop,
    .trace = trace,
    .file_open = live_file_open,
    .file_close = live_file_close,
    .file_size = live_file_size,
    .file_read = live_file_read,
    .file_write = live_file_write,
    .file_sync = live_file_sync,
    .rename = live_rename,
    .remove = live_remove,
    .make_dir = live_make_dir,
    .remove_dir = live_remove_dir,
    .sync_dir = live_sync_dir,
    .list = live_list,
};
