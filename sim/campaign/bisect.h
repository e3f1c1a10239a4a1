/* bisect.h - where do two runs of one scenario part? The first event that differs, in both.
 *
 * A run keeps the trace hash after every 4,096 events; a second one is compared with it as it goes
 * on and remembers its events since the last equal hash. At the first hash that differs the
 * difference lies in those events: a third run, that goes as the first did, tells what they were
 * there. What is not deterministic may be so again: all of it is tried several times. */
#ifndef FAULTLINE_SIM_CAMPAIGN_BISECT_H
#define FAULTLINE_SIM_CAMPAIGN_BISECT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "sim/campaign/run.h"
#include "sim/scenario/scenario.h"

enum { BISECT_WINDOW_EVENTS = 4096, BISECT_TRIES = 8 };

/* One event of one run. */
struct bisect_event {
    uint64_t number; /* from 1; 0: the run was over before */
    uint64_t time_ns;
    uint64_t hash; /* of everything up to and with it */
    struct world_event_note note;
    char facts[160]; /* names of what was reported meanwhile, cut off if there are many */
};

enum bisect_outcome {
    BISECT_EQUAL,       /* the runs were equal, each time */
    BISECT_FOUND,       /* `first` and `second` are the same event number in both, and differ */
    BISECT_NOT_REPEATED /* the runs differ, but no third one was like the first */
};

struct bisect_result {
    enum bisect_outcome outcome;
    struct bisect_event first;
    struct bisect_event second;
    uint64_t window_start; /* NOT_REPEATED: they are equal up to this event */
    uint64_t runs;
};

/* Runs `scenario` until two runs differ, or often enough. `arm` and its context are those of
 * run_options; for tests, else NULL. */
void bisect(const struct scenario *scenario, struct bytes input,
            void (*arm)(void *context, struct world *world), void *context,
            struct bisect_result *result);

/* Appends what was found, in a few lines. */
void bisect_describe(const struct bisect_result *result, struct buffer *out);

#endif
