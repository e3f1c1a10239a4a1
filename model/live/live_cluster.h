/* live_cluster.h - the processes of a live run, for whoever supervises them: starts and kills them,
 * and hears their facts.
 *
 * Process 0 runs one kind of main actor, the others another, each on a machine of its own: a folder
 * `machine-N` for its LOCAL volume beside the folder `shared`. There are two kinds of cluster:
 *
 *   processes  each is a process of the operating system, forked from this one; sockets that have
 *              no name connect them, so there is nothing to listen on and nothing to leave behind.
 *              They die with this process, whatever ends it. To kill one is SIGKILL.
 *   threads    each is a group of threads of this process; messages pass by queues. To kill one
 *              makes it a black hole (H3).
 *
 * Either way what was written and not synced survives: nothing here cuts the power of a machine.
 * A cluster belongs to the thread that created it; with processes that must be the only thread. */
#ifndef FAULTLINE_LIVE_LIVE_CLUSTER_H
#define FAULTLINE_LIVE_LIVE_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "model/live/live_rules.h"

struct live_cluster;

/* The exit status of a process to which the system gives no more threads; it says so. Of groups of
 * threads it is that of the program. */
enum { LIVE_EXIT_NO_THREAD = 6 };

/* What is told to the supervisor, during live_cluster_poll, in the order of cause and effect. */
struct live_listener {
    void (*on_fact)(void *context, const struct fact_event *event);
    /* A process ended that the cluster did not kill; `how` as waitpid tells it. */
    void (*on_death)(void *context, uint32_t process, int how);
    /* A message passed of which `tells` wants to know. NULL if that is NULL. */
    void (*on_passing)(void *context, const struct live_passing *passing);
    /* A rule of storage struck for the first time in a process. NULL: there are none. */
    void (*on_struck)(void *context, const struct live_struck *struck);
    /* A call to the SHARED volume took so long. NULL: calls are not timed. */
    void (*on_call)(void *context, const struct live_call *call);
    /* The system refused a process a call. NULL: nobody wants to know. */
    void (*on_refused)(void *context, uint32_t process, const struct live_refused *refused);
    void *context;
};

struct live_cluster_options {
    bool threads; /* groups of threads instead of processes */
    uint32_t process_count;
    uint64_t seed;
    uint64_t slowness; /* so often the clock of the hosts divides real time; 0: it does not. For
                        * tests that want to be in time on a busy machine */
    const struct actor_ops *first;  /* the main actor of process 0 ... */
    const struct actor_ops *others; /* ... and of the rest */
    struct bytes argument;          /* of every main actor; borrowed for the cluster's life */
    const char *directory;          /* borrowed for the cluster's life; must exist */
    uint64_t waits; /* bits of enum fact_kind: who reports such a fact goes on only when on_fact has
                     * returned */
    /* Bits of enum live_tell: which messages' passing is told. Asked in every process, on any
     * thread. NULL: none. */
    uint32_t (*tells)(const struct message *message);
    /* The path of a file on the SHARED volume that no rule of storage strikes, for no process would
     * ask for it if it were not for the supervisor. Borrowed. NULL: none. */
    const char *spared;
    struct live_listener listener;
};

/* Makes the folders; no process runs yet. NULL: they could not be made, errno says why. */
struct live_cluster *live_cluster_create(const struct live_cluster_options *options);

/* Kills what still runs. The folders stay. */
void live_cluster_destroy(struct live_cluster *cluster);

/* Starts all processes: when the first of them does anything, all are connected. Once, and before
 * what follows. False if the system does not allow so many. */
MUST_USE bool live_cluster_begin(struct live_cluster *cluster);

/* Where a volume of a process is; from `arena`. */
const char *live_cluster_folder(const struct live_cluster *cluster, uint32_t process,
                                enum host_volume volume, struct arena *arena);

/* Nanoseconds since then: the clock of all its hosts. */
uint64_t live_cluster_now_ns(const struct live_cluster *cluster);

/* Waits until something happens, at the latest until `until_ns`, and tells it. */
void live_cluster_poll(struct live_cluster *cluster, uint64_t until_ns);

/* These may be called while listening. They are false if there is nobody to act upon. */
bool live_cluster_is_alive(const struct live_cluster *cluster, uint32_t process);
bool live_cluster_kill(struct live_cluster *cluster, uint32_t process);
bool live_cluster_pause(struct live_cluster *cluster, uint32_t process);
bool live_cluster_resume(struct live_cluster *cluster, uint32_t process);

/* Breaks the connection between two processes: what is on its way is lost, both ends are told, and
 * there is another one, but not for records between the actors that exist now (HOST_CHANNELS_LOST).
 * False, too, if the system gives no other one. */
bool live_cluster_reset(struct live_cluster *cluster, uint32_t one, uint32_t other);

/* Puts a rule in force for the processes it names, and for those that start later. */
void live_cluster_add_rule(struct live_cluster *cluster, const struct live_rule *rule);

/* Gives the main actor of a process a message that comes from itself. */
enum { LIVE_TOLD_BYTES_MAX = 64 };
bool live_cluster_tell(struct live_cluster *cluster, uint32_t process, uint32_t kind,
                       struct bytes data);

/* Not while listening: starts the next incarnation of a process. False if it lives, or if the
 * system does not allow one more. */
MUST_USE bool live_cluster_start(struct live_cluster *cluster, uint32_t process);

#endif
