/* finding.h - what is wrong with a run, in a form that two runs can be compared by.
 *
 * Shrinking keeps "the same failure": the same property broken, the same expectation not met, the
 * same signal at the same place, the same way of not being alive. The sentence and the times in it
 * may differ otherwise. */
#ifndef FAULTLINE_SIM_CAMPAIGN_FINDING_H
#define FAULTLINE_SIM_CAMPAIGN_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "sim/campaign/run.h"
#include "sim/campaign/workers.h"

enum finding_kind {
    FINDING_NONE,      /* the run passed */
    FINDING_PROPERTY,  /* `number`: the first property that was broken, but for liveness */
    FINDING_STUCK,     /* the job did not end */
    FINDING_LIVENESS,  /* it ended, but gave up or was without a checkpoint for too long */
    FINDING_UNMET,     /* `number`: a hash of the key of `expect` that did not hold */
    FINDING_NOT_FIRED, /* a planned fault never fired */
    FINDING_CRASHED,   /* the simulator or the model; `number`: the signal */
    FINDING_INVALID,   /* no run: the scenario could not be read or drawn */
};

struct finding {
    enum finding_kind kind;
    uint64_t number;
    uint64_t place;      /* CRASHED: a hash of the file and line that it told; LIVENESS: of what
                          * kind; 0: not known, or makes no difference */
    const char *message; /* one sentence, or a few lines of standard error; "" if none */
};

/* What is wrong with a run that is over. The message is in the run's arena. */
struct finding finding_of_run(const struct run *run);

/* The same for a job whose process died. Memory from `arena`. */
struct finding finding_of_crash(const struct worker_end *end, struct arena *arena);

/* Are they the same failure? */
bool finding_same(const struct finding *a, const struct finding *b);

/* "output", "stuck", "expect.recoveries", "signal 6": what is the same. Appends to `out`. */
void finding_describe(const struct finding *finding, struct buffer *out);

/* The verdict that a command ends with when this is all that was found. */
enum verdict finding_verdict(const struct finding *finding);

/* For the way from a child to its parent. A decoded message is in `arena`. */
void finding_encode(const struct finding *finding, struct buffer *out);
struct finding finding_decode(struct decoder *decoder, struct arena *arena);

#endif
