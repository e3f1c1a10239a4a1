/* store_trial.h - a JobManager and a TaskManager that take, commit, abort and discard checkpoints
 * until a power cut, and a judge of what a JobManager on another machine then finds.
 *
 * The calls under test stand in a table, so that a variant of one can be tried: the same judge must
 * find its error. */
#ifndef FAULTLINE_TESTS_STORE_TRIAL_H
#define FAULTLINE_TESTS_STORE_TRIAL_H

#include "model/checkpoint/store_files.h"
#include "tests/support/disk_host.h"

enum {
    ID_MAX = 24,
    SUBTASKS = 2,
    CALLS_MAX = 1000, /* more than any life has */
};

/* Of what may be found wrong, what a variant is expected to do wrong. */
extern const char manifest_missing[];
extern const char manifest_damaged[];
extern const char state_damaged[];
extern const char list_forgets[];
extern const char comes_back[];

/* The calls under test; a variant replaces one by a wrong one. */
struct store_calls {
    enum status (*seal)(struct host *, const char *path, file_id);
    enum status (*adopt)(struct host *, const char *draft, const char *path);
    enum status (*commit)(struct store *, uint64_t id, uint64_t attempt, struct bytes);
    enum status (*list)(struct store *, struct arena *, uint64_t **ids, size_t *count);
    enum status (*discard)(struct store *, uint64_t id);
};

extern const struct store_calls right_calls;

/* What the world outside the store knows about a checkpoint. */
struct trial_record {
    bool is_commit_begun;
    bool is_committed;
    bool is_discard_begun;
    bool is_discarded;
    bool is_listed; /* by the last store_list */
};

struct trial {
    const struct store_calls *calls;
    enum store_kind kind;
    struct arena arena;
    struct disk *disk;
    struct prng prng;
    struct trial_record records[ID_MAX];
    uint64_t next_id;
    uint64_t attempt; /* each life is one */
};

/* What happens to the world, and when. */
enum scene {
    ONE_MACHINE,     /* JobManager and TaskManager share one, which is cut */
    CUT_JOB_MANAGER, /* each has its own */
    CUT_TASK_MANAGER,
    CUT_BOTH,       /* at a call of the JobManager */
    CRASH_THEN_CUT, /* the JobManager's process dies; its machine, after the first list */
    SCENES
};

struct cut {
    enum scene scene;
    uint64_t call;
    bool has_effect;
    enum disk_survival survival;
    uint64_t seed;
};

void trial_init(struct trial *trial, enum store_kind kind, const struct store_calls *calls,
                uint64_t seed);

/* The first life, up to the cut. False if the call that should be cut never came. */
bool trial_live_until(struct trial *trial, const struct cut *cut, struct disk_host *job_manager,
                      struct disk_host *task_manager);

/* The next life of the JobManager, on one machine with its TaskManager: judge, clean, work on.
 * NULL, or what is wrong; `*status` is HALTED if the host died meanwhile. */
const char *trial_recover(struct trial *trial, struct host *host, enum status *status);

/* Cuts each scene at each call; NULL, or what was found wrong first, and by which cut. */
const char *trial_everything(enum store_kind kind, const struct store_calls *calls,
                             struct cut *cut);

/* The name of a subtask's state; and the state itself, given to a store that the JobManager alone
 * reaches. */
void trial_state_name(char name[16], uint32_t index);
void trial_carry_state(struct store *store, uint64_t id, uint32_t index);

#endif
