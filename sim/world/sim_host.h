/* sim_host.h - host.h in simulated time: what an actor's calls do and what they cost.
 *
 * A handler runs at one moment of the event queue; each call moves the actor's own clock on by its
 * cost, and what the actor sends leaves at that clock. The actor is busy until then; what arrives
 * meanwhile waits in its mailbox.
 *
 * What is not modelled. A handler's effects on storage take place when it starts, in the order of
 * its calls: a crash at a time, which falls between events, comes after them although the actor's
 * clock may be later (a crash at a fact falls between two calls of a handler). Two actors that use
 * the SHARED volume queue for its bandwidth in the order of their calls, not of their clocks. Where
 * the number of writers is limited, a file is sent as a whole when it is synced: writing costs
 * nothing before, and what is closed without a sync is never charged. CPU
 * cores are not limited: every actor has its own. Machines' clocks agree unless a fault sets one.
 * Memory is not limited. A forward jump of a clock does not hurry timers that were set before.
 * When a process dies its data connections break unreported: the JobManager, which is told, ends
 * the attempt at all their other ends.
 * A fault that waits for a fact strikes at once, but counts from the clock of the actor that
 * reported the fact. A message in flight is lost when its sender's process dies, and when its
 * receiver's does. */
#ifndef FAULTLINE_SIM_SIM_HOST_H
#define FAULTLINE_SIM_SIM_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "sim/world/cost.h"
#include "sim/world/disk.h"
#include "sim/world/event_queue.h"
#include "sim/world/network.h"
#include "sim/world/sim_faults.h"
#include "sim/world/world.h"

struct sim_process;

struct open_file {
    struct disk_file *file; /* NULL: this id is free */
    enum host_volume volume;
    char *path; /* under which it was opened */
    uint64_t unsent_bytes; /* written, and the store, which takes whole files, has not got them */
};

struct sim_actor {
    struct host host; /* first: what the model sees */
    struct world *world;
    struct sim_process *process;
    const struct actor_ops *ops;
    void *self;            /* of the model */
    struct arena arena;    /* of the model */
    struct bytes argument; /* for on_start */
    struct prng prng;
    uint64_t number;  /* actors are numbered in the order in which they are made */
    uint32_t vertex;  /* of a subtask, once it has reported task.started */
    uint32_t subtask;
    uint64_t now_ns;  /* its clock while a handler runs */
    uint64_t free_ns; /* when its last handler is over */
    uint64_t store_wait_ns; /* its writes to the SHARED volume stood in line so long */
    struct message *mailbox_head;
    struct message *mailbox_tail;
    struct message *held; /* messages that the model owns */
    struct open_file *files;
    size_t file_count;
    size_t file_capacity;
    bool started;
    bool running;
    bool wake_scheduled;
    bool dead; /* every call answers HALTED */
    struct sim_actor *next_dead;
};

struct sim_watch {
    struct sim_watch *next;
    actor_id watcher;
    uint32_t peer_process;
    uint32_t peer_incarnation;
    actor_id peer;
};

struct sim_process {
    uint32_t number;
    uint32_t incarnation;
    bool alive;
    bool machine_up;
    struct sim_actor **actors; /* by index; NULL: never started or gone */
    size_t actor_count;
    size_t actor_capacity;
    struct disk *local_disk; /* made when first used */
    struct sim_process_faults *faults; /* NULL: never had any of them */
    uint64_t storage_calls;  /* over all incarnations */
    uint64_t cut_call;       /* the storage call that cuts the power; 0: none */
    uint64_t cut_for_ns;
    enum disk_survival cut_survival;
};

struct sim_timer {
    struct sim_actor *actor;
    uint64_t tag;
    uint64_t due_ns; /* as its machine's clock tells it */
    uint32_t generation;
    uint32_t next_free;
    bool armed;
};

enum { MESSAGE_CLASS_COUNT = 26, MESSAGE_BYTES_MIN = 64 };

struct sim_callback {
    world_callback call;
    void *context;
    uint32_t number;
};

struct world {
    struct arena *arena;
    const struct scenario *scenario;
    const struct pipeline *pipeline;
    const struct actor_ops *first_actor; /* the main actor of process 0 */
    const struct actor_ops *other_actor; /* ... of the others */
    struct event_queue *queue;
    struct network network;
    struct disk *shared;
    struct cost_store shared_writes;
    struct cost_store shared_reads;
    struct prng disk_prng;
    struct sim_faults *faults; /* NULL: none was ever armed */
    struct sim_process *processes;
    uint32_t process_count;
    struct sim_watch *watches;
    struct sim_actor *running; /* whose handler runs; NULL: between events */
    struct sim_actor *dead;    /* their memory is dropped when that handler returns (H3) */
    struct message *free_messages[MESSAGE_CLASS_COUNT];
    struct sim_timer *timers;
    size_t timer_count;
    size_t timer_capacity;
    uint32_t free_timer; /* index + 1; 0: none */
    struct sim_callback *callbacks;
    size_t callback_count;
    size_t callback_capacity;
    struct world_listener *listeners;
    size_t listener_count;
    size_t listener_capacity;
    uint64_t actor_number; /* actors ever made */
    uint64_t hash;
    uint64_t event_count;
    struct world_event_note last_event;
    uint64_t moment_ns;     /* when the last event was ... */
    uint64_t moment_events; /* ... and how many there have been at that moment */
    enum outcome outcome;
    bool ended;
};

enum world_event {
    EVENT_DEPARTURE,     /* subject: a message that leaves SEND_AHEAD_NS_MAX later */
    EVENT_ARRIVAL,       /* subject: the message */
    EVENT_TIMER,         /* number: index of the timer */
    EVENT_WAKE,          /* subject: an actor whose mailbox waits */
    EVENT_ACTOR_START,   /* subject: the actor */
    EVENT_PROCESS_START, /* number: the process */
    EVENT_CALLBACK,      /* number: index of the callback */
};

/* A mailbox item that is no message: a timer that came while the actor was busy. */
#define MAILBOX_TIMER UINT32_MAX

extern const struct host_ops sim_host_ops;

/* Mixes a number into the trace hash. */
static inline void world_mix(struct world *world, uint64_t value)
{
    world->hash = hash_mix(world->hash ^ value);
}

/* ---- messages (sim_messages.c), timers (sim_host.c) ------------------------------------------ */

struct message *sim_message_new(struct world *world, uint32_t capacity);
void sim_message_free(struct world *world, struct message *message);
void sim_message_hold(struct sim_actor *actor, struct message *message);
void sim_message_release(struct message *message);

/* The actor works for so long, or longer if a fault slows its process. */
void sim_actor_work(struct sim_actor *actor, uint64_t work_ns);

timer_id sim_timer_id(const struct world *world, const struct sim_timer *timer);
void sim_timer_free(struct world *world, struct sim_timer *timer);

/* Has the clock of its machine, set back meanwhile, not reached the timer's time? Then it goes off
 * when it has. */
bool sim_timer_is_early(const struct sim_timer *timer);
void sim_timer_put_off(struct sim_timer *timer);

/* An actor begins to work on a message: whoever listens to heartbeats hears of it. */
void sim_tell_heard(const struct sim_actor *actor, const struct message *message);

/* The actors of a process share its connections. A message may take its place there ahead of the
 * queue by so much, and what others send meanwhile stands behind it; one that leaves later takes
 * it when the others' clocks have come near, before its sender's next handler, so that H1 holds. */
#define SEND_AHEAD_NS_MAX UINT64_C(10000000)

/* Puts a message on its way that leaves at `now_ns`; `message->from` and `to` are set. */
void sim_transmit(struct world *world, struct message *message, uint64_t now_ns);

/* The same, at once: it takes its place on its connection. */
void sim_message_depart(struct world *world, struct message *message, uint64_t now_ns);

/* ---- actors (world.c) ------------------------------------------------------------------------ */

/* Makes an actor that starts at `due_ns`. */
struct sim_actor *sim_actor_create(struct sim_process *process, struct world *world,
                                   uint32_t index, const struct actor_ops *ops,
                                   struct bytes argument, uint64_t due_ns);

/* Ends an actor; a handler that runs goes on as a black hole. The memory is dropped when the
 * running handler returns, whose actor may be another of the same process and share it (H3). */
void sim_actor_kill(struct sim_actor *actor);

/* The living actor at `address`, or NULL. */
struct sim_actor *sim_actor_find(struct world *world, actor_id address);

/* Tells those actors of process `watcher_process` (-1: of all) who watch this incarnation of
 * `process` that the connection is lost. */
void sim_tell_watchers(struct world *world, uint32_t process, uint32_t incarnation,
                       int64_t watcher_process);

/* Reports a fact of `actor` to the listeners. */
void sim_trace(struct sim_actor *actor, const struct fact *fact);

#endif
