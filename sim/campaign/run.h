/* run.h - one scenario from start to verdict. */
#ifndef FAULTLINE_SIM_RUN_H
#define FAULTLINE_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/stream/pipeline.h"
#include "reports/summary.h"
#include "reports/timeline.h"
#include "sim/campaign/vain.h"
#include "sim/fault/fault_script.h"
#include "sim/oracle/oracle.h"
#include "sim/scenario/scenario.h"
#include "sim/world/trace_log.h"

/* The exit codes of the command line. */
enum verdict {
    VERDICT_PASS = 0,
    VERDICT_WRONG = 1, /* a wrong result, a broken property, or an expectation not met */
    VERDICT_STUCK = 2,
    VERDICT_BAD_USAGE = 3, /* scenario or command line */
    VERDICT_NOT_DETERMINISTIC = 4,
    VERDICT_NOT_FIRED = 5, /* a planned fault never fired */
    VERDICT_SURROUNDINGS = 6,
};

/* "pass", "wrong" ... */
const char *verdict_name(enum verdict verdict);

/* Whom else to tell while it runs; what is NULL is not called. Observers only look. */
struct run_observer {
    void (*on_fact)(void *context, const struct fact_event *event);
    void (*on_fired)(void *context, const struct fault_record *record);
    void (*on_event)(void *context, const struct world *world); /* after each event */
    void *context;
};

struct run_options {
    bool keep_trace;    /* collect every fact in `trace` */
    bool keep_timeline; /* collect a timeline */
    struct run_observer observer;
    /* For tests: called with observer.context before anything happens, to arm the world. */
    void (*arm)(void *context, struct world *world);
};

/* Something that `expect` asked for and that did not hold. */
struct unmet {
    const char *message;
};

struct run {
    const struct scenario *scenario;
    struct run_observer observer;
    struct arena *arena;
    struct pipeline pipeline;
    struct bytes input;
    enum verdict verdict;
    enum outcome outcome;
    uint64_t trace_hash;
    uint64_t event_count;
    uint64_t simulated_ns;
    uint64_t wall_ns;
    uint32_t task_count;
    struct oracle *oracle; /* violations, totals, output and state: oracle.h */
    struct oracle_totals totals;
    struct summary summary;
    const struct fault_record *faults; /* scenario->fault_count of them */
    struct vain vain;                  /* is there a point in going on? */
    struct unmet *unmet;
    uint32_t unmet_count;
    struct recording *recording; /* of a job of the user's own; NULL: the oracle knows the job */
    bool is_ambiguous;           /* that job has no one right answer: unmet[0] says why */
    struct timeline *timeline;   /* NULL unless asked for */
    struct trace_log *trace;     /* NULL unless asked for */
    const char *live;            /* NULL: simulated. "processes" or "threads": it ran for real; then
                                  * `simulated_ns` is real time and `event_count` counts facts */
};

/* Reads the scenario's input into `arena`, whatever its form is, as one record a line (nothing for
 * generated input), and notes in the scenario whether its lines are those of one file. Errors:
 * NOT_FOUND, IO, INVALID (what was read is wrong), with one sentence in `error`. */
MUST_USE enum status run_read_input(struct scenario *scenario, struct arena *arena,
                                    struct bytes *input, struct buffer *error);

/* Standard input cannot be read again, so what came from there is written to FOLDER/input.txt, and
 * the scenario reads that from now on. Does nothing with any other input. Errors: NO_SPACE, IO. */
MUST_USE enum status run_keep_input(struct scenario *scenario, struct arena *arena,
                                    const char *folder, struct bytes input, struct buffer *error);

/* From now on the scenario reads the lines that were kept in `path` (borrowed), in place of
 * standard input. */
void run_note_kept(struct scenario *scenario, struct arena *arena, const char *path);

/* As run_read_input, step by step: what is read goes into a file in FOLDER, which is made if need
 * be, and `*input` is that file, mapped: it takes disk space in place of memory. The file has no
 * name any more. Shows how far it is (NULL: not). */
MUST_USE enum status run_copy_input(struct scenario *scenario, struct arena *arena,
                                    const char *folder, FILE *progress, struct bytes *input,
                                    struct buffer *error);

/* Runs `scenario` on `input` and judges it. Everything in `run` lives in `arena`; the scenario must
 * outlive it. */
void run_scenario(struct run *run, struct arena *arena, const struct scenario *scenario,
                  struct bytes input, const struct run_options *options);

/* ---- the same in steps, for who brings the facts from elsewhere ------------------------------ */

/* Everything but the oracle: `run->scenario` is a copy with its input made, `run->pipeline` its
 * job. As for run_scenario. */
void run_prepare(struct run *run, struct arena *arena, const struct scenario *scenario,
                 const struct run_options *options);

/* This is the input, to the end of the run. */
void run_take_input(struct run *run, struct bytes input);

/* Nothing has happened yet, on the SHARED volume `shared`; the input is known. */
void run_begin(struct run *run, const struct disk *shared);

/* In the order in which they happened. */
void run_on_fact(struct run *run, const struct fact_event *event);
void run_on_fired(struct run *run, const struct fault_record *record);
void run_on_damage(struct run *run, const char *path);
void run_on_credit(struct run *run, const struct credit_event *event);
void run_on_heartbeat(struct run *run, const struct heartbeat_event *event);

/* Something that was expected did not hold; the text is borrowed for the run's life. */
void run_note_unmet(struct run *run, const char *message);

/* The run is over, and `run->faults` are known: judges. `last_fault_ns` is when the last fault
 * ended. */
void run_end(struct run *run, enum outcome outcome, uint64_t end_ns, uint64_t last_fault_ns);

#endif
