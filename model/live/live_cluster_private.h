/* live_cluster_private.h - what the two kinds of cluster share. Private to model/live/.
 *
 * live_cluster.c    what both do alike
 * live_threads.c    groups of threads
 * live_forks.c      processes, as their parent sees them
 * live_child.c      ... and from inside
 * live_links.c      the sockets between them */
#ifndef FAULTLINE_LIVE_LIVE_CLUSTER_PRIVATE_H
#define FAULTLINE_LIVE_LIVE_CLUSTER_PRIVATE_H

#include "model/live/live_cluster.h"
#include "model/live/live_process.h"

/* One process, over all its incarnations. */
struct live_member {
    struct live_cluster *cluster;
    uint32_t number;
    uint32_t incarnation; /* of the last one; 0: it has not been started */
    bool is_alive;
    void *own; /* of the kind */
};

struct live_cluster_kind {
    void *(*create)(struct live_cluster *cluster);
    void (*destroy)(struct live_cluster *cluster);
    void (*poll)(struct live_cluster *cluster, uint64_t wait_ns);
    /* Makes a process, connected with those who live; its incarnation is counted already. */
    bool (*start)(struct live_member *member);
    /* Lets its main actor start. */
    void (*go)(struct live_member *member);
    void (*kill)(struct live_member *member);
    void (*add_rule)(struct live_member *member, const struct live_rule *rule);
    void (*tell)(struct live_member *member, uint32_t kind, struct bytes data);
    bool (*reset)(struct live_member *one, struct live_member *other);
    void (*pause)(struct live_member *member);
    void (*resume)(struct live_member *member);
};

struct live_cluster {
    struct live_cluster_options options;
    const struct live_cluster_kind *kind;
    struct arena arena;
    uint64_t epoch_ns;
    struct live_member *members;
    struct live_rule *rules; /* so far */
    size_t rule_count;
    size_t rule_capacity;
    void *own; /* of the kind */
};

extern const struct live_cluster_kind live_threads;
extern const struct live_cluster_kind live_forks;

/* The process behind a member, in the address space of the caller; its port is still to be given.
 * Paths from `arena`. */
struct live_process *live_member_process(const struct live_member *member, struct arena *arena,
                                         struct live_port port);

/* Does whoever reported it wait until it has been listened to? */
static inline bool live_report_waits(const struct live_cluster *cluster,
                                     const struct live_report *report)
{
    return report->kind == LIVE_FACT &&
           (cluster->options.waits >> report->event.fact.kind & 1u) != 0;
}

/* Tells the listener. */
void live_member_report(struct live_member *member, const struct live_report *report);

/* The end of a process that nobody killed. */
void live_member_died(struct live_member *member, int how);

#endif
