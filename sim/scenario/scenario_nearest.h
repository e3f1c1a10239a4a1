/* scenario_nearest.h - which known word was meant: the suggestion for a misspelt one. */
#ifndef FAULTLINE_SIM_SCENARIO_NEAREST_H
#define FAULTLINE_SIM_SCENARIO_NEAREST_H

#include <stdint.h>

#include "model/base/bytes.h"

struct nearest {
    struct bytes word;  /* what was written; borrowed */
    const char *answer; /* the best so far; NULL: nothing is near enough */
    uint32_t distance;  /* of the answer */
};

void nearest_init(struct nearest *nearest, struct bytes word);

/* If `candidate` is nearer to the word than all before it, and not too far away, the answer becomes
 * `answer`, which stays borrowed. Of equally near ones the first wins. */
void nearest_offer(struct nearest *nearest, struct bytes candidate, const char *answer);

/* How many characters must be inserted, removed, replaced or swapped with their neighbour to make
 * `b` of `a`; UINT32_MAX if either is longer than any word of a scenario. */
uint32_t text_distance(struct bytes a, struct bytes b);

#endif
