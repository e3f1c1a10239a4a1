/* distinct.h - how many different values there are. */
#ifndef FAULTLINE_JOBS_DISTINCT_H
#define FAULTLINE_JOBS_DISTINCT_H

#include "model/stream/pipeline.h"

/* source -> parse | key by value -> first | key by the last two digits -> count -> sink. "first" is
 * a set: it lets each value through once. For each comes `GROUP : VALUES` out, the number of
 * different values of its group so far. */
void distinct_build(struct pipeline *pipeline);

#endif
