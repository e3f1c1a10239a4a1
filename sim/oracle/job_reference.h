/* job_reference.h - what each ready-made job must answer: a plain fold over the input, with no
 * stream processor in it and no code of the job's.
 *
 * One table entry a job. The count job has none: it is judged by code of its own (reference.c,
 * property_output.c), because nearly all runs are its, and it must be fast. What a reference
 * compares is the most that does not depend on which subtask was faster:
 *
 *   known lines   the lines are known, in any order (q1, q3, q8; windows and sessions if no record
 *                 is late)
 *   counting      each key's lines count 1, 2, 3 ... (wordcount, distinct)
 *   adding        each key's lines add up (q12, pairs, rules; windows if records may be late, with
 * the late ones)
 *
 * and running, where each key's sums must be those of some order of its values.
 *
 * A state rule compares what a state holds in each checkpoint with the fold up to its source
 * positions, an operator rule what belongs to no key. For a state without a rule only source
 * positions and files are verified. */
#ifndef FAULTLINE_SIM_ORACLE_JOB_REFERENCE_H
#define FAULTLINE_SIM_ORACLE_JOB_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/stream/operator_state.h"
#include "sim/oracle/fold_table.h"
#include "sim/oracle/line_judge.h"

enum { JOB_TABLES = 3 };

struct recording;

/* A fold under way. */
struct job_fold {
    const struct job_reference *job;
    struct arena *arena;
    uint32_t split_count;
    struct fold_table tables[JOB_TABLES]; /* what each is for, its job's reference says */
    struct recording *recording; /* of recorded_reference; else NULL */
    void *memory; /* what else that remembers; NULL before the first record */
};

/* What one state of the job holds: of each key of a table with folded[0] > 0 the numbers `first` to
 * `first + count - 1`, as 64-bit integers one behind the other. */
struct state_rule {
    const char *vertex;
    const char *state;
    uint32_t table;
    uint32_t first;
    uint32_t count;
    bool text_keys; /* keys are texts; else 64-bit integers */
    /* At least once: is what was found what the fold has, or more? NULL: nothing can be said. */
    bool (*covers)(const int64_t *folded, const int64_t *found);
};

/* What one operator state of the job holds. Broadcast: in the copy of each subtask, of each key of
 * a table with folded[0] > 0 the number `number`, as a 64-bit integer. Union: of all items
 * together, each a 64-bit integer behind `skipped_bytes`, the sum is that number of the table's
 * entry `key`; or nothing, once all input was read and it was told. */
struct operator_rule {
    const char *vertex;
    const char *state;
    enum operator_state_mode mode;
    uint32_t table;
    uint32_t number;
    const char *key;
    uint32_t skipped_bytes;
};

struct job_reference {
    const char *job; /* its name in model/jobs/jobs.h */
    /* Folds one record of the input; each split's come in their order. False: it is no record. */
    bool (*fold)(struct job_fold *fold, uint32_t split, struct bytes record);
    /* The whole input is folded: makes ready for the lines. May be NULL. */
    void (*finish)(struct job_fold *fold);
    /* One committed line, in commit order; then, once, their end. */
    void (*line)(struct job_fold *fold, struct line_judge *judge, struct bytes line);
    void (*end)(struct job_fold *fold, struct line_judge *judge);
    /* The whole input is folded: the lines of the final state, as final_state.h writes them, as
     * known_lines_expect has them. NULL: they are not known. May be NULL: they never are. */
    struct fold_table *(*final_state)(struct job_fold *fold);
    const struct state_rule *rules;
    uint32_t rule_count;
    const struct operator_rule *operator_rules;
    uint32_t operator_rule_count;
};

/* NULL for the count job, and for one without a reference. */
const struct job_reference *job_reference_find(const char *job);

/* Has the oracle a reference for this job? */
bool job_reference_exists(const char *job);

/* Nothing folded yet; memory from `arena`. */
void job_fold_init(struct job_fold *fold, const struct job_reference *job, struct arena *arena,
                   uint32_t split_count);

/* Back to a fold over nothing; the tables keep their keys. */
void job_fold_rewind(struct job_fold *fold);

/* ---- for the references ---------------------------------------------------------------------- */

/* A 64-bit integer as a key. */
struct fold_key {
    uint8_t room[16];
};
struct bytes fold_key_i64(struct fold_key *key, int64_t value);
struct bytes fold_key_pair(struct fold_key *key, int64_t first, int64_t second);

/* A line cut at `separator` into at most `limit` fields; returns how many there are, which may be
 * more than were stored. */
uint32_t fields_of(struct bytes line, char separator, struct bytes *fields, uint32_t limit);

/* Reads `KEY : REST`; the separator is the last " : ". False if there is none. */
bool split_line(struct bytes line, struct bytes *key, struct bytes *rest);

/* Any number that counts is as high as in the fold, or higher. */
bool covers_count(const int64_t *folded, const int64_t *found);

/* Of a job of the user's own: recording.h. It is not among those that are found by name. */
extern const struct job_reference recorded_reference;

extern const struct job_reference running_reference;
extern const struct job_reference distinct_reference;
extern const struct job_reference pairs_reference;
extern const struct job_reference rules_reference;
extern const struct job_reference wordcount_reference;
extern const struct job_reference windows_reference;
extern const struct job_reference sessions_reference;
extern const struct job_reference q1_reference;
extern const struct job_reference q3_reference;
extern const struct job_reference q8_reference;
extern const struct job_reference q12_reference;

#endif
