/* live_trouble.h - what the machine under a live run refuses: a disk that is full, a folder that
 * may not be written to, a file that may not grow.
 *
 * No fault of the scenario explains it: calls that a fault strikes are not told as refused. The job
 * may survive it, if somebody makes room; so it has a second from the first refusal on, in which it
 * starts again, and a refusal is forgotten when a checkpoint completes. If calls are refused after
 * that second still, or the job ends otherwise than well, then that is why. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_TROUBLE_H
#define FAULTLINE_SIM_LIVE_LIVE_TROUBLE_H

#include <stdbool.h>

#include "model/live/live_cluster.h"

struct live_trouble {
    bool is_there;
    bool is_lasting;
    uint64_t since_ns;
    int error;          /* of the first refusal, as errno says it ... */
    struct buffer path; /* ... and what was refused */
};

/* Nothing was refused yet. */
void live_trouble_init(struct live_trouble *trouble, struct arena *arena);

/* A call was refused on a volume that lies in `folder`. */
void live_trouble_on_refused(struct live_trouble *trouble, const char *folder,
                             const struct live_refused *refused);

/* In the order of the facts, and with it of refusals. */
void live_trouble_on_fact(struct live_trouble *trouble, const struct fact_event *event);

/* What was refused and why; appends to `out`. Only if something was. */
void live_trouble_describe(const struct live_trouble *trouble, struct buffer *out);

/* NO_SPACE or IO: what is to be answered of a run that it ended. */
enum status live_trouble_status(const struct live_trouble *trouble);

#endif
