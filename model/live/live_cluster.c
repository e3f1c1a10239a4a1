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

const char *live_cluster_folder(const struct live_cluster *cluster, uint32_t process,
                                enum host_volume volume, struct arena *arena)
{
    const char *directory = cluster->options.directory;
    return volume == HOST_SHARED ? arena_format(arena, "%s/shared", directory)
                                 : arena_format(arena, "%s/machine-%u", directory, process);
}

static bool make_folders(struct live_cluster *cluster)
{
    bool made = make_folder(live_cluster_folder(cluster, 0, HOST_SHARED, &cluster->arena));
    for (uint32_t i = 0; i < cluster->options.process_count && made; i++) {
        made = make_folder(live_cluster_folder(cluster, i, HOST_LOCAL, &cluster->arena));
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
    for (size_t i = 0; i < cluster->rule_count && member->is_alive; i++) {
        cluster->kind->add_rule(member, &cluster->rules[i]);
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

bool live_cluster_reset(struct live_cluster *cluster, uint32_t one, uint32_t other)
{
    struct live_member *first = member_of(cluster, one);
    struct live_member *second = member_of(cluster, other);
    CHECK(first != second);
    return first->is_alive && second->is_alive && cluster->kind->reset(first, second);
}

/* Rules that are over are forgotten: who starts later never hears of them. */
static void forget_rules(struct live_cluster *cluster)
{
    uint64_t now_ns = live_cluster_now_ns(cluster);
    size_t kept = 0;
    for (size_t i = 0; i < cluster->rule_count; i++) {
        if (cluster->rules[i].until_ns > now_ns) {
            cluster->rules[kept++] = cluster->rules[i];
        }
    }
    cluster->rule_count = kept;
}

void live_cluster_add_rule(struct live_cluster *cluster, const struct live_rule *rule)
{
    CHECK(cluster->epoch_ns > 0);
    forget_rules(cluster);
    cluster->rules = arena_grow(&cluster->arena, cluster->rules, &cluster->rule_capacity,
                                cluster->rule_count + 1, sizeof *cluster->rules);
    cluster->rules[cluster->rule_count++] = *rule;
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        if (cluster->members[i].is_alive) {
            cluster->kind->add_rule(&cluster->members[i], rule);
        }
    }
}

bool live_cluster_tell(struct live_cluster *cluster, uint32_t process, uint32_t kind,
                       struct bytes data)
{
    struct live_member *member = member_of(cluster, process);
    CHECK(data.size <= LIVE_TOLD_BYTES_MAX);
    if (member->is_alive) {
        cluster->kind->tell(member, kind, data);
    }
    return member->is_alive;
}

void live_member_report(struct live_member *member, const struct live_report *report)
{
    const struct live_listener *listener = &member->cluster->options.listener;
    switch (report->kind) {
    case LIVE_FACT: listener->on_fact(listener->context, &report->event); return;
    case LIVE_PASSING: listener->on_passing(listener->context, &report->passing); return;
    case LIVE_STRUCK: listener->on_struck(listener->context, &report->struck); return;
    case LIVE_CALL: listener->on_call(listener->context, &report->call); return;
    case LIVE_REFUSED:
        if (listener->on_refused != NULL) {
            listener->on_refused(listener->context, member->number, &report->refused);
        }
        return;
    }
    CHECK_UNREACHABLE("a report");
}

void live_member_died(struct live_member *member, int how)
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
        .times_calls = cluster->options.listener.on_call != NULL,
        .slowness = cluster->options.slowness,
        .main = member->number == 0 ? cluster->options.first : cluster->options.others,
        .argument = cluster->options.argument,
        .tells = cluster->options.tells,
        .spared = cluster->options.spared,
        .shared = live_cluster_folder(cluster, member->number, HOST_SHARED, arena),
        .local = live_cluster_folder(cluster, member->number, HOST_LOCAL, arena),
        .port = port,
    };
    return live_process_create(&options);
}
