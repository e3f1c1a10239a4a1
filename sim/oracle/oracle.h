/* oracle.h - the judge: is what the job did what it should have done?
 *
 * It reads trace facts and what lies on the SHARED volume, never the model's internals, and decodes
 * checkpoints with code of its own. The reference is a plain fold over the input. Properties:
 *
 *   1 state            the final keyed state equals the reference
 *   2 output           the committed output equals the reference: nothing lost, nothing twice,
 *                      per-key order kept (at least once: nothing lost)
 *   3 consistent_cut   each completed checkpoint's state equals the fold over exactly the records
 *                      before its source positions, in each copy of broadcast state, too
 *   4 checkpoint_ids   ids rise strictly and are never used twice, over every JobManager crash
 *   5 newest_restored  a restore uses the newest completed checkpoint, never an aborted one; an
 *                      older one only if the scenario allows it
 *   6 files            what a retained checkpoint needs is there and undamaged; no orphan file
 *                      remains at the end
 *   7 fencing          nothing from a fenced attempt has an effect
 *   8 liveness         the job ends, and checkpoints complete, within a bound after faults stop
 *   9 deployment       the job runs when every subtask of the attempt is restored, each once, from
 *                      a checkpoint that was whole, and given what is its of the operator state
 *  10 restarts         the restart strategy is kept: so many restarts, so long a delay, and so many
 *                      tries to read a checkpoint before it is refused
 *  11 pace             checkpoints keep min_pause, max_concurrent, timeout and tolerable_failures
 *  12 abandoned        no subtask goes on with a checkpoint that was given up
 *  13 credit           no channel has more buffers on their way, sent and not consumed, than
 *                      buffers_per_channel
 *  14 heartbeat        a TaskManager is declared lost when it was silent for heartbeat.timeout, and
 *                      not before
 *
 * Each is one file beside this one. */
#ifndef FAULTLINE_SIM_ORACLE_ORACLE_H
#define FAULTLINE_SIM_ORACLE_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/trace.h"
#include "sim/scenario/scenario.h"
#include "sim/world/disk.h"

enum property {
    PROPERTY_STATE = 1,
    PROPERTY_OUTPUT,
    PROPERTY_CONSISTENT_CUT,
    PROPERTY_CHECKPOINT_IDS,
    PROPERTY_NEWEST_RESTORED,
    PROPERTY_FILES,
    PROPERTY_FENCING,
    PROPERTY_LIVENESS,
    PROPERTY_DEPLOYMENT,
    PROPERTY_RESTARTS,
    PROPERTY_PACE,
    PROPERTY_ABANDONED,
    PROPERTY_CREDIT,
    PROPERTY_HEARTBEAT,
    PROPERTY_COUNT_PLUS_ONE
};

/* "consistent_cut", and one line of help. */
const char *property_name(enum property property);
const char *property_help(enum property property);

struct violation {
    enum property property;
    uint64_t time_ns;
    const char *message; /* what was expected and what was found, with the first keys; owned by the
                          * oracle's arena */
};

/* How the run ended. */
enum outcome {
    OUTCOME_FINISHED, /* job.finished */
    OUTCOME_FAILED,   /* job.failed, not refused */
    OUTCOME_REFUSED,  /* job.failed with refused = 1: a checkpoint could not be read */
    OUTCOME_STUCK,    /* neither within expect.within_ns */
    OUTCOME_BROKEN,   /* neither, for a process of a live run died that nobody killed */
};

struct oracle;

/* Judges a run of `scenario` (read-only, must outlive the oracle) whose processes use the SHARED
 * volume `shared`. INPUT_FILE: `input` is the file's content, borrowed. All memory from `arena`.
 * The vertices of the job are those of its pipeline (model/jobs/jobs.h). */
struct oracle *oracle_create(struct arena *arena, const struct scenario *scenario,
                             const struct disk *shared, struct bytes input);

/* The job is the user's own, and `recording` its reference (recording.h), or to become it: then the
 * run is one without faults, and oracle_record_state is called behind oracle_on_end. */
struct recording;
void oracle_set_recording(struct oracle *oracle, struct recording *recording);
void oracle_record_state(const struct oracle *oracle);

/* A fault damaged files behind the model's back (corrupt, remove): missing or damaged files that
 * match `path` exactly are not held against the model. */
void oracle_on_damage(struct oracle *oracle, const char *path);

/* Hears one fact, as it happens. */
void oracle_on_fact(struct oracle *oracle, const struct fact_event *event);

/* A subtask sent a buffer of records to another, or (`is_returned`) the receiver sent back that it
 * has consumed one. */
struct credit_event {
    uint64_t time_ns;
    uint64_t sender;   /* of the buffers; an actor_id of host.h: never used twice */
    uint64_t receiver; /* of the buffers */
    uint32_t edge;     /* of the job graph */
    bool is_returned;
};
void oracle_on_credit(struct oracle *oracle, const struct credit_event *event);

enum heartbeat_kind {
    HEARTBEAT_SENT,        /* the JobManager sends one */
    HEARTBEAT_HEARD,       /* it takes in an answer, or another sign of life */
    HEARTBEAT_REGISTERING, /* it takes in the wish to be registered */
};

/* What the JobManager hears of a TaskManager, and what it says. Where time goes on while it works,
 * the moment that counts to it lies between two times. */
struct heartbeat_event {
    uint64_t time_ns;  /* when it begins to work on it: the handler's begin */
    uint64_t until_ns; /* when it has done so; the same in simulated time */
    uint64_t job_manager; /* actor_ids of host.h */
    uint64_t task_manager;
    uint32_t process; /* of the TaskManager */
    enum heartbeat_kind kind;
};
void oracle_on_heartbeat(struct oracle *oracle, const struct heartbeat_event *event);

/* The run is over: the final checks, once. `last_fault_ns` is when the last fault ended. */
void oracle_on_end(struct oracle *oracle, enum outcome outcome, uint64_t end_ns,
                   uint64_t last_fault_ns);

/* What was found so far, in the order found; at most a few per property are kept. Borrowed. */
const struct violation *oracle_violations(const struct oracle *oracle, uint32_t *count);

/* What was compared, for the verdict: counted over the whole run. */
struct oracle_totals {
    uint64_t records;              /* of the reference */
    uint64_t keys;                 /* distinct */
    uint64_t output_lines;         /* committed and compared */
    uint64_t output_duplicates;    /* at_least_once or allow_older: lines beyond the reference */
    uint64_t checkpoints_verified; /* read back and compared */
    uint64_t state_entries_compared;
    bool final_state_compared; /* as a whole (final_state.h) */
    uint64_t final_entries_compared;
    uint64_t records_skipped; /* bad ones */
};
struct oracle_totals oracle_totals(const struct oracle *oracle);

/* The committed output, in commit order: by checkpoint id, then by subtask. Appends to `out`. */
void oracle_collect_output(const struct oracle *oracle, struct buffer *out);

/* The keyed state of the newest completed checkpoint that could be read, as `key<TAB>count` lines,
 * sorted by key (numerically). Appends to `out`; nothing if there is no checkpoint. */
void oracle_collect_state(const struct oracle *oracle, struct buffer *out);

#endif
