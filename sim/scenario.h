/* scenario.h - one reproducible run as plain data: what to run, on what, under which faults, and
 * what is expected of it.
 *
 * No JSON here: scenario_json reads and writes it, tests build it directly. All memory belongs to
 * the arena the scenario was made in. */
#ifndef FAULTLINE_SIM_SCENARIO_H
#define FAULTLINE_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/runtime/job_config.h"
#include "model/trace.h"
#include "sim/disk.h"

/* ---- the cluster: what things cost in simulated time ----------------------------------------- */

struct cluster {
    struct {
        uint64_t latency_min_ns; /* one way, between machines; uniform in the range */
        uint64_t latency_max_ns;
        uint64_t local_latency_ns;      /* within a machine */
        uint64_t bandwidth_bytes_per_s; /* of each machine's sending side */
    } network;
    struct {
        uint64_t write_bytes_per_s;
        uint64_t read_bytes_per_s;
        uint64_t sync_ns;
    } disk; /* each machine's LOCAL volume */
    struct {
        uint64_t write_bytes_per_s; /* shared by all machines */
        uint64_t read_bytes_per_s;
        uint64_t latency_ns; /* of every call */
    } store;                 /* the SHARED volume */
    struct {
        uint64_t record_ns;
        uint64_t snapshot_bytes_per_s;
    } cpu;
};

/* ---- faults ---------------------------------------------------------------------------------- */

/* FAULT_VERB(identifier, "name", "help"): what can be done. */
#define FAULT_VERB_LIST(FAULT_VERB)                                                                \
    FAULT_VERB(CRASH, "crash",                                                                     \
               "kill a process, or cut the power of a machine; it returns after `for`")            \
    FAULT_VERB(PAUSE, "pause", "a process does nothing for `for`, then goes on: a zombie if long") \
    FAULT_VERB(DELAY, "delay", "every message of a link arrives `by` later, for `for`")            \
    FAULT_VERB(CORRUPT, "corrupt", "flip one bit in the middle of every matching file")            \
    FAULT_VERB(REMOVE, "remove", "delete every matching file behind the model's back")

enum fault_verb {
#define FAULT_VERB(identifier, name, help) FAULT_##identifier,
    FAULT_VERB_LIST(FAULT_VERB)
#undef FAULT_VERB
        FAULT_VERB_COUNT
};

enum fault_object_kind {
    OBJECT_JOB_MANAGER,
    OBJECT_TASK_MANAGER, /* `index` */
    OBJECT_ALL_TASK_MANAGERS,
    OBJECT_TASK, /* the process that runs subtask `index` of vertex `vertex` */
    OBJECT_LINK, /* the edge from `vertex` to `vertex_to` */
    OBJECT_FILE, /* files of the SHARED volume that match `glob` */
};

struct fault_object {
    enum fault_object_kind kind;
    bool machine; /* "machine of ...": the process's machine instead of the process */
    uint32_t index;
    uint32_t vertex;
    uint32_t vertex_to;
    const char *glob;
};

enum fault_trigger_kind { TRIGGER_AT, TRIGGER_WHEN };

struct fault_trigger {
    enum fault_trigger_kind kind;
    uint64_t at_ns;      /* TRIGGER_AT */
    enum fact_kind fact; /* TRIGGER_WHEN, with the filters that follow */
    uint64_t checkpoint; /* 0: any */
    uint32_t vertex;     /* FACT_NO_TASK: any */
    uint32_t subtask;    /* FACT_NO_TASK: any */
    uint32_t occurrence; /* the n-th match, from 1 */
};

struct fault {
    struct fault_trigger trigger;
    enum fault_verb verb;
    struct fault_object object;
    uint64_t for_ns;             /* crash, pause, delay */
    bool for_ever;               /* `"for": "ever"`: never comes back */
    uint64_t by_ns;              /* delay */
    enum disk_survival unsynced; /* crash of a machine */
};

/* ---- what is expected ------------------------------------------------------------------------ */

enum expected_result { EXPECT_SAME, EXPECT_SAME_OR_REFUSED, EXPECT_REFUSED, EXPECT_FAILED };

/* `value OP bound`; an unset bound holds always. */
enum bound_kind { BOUND_NONE, BOUND_LESS, BOUND_AT_MOST, BOUND_EQUAL, BOUND_AT_LEAST, BOUND_MORE };
struct bound {
    enum bound_kind kind;
    uint64_t value;
};
bool bound_holds(struct bound bound, uint64_t value);

struct expect {
    enum expected_result result;
    struct bound checkpoints; /* completed ones */
    struct bound recoveries;
    struct bound recovery_time_ns; /* of each recovery, from the failure until caught up */
    bool all_fired;                /* a planned fault that never fires fails the run */
    uint64_t within_ns;            /* simulated time after which the run counts as stuck */
};

/* ---- the scenario ---------------------------------------------------------------------------- */

struct scenario {
    const char *name;
    const char *about;
    const char *path; /* the file it was read from; "" if none */
    uint64_t seed;
    struct job_config job;
    const char *input_path; /* INPUT_FILE: the file on this machine */
    struct cluster cluster;
    struct fault *faults;
    uint32_t fault_count;
    struct expect expect;
};

/* Flink's defaults where Flink has one; the count job over 100,000 generated records. The vertices
 * of a job are those of model/jobs/jobs.h. */
void scenario_init(struct scenario *scenario);

/* "crash", and the help line. */
const char *fault_verb_name(enum fault_verb verb);
const char *fault_verb_help(enum fault_verb verb);

/* One line for a person, such as `crash job_manager when checkpoint 3 checkpoint.all_acked`. */
void fault_describe(const struct scenario *scenario, const struct fault *fault, struct buffer *out);

/* The same as scenario grammar: `job_manager`, `machine of count[2]`, `link source->count`;
 * `checkpoint 3 task.acked(count[1]) #2`. */
void fault_object_format(const struct scenario *scenario, const struct fault_object *object,
                         struct buffer *out);
void fault_trigger_format(const struct scenario *scenario, const struct fault_trigger *trigger,
                          struct buffer *out);

#endif
