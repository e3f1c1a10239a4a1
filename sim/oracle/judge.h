/* judge.h - what the properties share: the oracle's memory, and how they report. Private to
 * sim/oracle.
 *
 * Each property is one file, property_NAME.c. oracle.c hands it the facts it asks for, and asks it
 * for its verdict at the end. The vertices are those of the job's pipeline; what lies where on the
 * SHARED volume is fixed here. The count job, which nearly all runs are of, is judged by code of
 * its own; the others by their references (job_reference.h). */
#ifndef FAULTLINE_SIM_ORACLE_JUDGE_H
#define FAULTLINE_SIM_ORACLE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/stream/pipeline.h"
#include "sim/oracle/checkpoint_history.h"
#include "sim/oracle/checkpoint_reader.h"
#include "sim/oracle/oracle.h"
#include "sim/oracle/reference.h"
#include "sim/oracle/stored.h"

#define JUDGE_COUNT_STATE "count" /* the name of the keyed state */

enum {
    JUDGE_VERTEX_SOURCE = 0, /* of every job */
    JUDGE_VERTEX_COUNT = 1,  /* of the count job */
    JUDGE_SOURCE_OPERATOR = 0,
    JUDGE_KEPT_PER_PROPERTY = 4, /* violations; later ones of the same property are not kept */
    JUDGE_PATH_SIZE = 160,
};

/* Where the reading of a split stood at a checkpoint. */
struct source_position {
    bool known;
    bool finished; /* nobody has it any more: it was read to its end; no numbers are set */
    uint64_t position;
    uint64_t records; /* emitted, bad ones included */
    uint64_t bad;
};

/* Property 3. */
struct cut_memory {
    struct source_position *positions; /* one a split: of the checkpoint in hand */
    /* Of the checkpoint in hand, or the last, by vertex and key group: at which parallelism its
     * subtask had finished, so that its state is not given any more; 0: it is given. */
    uint32_t *unstated;
    const uint32_t *restored; /* the same of the checkpoint restored last; NULL: it gives all */
    uint32_t key_groups;      /* of a vertex, in these arrays */
    uint32_t max_parallelism; /* of the checkpoint in hand, or the last */
    uint32_t mark;            /* of the verification in hand, or the last */
    uint64_t last_verified;   /* checkpoint id; 0: none */
    bool unread_since; /* a fault made one unreadable, and what it alone held is not known yet */
};

/* Property 8. */
struct liveness_memory {
    bool running;      /* the newest attempt runs, and no failure of it is known yet */
    bool ran;          /* the job failed while it did, and it was not tried to restart it */
    uint64_t since_ns; /* of running: when the job began to run or last completed a checkpoint */
    uint64_t long_gap_start_ns; /* the last time without a checkpoint that was too long */
    uint64_t long_gap_end_ns;   /* 0: there was none */
    const char *failure;        /* the text of job.failed; NULL: there was none */
};

/* At what parallelism the job runs, or is to run. */
struct parallelism_memory {
    uint32_t most;         /* that the scenario ever asks for */
    uint32_t deployed;     /* of the newest attempt */
    uint32_t deployed_max; /* its max_parallelism */
    uint32_t accepted;     /* at which every further attempt must be deployed */
    uint32_t accepted_max;
};

/* Property 9. */
struct deployment_memory {
    uint64_t attempt; /* the newest of which something was heard */
    bool *restored;   /* one a subtask of the job, by vertex and index */
    uint32_t restored_count;
    uint64_t unreadable; /* the checkpoint that is being restored, if it was damaged; 0: no */
};

/* Property 10: of the JobManager that leads now. */
struct restart_memory {
    uint32_t restarts;
    uint32_t tries;           /* to read a checkpoint, each followed by another try */
    uint64_t not_before_ns;   /* the next deployment */
    uint64_t times_ns[RESTART_FAILURES_REMEMBERED]; /* failure_rate: of the last restarts */
};

/* What property 11 knows of a checkpoint that is under way. */
struct under_way {
    uint64_t id;
    uint64_t triggered_ns;
};

/* Property 11. */
struct pace_memory {
    struct under_way *under_way; /* rising ids; at most a few more than max_concurrent */
    size_t count;
    size_t capacity;
    bool running;     /* the JobManager told the newest attempt to run, and knows of no failure */
    bool *ended;      /* one a subtask: has seen all its data in the newest attempt */
    uint32_t ended_count;
    uint64_t completed_ns; /* the last, by the JobManager that leads now; 0: none */
    uint32_t failures;     /* in a row */
    bool must_fail;        /* there were too many, and the job has not failed yet */
    uint64_t late_triggered_ns; /* the last one that was acknowledged after its timeout */
    uint64_t late_acked_ns;     /* 0: there was none */
};

/* Property 12. */
struct abandoned_memory {
    uint64_t failed_attempt; /* the newest */
    uint64_t aborted_ns; /* the last work on a checkpoint that was given up long before: when */
    uint64_t worked_ns;  /* 0: there was none */
    uint64_t id;
    uint32_t vertex;
    uint32_t subtask;
};

/* Property 13: one way between two subtasks; never removed. */
struct credit_channel {
    uint64_t sender; /* 0: the place is free */
    uint64_t receiver;
    uint32_t edge;
    uint32_t on_way; /* buffers sent and not consumed */
};

/* Open addressing, at most half full. */
struct credit_memory {
    struct credit_channel *channels;
    size_t count;
    size_t capacity; /* a power of two */
};

/* What property 14 knows of a TaskManager. */
struct heartbeat_peer {
    uint64_t address;  /* of the one that is registered; 0: none */
    uint64_t heard_ns; /* when the JobManager last heard of it, at the earliest ... */
    uint64_t heard_until_ns; /* ... and at the latest */
    uint64_t registering;
    uint64_t registering_ns;
};

/* Property 14. */
struct heartbeat_memory {
    uint64_t job_manager;         /* whose memory it is */
    struct heartbeat_peer *peers; /* one a TaskManager */
};

struct oracle {
    struct arena *arena;
    const struct scenario *scenario;
    const struct disk *shared;
    struct stored stored; /* the same, with what is in the database of a checkpoint store */
    uint64_t now_ns; /* never goes back */
    struct pipeline pipeline; /* of the job */
    struct reference reference;
    struct checkpoint_history history;
    struct cut_memory cut;
    struct liveness_memory liveness;
    struct parallelism_memory parallelism;
    struct deployment_memory deployment;
    struct restart_memory restart;
    struct pace_memory pace;
    struct abandoned_memory abandoned;
    struct credit_memory credit;
    struct heartbeat_memory heartbeat;
    struct buffer *final_states; /* property 1: one a key group, by vertex; NULL: none */
    bool reads_may_fail;       /* a fault makes calls fail that read the store */
    bool notes_may_fail;       /* ... or that write the job's record */
    bool clocks_go_wrong;      /* a fault does that: no time that the model measures is judged */
    uint64_t newest_triggered; /* property 4: the highest id so far */
    uint64_t deployed_attempt; /* property 7: the newest */
    bool is_taken_over;        /* property 5: a new JobManager leads, and restored nothing yet */
    uint64_t unnoted;          /* property 5: a checkpoint in memory that was in doubt when it was
                                * chosen: gone without a trace if its JobManager dies before it
                                * has deployed; 0: none */
    bool went_back;            /* property 5: an older checkpoint was restored, rightly or not */
    bool older_restored;       /* property 5: rightly: output may come twice from now on */
    const char **damaged;      /* paths that faults damaged or removed */
    size_t damaged_count;
    size_t damaged_capacity;
    struct violation violations[(PROPERTY_COUNT_PLUS_ONE - 1) * JUDGE_KEPT_PER_PROPERTY];
    uint32_t violation_count;
    uint32_t kept[PROPERTY_COUNT_PLUS_ONE];
    struct oracle_totals totals;
};

/* ---- oracle.c -------------------------------------------------------------------------------- */

/* Notes a violation of `property`, now. */
void judge_report(struct oracle *oracle, enum property property, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Did a fault damage the file `path`? Or the database that everything in the store is in? Or the
 * manifest of checkpoint `id`, under its name or the temporary one it had before? Or any file of
 * checkpoint `id`, or a shared one? */
bool judge_is_damaged(const struct oracle *oracle, const char *path);
bool judge_is_database_damaged(const struct oracle *oracle);
bool judge_is_manifest_damaged(const struct oracle *oracle, uint64_t id);
bool judge_is_checkpoint_damaged(const struct oracle *oracle, uint64_t id);

/* "checkpoints/chk-7/_metadata" */
void judge_manifest_path(char path[JUDGE_PATH_SIZE], uint64_t id);

/* Does `path` begin with "checkpoints/chk-N/"? Then `*id` is N and `*name` the rest. */
bool judge_parse_checkpoint_path(const char *path, uint64_t *id, const char **name);

/* Checkpoint `id` is complete, as reported or as found on the volume: notes it, and checks its
 * files and its state. `attempt` is used if no trigger was seen. */
void judge_on_complete(struct oracle *oracle, uint64_t id, uint64_t attempt);

/* The bytes of a part of a state: in the manifest, or in a file that property 6 has read. */
struct bytes judge_part_content(const struct oracle *oracle, const struct state_handle *part);

/* The place of a subtask in an array with one entry each, by vertex and index, and how long such an
 * array is, whatever the parallelism. */
uint32_t judge_subtask_place(const struct oracle *oracle, const struct fact *fact);
uint32_t judge_subtask_places(const struct oracle *oracle);

/* How many subtasks the newest attempt has. */
uint32_t judge_subtask_count(const struct oracle *oracle);

/* "source" or "count". Static storage. */
const char *judge_vertex_name(const struct oracle *oracle, uint32_t vertex);

/* ---- the properties -------------------------------------------------------------------------- */

/* 1: the job finished; the reference stands at the end of the input. */
void property_state_on_end(struct oracle *oracle);

/* 2. On the end the reference stands at the end of the input; `finished`: nothing may be missing,
 * else what is there must be right. */
void property_output_on_committed(struct oracle *oracle, const struct fact *fact);

/* A subtask was told that a checkpoint completed, or acted on it: not before it did. Within one
 * handler of the JobManager facts come in the order of its calls, so times are compared. */
void property_output_on_announced(struct oracle *oracle, const struct fact_event *event);
void property_output_on_end(struct oracle *oracle, bool finished);

/* Calls `each` for every committed output file, in commit order; `path` is borrowed for the call.
 * Returns the path of a file under output/ that has no name of a committed one (nor of a pending
 * one), in the oracle's arena, or NULL. */
typedef void (*output_file_function)(void *context, const char *path, struct bytes content);
const char *property_output_each_file(const struct oracle *oracle, output_file_function each,
                                      void *context);

/* The same for a job with a reference of its own; returns as property_output_each_file does. */
const char *property_lines_judge(struct oracle *oracle, bool finished);

/* 1 and 3 for such a job: the fold stands where the sources of checkpoint `id` did, `reader` at its
 * first subtask. Its final state; and the state that was found last, as lines. */
void property_states_verify(struct oracle *oracle, uint64_t id, struct checkpoint_reader reader);
void property_states_on_end(struct oracle *oracle);
void property_states_collect(const struct oracle *oracle, struct buffer *out);

/* 1 as well: the fold stands where the sources of a checkpoint did, `reader` at its first subtask;
 * the job finished; calls `each` for all lines of the final state (final_state.h), at most
 * FOLD_BATCH at a time. */
typedef void (*lines_function)(void *context, const struct bytes *lines, size_t count);
void property_final_state_note(struct oracle *oracle, struct checkpoint_reader reader);
void property_final_state_on_end(struct oracle *oracle);
void property_final_state_each(const struct oracle *oracle, lines_function each, void *context);

/* 3: checkpoint `id` has just completed, and its files are sound; one is about to be restored. */
void property_consistent_cut_init(struct oracle *oracle);
void property_consistent_cut_verify(struct oracle *oracle, uint64_t id);
void property_consistent_cut_on_chosen(struct oracle *oracle, const struct fact *fact);
void property_consistent_cut_on_finished(struct oracle *oracle, const struct fact *fact);

/* The same, of the checkpoint in hand or the last: had the subtask of `vertex` that owns keys of
 * this hash finished, so that its state is what it was when it was last given? */
bool judge_is_unstated(const struct oracle *oracle, uint32_t vertex, int32_t hash);

/* Of the same checkpoint: is all input before its source positions? */
bool judge_is_at_end(const struct oracle *oracle);

/* 3, of what belongs to no key, for a job with a reference of its own: the fold stands where the
 * sources of checkpoint `id` did, `reader` at its first subtask. 9, for any job: what a subtask was
 * given of it at a restore. */
void property_operator_state_verify(struct oracle *oracle, uint64_t id,
                                    struct checkpoint_reader reader);
void property_operator_state_on_restored(struct oracle *oracle, const struct fact *fact);

/* 4 */
void property_checkpoint_ids_on_fact(struct oracle *oracle, const struct fact *fact);

/* 5: a new JobManager leads; it has deployed; a checkpoint is about to be restored; the job has
 * failed. */
void property_newest_restored_on_deployed(struct oracle *oracle);
void property_newest_restored_on_take_over(struct oracle *oracle);
void property_newest_restored_on_chosen(struct oracle *oracle, const struct fact *fact);
void property_newest_restored_on_failed(struct oracle *oracle, const struct fact *fact);

/* 6. Checks the files of every checkpoint that must be there; true if those of `id` can be read.
 * On the end, of a finished job, also that no other file is there. None is subsumed that is among
 * those that are retained. */
bool property_files_on_complete(struct oracle *oracle, uint64_t id);
void property_files_on_end(struct oracle *oracle, bool finished);
void property_files_on_subsumed(struct oracle *oracle, const struct fact *fact);

/* Can a restore of checkpoint `id` succeed, as its files are now? */
bool property_files_is_readable(const struct oracle *oracle, uint64_t id);

/* 7 */
void property_fencing_on_fact(struct oracle *oracle, const struct fact *fact);

/* 9 */
void property_deployment_init(struct oracle *oracle);
/* Another parallelism was accepted. */
void property_deployment_on_rescale(struct oracle *oracle, const struct fact *fact);

/* A checkpoint is about to be restored. */
void property_deployment_on_chosen(struct oracle *oracle, const struct fact *fact);
void property_deployment_on_fact(struct oracle *oracle, const struct fact *fact);

/* 10 */
void property_restarts_on_fact(struct oracle *oracle, const struct fact_event *event);

/* 11 */
void property_pace_init(struct oracle *oracle);
void property_pace_on_fact(struct oracle *oracle, const struct fact_event *event);
void property_pace_on_end(struct oracle *oracle, uint64_t last_fault_ns);

/* 12 */
void property_abandoned_on_fact(struct oracle *oracle, const struct fact_event *event);
void property_abandoned_on_end(struct oracle *oracle, uint64_t last_fault_ns);

/* 13 */
void property_credit_init(struct oracle *oracle);
void property_credit_on_event(struct oracle *oracle, const struct credit_event *event);

/* 14 */
void property_heartbeat_init(struct oracle *oracle);
void property_heartbeat_on_event(struct oracle *oracle, const struct heartbeat_event *event);
void property_heartbeat_on_fact(struct oracle *oracle, const struct fact_event *event);

/* 8 */
void property_liveness_on_fact(struct oracle *oracle, const struct fact *fact);
void property_liveness_on_end(struct oracle *oracle, enum outcome outcome, uint64_t last_fault_ns);

#endif
