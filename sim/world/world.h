/* world.h - the simulated cluster: machines, processes, actors, and the loop that moves time.
 *
 * Process 0 is the JobManager, processes 1.. are the TaskManagers, each on a machine of its own.
 * The world starts them, runs their actors one event at a time (sim_host implements host.h for
 * them), and breaks them when told to. It decides nothing by itself: all that happens follows from
 * the scenario and its seed. */
#ifndef FAULTLINE_SIM_WORLD_H
#define FAULTLINE_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/stream/pipeline.h"
#include "model/trace.h"
#include "sim/oracle/oracle.h"
#include "sim/scenario/scenario.h"
#include "sim/world/disk.h"

struct actor_ops;
struct world;

/* Hears every fact as it happens; may break processes. It may also hear what becomes of the credit
 * of channels, and of heartbeats, from outside: by the messages that pass (NULL: it does not). */
struct world_listener {
    void (*on_fact)(void *context, const struct fact_event *event);
    void (*on_credit)(void *context, const struct credit_event *event);
    void (*on_heartbeat)(void *context, const struct heartbeat_event *event);
    void *context;
};

/* Calls back at a moment of simulated time. */
typedef void (*world_callback)(void *context, uint32_t number);

enum { WORLD_FOR_EVER = 0 }; /* a duration: never comes back */

/* A cluster as `scenario` describes it, whose job is `pipeline`; `input` (INPUT_FILE) lies on the
 * SHARED volume and is borrowed. Nothing has happened yet. Memory from `arena`. */
struct world *world_create(struct arena *arena, const struct scenario *scenario,
                           const struct pipeline *pipeline, struct bytes input);

/* The same with other main actors: `first` in process 0, `others` in the rest. */
struct world *world_create_with(struct arena *arena, const struct scenario *scenario,
                                const struct pipeline *pipeline, struct bytes input,
                                const struct actor_ops *first, const struct actor_ops *others);

/* Frees what does not belong to the arena. */
void world_destroy(struct world *world);

/* Listeners are called in the order they were added. */
void world_add_listener(struct world *world, struct world_listener listener);

void world_call_at(struct world *world, uint64_t due_ns, world_callback callback, void *context,
                   uint32_t number);

/* Runs until the job has ended or `scenario->expect.within_ns` is over. */
enum outcome world_run(struct world *world);

/* Looks at the next event only; false when the run is over, or when simulated time stands still. */
bool world_step(struct world *world);

uint64_t world_now_ns(const struct world *world);
uint64_t world_event_count(const struct world *world);

/* Over every event and every fact so far: equal for equal runs. */
uint64_t world_trace_hash(const struct world *world);

/* What the last event was, for people who look for the first difference of two runs. */
struct world_event_note {
    const char *what;      /* "message", "timer", "wake" ...; NULL: nothing has happened yet */
    uint64_t to;           /* address of the actor, or number of the process or callback */
    uint64_t from;         /* message: address of its sender */
    uint32_t message_kind; /* message: of model/runtime/messages.h ... */
    uint32_t size_bytes;   /* ... and its size */
};
struct world_event_note world_last_event(const struct world *world);

/* How the job ended so far: OUTCOME_STUCK while it has not. */
enum outcome world_outcome(const struct world *world);

struct disk *world_shared_disk(struct world *world);

/* ---- what can be done to it ------------------------------------------------------------------ */

uint32_t world_process_count(const struct world *world);

/* Kills a process (kill -9); it starts again after `for_ns`. False if it was dead. */
bool world_crash(struct world *world, uint32_t process, uint64_t for_ns);

/* Cuts the power of a process's machine; both return after `for_ns`, or, if the process was dead
 * already, when that is due. False if the machine had no power. */
bool world_cut(struct world *world, uint32_t process, uint64_t for_ns,
               enum disk_survival survival);

/* The storage calls of a process so far, over all its incarnations; closing a file is none. */
uint64_t world_storage_calls(const struct world *world, uint32_t process);

/* Cuts the power as world_cut does when the process makes its storage call number `call` (from 1),
 * which has no effect any more. At most one such cut a process; for tests of crash safety. */
void world_cut_at_call(struct world *world, uint32_t process, uint64_t call, uint64_t for_ns,
                       enum disk_survival survival);

/* A process does nothing for `for_ns`, then goes on with all that has come meanwhile. False if it
 * is dead. */
bool world_pause(struct world *world, uint32_t process, uint64_t for_ns);

/* For `for_ns` every message of edge number `edge` of the job graph, records, barriers and credits,
 * arrives `by_ns` later. Edges: pipeline_edge. */
void world_delay(struct world *world, uint32_t edge, uint64_t for_ns, uint64_t by_ns);

/* The ordering class (struct message) of what is sent between vertex `from` and its reader `to`. */
uint32_t world_stream(const struct world *world, uint32_t from, uint32_t to);

#endif
