/* judge.h - what the properties share: the oracle's memory, and how they report. Private to
 * sim/oracle.
 *
 * Each property is one file, property_NAME.c. oracle.c hands it the facts it asks for, and asks it
 * for its verdict at the end. The vertices of the count job, and what lies where on the SHARED
 * volume, are fixed here. */
#ifndef FAULTLINE_SIM_ORACLE_JUDGE_H
#define FAULTLINE_SIM_ORACLE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/oracle/checkpoint_history.h"
#include "sim/oracle/checkpoint_reader.h"
#include "sim/oracle/oracle.h"
#include "sim/oracle/reference.h"

#define JUDGE_COUNT_STATE "count" /* the name of the keyed state */

enum {
    JUDGE_VERTEX_SOURCE = 0,
    JUDGE_VERTEX_COUNT = 1,
    JUDGE_VERTICES = 2,
    JUDGE_SOURCE_OPERATOR = 0,
    JUDGE_KEPT_PER_PROPERTY = 4, /* violations; later ones of the same property are not kept */
    JUDGE_PATH_SIZE = 160,
};

/* Where a source stood at a checkpoint. */
struct source_position {
    bool known;
    bool finished; /* at the end of its split; the numbers below are not set */
    uint64_t position;
    uint64_t records; /* emitted, bad ones included */
    uint64_t bad;
};

/* Property 3. */
struct cut_memory {
    struct source_position *positions; /* one a source subtask: of the checkpoint in hand */
    bool *counts_finished;             /* one a count subtask: finished, its state not given */
    uint32_t mark;                     /* of the verification in hand, or the last */
    uint64_t last_verified;            /* checkpoint id; 0: none */
    bool unread_since; /* a fault made one unreadable, and what it alone held is not known yet */
};

/* Property 8. */
struct liveness_memory {
    bool running;      /* the newest attempt runs, and no failure of it is known yet */
    uint64_t since_ns; /* of running: when the job began to run or last completed a checkpoint */
    uint64_t long_gap_start_ns; /* the last time without a checkpoint that was too long */
    uint64_t long_gap_end_ns;   /* 0: there was none */
    const char *failure;        /* the text of job.failed; NULL: there was none */
};

struct oracle {
    struct arena *arena;
    const struct scenario *scenario;
    const struct disk *shared;
    uint64_t now_ns; /* never goes back */
    struct reference reference;
    struct checkpoint_history history;
    struct cut_memory cut;
    struct liveness_memory liveness;
    uint64_t newest_triggered; /* property 4: the highest id so far */
    uint64_t deployed_attempt; /* property 7: the newest */
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

/* Did a fault damage the file `path`? Or the manifest of checkpoint `id`, under its name or the
 * temporary one it had before? Or any file of checkpoint `id`, or a shared one? */
bool judge_is_damaged(const struct oracle *oracle, const char *path);
bool judge_is_manifest_damaged(const struct oracle *oracle, uint64_t id);
bool judge_is_checkpoint_damaged(const struct oracle *oracle, uint64_t id);

/* "checkpoints/chk-7/_metadata" */
void judge_manifest_path(char path[JUDGE_PATH_SIZE], uint64_t id);

/* Does `path` begin with "checkpoints/chk-N/"? Then `*id` is N and `*name` the rest. */
bool judge_parse_checkpoint_path(const char *path, uint64_t *id, const char **name);

/* Checkpoint `id` is complete, as reported or as found on the volume: notes it, and checks its
 * files and its state. `attempt` is used if no trigger was seen. */
void judge_on_complete(struct oracle *oracle, uint64_t id, uint64_t attempt);

/* "source" or "count". Static storage. */
const char *judge_vertex_name(uint32_t vertex);

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

/* 3: checkpoint `id` has just completed, and its files are sound. */
void property_consistent_cut_verify(struct oracle *oracle, uint64_t id);

/* 4 */
void property_checkpoint_ids_on_fact(struct oracle *oracle, const struct fact *fact);

/* 5 */
void property_newest_restored_on_chosen(struct oracle *oracle, const struct fact *fact);

/* 6. Checks the files of every checkpoint that must be there; true if those of `id` can be read.
 * On the end, of a finished job, also that no other file is there. */
bool property_files_on_complete(struct oracle *oracle, uint64_t id);
void property_files_on_end(struct oracle *oracle, bool finished);

/* 7 */
void property_fencing_on_fact(struct oracle *oracle, const struct fact *fact);

/* 8 */
void property_liveness_on_fact(struct oracle *oracle, const struct fact *fact);
void property_liveness_on_end(struct oracle *oracle, enum outcome outcome, uint64_t last_fault_ns);

#endif
