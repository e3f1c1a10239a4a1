/* options.h - the words of the command line, as plain data.
 *
 * Options may stand before or after the scenarios, as `--seed 7` or `--seed=7`; after `--` there
 * are only scenarios. Nothing is opened or run here. */
#ifndef FAULTLINE_SIM_OPTIONS_H
#define FAULTLINE_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/trace.h"
#include "sim/scenario/scenario_json.h"

#define OPTIONS_DEFAULT_OUT      "out"
#define OPTIONS_DEFAULT_LIVE     "out/live"
#define OPTIONS_DEFAULT_DATABASE "out/results.db"

#define OPTIONS_DEFAULT_REPORT "out/report"

#define OPTIONS_DEFAULT_CALIBRATION "out/calibration.json"

enum command {
    COMMAND_RUN,
    COMMAND_LIVE,
    COMMAND_SWEEP,
    COMMAND_REPORT,
    COMMAND_FUZZ,
    COMMAND_ENUMERATE,
    COMMAND_SHRINK,
    COMMAND_PREDICT,
    COMMAND_CALIBRATE,
    COMMAND_COMPARE,
    COMMAND_LIST,
    COMMAND_HELP,
    COMMAND_VERSION /* the last, and no verb */
};

enum list_topic {
    LIST_JOBS,
    LIST_BACKENDS,
    LIST_FAULTS,
    LIST_FACTS,
    LIST_PROPERTIES,
    LIST_MARKS,
    LIST_TOPIC_COUNT
};

struct options {
    enum command command;
    const char *program; /* as it was called */

    /* help: about which verb; COMMAND_HELP: about all */
    enum command about;

    /* list */
    enum list_topic topic;

    /* run, live, sweep; and report, for which the database is the path given */
    const char **scenarios; /* paths; at least one */
    uint32_t scenario_count;
    struct scenario_overrides overrides;
    const char *out;      /* --out; NULL: a folder of the scenario's name in OPTIONS_DEFAULT_OUT;
                           * sweep: a folder for the page, NULL: no page;
                           * calibrate: the file, NULL: OPTIONS_DEFAULT_CALIBRATION */
    const char *database; /* NULL: none */
    bool verify;          /* run twice, compare the trace hashes */
    bool trace;           /* also write every fact, and a timeline */
    bool plots;           /* also write gnuplot scripts, and draw them */
    bool json;            /* result.json to standard output instead of the text */
    bool quiet;           /* one line a scenario instead of the text */
    bool threads;         /* live: groups of threads instead of processes */
    bool skip_faults;     /* live: go on without the faults that cannot be caused */
    const char *junit;    /* --junit: also write the verdicts there as JUnit XML; NULL: no */
    uint32_t processes;   /* -j: how many at once; 0: one a core */
    bool csv;             /* the tables behind the figures too; compare: instead of the text */

    /* compare, of one scenario */
    const char *calibration; /* --calibration: a scenario whose costs count; NULL: its own */
    bool recalibrate;        /* what changes most is measured again around each live run */
    uint32_t repeats;        /* -n: how often for real */

    /* fuzz, enumerate, shrink: one scenario each */
    uint64_t seed_first; /* --seeds A..B */
    uint64_t seed_last;
    uint64_t time_ns;     /* --time: real time; 0: no limit */
    uint32_t fault_count; /* --faults: at most so many a run */
    bool shrink;          /* the first failure of each kind */
    uint32_t pair_steps;  /* --pairs: a second crash so many steps after the first; 0: no */
    enum mark *required_marks;
    uint32_t required_mark_count;

    /* predict, besides scenarios[0], overrides and json; as texts, NULL: not given */
    const char *failure_rate;   /* --failure-rate: "3/day" */
    const char *recovery_limit; /* --recovery-limit: "30s" */
};

/* Reads `argv` (borrowed, as are all texts in `options`); memory from `arena`. On a mistake of the
 * user: false, and one sentence without a line feed in `error`. */
MUST_USE bool options_parse(struct options *options, struct arena *arena, int argc,
                            const char *const *argv, struct buffer *error);

/* "run", "live" ...; not of COMMAND_VERSION, which is no verb. Static storage. */
const char *verb_name(enum command command);

#endif
