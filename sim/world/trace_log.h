/* trace_log.h - every fact of a run as a line of JSON, in the order of simulated time.
 *
 * Facts reach their listeners handler by handler, and an actor's clock runs ahead of the event
 * queue while its handler runs; so they are put in order here (stable for equal times). */
#ifndef FAULTLINE_SIM_TRACE_LOG_H
#define FAULTLINE_SIM_TRACE_LOG_H

#include "model/base/bytes.h"
#include "model/stream/pipeline.h"
#include "model/trace.h"

struct trace_log;

/* Names subtasks after the vertices of `pipeline`, which must outlive it. Memory from `arena`. */
struct trace_log *trace_log_create(struct arena *arena, const struct pipeline *pipeline);

void trace_log_add(struct trace_log *log, const struct fact_event *event);

/* Appends all lines to `out`. */
void trace_log_write(const struct trace_log *log, struct buffer *out);

#endif
