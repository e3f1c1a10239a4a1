#include "sim/world/sim_host.h"

#include <string.h>

#include "model/base/check.h"

static struct sim_actor *actor_of(struct host *host)
{
    return (struct sim_actor *)host;
}

/* ---- messages -------------------------------------------------------------------------------- */

static struct message *host_message_new_(struct host *host, uint32_t capacity)
{
    struct sim_actor *actor = actor_of(host);
    struct message *message = sim_message_new(actor->world, capacity);
    sim_message_hold(actor, message);
    return message;
}

static void host_message_free_(struct host *host, struct message *message)
{
    sim_message_release(message);
    sim_message_free(actor_of(host)->world, message);
}

static void host_send_(struct host *host, actor_id to, struct message *message)
{
    struct sim_actor *actor = actor_of(host);
    CHECK(message->kind != HOST_PEER_LOST && message->kind != HOST_CHANNELS_LOST);
    CHECK(message->size <= message->capacity);
    sim_message_release(message);
    if (actor->dead || actor_process(to) >= actor->world->process_count) {
        sim_message_free(actor->world, message); /* H3 */
        return;
    }
    message->from = host->self;
    message->to = to;
    message->next = NULL;
    sim_transmit(actor->world, message, actor->now_ns);
}

/* ---- clock, timers, chance ------------------------------------------------------------------- */

static uint64_t host_now_ns_(struct host *host)
{
    const struct sim_actor *actor = actor_of(host);
    return actor->process->faults == NULL ? actor->now_ns
                                          : sim_clock_read(actor->process, actor->now_ns);
}

static uint64_t host_random_(struct host *host)
{
    return prng_next(&actor_of(host)->prng);
}

void sim_actor_work(struct sim_actor *actor, uint64_t work_ns)
{
    actor->now_ns += actor->process->faults == NULL
                         ? work_ns
                         : sim_slowed(actor->process, actor->now_ns, work_ns);
}

static void host_charge_(struct host *host, enum host_work work, uint64_t amount)
{
    struct sim_actor *actor = actor_of(host);
    const struct cluster *cluster = &actor->world->scenario->cluster;
    uint64_t work_ns = 0;
    switch (work) {
    case HOST_WORK_RECORDS:
        work_ns = amount * cluster->cpu.record_ns;
        break;
    case HOST_WORK_SNAPSHOT_BYTES:
        work_ns = cost_transfer_ns(amount, cluster->cpu.snapshot_bytes_per_s);
        break;
    case HOST_WORK_STATE_CALLS:
        work_ns = amount * cluster->cpu.state_ns;
        break;
    case HOST_WORK_STATE_BYTES:
        work_ns = cost_transfer_ns(amount, cluster->disk.write_bytes_per_s);
        break;
    }
    sim_actor_work(actor, work_ns);
}

static struct sim_timer *timer_new(struct world *world)
{
    if (world->free_timer != 0) {
        struct sim_timer *timer = &world->timers[world->free_timer - 1];
        world->free_timer = timer->next_free;
        return timer;
    }
    world->timers = arena_grow(world->arena, world->timers, &world->timer_capacity,
                               world->timer_count + 1, sizeof *world->timers);
    struct sim_timer *timer = &world->timers[world->timer_count++];
    timer->generation = 0;
    return timer;
}

timer_id sim_timer_id(const struct world *world, const struct sim_timer *timer)
{
    return (uint64_t)timer->generation << 32 | ((uint64_t)(timer - world->timers) + 1);
}

/* The armed timer `id`, or NULL. */
static struct sim_timer *sim_timer_find(struct world *world, timer_id id)
{
    uint64_t number = id & UINT32_MAX;
    if (number == 0 || number > world->timer_count) {
        return NULL;
    }
    struct sim_timer *timer = &world->timers[number - 1];
    return timer->armed && timer->generation == id >> 32 ? timer : NULL;
}

void sim_timer_free(struct world *world, struct sim_timer *timer)
{
    timer->armed = false;
    timer->generation++;
    timer->next_free = world->free_timer;
    world->free_timer = (uint32_t)(timer - world->timers) + 1;
}

static timer_id host_timer_set_(struct host *host, uint64_t due_ns, uint64_t tag)
{
    struct sim_actor *actor = actor_of(host);
    struct world *world = actor->world;
    struct sim_timer *timer = timer_new(world);
    timer->actor = actor;
    timer->tag = tag;
    timer->armed = !actor->dead;
    timer->due_ns = due_ns;
    uint32_t index = (uint32_t)(timer - world->timers);
    uint64_t real_ns = due_ns > actor->now_ns ? due_ns : actor->now_ns;
    if (actor->process->faults != NULL) {
        const struct sim_process_faults *faults = actor->process->faults;
        real_ns = sim_clock_reaches(actor->process, actor->now_ns, due_ns);
        real_ns += actor->now_ns < faults->late_until_ns ? faults->late_by_ns : 0;
    }
    event_queue_push(world->queue, (struct event){ .due_ns = real_ns,
                                                   .kind = EVENT_TIMER,
                                                   .number = index });
    return sim_timer_id(world, timer);
}

bool sim_timer_is_early(const struct sim_timer *timer)
{
    const struct sim_actor *actor = timer->actor;
    return sim_clock_read(actor->process, event_queue_now_ns(actor->world->queue)) <
           timer->due_ns;
}

void sim_timer_put_off(struct sim_timer *timer)
{
    struct world *world = timer->actor->world;
    uint64_t real_ns = sim_clock_reaches(timer->actor->process, event_queue_now_ns(world->queue),
                                         timer->due_ns);
    event_queue_push(world->queue, (struct event){ .due_ns = real_ns,
                                                   .kind = EVENT_TIMER,
                                                   .number = (uint32_t)(timer - world->timers) });
}

static void host_timer_cancel_(struct host *host, timer_id id)
{
    struct sim_timer *timer = sim_timer_find(actor_of(host)->world, id);
    if (timer != NULL) {
        CHECK(timer->actor == actor_of(host));
        timer->armed = false; /* freed when its event comes */
    }
}

/* ---- actors ---------------------------------------------------------------------------------- */

static void host_watch_(struct host *host, actor_id peer)
{
    struct sim_actor *actor = actor_of(host);
    struct world *world = actor->world;
    if (actor->dead) {
        return;
    }
    struct sim_watch *watch = arena_alloc(world->arena, 1, sizeof *watch);
    *watch = (struct sim_watch){ .next = world->watches,
                                 .watcher = host->self,
                                 .peer_process = actor_process(peer),
                                 .peer_incarnation = actor_incarnation(peer),
                                 .peer = peer };
    world->watches = watch;
}

static actor_id host_spawn_(struct host *host, uint32_t index, const struct actor_ops *ops,
                            struct bytes argument)
{
    struct sim_actor *actor = actor_of(host);
    actor_id id = actor_address(actor_process(host->self), actor_incarnation(host->self), index);
    if (!actor->dead) {
        (void)sim_actor_create(actor->process, actor->world, index, ops, argument,
                               actor->now_ns);
    }
    return id;
}

static void host_stop_(struct host *host, actor_id id)
{
    struct sim_actor *actor = actor_of(host);
    if (actor->dead) {
        return;
    }
    CHECK(actor_process(id) == actor_process(host->self));
    struct sim_actor *target = sim_actor_find(actor->world, id);
    if (target != NULL) {
        sim_actor_kill(target);
    }
}

static void host_trace_(struct host *host, const struct fact *fact)
{
    struct sim_actor *actor = actor_of(host);
    if (!actor->dead) {
        sim_trace(actor, fact);
    }
}

static bool host_throws_(struct host *host, enum host_user_call call)
{
    return sim_throws(actor_of(host), call);
}

/* ---- storage --------------------------------------------------------------------------------- */

static struct disk *disk_of(struct sim_actor *actor, enum host_volume volume)
{
    if (volume == HOST_SHARED) {
        return actor->world->shared;
    }
    if (actor->process->local_disk == NULL) {
        actor->process->local_disk = disk_create(actor->world->arena);
    }
    return actor->process->local_disk;
}

/* Counts a storage call. False if the process is dead, perhaps because of this very call. */
static bool begin_call(struct sim_actor *actor)
{
    if (actor->dead) {
        return false;
    }
    struct sim_process *process = actor->process;
    if (++process->storage_calls == process->cut_call) {
        (void)world_cut(actor->world, process->number, process->cut_for_ns, process->cut_survival);
    }
    return !actor->dead;
}

static struct storage_verdict judge(struct sim_actor *actor, enum host_volume volume,
                                    const char *path, enum host_storage_call call, bool needs_space)
{
    struct sim_faults *faults = actor->world->faults;
    if (faults == NULL || faults->storage.rules == NULL) {
        return storage_verdict_plain();
    }
    return storage_faults_judge(&faults->storage,
                                &(struct storage_call){ .volume = volume,
                                                        .process = actor->process->number,
                                                        .path = path,
                                                        .call = call,
                                                        .needs_space = needs_space,
                                                        .now_ns = actor->now_ns });
}

/* What a call answers that took effect and came out as `status`. */
static enum status answer(const struct storage_verdict *verdict, enum status status)
{
    return verdict->status != STATUS_OK ? verdict->status : status;
}

static uint64_t scaled(const struct storage_verdict *verdict, uint64_t service_ns)
{
    return verdict->factor_ppm == 1000000
               ? service_ns
               : (uint64_t)((prng_wide)service_ns * verdict->factor_ppm / 1000000);
}

static void pass_time(struct sim_actor *actor, const struct storage_verdict *verdict,
                      uint64_t service_ns)
{
    actor->now_ns += scaled(verdict, service_ns);
    if (actor->now_ns < verdict->not_before_ns && verdict->not_before_ns != STORAGE_FOR_GOOD) {
        actor->now_ns = verdict->not_before_ns;
    }
}

/* A call that only asks or changes names: a round trip to the SHARED volume, nothing locally. */
static void charge_call(struct sim_actor *actor, enum host_volume volume,
                        const struct storage_verdict *verdict)
{
    const struct cluster *cluster = &actor->world->scenario->cluster;
    pass_time(actor, verdict, volume == HOST_SHARED ? cluster->store.latency_ns : 0);
}

/* Sends `bytes` to the store, behind what others send. */
static void send_to_store(struct sim_actor *actor, uint64_t bytes,
                          const struct storage_verdict *verdict)
{
    const struct cluster *cluster = &actor->world->scenario->cluster;
    struct cost_request request = {
        .now_ns = actor->now_ns,
        .shared_ns = scaled(verdict, cost_transfer_ns(bytes, cluster->store.write_bytes_per_s)),
        .client_ns =
            scaled(verdict, cost_transfer_ns(bytes, cluster->store.client_write_bytes_per_s)),
    };
    uint64_t wait_ns;
    actor->now_ns = cost_store_serve(&actor->world->shared_writes, &request, &wait_ns);
    actor->store_wait_ns += wait_ns;
}

static void charge_sync(struct sim_actor *actor, enum host_volume volume,
                        const struct storage_verdict *verdict)
{
    const struct cluster *cluster = &actor->world->scenario->cluster;
    pass_time(actor, verdict,
              volume == HOST_SHARED ? cluster->store.latency_ns + cluster->store.sync_ns
                                    : cluster->disk.sync_ns);
}

/* Besides the call: what a file or a directory takes that is not there any more. */
static void charge_removed(struct sim_actor *actor, enum host_volume volume,
                           const struct storage_verdict *verdict)
{
    const struct cluster *cluster = &actor->world->scenario->cluster;
    pass_time(actor, verdict, volume == HOST_SHARED ? cluster->store.remove_ns : 0);
}

/* A file is sent as it is written; where only some are served at one time, when it is synced. */
static void charge_write(struct sim_actor *actor, struct open_file *open, uint64_t bytes,
                         const struct storage_verdict *verdict)
{
    const struct cluster *cluster = &actor->world->scenario->cluster;
    if (open->volume == HOST_SHARED && cluster->store.writers > 0) {
        open->unsent_bytes += bytes;
        pass_time(actor, verdict, 0);
    } else if (open->volume == HOST_SHARED) {
        send_to_store(actor, bytes, verdict);
        pass_time(actor, verdict, 0);
    } else {
        pass_time(actor, verdict, cost_transfer_ns(bytes, cluster->disk.write_bytes_per_s));
    }
}

static void charge_read(struct sim_actor *actor, enum host_volume volume, uint64_t bytes,
                        const struct storage_verdict *verdict)
{
    const struct cluster *cluster = &actor->world->scenario->cluster;
    if (volume == HOST_SHARED) {
        struct cost_request request = {
            .now_ns = actor->now_ns,
            .shared_ns = scaled(verdict, cost_transfer_ns(bytes, cluster->store.read_bytes_per_s)),
            .client_ns =
                scaled(verdict, cost_transfer_ns(bytes, cluster->store.client_read_bytes_per_s)),
        };
        uint64_t wait_ns;
        actor->now_ns = cost_store_serve(&actor->world->shared_reads, &request, &wait_ns);
        pass_time(actor, verdict, cluster->store.latency_ns);
    } else {
        pass_time(actor, verdict, cost_transfer_ns(bytes, cluster->disk.read_bytes_per_s));
    }
}

static struct open_file *open_file_of(struct sim_actor *actor, file_id id)
{
    CHECK(id >= 1 && id <= actor->file_count);
    struct open_file *open = &actor->files[id - 1];
    CHECK(open->file != NULL);
    return open;
}

static file_id file_id_new(struct sim_actor *actor)
{
    for (size_t i = 0; i < actor->file_count; i++) {
        if (actor->files[i].file == NULL) {
            return (file_id)i + 1;
        }
    }
    actor->files = arena_grow(actor->world->arena, actor->files, &actor->file_capacity,
                              actor->file_count + 1, sizeof *actor->files);
    return (file_id)++actor->file_count;
}

static const struct storage_verdict halted = { .status = STATUS_HALTED };

/* A call on a path begins: it is counted, judged and takes its time. */
static struct storage_verdict path_call(struct sim_actor *actor, enum host_volume volume,
                                        const char *path, enum host_storage_call call,
                                        bool needs_space)
{
    if (!begin_call(actor)) {
        return halted;
    }
    struct storage_verdict verdict = judge(actor, volume, path, call, needs_space);
    if (call == HOST_STORAGE_SYNC) {
        charge_sync(actor, volume, &verdict);
    } else {
        charge_call(actor, volume, &verdict);
    }
    return verdict;
}

/* A call on an open file begins: it is counted and judged; what it costs depends on its bytes.
 * `*open` is NULL if the process is dead. */
static struct storage_verdict file_call(struct sim_actor *actor, file_id id,
                                        enum host_storage_call call, struct open_file **open)
{
    *open = NULL;
    if (!begin_call(actor)) {
        return halted;
    }
    *open = open_file_of(actor, id);
    return judge(actor, (*open)->volume, (*open)->path, call, call == HOST_STORAGE_WRITE);
}

/* Opening needs space only for a file that is not there yet. */
static bool makes_file(struct sim_actor *actor, enum host_volume volume, const char *path,
                       enum host_open_mode mode)
{
    struct bytes content;
    return mode != HOST_READ && actor->world->faults != NULL && !actor->dead &&
           !disk_peek(disk_of(actor, volume), path, &content);
}

static enum status host_file_open_(struct host *host, enum host_volume volume, const char *path,
                                   enum host_open_mode mode, file_id *id)
{
    struct sim_actor *actor = actor_of(host);
    struct storage_verdict verdict =
        path_call(actor, volume, path, HOST_STORAGE_OPEN, makes_file(actor, volume, path, mode));
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    struct disk *disk = disk_of(actor, volume);
    struct disk_file *file;
    enum status status = disk_open(disk, actor->process->number, path, mode != HOST_READ,
                                   mode == HOST_TRUNCATE, &file);
    if (status != STATUS_OK) {
        return answer(&verdict, status);
    }
    if (verdict.status != STATUS_OK) {
        disk_close(disk, file); /* opened, perhaps made or emptied, but nobody knows */
        return verdict.status;
    }
    *id = file_id_new(actor);
    actor->files[*id - 1] = (struct open_file){
        .file = file, .volume = volume, .path = arena_text(actor->world->arena, path)
    };
    return STATUS_OK;
}

static void host_file_close_(struct host *host, file_id id)
{
    struct sim_actor *actor = actor_of(host);
    if (!actor->dead) {
        struct open_file *open = open_file_of(actor, id);
        disk_close(disk_of(actor, open->volume), open->file);
        arena_free(actor->world->arena, open->path);
        open->file = NULL;
    }
}

static enum status host_file_size_(struct host *host, file_id id, uint64_t *size_bytes)
{
    struct sim_actor *actor = actor_of(host);
    if (!begin_call(actor)) {
        return STATUS_HALTED;
    }
    *size_bytes = disk_size(open_file_of(actor, id)->file);
    return STATUS_OK;
}

static enum status host_file_read_(struct host *host, file_id id, uint64_t offset, void *data,
                                   size_t size, size_t *got)
{
    struct sim_actor *actor = actor_of(host);
    struct open_file *open;
    struct storage_verdict verdict = file_call(actor, id, HOST_STORAGE_READ, &open);
    if (open != NULL) {
        *got = verdict.takes_effect ? disk_read(open->file, offset, data, size) : 0;
        charge_read(actor, open->volume, *got, &verdict);
    }
    return verdict.status;
}

static enum status host_file_write_(struct host *host, file_id id, uint64_t offset,
                                    struct bytes bytes)
{
    struct sim_actor *actor = actor_of(host);
    struct open_file *open;
    struct storage_verdict verdict = file_call(actor, id, HOST_STORAGE_WRITE, &open);
    if (open != NULL) {
        charge_write(actor, open, bytes.size, &verdict);
    }
    return verdict.takes_effect
               ? answer(&verdict, disk_write(disk_of(actor, open->volume), actor->process->number,
                                             open->file, offset, bytes))
               : verdict.status;
}

static enum status host_file_sync_(struct host *host, file_id id)
{
    struct sim_actor *actor = actor_of(host);
    struct open_file *open;
    struct storage_verdict verdict = file_call(actor, id, HOST_STORAGE_SYNC, &open);
    if (open == NULL) {
        return verdict.status;
    }
    if (open->unsent_bytes > 0) {
        send_to_store(actor, open->unsent_bytes, &verdict);
        open->unsent_bytes = 0;
    }
    charge_sync(actor, open->volume, &verdict);
    if (verdict.takes_effect) {
        disk_sync(disk_of(actor, open->volume), open->file);
    }
    return verdict.status;
}

/* Whoever is renamed over goes, too. */
static enum status host_rename_(struct host *host, enum host_volume volume, const char *from,
                                const char *to)
{
    struct sim_actor *actor = actor_of(host);
    struct storage_verdict verdict = path_call(actor, volume, from, HOST_STORAGE_RENAME, false);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    struct disk *disk = disk_of(actor, volume);
    struct bytes replaced;
    bool replaces = disk_peek(disk, to, &replaced);
    enum status status = disk_rename(disk, actor->process->number, from, to);
    if (status == STATUS_OK && replaces) {
        charge_removed(actor, volume, &verdict);
    }
    return answer(&verdict, status);
}

/* What took effect as a call that removes came out as `status`. */
static enum status removed(struct sim_actor *actor, enum host_volume volume,
                           const struct storage_verdict *verdict, enum status status)
{
    if (status == STATUS_OK) {
        charge_removed(actor, volume, verdict);
    }
    return answer(verdict, status);
}

static enum status host_remove_(struct host *host, enum host_volume volume, const char *path)
{
    struct sim_actor *actor = actor_of(host);
    struct storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_REMOVE, false);
    return verdict.takes_effect
               ? removed(actor, volume, &verdict,
                         disk_remove(disk_of(actor, volume), actor->process->number, path))
               : verdict.status;
}

static enum status host_make_dir_(struct host *host, enum host_volume volume, const char *path)
{
    struct sim_actor *actor = actor_of(host);
    struct storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_MAKE_DIR, true);
    return verdict.takes_effect
               ? answer(&verdict, disk_make_dir(disk_of(actor, volume), actor->process->number,
                                                path))
               : verdict.status;
}

static enum status host_remove_dir_(struct host *host, enum host_volume volume, const char *path)
{
    struct sim_actor *actor = actor_of(host);
    struct storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_REMOVE, false);
    return verdict.takes_effect
               ? removed(actor, volume, &verdict,
                         disk_remove_dir(disk_of(actor, volume), actor->process->number, path))
               : verdict.status;
}

static enum status host_sync_dir_(struct host *host, enum host_volume volume, const char *path)
{
    struct sim_actor *actor = actor_of(host);
    struct storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_SYNC, false);
    return verdict.takes_effect
               ? answer(&verdict, disk_sync_dir(disk_of(actor, volume), path))
               : verdict.status;
}

static enum status host_list_(struct host *host, enum host_volume volume, const char *path,
                              host_list_function each, void *context)
{
    struct sim_actor *actor = actor_of(host);
    struct storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_LIST, false);
    return verdict.takes_effect
               ? answer(&verdict, disk_list(disk_of(actor, volume), path, each, context))
               : verdict.status;
}

static uint64_t host_store_wait_ns_(const struct host *host)
{
    return ((const struct sim_actor *)host)->store_wait_ns;
}

const struct host_ops sim_host_ops = {
    .now_ns = host_now_ns_,
    .random = host_random_,
    .charge = host_charge_,
    .timer_set = host_timer_set_,
    .timer_cancel = host_timer_cancel_,
    .message_new = host_message_new_,
    .message_free = host_message_free_,
    .send = host_send_,
    .watch = host_watch_,
    .spawn = host_spawn_,
    .stop = host_stop_,
    .trace = host_trace_,
    .file_open = host_file_open_,
    .file_close = host_file_close_,
    .file_size = host_file_size_,
    .file_read = host_file_read_,
    .file_write = host_file_write_,
    .file_sync = host_file_sync_,
    .rename = host_rename_,
    .remove = host_remove_,
    .make_dir = host_make_dir_,
    .remove_dir = host_remove_dir_,
    .sync_dir = host_sync_dir_,
    .list = host_list_,
    .throws = host_throws_,
    .store_wait_ns = host_store_wait_ns_,
};
