#include "sim/world/sim_faults.h"

#include <string.h>

#include "model/base/check.h"
#include "model/runtime/process.h"
#include "sim/world/sim_host.h"

enum { MILLION = 1000000 };

struct sim_faults *world_faults(struct world *world,
                                void (*on_hit)(void *context, uint32_t number, uint64_t now_ns),
                                void *context)
{
    if (world->faults == NULL) {
        CHECK(on_hit != NULL);
        world->faults = arena_alloc(world->arena, 1, sizeof *world->faults);
        *world->faults = (struct sim_faults){ .on_hit = on_hit, .context = context };
        world->faults->storage =
            (struct storage_faults){ .arena = world->arena, .on_hit = on_hit, .context = context };
    }
    return world->faults;
}

bool world_has_lied(const struct world *world)
{
    return world->faults != NULL && world->faults->storage.has_lied;
}

uint64_t world_moment_ns(const struct world *world)
{
    return world->running != NULL ? world->running->now_ns : event_queue_now_ns(world->queue);
}

/* ---- processes and machines ------------------------------------------------------------------ */

bool world_wipe(struct world *world, uint32_t number, uint64_t for_ns)
{
    CHECK(number < world->process_count);
    struct sim_process *process = &world->processes[number];
    if (!world_cut(world, number, for_ns, DISK_LOSE)) {
        return false;
    }
    process->local_disk = NULL; /* its memory goes with the world's arena */
    return true;
}

static struct sim_process_faults *process_faults(struct world *world, uint32_t number)
{
    CHECK(number < world->process_count);
    struct sim_process *process = &world->processes[number];
    if (process->faults == NULL) {
        process->faults = arena_alloc(world->arena, 1, sizeof *process->faults);
        process->faults->clock.rate_ppm = MILLION;
    }
    return process->faults;
}

bool world_slow(struct world *world, uint32_t number, uint64_t until_ns, uint64_t factor_ppm)
{
    CHECK(factor_ppm >= MILLION);
    struct sim_process_faults *faults = process_faults(world, number);
    faults->slow_until_ns = until_ns;
    faults->slow_factor_ppm = factor_ppm;
    return world->processes[number].alive;
}

uint64_t sim_slowed(const struct sim_process *process, uint64_t now_ns, uint64_t work_ns)
{
    const struct sim_process_faults *faults = process->faults;
    if (faults == NULL || now_ns >= faults->slow_until_ns) {
        return work_ns;
    }
    return (uint64_t)((prng_wide)work_ns * faults->slow_factor_ppm / MILLION);
}

bool world_late(struct world *world, uint32_t number, uint64_t until_ns, uint64_t by_ns)
{
    struct sim_process_faults *faults = process_faults(world, number);
    faults->late_until_ns = until_ns;
    faults->late_by_ns = by_ns;
    return world->processes[number].alive;
}

/* ---- clocks ---------------------------------------------------------------------------------- */

/* What the clock would show, had it never stood still. */
static int64_t clock_raw(const struct sim_clock *clock, uint64_t now_ns)
{
    CHECK(now_ns >= clock->set_ns || clock->set_ns - now_ns < INT64_MAX);
    bool is_before = now_ns < clock->set_ns;
    uint64_t distance_ns = is_before ? clock->set_ns - now_ns : now_ns - clock->set_ns;
    int64_t passed_ns = (int64_t)((prng_wide)distance_ns * clock->rate_ppm / MILLION);
    return is_before ? clock->shown_ns - passed_ns : clock->shown_ns + passed_ns;
}

uint64_t sim_clock_read(const struct sim_process *process, uint64_t now_ns)
{
    if (process->faults == NULL) {
        return now_ns;
    }
    const struct sim_clock *clock = &process->faults->clock;
    int64_t raw_ns = clock_raw(clock, now_ns);
    return raw_ns < (int64_t)clock->floor_ns ? clock->floor_ns : (uint64_t)raw_ns;
}

uint64_t sim_clock_reaches(const struct sim_process *process, uint64_t now_ns, uint64_t due_ns)
{
    uint64_t shown_ns = sim_clock_read(process, now_ns);
    if (process->faults == NULL) {
        return due_ns > now_ns ? due_ns : now_ns;
    }
    if (due_ns <= shown_ns) {
        return now_ns;
    }
    const struct sim_clock *clock = &process->faults->clock;
    int64_t raw_ns = clock_raw(clock, now_ns);
    CHECK(due_ns <= INT64_MAX);
    uint64_t distance_ns = (uint64_t)((int64_t)due_ns - raw_ns);
    uint64_t rate_ppm = clock->rate_ppm;
    return now_ns + (uint64_t)(((prng_wide)distance_ns * MILLION + rate_ppm - 1) / rate_ppm);
}

void world_set_clock(struct world *world, uint32_t number, uint64_t by_ns, uint32_t drift_ppm,
                     bool backwards)
{
    CHECK(drift_ppm < MILLION);
    CHECK(by_ns < INT64_MAX / 4);
    struct sim_clock *clock = &process_faults(world, number)->clock;
    uint64_t now_ns = world_moment_ns(world);
    uint64_t floor_ns = sim_clock_read(&world->processes[number], now_ns);
    int64_t raw_ns = clock_raw(clock, now_ns);
    *clock = (struct sim_clock){
        .set_ns = now_ns,
        .shown_ns = backwards ? raw_ns - (int64_t)by_ns : raw_ns + (int64_t)by_ns,
        .rate_ppm = backwards ? MILLION - drift_ppm : MILLION + drift_ppm,
        .floor_ns = floor_ns,
    };
}

/* ---- exceptions in user code ----------------------------------------------------------------- */

static void arm(struct sim_actor *actor, const struct sim_throw *wanted)
{
    if (wanted->left > 0 && actor->vertex == wanted->vertex && actor->subtask == wanted->subtask) {
        actor->host.throwing |= 1u << wanted->call;
    }
}

void world_throw(struct world *world, const struct sim_throw *wanted)
{
    CHECK(world->faults != NULL);
    CHECK(wanted->left > 0);
    struct sim_throw *added = arena_alloc(world->arena, 1, sizeof *added);
    *added = *wanted;
    added->next = world->faults->throws;
    world->faults->throws = added;
    for (uint32_t i = 0; i < world->process_count; i++) {
        const struct sim_process *process = &world->processes[i];
        for (size_t k = 0; process->alive && k < process->actor_count; k++) {
            if (process->actors[k] != NULL) {
                arm(process->actors[k], added);
            }
        }
    }
}

void sim_faults_on_task_started(struct sim_actor *actor, uint32_t vertex, uint32_t subtask)
{
    actor->vertex = vertex;
    actor->subtask = subtask;
    if (actor->world->faults == NULL) {
        return;
    }
    const struct sim_throw *wanted = actor->world->faults->throws;
    for (; wanted != NULL; wanted = wanted->next) {
        arm(actor, wanted);
    }
}

bool sim_throws(struct sim_actor *actor, enum host_user_call call)
{
    struct sim_faults *faults = actor->world->faults;
    if (actor->dead || faults == NULL) {
        return false;
    }
    for (struct sim_throw *wanted = faults->throws; wanted != NULL; wanted = wanted->next) {
        if (wanted->left > 0 && wanted->call == call && wanted->vertex == actor->vertex &&
            wanted->subtask == actor->subtask) {
            wanted->left--;
            faults->on_hit(faults->context, wanted->number, actor->now_ns);
            return !actor->dead;
        }
    }
    actor->host.throwing &= ~(1u << call);
    return false;
}

/* ---- connections ----------------------------------------------------------------------------- */

void world_add_network_rule(struct world *world, const struct network_rule *rule)
{
    network_add_rule(&world->network, rule, event_queue_now_ns(world->queue));
}

void world_tell(struct world *world, uint32_t process, uint32_t kind, struct bytes data)
{
    const struct sim_process *receiver = &world->processes[process];
    if (!receiver->alive) {
        return;
    }
    struct message *message = sim_message_new(world, (uint32_t)data.size);
    message->kind = kind;
    /* Whoever sits at the process's machine: no network lies between. */
    message->from = actor_address(process, receiver->incarnation, HOST_MAIN_ACTOR);
    message->to = message->from;
    message->size = (uint32_t)data.size;
    memcpy(message->data, data.data, data.size);
    event_queue_push(world->queue, (struct event){ .due_ns = world_moment_ns(world),
                                                   .kind = EVENT_ARRIVAL,
                                                   .subject = message });
}

bool sim_message_is_lost(struct world *world, const struct message *message)
{
    uint32_t from = actor_process(message->from);
    uint32_t to = actor_process(message->to);
    if (from == to || message->kind == HOST_PEER_LOST || message->kind == HOST_CHANNELS_LOST) {
        return false; /* the host's own word is no message on the wire */
    }
    if (network_lost(&world->network, from, to, message->stream,
                     event_queue_now_ns(world->queue))) {
        return true;
    }
    if (message->stream == 0 || world->faults == NULL) {
        return false;
    }
    /* A data connection that broke is not made again for the same subtasks. */
    const struct sim_actor *sender = sim_actor_find(world, message->from);
    for (const struct sim_reset *reset = world->faults->resets; reset != NULL;
         reset = reset->next) {
        if ((reset->stream == NETWORK_ALL_STREAMS || reset->stream == message->stream) &&
            (sender == NULL || sender->number < reset->actor_number) &&
            process_ranges_join(reset->one, reset->other, from, to)) {
            return true;
        }
    }
    return false;
}

/* Tells the main actor of process `to` that its data connection to `from` broke. */
static void tell_channels_lost(struct world *world, uint32_t from, uint32_t to)
{
    const struct sim_process *sender = &world->processes[from];
    const struct sim_process *receiver = &world->processes[to];
    if (!sender->alive || !receiver->alive || from == PROCESS_JOB_MANAGER ||
        to == PROCESS_JOB_MANAGER) {
        return; /* no records go there */
    }
    struct message *message = sim_message_new(world, 0);
    message->kind = HOST_CHANNELS_LOST;
    message->from = actor_address(from, sender->incarnation, HOST_MAIN_ACTOR);
    message->to = actor_address(to, receiver->incarnation, HOST_MAIN_ACTOR);
    sim_transmit(world, message, world_moment_ns(world));
}

static void reset_pair(struct world *world, uint32_t from, uint32_t to, uint32_t stream)
{
    uint64_t now_ns = event_queue_now_ns(world->queue);
    for (uint32_t i = 0; i < world->network.options.stream_count; i++) {
        if (stream == NETWORK_ALL_STREAMS || stream == i) {
            network_cut(&world->network, from, to, i, now_ns);
        }
    }
    if (stream == NETWORK_ALL_STREAMS || stream == 0) {
        sim_tell_watchers(world, from, world->processes[from].incarnation, to);
    }
    if (stream != 0) {
        tell_channels_lost(world, from, to);
    }
}

void world_reset(struct world *world, struct process_range one, struct process_range other,
                 uint32_t stream)
{
    CHECK(world->faults != NULL);
    CHECK(one.last < world->process_count && other.last < world->process_count);
    struct sim_reset *reset = arena_alloc(world->arena, 1, sizeof *reset);
    *reset = (struct sim_reset){ .next = world->faults->resets,
                                 .one = one,
                                 .other = other,
                                 .stream = stream,
                                 .actor_number = world->actor_number };
    world->faults->resets = reset;
    for (uint32_t from = 0; from < world->process_count; from++) {
        for (uint32_t to = 0; to < world->process_count; to++) {
            if (from != to && process_ranges_join(one, other, from, to)) {
                reset_pair(world, from, to, stream);
            }
        }
    }
}
