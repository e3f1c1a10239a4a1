/* predict_run.h - what the models of reports/predict.h say about a scenario: its costs as their
 * input, and what runs of it measure beside their output.
 *
 * The models are told what the scenario says (tasks, rates, store, heartbeats, restarts) and how
 * the code uses the store (the round trips of a checkpoint and of a restart, counted). How much
 * state there is only a run can tell: the scenario is run once without its faults, which also
 * measures period, duration and stop of its checkpoints. If it has faults it is run with them too,
 * which measures its recoveries; as runs repeat exactly, these are the numbers of its last run. */
#ifndef FAULTLINE_SIM_PREDICT_RUN_H
#define FAULTLINE_SIM_PREDICT_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "reports/predict.h"
#include "sim/campaign/run.h"
#include "sim/command/options.h"
#include "sim/scenario/scenario.h"

/* How a failure shows, and so how long it takes to be noticed and repaired. */
enum failure_kind {
    FAILURE_PROCESS,             /* of a TaskManager: its connections break at once */
    FAILURE_SILENT,              /* a TaskManager says nothing any more: no power, or paused */
    FAILURE_JOB_MANAGER,         /* its process: TaskManagers notice at once */
    FAILURE_JOB_MANAGER_MACHINE, /* its machine: TaskManagers hear nothing any more */
    FAILURE_OTHER,               /* a fault that the models know nothing of */
};

/* From a failure until the job runs again, as far as it can be computed. */
struct failure_model {
    enum failure_kind kind;
    double detection_s;
    double restart_s; /* all up to running again, but reading the state */
};

/* A recovery of the scenario's run, beside the model of its cause. */
struct predicted_recovery {
    const char *cause;
    struct failure_model model; /* kind FAILURE_OTHER: no numbers */
    double model_recovery_s;    /* mean over the age of the last checkpoint */
    double downtime_s;          /* measured: until the job ran again; 0: it never did */
    double recovery_s;          /* measured: until it had caught up; 0: it never had */
};

/* Round trips to the checkpoint store, one after the other; of them those that sync; and how many
 * things are gone after them. */
struct predict_trips {
    double calls;
    double syncs;
    double removes;
};

/* Those of each step; all 0: none. */
struct predict_store {
    struct predict_trips begin;  /* a checkpoint */
    struct predict_trips upload; /* a task's state */
    struct predict_trips commit;
    struct predict_trips discard; /* a completed checkpoint */
    struct predict_trips give_up; /* one that a failure cut short */
    struct predict_trips open;    /* for a new JobManager */
    struct predict_trips choose;  /* and read, what is restored */
    struct predict_trips fetch;   /* a task's state */
};

struct prediction {
    const struct scenario *scenario;
    struct predict_input input; /* for `assumed` */
    struct predict_output output;
    struct failure_model assumed; /* the failure that `input` is about */
    bool is_of_scenario;          /* it is one of the scenario's faults */
    uint32_t state_task_count;    /* of the tasks: those with keyed state */
    uint32_t checkpoint_calls;    /* round trips to the store, one after the other */
    uint32_t restart_calls;
    struct predict_store store;
    bool uploads;            /* state goes to files, not into the manifest */
    uint64_t probe_ns;       /* simulated duration of the run without faults */
    size_t checkpoint_count; /* measured ones */
    struct predicted_recovery *recoveries;
    size_t recovery_count;
};

/* What the user states. */
struct predict_wish {
    double failure_rate;     /* per second; 0: none is stated */
    double recovery_limit_s; /* 0: none is stated */
};

/* Reads "3/day", "1/h", "0.075/min", "2/s". False: it is none, or not above 0; `*per_s` is then
 * unchanged. */
MUST_USE bool predict_parse_rate(const char *text, double *per_s);

/* Runs `scenario` on `input` and predicts. Memory from `arena`; the scenario must outlive it.
 * Errors: INVALID (no checkpoint interval, or the job does not finish even without faults), with
 * one sentence in `error`. */
MUST_USE enum status predict_scenario(struct prediction *prediction, struct arena *arena,
                                      const struct scenario *scenario, struct bytes input,
                                      const struct predict_wish *wish, struct buffer *error);

/* Appends the prediction as lines of text, or as one JSON object. */
void predict_run_write(const struct prediction *prediction, struct buffer *out);
void predict_run_write_json(const struct prediction *prediction, struct buffer *out);

/* `faultline predict`. Does it, and says what is to be said on standard output and error. Returns
 * the exit code. */
enum verdict predict_command(const struct options *options);

#endif
