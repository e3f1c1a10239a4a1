/* live_process.h - one process of a live cluster: its actors, each on a thread of its own.
 *
 * This is host.h on the real clock (CLOCK_MONOTONIC), real threads and real files; a charge does
 * nothing, for work takes the time it takes. Where other processes are, and who hears the facts, is
 * told by a port: a live process never knows whether its peers are threads or processes.
 *
 * What waits for an actor is a list that any thread may append to; the actor takes all of it at
 * once, and is woken only when it sleeps. The list is not bounded here: the model's credit is what
 * bounds it. All calls may come from any thread. */
#ifndef FAULTLINE_LIVE_LIVE_PROCESS_H
#define FAULTLINE_LIVE_LIVE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "model/live/live_rules.h"

struct live_process;

/* What the supervisor hears of a process. */
enum live_report_kind { LIVE_FACT, LIVE_PASSING, LIVE_STRUCK, LIVE_CALL, LIVE_REFUSED };
struct live_report {
    enum live_report_kind kind;
    union {
        struct fact_event event; /* its text and content are borrowed for the call */
        struct live_passing passing;
        struct live_struck struck;
        struct live_call call;
        struct live_refused refused;
    };
};

/* What of a report lies outside it; tells how many such there are. */
enum { LIVE_OUTSIDE_MAX = 2 };
static inline uint32_t live_report_outside(struct live_report *report,
                                           struct bytes *outside[LIVE_OUTSIDE_MAX])
{
    switch (report->kind) {
    case LIVE_FACT:
        outside[0] = &report->event.fact.text;
        outside[1] = &report->event.fact.content;
        return 2;
    case LIVE_REFUSED: outside[0] = &report->refused.path; return 1;
    default: return 0;
    }
}

/* What a live process asks of the world outside it. */
struct live_port {
    /* Takes a message for another process; lost if there is no way to it. */
    void (*send)(void *context, struct message *message);
    /* Passes on what the supervisor is to hear; of a fact it may return only when whoever listens
     * has acted upon it. */
    void (*report)(void *context, const struct live_report *report);
    void *context;
};

struct live_process_options {
    uint32_t number;      /* of the process */
    uint32_t incarnation; /* from 1: H5 */
    uint32_t process_count;
    uint64_t seed;
    bool times_calls;  /* to the SHARED volume, and reports them */
    uint64_t slowness; /* of the actors' clock: 1, or how often it divides real time */
    const struct actor_ops *main;
    struct bytes argument;                            /* of the main actor; copied */
    uint32_t (*tells)(const struct message *message); /* as in live_cluster.h; NULL: nothing */
    const char *spared; /* as in live_cluster.h; NULL: none */
    const char *shared; /* the directories behind the two volumes; they exist */
    const char *local;
    struct live_port port;
};

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t live_clock_ns(void);

/* A process whose main actor does not run yet, though messages may wait for it; NULL if a directory
 * cannot be opened. */
struct live_process *live_process_create(const struct live_process_options *options);

/* Starts the main actor; the world began when live_clock_ns said `epoch_ns`. */
void live_process_start(struct live_process *process, uint64_t epoch_ns);

/* Takes a message from another process for an actor here, `from` and `to` set. */
void live_process_deliver(struct live_process *process, struct message *message);

/* A message for the main actor, from itself. */
void live_process_tell(struct live_process *process, uint32_t kind, struct bytes data);

/* The connection to an incarnation of process `number` stands; if one to the same incarnation did
 * before, that broke: of what the actors that are here now send it, only control messages arrive
 * any more, and the main actor is told (HOST_CHANNELS_LOST), unless one of the two is process 0,
 * which has no data connection. Is lost: those who watch it are told, as will be who watches it
 * later, unless it stands again. */
void live_process_peer_up(struct live_process *process, uint32_t number, uint32_t incarnation);
void live_process_peer_lost(struct live_process *process, uint32_t number, uint32_t incarnation);

/* Is a message that an actor here sends lost, because the connection it would go by broke? Whoever
 * carries it asks with the connection at hand, so that nothing comes behind what is lost. */
bool live_process_is_cut(struct live_process *process, const struct message *message);

/* From now on, for what arrives and for calls to come. */
void live_process_add_rule(struct live_process *process, const struct live_rule *rule);

/* Between handlers no actor goes on until the process is resumed. */
void live_process_pause(struct live_process *process);
void live_process_resume(struct live_process *process);

/* H3, without the end of an operating system's process: from now on every call is a black hole.
 * Handlers that run go on until they return. */
void live_process_halt(struct live_process *process);

/* Halts, waits for the handlers that run, drops all memory. The port is not called any more. */
void live_process_destroy(struct live_process *process);

/* Messages outside any actor's hands, for who carries them from process to process. */
struct message *live_message_new(uint32_t capacity);
void live_message_free(struct message *message);

#endif
