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
#include "model/host.h"
#include "model/runtime/job_config.h"
#include "model/trace.h"
#include "sim/input/input.h"
#include "sim/world/disk.h"

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
        uint64_t write_bytes_per_s; /* shared by all machines; 0: no limit */
        uint64_t read_bytes_per_s;
        uint64_t client_write_bytes_per_s; /* of each actor's own connection; 0: no limit */
        uint64_t client_read_bytes_per_s;
        uint64_t writers;    /* uploads that it serves at one time; 0: no limit */
        uint64_t latency_ns; /* of every call */
        uint64_t sync_ns;    /* of a call that syncs a file or a directory, besides */
        uint64_t remove_ns;  /* of a file or a directory that goes, besides */
    } store;                 /* the SHARED volume */
    struct {
        uint64_t record_ns;
        uint64_t snapshot_bytes_per_s;
        uint64_t state_ns;   /* for each row of a state backend on disk */
        uint64_t message_ns; /* for each message that an actor takes */
    } cpu;
};

/* ---- faults ---------------------------------------------------------------------------------- */

/* FAULT_VERB(identifier, "name", "help"): what can be done. */
#define FAULT_VERB_LIST(FAULT_VERB)                                                                \
    FAULT_VERB(CRASH, "crash",                                                                     \
               "kill a process, or cut the power of a machine; it returns after `for`")            \
    FAULT_VERB(PAUSE, "pause", "a process does nothing for `for`, then goes on: a zombie if long") \
    FAULT_VERB(DELAY, "delay",                                                                     \
               "every message of a link arrives `by` (and up to `jitter`) later, for `for`")       \
    FAULT_VERB(CORRUPT, "corrupt", "flip one bit in the middle of every matching file")            \
    FAULT_VERB(REMOVE, "remove", "delete every matching file behind the model's back")             \
    FAULT_VERB(TRUNCATE, "truncate", "cut every matching file down to `size`")                     \
    FAULT_VERB(WIPE, "wipe",                                                                       \
               "cut a machine's power; after `for` it returns with an empty LOCAL disk")           \
    FAULT_VERB(SLOW, "slow",                                                                       \
               "a process computes, or a disk or the store answers, `factor` times as slowly")     \
    FAULT_VERB(THROW, "throw", "user code of a subtask fails: the next `count` calls `in` it")     \
    FAULT_VERB(LATE, "late", "every timer that a process sets goes off `by` later")                \
    FAULT_VERB(CLOCK, "clock",                                                                     \
               "a machine's clock jumps `by` (\"-2s\": it stands still so long) or has a `drift`") \
    FAULT_VERB(THROTTLE, "throttle", "messages share the `bandwidth` given, in each direction")    \
    FAULT_VERB(CLOG, "clog", "messages are held until the end, both ways or in one `direction`")   \
    FAULT_VERB(PARTITION, "partition",                                                             \
               "messages between the `groups`, or of one process, are held until the end")         \
    FAULT_VERB(SWIZZLE, "swizzle",                                                                 \
               "clog a random half of the processes one by one, free them in another order")       \
    FAULT_VERB(RESET, "reset",                                                                     \
               "connections break: what is on its way is lost, and both ends are told")            \
    FAULT_VERB(DUPLICATE, "duplicate", "every control message arrives a second time, `by` later")  \
    FAULT_VERB(STALL, "stall", "storage calls are answered when `for` is over")                    \
    FAULT_VERB(FULL, "full", "calls that need space answer that there is none")                    \
    FAULT_VERB(IO_ERROR, "io_error",                                                               \
               "storage `calls` fail with no effect: for `for`, or the next `count` of them")      \
    FAULT_VERB(AMBIGUOUS, "ambiguous", "storage `calls` take effect, and answer that they failed") \
    FAULT_VERB(LIE, "lie", "syncs answer that all is durable, and make nothing so")                \
    FAULT_VERB(HOT_KEY, "hot_key", "every generated record that is due meanwhile has one key")     \
    FAULT_VERB(BURST, "burst", "generated records become due `factor` times as fast")              \
    FAULT_VERB(POISON, "poison", "the generated record that is due then is no number")             \
    FAULT_VERB(RESCALE, "rescale", "no fault: the job is asked to go on with another `parallelism`")

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
    OBJECT_TASK,       /* the process that runs subtask `index` of vertex `vertex` */
    OBJECT_LINK,       /* the edge from `vertex` to `vertex_to` */
    OBJECT_FILE,       /* files of the SHARED volume that match `glob` */
    OBJECT_CONNECTION, /* between the processes `first` and `other` */
    OBJECT_NETWORK,    /* all of it */
    OBJECT_STORE,      /* the SHARED volume, whoever uses it */
    OBJECT_INPUT,      /* the generated records */
    OBJECT_JOB,        /* all of it */
};

/* What of a process is meant, if not the process itself: "disk of X". */
enum fault_part {
    PART_PROCESS,
    PART_NETWORK, /* every connection of it */
    PART_DISK,    /* the LOCAL volume of its machine */
    PART_STORE,   /* the SHARED volume as this process sees it */
};

/* One end of a connection: JOB_MANAGER, TASK_MANAGER, ALL_TASK_MANAGERS or TASK. */
struct fault_peer {
    enum fault_object_kind kind;
    uint32_t index;
    uint32_t vertex;
};

struct fault_object {
    enum fault_object_kind kind;
    bool machine; /* "machine of ...": the process's machine instead of the process */
    enum fault_part part;
    uint32_t index;
    uint32_t vertex;
    uint32_t vertex_to;
    const char *glob;
    struct fault_peer first;
    struct fault_peer other;
};

/* Every trigger of a scenario file becomes one or more of these when it is read. */
enum fault_trigger_kind { TRIGGER_AT, TRIGGER_WHEN };

struct fault_trigger {
    enum fault_trigger_kind kind;
    uint64_t at_ns;      /* TRIGGER_AT */
    enum fact_kind fact; /* TRIGGER_WHEN, with the filters that follow */
    uint64_t checkpoint; /* 0: any */
    uint32_t vertex;     /* FACT_NO_TASK: any */
    uint32_t subtask;    /* FACT_NO_TASK: any */
    uint32_t occurrence; /* the n-th match, from 1 */
    uint64_t after_ns;   /* TRIGGER_WHEN: the fault comes this long after the fact */
};

/* DIRECTION_OUT: from the process, or from the first one named to the second. */
enum fault_direction { DIRECTION_BOTH, DIRECTION_OUT, DIRECTION_IN };

/* Which processes can talk to which: those of one group. */
struct fault_groups {
    const char *text;          /* "job_manager, task_manager[0] | task_manager[1]" */
    const uint8_t *of_process; /* by process; those not named are group 0 */
};

struct fault {
    struct fault_trigger trigger;
    enum fault_verb verb;
    struct fault_object object;
    uint64_t for_ns;             /* the verbs that last; 0 for io_error and its like: no end */
    bool for_ever;               /* `"for": "ever"`: never comes back */
    uint64_t by_ns;              /* delay, late, duplicate, clock */
    bool backwards;              /* clock: by_ns and drift_ppm are negative */
    uint32_t drift_ppm;          /* clock */
    uint64_t jitter_ns;          /* delay: 0..jitter_ns more, drawn for each message */
    enum disk_survival unsynced; /* crash of a machine */
    uint64_t factor_ppm;         /* slow, burst: millionths */
    uint64_t bandwidth_bytes_per_s; /* throttle */
    enum fault_direction direction; /* clog, partition of one process */
    uint32_t calls;                 /* io_error, ambiguous: bits of enum host_storage_call */
    uint32_t count;                 /* io_error, ambiguous, lie, throw: so often; 0: no limit */
    enum host_user_call in;         /* throw */
    uint64_t size_bytes;            /* truncate */
    uint32_t parallelism;           /* rescale */
    uint32_t max_parallelism;       /* rescale; 0: as it is */
    const struct fault_groups *groups; /* partition of the network */
};

/* ---- what is expected ------------------------------------------------------------------------ */

/* SAME_OR_FAILED allows every end that is said: also that the restart strategy is exhausted. */
enum expected_result {
    EXPECT_SAME,
    EXPECT_SAME_OR_REFUSED,
    EXPECT_REFUSED,
    EXPECT_FAILED,
    EXPECT_SAME_OR_FAILED,
};

/* `value OP bound`; an unset bound holds always. */
enum bound_kind { BOUND_NONE, BOUND_LESS, BOUND_AT_MOST, BOUND_EQUAL, BOUND_AT_LEAST, BOUND_MORE };
struct bound {
    enum bound_kind kind;
    uint64_t value;
};
bool bound_holds(struct bound bound, uint64_t value);

struct expect {
    enum expected_result result; /* if not given: what the faults allow (fault_consequences.h) */
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
    const char *input_path; /* INPUT_FILE: the file, directory or database on this machine; "-" */
    struct input_shape input_shape;
    const char *library_path; /* of a job of the user's own; NULL: it is a ready-made one */
    const struct job_info *library; /* what was loaded from there */
    struct cluster cluster;
    struct fault *faults;
    uint32_t fault_count;
    struct expect expect;
    uint32_t plots; /* the figures to draw, as bits of enum figure_choice; 0: all */
};

struct job_info;

/* The job that the scenario runs. */
const struct job_info *scenario_job(const struct scenario *scenario);

/* Flink's defaults where Flink has one; the count job over 100,000 generated records. The vertices
 * of a job are those of model/jobs/jobs.h. */
void scenario_init(struct scenario *scenario);

/* Drops the bounds on checkpoints and recoveries: they belong to the scenario's own faults, and a
 * campaign brings others. What the result must be stays. */
void scenario_drop_bounds(struct scenario *scenario);

/* The highest parallelism that the job ever has: its own, or one that it is rescaled to. */
uint32_t scenario_parallelism_max(const struct scenario *scenario);

/* "crash", and the help line. */
const char *fault_verb_name(enum fault_verb verb);
const char *fault_verb_help(enum fault_verb verb);

/* One line for a person, such as `crash job_manager when checkpoint 3 checkpoint.all_acked`. */
void fault_describe(const struct scenario *scenario, const struct fault *fault, struct buffer *out);

/* What of that tells the parameters: ` by 50ms`. */
void fault_parameters_describe(const struct fault *fault, struct buffer *out);

/* The same as scenario grammar: `job_manager`, `machine of count[2]`, `link source->count`;
 * `checkpoint 3 task.acked(count[1]) #2`. */
void fault_object_format(const struct scenario *scenario, const struct fault_object *object,
                         struct buffer *out);
void fault_trigger_format(const struct scenario *scenario, const struct fault_trigger *trigger,
                          struct buffer *out);

#endif
