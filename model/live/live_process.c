#include "model/live/live_process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/live/live_actor.h"

static bool open_roots(struct live_process *process)
{
    const char *paths[] = {
        [HOST_LOCAL] = process->options.local, [HOST_SHARED] = process->options.shared
    };
    for (int i = HOST_LOCAL; i <= HOST_SHARED; i++) {
        process->roots[i] = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process->roots[i] < 0) {
            while (--i >= HOST_LOCAL) {
                (void)close(process->roots[i]);
            }
            return false;
        }
    }
    return true;
}

struct live_process *live_process_create(const struct live_process_options *options)
{
    CHECK(options->number < options->process_count);
    CHECK(options->slowness >= 1);
    CHECK(options->incarnation >= 1 && options->incarnation <= UINT16_MAX);
    struct live_process *process = calloc(1, sizeof *process);
    CHECK(process != NULL);
    process->options = *options;
    process->ops = live_host_ops;
    if (options->times_calls) {
        live_time_calls(&process->ops);
    }
    process->rules.prng.state = hash_mix(options->seed ^ hash_mix(options->number));
    if (!open_roots(process)) {
        free(process);
        return NULL;
    }
    arena_init(&process->arena);
    process->peers = arena_alloc(&process->arena, options->process_count, sizeof *process->peers);
    int result = pthread_mutex_init(&process->lock, NULL);
    CHECK(result == 0);
    result = pthread_cond_init(&process->resumed, NULL);
    CHECK(result == 0);
    /* Here already: a peer that runs before this one may write to it at once. */
    (void)live_actor_create(process, HOST_MAIN_ACTOR, options->main, options->argument);
    return process;
}

void live_process_start(struct live_process *process, uint64_t epoch_ns)
{
    (void)pthread_mutex_lock(&process->lock);
    process->epoch_ns = epoch_ns;
    if (!process->is_halted) {
        live_actor_start(process->actors[HOST_MAIN_ACTOR]);
    }
    (void)pthread_mutex_unlock(&process->lock);
}

void live_process_add_rule(struct live_process *process, const struct live_rule *rule)
{
    (void)pthread_mutex_lock(&process->lock);
    live_rules_add(&process->rules, &process->arena, rule);
    if (live_rule_is_of_storage(rule)) {
        atomic_store_explicit(&process->may_strike, true, memory_order_release);
    }
    (void)pthread_mutex_unlock(&process->lock);
}

static struct message *copy_of(const struct message *message)
{
    struct message *copy = live_message_new(message->size);
    uint32_t capacity = copy->capacity;
    *copy = *message;
    copy->capacity = capacity;
    memcpy(copy->data, message->data, message->size);
    return copy;
}

/* With the lock held: what the rules make of a message on its way. */
static void push_by_rules(struct live_actor *actor, struct message *message)
{
    struct live_rules *rules = &actor->process->rules;
    uint64_t now_ns = live_actor_now_ns(actor);
    uint64_t arrival_ns = live_rules_arrival_ns(rules, message, now_ns);
    uint64_t by_ns;
    if (arrival_ns == LIVE_FOR_GOOD) {
        live_message_free(message);
        return;
    }
    if (live_rules_duplicate(rules, message, now_ns, &by_ns)) {
        live_actor_push_late(actor, copy_of(message), arrival_ns + by_ns, false);
    }
    live_actor_push_late(actor, message, arrival_ns, true);
}

void live_process_deliver(struct live_process *process, struct message *message)
{
    (void)pthread_mutex_lock(&process->lock);
    struct live_actor *actor = process->is_halted ? NULL : live_actor_find(process, message->to);
    if (actor != NULL && process->rules.count > 0) {
        push_by_rules(actor, message);
    } else if (actor != NULL) {
        live_actor_push(actor, message);
    }
    (void)pthread_mutex_unlock(&process->lock);
    if (actor == NULL) {
        live_message_free(message);
    }
}

void live_process_tell(struct live_process *process, uint32_t kind, struct bytes data)
{
    struct message *message = live_message_new((uint32_t)data.size);
    message->kind = kind;
    message->from =
        actor_address(process->options.number, process->options.incarnation, HOST_MAIN_ACTOR);
    message->to = message->from;
    message->size = (uint32_t)data.size;
    memcpy(message->data, data.data, data.size);
    live_process_deliver(process, message);
}

/* With the lock held: a data connection that broke is not made again for the same actors. */
static void cut_channels(struct live_process *process, uint32_t number)
{
    struct live_peer *peer = &process->peers[number];
    struct live_actor *main = process->actors[HOST_MAIN_ACTOR];
    peer->first_number = process->actors_ever;
    atomic_store_explicit(&process->may_be_cut, true, memory_order_release);
    if (main == NULL || number == 0 || process->options.number == 0) {
        return;
    }
    struct message *message = live_message_new(0);
    message->kind = HOST_CHANNELS_LOST;
    message->from = actor_address(number, peer->incarnation, HOST_MAIN_ACTOR);
    message->to = main->host.self;
    live_actor_push(main, message);
}

void live_process_peer_up(struct live_process *process, uint32_t number, uint32_t incarnation)
{
    CHECK(number < process->options.process_count && number != process->options.number);
    (void)pthread_mutex_lock(&process->lock);
    struct live_peer *peer = &process->peers[number];
    if (peer->incarnation != incarnation) {
        *peer = (struct live_peer){ .incarnation = incarnation, .is_connected = true };
    } else {
        peer->is_connected = true;
        cut_channels(process, number);
    }
    (void)pthread_mutex_unlock(&process->lock);
}

bool live_process_is_cut(struct live_process *process, const struct message *message)
{
    if (message->stream == 0 || !atomic_load_explicit(&process->may_be_cut, memory_order_acquire)) {
        return false;
    }
    (void)pthread_mutex_lock(&process->lock);
    uint64_t first_number = process->peers[actor_process(message->to)].first_number;
    const struct live_actor *sender = live_actor_find(process, message->from);
    bool is_cut = first_number > 0 && (sender == NULL || sender->number < first_number);
    (void)pthread_mutex_unlock(&process->lock);
    return is_cut;
}

void live_process_pause(struct live_process *process)
{
    (void)pthread_mutex_lock(&process->lock);
    process->is_paused = true;
    atomic_store_explicit(&process->may_pause, true, memory_order_release);
    (void)pthread_mutex_unlock(&process->lock);
}

void live_process_resume(struct live_process *process)
{
    (void)pthread_mutex_lock(&process->lock);
    process->is_paused = false;
    (void)pthread_cond_broadcast(&process->resumed);
    (void)pthread_mutex_unlock(&process->lock);
}

void live_process_halt(struct live_process *process)
{
    (void)pthread_mutex_lock(&process->lock);
    process->is_halted = true;
    for (size_t i = 0; i < process->actor_count; i++) {
        if (process->actors[i] != NULL) {
            struct live_actor *actor = process->actors[i];
            live_actor_kill(actor);
            actor->next_ended = process->ended;
            process->ended = actor;
        }
    }
    (void)pthread_cond_broadcast(&process->resumed);
    (void)pthread_mutex_unlock(&process->lock);
}

/* Every thread ends before any memory goes: actors of a process may share it (H3). */
void live_process_destroy(struct live_process *process)
{
    live_process_halt(process);
    for (struct live_actor *actor = process->ended; actor != NULL; actor = actor->next_ended) {
        if (actor->has_thread) {
            int result = pthread_join(actor->thread, NULL);
            CHECK(result == 0);
            actor->has_thread = false;
        }
    }
    for (struct live_actor *actor = process->ended; actor != NULL; actor = actor->next_ended) {
        live_actor_reap(actor);
    }
    for (int i = HOST_LOCAL; i <= HOST_SHARED; i++) {
        (void)close(process->roots[i]);
    }
    (void)pthread_cond_destroy(&process->resumed);
    (void)pthread_mutex_destroy(&process->lock);
    arena_drop(&process->arena);
    free(process);
}
