/* fault_consequences.h - what must be survived and what may be refused: one table, by which a
 * scenario that does not say what it expects is judged.
 *
 * "Survived" is a result equal to the reference. "Refused" is the end of the job with a clear
 * message because what it had saved cannot be read; it is right only for damage to what had been
 * durable. A silently wrong result is never right. */
#ifndef FAULTLINE_SIM_FAULT_CONSEQUENCES_H
#define FAULTLINE_SIM_FAULT_CONSEQUENCES_H

#include "sim/scenario/scenario.h"

struct fault_consequence {
    enum expected_result result; /* the most that may happen */
    const char *when;            /* of what, if not always; "" */
    const char *why;             /* one line */
};

/* The table's row. Static storage. */
const struct fault_consequence *fault_consequence(enum fault_verb verb);

/* What may become of the whole run. */
enum expected_result fault_consequences_of(const struct scenario *scenario);

#endif
