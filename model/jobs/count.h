/* count.h - the count-per-key job of the Flink literature. */
#ifndef FAULTLINE_JOBS_COUNT_H
#define FAULTLINE_JOBS_COUNT_H

#include "model/stream/pipeline.h"

/* source -> parse | key by value -> count -> sink. Vertices: "source", "count". */
void count_build(struct pipeline *pipeline);

#endif
