/* running.h - sums, smallest and largest values that run along with the input. */
#ifndef FAULTLINE_JOBS_RUNNING_H
#define FAULTLINE_JOBS_RUNNING_H

#include "model/stream/pipeline.h"

/* source -> parse | key by the last two digits -> running -> sink. For each integer in comes
 * `GROUP : SUM MIN MAX` of its group so far out. Sums wrap around beyond 64 bits. */
void running_build(struct pipeline *pipeline);

#endif
