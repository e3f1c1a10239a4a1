#include "sim/world/world.h"

#include <string.h>

#include "model/base/check.h"
#include "model/runtime/process.h"
#include "sim/world/random.h"
#include "sim/world/sim_host.h"

/* ---- actors ---------------------------------------------------------------------------------- */

/* The moment at which things happen: inside a handler its actor's clock. */
static uint64_t moment_ns(const struct world *world)
{
    return world->running != NULL ? world->running->now_ns : event_queue_now_ns(world->queue);
}

static void mailbox_push(struct sim_actor *actor, struct message *message)
{
    message->next = NULL;
    if (actor->mailbox_head == NULL) {
        actor->mailbox_head = message;
    } else {
        actor->mailbox_tail->next = message;
    }
    actor->mailbox_tail = message;
}

static struct message *mailbox_pop(struct sim_actor *actor)
{
    struct message *message = actor->mailbox_head;
    actor->mailbox_head = message->next;
    message->next = NULL;
    return message;
}

struct sim_actor *sim_actor_create(struct sim_process *process, struct world *world,
                                   uint32_t index, const struct actor_ops *ops,
                                   struct bytes argument, uint64_t due_ns)
{
    CHECK(process->alive);
    struct sim_actor *actor = arena_alloc(world->arena, 1, sizeof *actor);
    arena_init(&actor->arena);
    actor->host = (struct host){ .ops = &sim_host_ops,
                                 .arena = &actor->arena,
                                 .self = actor_address(process->number, process->incarnation,
                                                       index) };
    actor->world = world;
    actor->process = process;
    actor->ops = ops;
    actor->argument = bytes_copy(&actor->arena, argument);
    actor->vertex = FACT_NO_TASK;
    actor->subtask = FACT_NO_TASK;
    actor->number = world->actor_number++;
    actor->prng = random_stream_of(world->scenario->seed, "actor", actor->number);
    actor->free_ns = due_ns;
    size_t old_count = process->actor_count;
    if (index >= old_count) {
        process->actors = arena_grow(world->arena, process->actors, &process->actor_capacity,
                                     (size_t)index + 1, sizeof(struct sim_actor *));
        memset(process->actors + old_count, 0,
               ((size_t)index + 1 - old_count) * sizeof(struct sim_actor *));
        process->actor_count = (size_t)index + 1;
    }
    CHECK(process->actors[index] == NULL);
    process->actors[index] = actor;
    event_queue_push(world->queue, (struct event){ .due_ns = due_ns,
                                                   .kind = EVENT_ACTOR_START,
                                                   .subject = actor });
    return actor;
}

static void actor_free(struct sim_actor *actor)
{
    CHECK(actor->dead && !actor->running);
    while (actor->held != NULL) {
        struct message *message = actor->held;
        sim_message_release(message);
        sim_message_free(actor->world, message);
    }
    arena_drop(&actor->arena);
}

void sim_actor_kill(struct sim_actor *actor)
{
    CHECK(!actor->dead);
    struct world *world = actor->world;
    actor->dead = true;
    actor->process->actors[actor_index(actor->host.self)] = NULL;
    while (actor->mailbox_head != NULL) {
        sim_message_free(world, mailbox_pop(actor));
    }
    for (size_t i = 0; i < actor->file_count; i++) {
        if (actor->files[i].file != NULL) {
            disk_close(actor->files[i].volume == HOST_SHARED ? world->shared
                                                             : actor->process->local_disk,
                       actor->files[i].file);
            arena_free(world->arena, actor->files[i].path);
            actor->files[i].file = NULL;
        }
    }
    if (world->running == NULL) {
        actor_free(actor);
    } else {
        actor->next_dead = world->dead;
        world->dead = actor;
    }
}

struct sim_actor *sim_actor_find(struct world *world, actor_id address)
{
    uint32_t number = actor_process(address);
    CHECK(number < world->process_count);
    const struct sim_process *process = &world->processes[number];
    uint32_t incarnation = actor_incarnation(address);
    uint32_t index = actor_index(address);
    if (!process->alive || index >= process->actor_count ||
        (incarnation != HOST_INCARNATION_ANY && incarnation != process->incarnation)) {
        return NULL;
    }
    return process->actors[index];
}

static void schedule_wake(struct sim_actor *actor)
{
    if (!actor->wake_scheduled && actor->mailbox_head != NULL && actor->started) {
        actor->wake_scheduled = true;
        uint64_t now_ns = event_queue_now_ns(actor->world->queue);
        event_queue_push(actor->world->queue,
                         (struct event){ .due_ns = actor->free_ns > now_ns ? actor->free_ns
                                                                           : now_ns,
                                         .kind = EVENT_WAKE,
                                         .subject = actor });
    }
}

static bool is_free(const struct sim_actor *actor)
{
    return actor->started && actor->mailbox_head == NULL &&
           actor->free_ns <= event_queue_now_ns(actor->world->queue);
}

static void begin_handler(struct sim_actor *actor)
{
    CHECK(!actor->running && !actor->dead);
    actor->running = true;
    actor->world->running = actor;
    actor->now_ns = event_queue_now_ns(actor->world->queue);
}

static void end_handler(struct sim_actor *actor)
{
    actor->running = false;
    actor->world->running = NULL;
    if (actor->now_ns > actor->free_ns) {
        actor->free_ns = actor->now_ns; /* a pause during the handler may reach further */
    }
    if (!actor->dead) {
        schedule_wake(actor);
    }
    struct world *world = actor->world;
    while (world->dead != NULL) {
        struct sim_actor *dead = world->dead;
        world->dead = dead->next_dead;
        actor_free(dead);
    }
}

static void mix_message(struct world *world, const struct message *message)
{
    world_mix(world, event_queue_now_ns(world->queue));
    world_mix(world, message->to);
    world_mix(world, message->from);
    world_mix(world, (uint64_t)message->kind << 32 | message->channel);
    world_mix(world, message->attempt);
    world_mix(world, hash_bytes((struct bytes){ .data = message->data, .size = message->size }));
}

static void run_message(struct sim_actor *actor, struct message *message)
{
    mix_message(actor->world, message);
    begin_handler(actor);
    sim_tell_heard(actor, message);
    sim_message_hold(actor, message);
    sim_actor_work(actor, actor->world->scenario->cluster.cpu.message_ns);
    actor->ops->on_message(actor->self, message);
    end_handler(actor);
}

static void run_timer(struct sim_actor *actor, struct sim_timer *timer)
{
    struct world *world = actor->world;
    timer_id id = sim_timer_id(world, timer);
    uint64_t tag = timer->tag;
    sim_timer_free(world, timer);
    world_mix(world, event_queue_now_ns(world->queue));
    world_mix(world, actor->host.self);
    world_mix(world, tag);
    begin_handler(actor);
    actor->ops->on_timer(actor->self, id, tag);
    end_handler(actor);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void mix_fact(struct world *world, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    world_mix(world, event->time_ns);
    world_mix(world, event->actor);
    world_mix(world, (uint64_t)fact->kind << 32 | fact->vertex);
    world_mix(world, (uint64_t)fact->subtask << 32 | (uint32_t)fact->attempt);
    world_mix(world, fact->checkpoint);
    world_mix(world, fact->values[0]);
    world_mix(world, fact->values[1]);
    if (fact->text.size > 0) {
        world_mix(world, hash_bytes(fact->text));
    }
}

void sim_trace(struct sim_actor *actor, const struct fact *fact)
{
    struct world *world = actor->world;
    struct fact_event event = { .time_ns = actor->now_ns,
                                .actor = actor->host.self,
                                .fact = *fact };
    mix_fact(world, &event);
    if (fact->kind == FACT_TASK_STARTED) {
        sim_faults_on_task_started(actor, fact->vertex, fact->subtask);
    }
    if (fact->kind == FACT_JOB_FINISHED) {
        world->outcome = OUTCOME_FINISHED;
        world->ended = true;
    } else if (fact->kind == FACT_JOB_FAILED) {
        world->outcome = fact->values[0] != 0 ? OUTCOME_REFUSED : OUTCOME_FAILED;
        world->ended = true;
    }
    for (size_t i = 0; i < world->listener_count; i++) {
        world->listeners[i].on_fact(world->listeners[i].context, &event);
    }
}

/* ---- processes ------------------------------------------------------------------------------- */

static void start_process(struct world *world, struct sim_process *process)
{
    CHECK(!process->alive);
    process->alive = true;
    process->machine_up = true;
    process->incarnation++;
    CHECK(process->incarnation <= UINT16_MAX);
    struct process_argument argument = { .config = &world->scenario->job,
                                         .pipeline = world->pipeline };
    const struct actor_ops *ops =
        process->number == PROCESS_JOB_MANAGER ? world->first_actor : world->other_actor;
    (void)sim_actor_create(process, world, HOST_MAIN_ACTOR, ops,
                           (struct bytes){ .data = (const uint8_t *)&argument,
                                           .size = sizeof argument },
                           event_queue_now_ns(world->queue));
}

/* Tells one watcher that its peer is lost, as a message over the network. */
static void tell_watcher(struct world *world, const struct sim_watch *watch)
{
    if (sim_actor_find(world, watch->watcher) == NULL) {
        return;
    }
    struct message *message = sim_message_new(world, 0);
    message->kind = HOST_PEER_LOST;
    message->from = watch->peer;
    message->to = watch->watcher;
    sim_transmit(world, message, moment_ns(world));
}

void sim_tell_watchers(struct world *world, uint32_t process, uint32_t incarnation,
                          int64_t watcher_process)
{
    struct sim_watch **link = &world->watches;
    while (*link != NULL) {
        struct sim_watch *watch = *link;
        if (watch->peer_process == process && watch->peer_incarnation == incarnation &&
            (watcher_process < 0 || actor_process(watch->watcher) == watcher_process)) {
            tell_watcher(world, watch);
            *link = watch->next;
            arena_free(world->arena, watch);
        } else {
            link = &watch->next;
        }
    }
}

static void kill_process(struct world *world, struct sim_process *process)
{
    CHECK(process->alive);
    for (size_t i = 0; i < process->actor_count; i++) {
        if (process->actors[i] != NULL) {
            sim_actor_kill(process->actors[i]);
        }
    }
    process->actor_count = 0;
    process->alive = false;
    world_mix(world, process->number);
}

static void return_after(struct world *world, const struct sim_process *process, uint64_t for_ns)
{
    if (for_ns != WORLD_FOR_EVER) {
        event_queue_push(world->queue,
                         (struct event){ .due_ns = moment_ns(world) + for_ns,
                                         .kind = EVENT_PROCESS_START,
                                         .number = process->number });
    }
}

bool world_crash(struct world *world, uint32_t number, uint64_t for_ns)
{
    CHECK(number < world->process_count);
    struct sim_process *process = &world->processes[number];
    if (!process->alive) {
        return false;
    }
    kill_process(world, process);
    sim_tell_watchers(world, number, process->incarnation, -1); /* the kernel closes its sockets */
    return_after(world, process, for_ns);
    return true;
}

bool world_cut(struct world *world, uint32_t number, uint64_t for_ns, enum disk_survival survival)
{
    CHECK(number < world->process_count);
    struct sim_process *process = &world->processes[number];
    if (!process->machine_up) {
        return false;
    }
    bool was_alive = process->alive;
    if (was_alive) {
        kill_process(world, process);
    }
    process->machine_up = false; /* nobody is left to say that the connections are gone */
    disk_cut(world->shared, number, survival, &world->disk_prng);
    if (process->local_disk != NULL) {
        disk_cut(process->local_disk, number, survival, &world->disk_prng);
    }
    if (was_alive) {
        return_after(world, process, for_ns); /* else its return is due already */
    }
    return true;
}

uint64_t world_storage_calls(const struct world *world, uint32_t number)
{
    CHECK(number < world->process_count);
    return world->processes[number].storage_calls;
}

void world_cut_at_call(struct world *world, uint32_t number, uint64_t call, uint64_t for_ns,
                       enum disk_survival survival)
{
    CHECK(number < world->process_count);
    struct sim_process *process = &world->processes[number];
    CHECK(call > process->storage_calls);
    process->cut_call = call;
    process->cut_for_ns = for_ns;
    process->cut_survival = survival;
}

bool world_pause(struct world *world, uint32_t number, uint64_t for_ns)
{
    CHECK(number < world->process_count);
    struct sim_process *process = &world->processes[number];
    if (!process->alive) {
        return false;
    }
    uint64_t until_ns = moment_ns(world) + for_ns;
    for (size_t i = 0; i < process->actor_count; i++) {
        struct sim_actor *actor = process->actors[i];
        if (actor != NULL && actor->free_ns < until_ns) {
            actor->free_ns = until_ns;
        }
    }
    return true;
}

void world_delay(struct world *world, uint32_t edge, uint64_t for_ns, uint64_t by_ns)
{
    uint64_t now_ns = moment_ns(world);
    world_add_network_rule(
        world, &(struct network_rule){ .kind = NETWORK_DELAY,
                                       .from_last = world->process_count,
                                       .to_last = world->process_count,
                                       .stream = edge + 1,
                                       .from_ns = now_ns,
                                       .until_ns = for_ns == WORLD_FOR_EVER ? NETWORK_NEVER
                                                                            : now_ns + for_ns,
                                       .by_ns = by_ns });
}

uint32_t world_stream(const struct world *world, uint32_t from, uint32_t to)
{
    int32_t edge = pipeline_edge(world->pipeline, from, to);
    CHECK(edge >= 0);
    return (uint32_t)edge + 1;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_arrival(struct world *world, struct message *message)
{
    const struct sim_process *sender = &world->processes[actor_process(message->from)];
    bool from_living =
        sender->alive && sender->incarnation == actor_incarnation(message->from);
    if (world->faults != NULL && sim_message_is_lost(world, message)) {
        sim_message_free(world, message);
        return;
    }
    struct sim_actor *actor = sim_actor_find(world, message->to);
    if (actor != NULL && (from_living || message->kind == HOST_PEER_LOST)) {
        if (is_free(actor)) {
            run_message(actor, message);
        } else {
            mailbox_push(actor, message);
            schedule_wake(actor);
        }
        return;
    }
    /* A machine that is up answers for a process that is gone; one without power does not. */
    uint32_t receiver = actor_process(message->to);
    uint32_t incarnation = actor_incarnation(message->to);
    const struct sim_process *process = &world->processes[receiver];
    bool gone = !process->alive || incarnation != process->incarnation;
    if (from_living && incarnation != HOST_INCARNATION_ANY && gone && process->machine_up) {
        sim_tell_watchers(world, receiver, incarnation, (int64_t)sender->number);
    }
    sim_message_free(world, message);
}

static void on_timer(struct world *world, uint32_t index)
{
    struct sim_timer *timer = &world->timers[index];
    struct sim_actor *actor = timer->actor;
    if (!timer->armed || actor->dead) {
        sim_timer_free(world, timer);
    } else if (actor->process->faults != NULL && sim_timer_is_early(timer)) {
        sim_timer_put_off(timer);
    } else if (is_free(actor)) {
        run_timer(actor, timer);
    } else {
        struct message *item = sim_message_new(world, 0);
        item->kind = MAILBOX_TIMER;
        item->channel = index;
        mailbox_push(actor, item);
        schedule_wake(actor);
    }
}

static void on_wake(struct world *world, struct sim_actor *actor)
{
    if (actor->dead) {
        return;
    }
    actor->wake_scheduled = false;
    if (actor->free_ns > event_queue_now_ns(world->queue)) {
        schedule_wake(actor); /* paused meanwhile */
        return;
    }
    struct message *item = mailbox_pop(actor);
    if (item->kind != MAILBOX_TIMER) {
        run_message(actor, item);
        return;
    }
    struct sim_timer *timer = &world->timers[item->channel];
    sim_message_free(world, item);
    if (timer->armed) {
        run_timer(actor, timer);
    } else {
        sim_timer_free(world, timer); /* cancelled while it waited */
        schedule_wake(actor);
    }
}

static void on_actor_start(struct world *world, struct sim_actor *actor)
{
    if (actor->dead) {
        return;
    }
    uint64_t now_ns = event_queue_now_ns(world->queue);
    if (actor->free_ns > now_ns) {
        event_queue_push(world->queue, (struct event){ .due_ns = actor->free_ns,
                                                       .kind = EVENT_ACTOR_START,
                                                       .subject = actor });
        return; /* paused meanwhile */
    }
    world_mix(world, now_ns);
    world_mix(world, actor->host.self);
    begin_handler(actor);
    actor->started = true;
    actor->self = actor->ops->on_start(&actor->host, actor->argument);
    end_handler(actor);
}

enum { EVENTS_AT_ONCE_MAX = 5000000 };

/* Taken before the event's subject is gone. */
static struct world_event_note note_of(const struct world *world, const struct event *event)
{
    struct world_event_note note = { .to = event->number };
    switch ((enum world_event)event->kind) {
    case EVENT_DEPARTURE:
    case EVENT_ARRIVAL: {
        const struct message *message = event->subject;
        bool arrives = event->kind == EVENT_ARRIVAL;
        return (struct world_event_note){ .what = arrives ? "message" : "message that leaves",
                                          .to = message->to,
                                          .from = message->from,
                                          .message_kind = message->kind,
                                          .size_bytes = message->size };
    }
    case EVENT_TIMER: {
        const struct sim_timer *timer = &world->timers[event->number];
        note.what = timer->armed ? "timer" : "cancelled timer";
        note.to = timer->armed ? timer->actor->host.self : event->number;
        return note;
    }
    case EVENT_WAKE:
    case EVENT_ACTOR_START:
        note.what = event->kind == EVENT_WAKE ? "wake" : "start of an actor";
        note.to = ((const struct sim_actor *)event->subject)->host.self;
        return note;
    case EVENT_PROCESS_START: note.what = "start of a process"; return note;
    case EVENT_CALLBACK: note.what = "callback"; return note;
    }
    CHECK_UNREACHABLE("an event");
}

struct world_event_note world_last_event(const struct world *world)
{
    return world->last_event;
}

bool world_step(struct world *world)
{
    struct event event;
    if (world->ended || !event_queue_pop(world->queue, &event) ||
        event.due_ns > world->scenario->expect.within_ns) {
        world->ended = true;
        return false;
    }
    if (event.due_ns != world->moment_ns) {
        world->moment_ns = event.due_ns;
        world->moment_events = 0;
    }
    if (++world->moment_events > EVENTS_AT_ONCE_MAX) {
        world->ended = true; /* time stands still: a loop that costs nothing */
        return false;
    }
    world->event_count++;
    world->last_event = note_of(world, &event);
    switch ((enum world_event)event.kind) {
    case EVENT_DEPARTURE:
        sim_message_depart(world, event.subject, event.due_ns + SEND_AHEAD_NS_MAX);
        break;
    case EVENT_ARRIVAL:
        on_arrival(world, event.subject);
        break;
    case EVENT_TIMER:
        on_timer(world, event.number);
        break;
    case EVENT_WAKE:
        on_wake(world, event.subject);
        break;
    case EVENT_ACTOR_START:
        on_actor_start(world, event.subject);
        break;
    case EVENT_PROCESS_START:
        start_process(world, &world->processes[event.number]);
        break;
    case EVENT_CALLBACK: {
        struct sim_callback callback = world->callbacks[event.number];
        callback.call(callback.context, callback.number);
        break;
    }
    }
    return true;
}

enum outcome world_run(struct world *world)
{
    while (world_step(world)) {
    }
    return world->outcome;
}

/* ---- making and asking ----------------------------------------------------------------------- */

struct world *world_create(struct arena *arena, const struct scenario *scenario,
                           const struct pipeline *pipeline, struct bytes input)
{
    return world_create_with(arena, scenario, pipeline, input, &job_manager_actor,
                             &task_manager_actor);
}

struct world *world_create_with(struct arena *arena, const struct scenario *scenario,
                                const struct pipeline *pipeline, struct bytes input,
                                const struct actor_ops *first, const struct actor_ops *others)
{
    CHECK(first != NULL && others != NULL);
    struct world *world = arena_alloc(arena, 1, sizeof *world);
    world->arena = arena;
    world->scenario = scenario;
    world->pipeline = pipeline;
    world->first_actor = first;
    world->other_actor = others;
    world->queue = event_queue_create();
    world->outcome = OUTCOME_STUCK;
    world->process_count = PROCESS_FIRST_TASK_MANAGER + scenario->job.task_managers;
    world->processes = arena_alloc(arena, world->process_count, sizeof *world->processes);
    world->shared = disk_create(arena);
    cost_store_init(&world->shared_writes, arena, (uint32_t)scenario->cluster.store.writers);
    cost_store_init(&world->shared_reads, arena, 0);
    world->disk_prng = random_stream(scenario->seed, "disk");
    struct network_options options = {
        .process_count = world->process_count,
        .stream_count = 1 + pipeline_edge_count(pipeline), /* control, and the edges */
        .latency_min_ns = scenario->cluster.network.latency_min_ns,
        .latency_max_ns = scenario->cluster.network.latency_max_ns,
        .local_latency_ns = scenario->cluster.network.local_latency_ns,
        .bandwidth_bytes_per_s = scenario->cluster.network.bandwidth_bytes_per_s,
    };
    network_init(&world->network, arena, &options, random_stream(scenario->seed, "network"));
    if (scenario->job.input.kind == INPUT_FILE) {
        disk_add_input(world->shared, scenario->job.input.file, input);
    }
    for (uint32_t i = 0; i < world->process_count; i++) {
        world->processes[i].number = i;
        start_process(world, &world->processes[i]);
    }
    return world;
}

void world_destroy(struct world *world)
{
    for (uint32_t i = 0; i < world->process_count; i++) {
        if (world->processes[i].alive) {
            kill_process(world, &world->processes[i]);
        }
    }
    event_queue_destroy(world->queue);
}

void world_add_listener(struct world *world, struct world_listener listener)
{
    world->listeners =
        arena_grow(world->arena, world->listeners, &world->listener_capacity,
                   world->listener_count + 1, sizeof *world->listeners);
    world->listeners[world->listener_count++] = listener;
}

void world_call_at(struct world *world, uint64_t due_ns, world_callback call, void *context,
                   uint32_t number)
{
    world->callbacks =
        arena_grow(world->arena, world->callbacks, &world->callback_capacity,
                   world->callback_count + 1, sizeof *world->callbacks);
    world->callbacks[world->callback_count] =
        (struct sim_callback){ .call = call, .context = context, .number = number };
    event_queue_push(world->queue, (struct event){ .due_ns = due_ns,
                                                   .kind = EVENT_CALLBACK,
                                                   .number = (uint32_t)world->callback_count });
    world->callback_count++;
}

uint64_t world_now_ns(const struct world *world)
{
    return event_queue_now_ns(world->queue);
}

uint64_t world_event_count(const struct world *world)
{
    return world->event_count;
}

uint64_t world_trace_hash(const struct world *world)
{
    return world->hash;
}

enum outcome world_outcome(const struct world *world)
{
    return world->outcome;
}

struct disk *world_shared_disk(struct world *world)
{
    return world->shared;
}

uint32_t world_process_count(const struct world *world)
{
    return world->process_count;
}
