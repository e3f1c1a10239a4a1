/* results.h - the results database: one SQLite file that many runs are added to, while others read
 * it.
 *
 * A run is added whole, in one transaction, when it has ended: a killed campaign loses no finished
 * run, and a write that fails leaves nothing of it. Several processes may add to one file at once.
 * Tables: run, checkpoint, task_checkpoint, recovery, fault, violation, progress, sweep_cell,
 * comparison (see schema.sql). A file of an older schema is brought up to date when it is
 * opened. */
#ifndef FAULTLINE_REPORTS_RESULTS_H
#define FAULTLINE_REPORTS_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "reports/summary.h"

struct results_run {
    const char *name;
    const char *path; /* of the scenario */
    uint64_t seed;
    const char *build;   /* build id */
    const char *verdict; /* "pass", "wrong", "stuck", "unfired" ... */
    int exit_code;
    uint64_t trace_hash;
    uint64_t records;
    uint32_t tasks;
    uint32_t parallelism;
    uint64_t interval_ns;
    uint64_t events;
    uint64_t simulated_ns;
    uint64_t wall_ns;
    const char *scenario_json; /* the resolved scenario: replays the run */
};

struct results_fault {
    const char *text; /* for a person */
    const char *verb;
    const char *object;
    const char *trigger;
    uint64_t fired_ns; /* 0: not fired */
    uint64_t ended_ns;
    uint32_t fired_count;
};

struct results_violation {
    const char *property;
    uint64_t time_ns;
    const char *message;
};

struct results;

/* Opens or creates the database `path` (and its folders); "" and "-" are ordinary names, there is
 * no in-memory database. Memory of `arena`; one thread at a time. On an error `*results` is NULL
 * and one sentence that names the file is appended to `error`. Errors: INVALID (the database of
 * another program or of another schema), CORRUPT (no database), NO_SPACE, IO. */
MUST_USE enum status results_open(struct results **results, struct arena *arena, const char *path,
                                  struct buffer *error);

/* NULL is allowed. Readers may keep the file open. */
void results_close(struct results *results);

/* Is there a run of exactly this resolved scenario by this build? For campaigns that go on where
 * they were stopped. Errors: as results_add. */
MUST_USE enum status results_contain(struct results *results, const char *scenario_json,
                                     const char *build, bool *contained, struct buffer *error);

/* A run's place in a sweep. */
struct results_cell {
    const char *sweep;       /* name of the swept scenario */
    const char *coordinates; /* JSON object: path in the scenario -> value in this cell */
};

/* If there is a run of exactly this resolved scenario by this build, notes that it is this cell,
 * and tells its exit code; -1: there is none. So a sweep that was killed between a run and its
 * cell goes on all the same. Errors: as results_add. */
MUST_USE enum status results_claim_cell(struct results *results, const char *scenario_json,
                                        const char *build, const struct results_cell *cell,
                                        int *exit_code, struct buffer *error);

/* Forgets which runs are cells of `sweep`, for one whose grid may have changed; the runs stay. */
MUST_USE enum status results_forget_sweep(struct results *results, const char *sweep,
                                          struct buffer *error);

/* Adds one run with all that belongs to it. No pointer may be NULL, but `faults` and `violations`
 * where there are none. Errors: NO_SPACE, CORRUPT, IO, with one sentence appended to `error`; the
 * database is then as before. */
MUST_USE enum status results_add(struct results *results, const struct results_run *run,
                                 const struct summary *summary, const struct results_fault *faults,
                                 uint32_t fault_count, const struct results_violation *violations,
                                 uint32_t violation_count, struct buffer *error);

/* A comparison of simulated and live runs: what all its rows have in common ... */
struct results_comparison_head {
    const char *name; /* of the scenario */
    const char *build;
    const char *live; /* "processes" or "threads" */
    uint32_t live_runs;
    bool is_recalibrated; /* costs were measured around the live runs */
};

/* ... and one quantity of one cell. */
struct results_comparison {
    const char *coordinates; /* JSON object: path in the scenario -> value in this cell */
    const char *quantity;
    uint32_t tasks;
    uint64_t interval_ns;
    bool is_equal;
    const char *costs;  /* JSON object: path in the scenario -> what it cost in simulated time */
    uint64_t simulated; /* 0: there is none, as below */
    uint64_t live;
};

/* Puts the rows in the place of those that the scenario had. Errors: as results_add. */
MUST_USE enum status results_keep_comparison(struct results *results,
                                             const struct results_comparison_head *head,
                                             const struct results_comparison *rows, size_t count,
                                             struct buffer *error);

#endif
