/* Groups of threads: every process of the cluster lives in this one.
 *
 * Facts come in one line and are told by the thread that polls; who waits for its fact waits until
 * the line has been served so far, or until its process has been killed. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/live/live_cluster_private.h"

struct told_report {
    struct told_report *next;
    struct live_member *member;
    struct live_report report;
    uint8_t outside[];
};

struct group {
    struct live_process *process; /* NULL: it is dead */
    bool is_halted;               /* guarded by fact_lock */
    struct group *next_dead;
    struct live_member *member;
};

struct threads {
    pthread_rwlock_t routes;   /* guards which groups there are */
    struct group **groups;     /* by process */
    struct group *dead;        /* their threads may still run */
    pthread_mutex_t fact_lock; /* guards what follows */
    pthread_cond_t came;
    pthread_cond_t served;
    struct told_report *first;
    struct told_report *last;
    uint64_t came_count;
    uint64_t served_count;
};

static struct threads *threads_of(const struct live_member *member)
{
    return member->cluster->own;
}

/* ---- the port -------------------------------------------------------------------------------- */

static void send(void *context, struct message *message)
{
    struct group *group = context;
    struct threads *threads = threads_of(group->member);
    (void)pthread_rwlock_rdlock(&threads->routes);
    struct group *peer = threads->groups[actor_process(message->to)];
    bool from_living = threads->groups[group->member->number] == group;
    if (from_living && peer != NULL && !live_process_is_cut(group->process, message)) {
        live_process_deliver(peer->process, message);
    } else {
        live_message_free(message);
    }
    (void)pthread_rwlock_unlock(&threads->routes);
}

static struct told_report *copy_of(struct live_member *member, const struct live_report *report)
{
    struct live_report copy = *report;
    struct bytes *outside[LIVE_OUTSIDE_MAX];
    uint32_t count = live_report_outside(&copy, outside);
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += outside[i]->size;
    }
    struct told_report *told = malloc(sizeof *told + size);
    CHECK(told != NULL);
    uint8_t *at = told->outside;
    for (uint32_t i = 0; i < count; i++) {
        bytes_put(at, outside[i]->data, outside[i]->size);
        outside[i]->data = at;
        at += outside[i]->size;
    }
    told->next = NULL;
    told->member = member;
    told->report = copy;
    return told;
}

static void tell(void *context, const struct live_report *report)
{
    struct group *group = context;
    struct threads *threads = threads_of(group->member);
    struct told_report *told = copy_of(group->member, report);
    (void)pthread_mutex_lock(&threads->fact_lock);
    if (group->is_halted) {
        (void)pthread_mutex_unlock(&threads->fact_lock);
        free(told);
        return;
    }
    if (threads->first == NULL) {
        threads->first = told;
        (void)pthread_cond_signal(&threads->came);
    } else {
        threads->last->next = told;
    }
    threads->last = told;
    uint64_t number = ++threads->came_count;
    bool waits = live_report_waits(group->member->cluster, report);
    while (waits && threads->served_count < number && !group->is_halted) {
        (void)pthread_cond_wait(&threads->served, &threads->fact_lock);
    }
    (void)pthread_mutex_unlock(&threads->fact_lock);
}

/* ---- the cluster ----------------------------------------------------------------------------- */

static void *create(struct live_cluster *cluster)
{
    struct threads *threads = arena_alloc(&cluster->arena, 1, sizeof *threads);
    threads->groups =
        arena_alloc(&cluster->arena, cluster->options.process_count, sizeof(struct group *));
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int result = pthread_rwlock_init(&threads->routes, NULL);
    CHECK(result == 0);
    result = pthread_mutex_init(&threads->fact_lock, NULL);
    CHECK(result == 0);
    result = pthread_cond_init(&threads->came, &attributes);
    CHECK(result == 0);
    result = pthread_cond_init(&threads->served, NULL);
    CHECK(result == 0);
    (void)pthread_condattr_destroy(&attributes);
    return threads;
}

static void introduce(struct threads *threads, const struct live_cluster *cluster,
                      struct group *group)
{
    const struct live_member *member = group->member;
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        struct group *peer = threads->groups[i];
        if (peer != NULL) {
            live_process_peer_up(peer->process, member->number, member->incarnation);
            live_process_peer_up(group->process, i, peer->member->incarnation);
        }
    }
}

static bool start(struct live_member *member)
{
    struct threads *threads = threads_of(member);
    struct live_cluster *cluster = member->cluster;
    struct group *group = arena_alloc(&cluster->arena, 1, sizeof *group);
    *group = (struct group){ .member = member };
    struct live_port port = { .send = send, .report = tell, .context = group };
    group->process = live_member_process(member, &cluster->arena, port);
    if (group->process == NULL) {
        return false;
    }
    (void)pthread_rwlock_wrlock(&threads->routes);
    introduce(threads, cluster, group);
    threads->groups[member->number] = group;
    (void)pthread_rwlock_unlock(&threads->routes);
    return true;
}

static void go(struct live_member *member)
{
    live_process_start(threads_of(member)->groups[member->number]->process,
                       member->cluster->epoch_ns);
}

/* Threads that are in a handler go on until it returns: their memory goes later. */
static void kill_group(struct live_member *member)
{
    struct threads *threads = threads_of(member);
    struct live_cluster *cluster = member->cluster;
    (void)pthread_rwlock_wrlock(&threads->routes);
    struct group *group = threads->groups[member->number];
    threads->groups[member->number] = NULL;
    live_process_halt(group->process);
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        if (threads->groups[i] != NULL) {
            live_process_peer_lost(threads->groups[i]->process, member->number,
                                   member->incarnation);
        }
    }
    (void)pthread_rwlock_unlock(&threads->routes);
    (void)pthread_mutex_lock(&threads->fact_lock);
    group->is_halted = true;
    (void)pthread_cond_broadcast(&threads->served);
    (void)pthread_mutex_unlock(&threads->fact_lock);
    group->next_dead = threads->dead;
    threads->dead = group;
}

static void bury(struct threads *threads)
{
    while (threads->dead != NULL) {
        struct group *group = threads->dead;
        threads->dead = group->next_dead;
        live_process_destroy(group->process);
    }
}

/* Takes the whole line; NULL if none came in time. */
static struct told_report *take_reports(struct threads *threads, uint64_t wait_ns)
{
    uint64_t until_ns = live_clock_ns() + wait_ns;
    struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
                              .tv_nsec = (long)(until_ns % 1000000000) };
    (void)pthread_mutex_lock(&threads->fact_lock);
    int result = 0;
    while (threads->first == NULL && result == 0 && wait_ns > 0) {
        result = pthread_cond_timedwait(&threads->came, &threads->fact_lock, &until);
    }
    struct told_report *reports = threads->first;
    threads->first = NULL;
    (void)pthread_mutex_unlock(&threads->fact_lock);
    return reports;
}

static void poll_reports(struct live_cluster *cluster, uint64_t wait_ns)
{
    struct threads *threads = cluster->own;
    struct told_report *told = take_reports(threads, wait_ns);
    while (told != NULL) {
        struct told_report *next = told->next;
        live_member_report(told->member, &told->report);
        free(told);
        (void)pthread_mutex_lock(&threads->fact_lock);
        threads->served_count++;
        (void)pthread_cond_broadcast(&threads->served);
        (void)pthread_mutex_unlock(&threads->fact_lock);
        told = next;
    }
    bury(threads);
}

static void add_rule(struct live_member *member, const struct live_rule *rule)
{
    struct threads *threads = threads_of(member);
    live_process_add_rule(threads->groups[member->number]->process, rule);
}

static void tell_group(struct live_member *member, uint32_t kind, struct bytes data)
{
    struct threads *threads = threads_of(member);
    live_process_tell(threads->groups[member->number]->process, kind, data);
}

static void pause_group(struct live_member *member)
{
    struct threads *threads = threads_of(member);
    live_process_pause(threads->groups[member->number]->process);
}

static void resume_group(struct live_member *member)
{
    struct threads *threads = threads_of(member);
    live_process_resume(threads->groups[member->number]->process);
}

/* What has arrived has; what a rule holds up is lost. */
static bool reset_groups(struct live_member *one, struct live_member *other)
{
    struct threads *threads = threads_of(one);
    (void)pthread_rwlock_wrlock(&threads->routes);
    struct live_process *ends[] = { threads->groups[one->number]->process,
                                    threads->groups[other->number]->process };
    live_process_peer_lost(ends[0], other->number, other->incarnation);
    live_process_peer_lost(ends[1], one->number, one->incarnation);
    live_process_peer_up(ends[0], other->number, other->incarnation);
    live_process_peer_up(ends[1], one->number, one->incarnation);
    (void)pthread_rwlock_unlock(&threads->routes);
    return true;
}

static void destroy(struct live_cluster *cluster)
{
    struct threads *threads = cluster->own;
    bury(threads);
    for (struct told_report *told = threads->first; told != NULL;) {
        struct told_report *next = told->next;
        free(told);
        told = next;
    }
    (void)pthread_cond_destroy(&threads->came);
    (void)pthread_cond_destroy(&threads->served);
    (void)pthread_mutex_destroy(&threads->fact_lock);
    (void)pthread_rwlock_destroy(&threads->routes);
}

const struct live_cluster_kind live_threads = { .create = create,
                                                .destroy = destroy,
                                                .poll = poll_reports,
                                                .start = start,
                                                .go = go,
                                                .kill = kill_group,
                                                .add_rule = add_rule,
                                                .tell = tell_group,
                                                .reset = reset_groups,
                                                .pause = pause_group,
                                                .resume = resume_group };
