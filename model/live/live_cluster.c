#include "model/live/live_cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/base/check.h"
#include "model/live/live_cluster_private.h"

_Static_assert(FACT_KIND_COUNT <= 64, "the kinds that are waited for are the bits of a word");

static bool make_folder(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static const char *machine_folder(const struct live_cluster *cluster, uint32_t number,
                                  struct arena *arena)
{
    return arena_format(arena, "%s/machine-%u", cluster->options.directory, number);
}

static const char *shared_folder(const struct live_cluster *cluster, struct arena *arena)
{
    return arena_format(arena, "%s/shared", cluster->options.directory);
}

static bool make_folders(struct live_cluster *cluster)
{
    bool made = make_folder(shared_folder(cluster, &cluster->arena));
    for (uint32_t i = 0; i < cluster->options.process_count && made; i++) {
        made = make_folder(machine_folder(cluster, i, &cluster->arena));
    }
    return made;
}

struct live_cluster *live_cluster_create(const struct live_cluster_options *options)
{
    CHECK(options->process_count > 0);
    struct live_cluster *cluster = calloc(1, sizeof *cluster);
    CHECK(cluster != NULL);
    cluster->options = *options;
    cluster->options.slowness = options->slowness > 0 ? options->slowness : 1;
    cluster->kind = options->threads ? &live_threads : &live_forks;
    arena_init(&cluster->arena);
    if (!make_folders(cluster)) {
        arena_drop(&cluster->arena);
        free(cluster);
        return NULL;
    }
    cluster->members =
        arena_alloc(&cluster->arena, options->process_count, sizeof *cluster->members);
    for (uint32_t i = 0; i < options->process_count; i++) {
        cluster->members[i] = (struct live_member){ .cluster = cluster, .number = i };
    }
    cluster->own = cluster->kind->create(cluster);
    return cluster;
}

void live_cluster_destroy(struct live_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        (void)live_cluster_kill(cluster, i);
    }
    cluster->kind->destroy(cluster);
    arena_drop(&cluster->arena);
    free(cluster);
}

uint64_t live_cluster_now_ns(const struct live_cluster *cluster)
{
    return (live_clock_ns() - cluster->epoch_ns) / cluster->options.slowness;
}

void live_cluster_poll(struct live_cluster *cluster, uint64_t until_ns)
{
    uint64_t now_ns = live_cluster_now_ns(cluster);
    uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    cluster->kind->poll(cluster, wait_ns * cluster->options.slowness);
}

static struct live_member *member_of(const struct live_cluster *cluster, uint32_t process)
{
    CHECK(process < cluster->options.process_count);
    return &cluster->members[process];
}

bool live_cluster_is_alive(const struct live_cluster *cluster, uint32_t process)
{
    return member_of(cluster, process)->is_alive;
}

static bool create_process(struct live_member *member)
{
    member->incarnation++;
    CHECK(member->incarnation <= UINT16_MAX);
    struct live_cluster *cluster = member->cluster;
    member->is_alive = cluster->kind->start(member);
    for (size_t i = 0; i < cluster->delay_count && member->is_alive; i++) {
        cluster->kind->delay(member, &cluster->delays[i]);
    }
    return member->is_alive;
}

bool live_cluster_begin(struct live_cluster *cluster)
{
    CHECK(cluster->epoch_ns == 0);
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        if (!create_process(&cluster->members[i])) {
            return false;
        }
    }
    cluster->epoch_ns = live_clock_ns();
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        cluster->kind->go(&cluster->members[i]);
    }
    return true;
}

bool live_cluster_start(struct live_cluster *cluster, uint32_t process)
{
    struct live_member *member = member_of(cluster, process);
    CHECK(cluster->epoch_ns > 0);
    if (member->is_alive || !create_process(member)) {
        return false;
    }
    cluster->kind->go(member);
    return true;
}

bool live_cluster_kill(struct live_cluster *cluster, uint32_t process)
{
    struct live_member *member = member_of(cluster, process);
    if (!member->is_alive) {
        return false;
    }
    member->is_alive = false;
    cluster->kind->kill(member);
    return true;
}

bool live_cluster_pause(struct live_cluster *cluster, uint32_t process)
{
    struct live_member *member = member_of(cluster, process);
    if (member->is_alive) {
        cluster->kind->pause(member);
    }
    return member->is_alive;
}

bool live_cluster_resume(struct live_cluster *cluster, uint32_t process)
{
    struct live_member *member = member_of(cluster, process);
    if (member->is_alive) {
        cluster->kind->resume(member);
    }
    return member->is_alive;
}

void live_cluster_delay(struct live_cluster *cluster, uint32_t stream, uint64_t by_ns,
                        uint64_t until_ns)
{
    struct live_delay delay = { .stream = stream, .by_ns = by_ns, .until_ns = until_ns };
    cluster->delays = arena_grow(&cluster->arena, cluster->delays, &cluster->delay_capacity,
                                 cluster->delay_count + 1, sizeof *cluster->delays);
    cluster->delays[cluster->delay_count++] = delay;
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        if (cluster->members[i].is_alive) {
            cluster->kind->delay(&cluster->members[i], &delay);
        }
    }
}

void live_member_died(struct live_member *member, const char *how)
{
    const struct live_listener *listener = &member->cluster->options.listener;
    if (member->is_alive) {
        member->is_alive = false;
        listener->on_death(listener->context, member->number, how);
    }
}

struct live_process *live_member_process(const struct live_member *member, struct arena *arena,
                                         struct live_port port)
{
    const struct live_cluster *cluster = member->cluster;
    struct live_process_options options = {
        .number = member->number,
        .incarnation = member->incarnation,
        .process_count = cluster->options.process_count,
        .seed = cluster->options.seed,
        .slowness = cluster->options.slowness,
        .main = member->number == 0 ? cluster->options.first : cluster->options.others,
        .argument = cluster->options.argument,
        .shared = shared_folder(cluster, arena),
        .local = machine_folder(cluster, member->number, arena),
        .port = port,
    };
    return live_process_create(&options);
}
