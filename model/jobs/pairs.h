/* pairs.h - every second occurrence of a value. */
#ifndef FAULTLINE_JOBS_PAIRS_H
#define FAULTLINE_JOBS_PAIRS_H

#include "model/stream/pipeline.h"

/* source -> parse | key by value -> pair -> sink. The first occurrence of a value is remembered;
 * the second one is forgotten together with it, and the value comes out. So what was cleared
 * decides about the output. */
void pairs_build(struct pipeline *pipeline);

#endif
