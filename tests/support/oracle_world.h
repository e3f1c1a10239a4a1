/* oracle_world.h - false runs for the oracle: facts told by hand, and a SHARED volume written by
 * hand. What the helpers write is right; a test makes one thing wrong.
 *
 * The job is `count` with two subtasks a vertex over a file of 40 lines, each one digit and a line
 * feed, so that 20 lines belong to each source and position = 2 * line. */
#ifndef FAULTLINE_TESTS_ORACLE_WORLD_H
#define FAULTLINE_TESTS_ORACLE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "sim/oracle/oracle.h"
#include "sim/scenario/scenario.h"
#include "sim/world/disk.h"

enum { ORACLE_PARALLELISM = 2, ORACLE_LINES_EACH = 20, ORACLE_KEYS = 10 };

#define ORACLE_SECOND UINT64_C(1000000000)

/* Where the sources stand, and the counts that belong to it. */
/* How the state of a count subtask lies on the volume. */
enum oracle_layers {
    ORACLE_WHOLE,
    ORACLE_TWO_PARTS,  /* shared files of checkpoint 1 and of this one: a state that was smaller and
                        * had one key more, and what changed since */
    ORACLE_NO_REMOVAL, /* the same, but the removal of that key is forgotten */
    ORACLE_GAP,        /* the same, but the second part follows another first one */
    ORACLE_FUTURE,     /* the same, but the second part is of a later checkpoint */
};

struct oracle_cut {
    uint64_t lines[ORACLE_PARALLELISM];
    int64_t counts[ORACLE_KEYS];
    bool source_finished[ORACLE_PARALLELISM];
    bool count_finished[ORACLE_PARALLELISM]; /* gives no state any more */
    int64_t extra_key;                       /* not 0: the state holds it too, counted once */
    int64_t extra_more;                      /* so many keys behind it likewise */
    bool inline_state;                       /* in the manifest instead of in files */
    enum oracle_layers layers;
    bool swapped_counts;                     /* each count subtask holds the other's keys */
    struct bytes operators[ORACLE_PARALLELISM]; /* what operators of the count subtasks hold */
    int64_t position_off; /* what source 0 gives beyond the right numbers, and beside the lines */
    int64_t records_off;
    int64_t bad_off;
};

struct oracle_world {
    struct arena arena;
    struct disk *disk;
    struct scenario scenario;
    struct oracle *oracle;
    uint64_t now_ns;
    uint64_t attempt;
    bool is_live;                /* of the store `memory` the bytes are not shown */
    struct oracle_cut committed; /* what the output holds */
    /* May be changed until oracle_world_start; a line that is no digit is bad. */
    uint8_t input[2 * ORACLE_PARALLELISM * ORACLE_LINES_EACH];
};

/* A scenario that expects `same`, exactly once, one checkpoint retained, one a second. It may be
 * changed until oracle_world_start. */
void oracle_world_init(struct oracle_world *world);
void oracle_world_free(struct oracle_world *world);

/* Makes the oracle; attempt 1 is deployed from nothing and runs. */
void oracle_world_start(struct oracle_world *world);

/* The right cut after so many lines of each source. */
struct oracle_cut oracle_cut_at(const struct oracle_world *world, uint64_t lines0, uint64_t lines1);

/* Tells one fact, of the world's attempt, after 10 ms. */
void oracle_tell(struct oracle_world *world, enum fact_kind kind, uint64_t checkpoint);
void oracle_tell_of(struct oracle_world *world, enum fact_kind kind, uint64_t attempt,
                    uint64_t checkpoint);

/* The same with the values of the fact. */
void oracle_tell_values(struct oracle_world *world, enum fact_kind kind, uint64_t value0,
                        uint64_t value1);

/* The same of a subtask, at once; of the JobManager, with a value and a text; and that every
 * subtask of the attempt is restored. */
void oracle_tell_task(struct oracle_world *world, enum fact_kind kind, uint32_t vertex,
                      uint32_t subtask, uint64_t checkpoint);
void oracle_tell_why(struct oracle_world *world, enum fact_kind kind, uint64_t checkpoint,
                     uint64_t value, const char *why);
void oracle_restore_subtasks(struct oracle_world *world);

/* Time passes. */
void oracle_wait(struct oracle_world *world, uint64_t duration_ns);

/* Steps of a checkpoint: the facts up to all acks; the files; the facts of the commit. */
void oracle_trigger(struct oracle_world *world, uint64_t id);
void oracle_write_checkpoint(struct oracle_world *world, uint64_t id, const struct oracle_cut *cut);
void oracle_complete(struct oracle_world *world, uint64_t id);

/* The sinks make visible what lies between the committed output and `cut`. */
void oracle_commit(struct oracle_world *world, uint64_t id, const struct oracle_cut *cut);

/* A whole right checkpoint, `id` seconds after the start or later, that replaces number
 * `id - retained`. */
void oracle_checkpoint(struct oracle_world *world, uint64_t id, uint64_t lines0, uint64_t lines1);

/* Starts, and takes right checkpoints 1 to `count`, two lines of each source apart. */
void oracle_run_checkpoints(struct oracle_world *world, uint64_t count);

/* A failure, and a restart that restores `checkpoint`. */
void oracle_restart(struct oracle_world *world, uint64_t checkpoint);

/* The end. oracle_finish tells job.finished first; before that oracle_finish_right takes checkpoint
 * `id`, of all the lines. */
void oracle_finish(struct oracle_world *world);
void oracle_finish_right(struct oracle_world *world, uint64_t id);
void oracle_end(struct oracle_world *world, enum outcome outcome);

/* Files of the volume. oracle_path formats into the world's memory. */
const char *oracle_path(struct oracle_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void oracle_write_file(struct oracle_world *world, const char *path, const char *text);
void oracle_copy_file(struct oracle_world *world, const char *from, const char *to);
void oracle_remove_file(struct oracle_world *world, const char *path);
void oracle_discard(struct oracle_world *world, uint64_t id);

/* The job's record names `id` as the newest completed checkpoint. */
void oracle_note_completed(struct oracle_world *world, uint64_t id);

/* How many violations of `property`; of any property. */
uint32_t oracle_found(const struct oracle_world *world, enum property property);
uint32_t oracle_found_any(const struct oracle_world *world);

/* Does the message of some violation of `property` contain `text`? */
bool oracle_says(const struct oracle_world *world, enum property property, const char *text);

#endif
