/* timeline.h - a run as a file that opens in Perfetto or chrome://tracing (the Trace Event Format):
 * one track a subtask and one for the JobManager; alignment, snapshots, restores and downtimes as
 * spans, faults and checkpoint steps as marks.
 *
 * Each vertex is a group of tracks. Spans that overlap without being nested get further tracks of
 * the same subtask; the asynchronous part of a snapshot always has one of its own. Barriers on
 * their way and the progress of sources are left out: they are too many to look at. */
#ifndef FAULTLINE_REPORTS_TIMELINE_H
#define FAULTLINE_REPORTS_TIMELINE_H

#include <stdint.h>

#include "model/base/bytes.h"
#include "model/trace.h"

struct timeline;

/* Starts a timeline; `vertex_names` (`vertex_count` of them) name the tracks and are copied. Memory
 * from `arena`. */
struct timeline *timeline_create(struct arena *arena, const char *const *vertex_names,
                                 uint32_t vertex_count, uint32_t parallelism);

/* Hears one fact, in order of time. */
void timeline_on_fact(struct timeline *timeline, const struct fact_event *event);

/* A fault held from `from_ns` to `to_ns` (equal: a mark). Any order; `text` is copied. */
void timeline_on_fault(struct timeline *timeline, uint64_t from_ns, uint64_t to_ns,
                       const char *text);

/* Closes what is open and appends the whole JSON document to `out`. The last call to `timeline`. */
void timeline_write(struct timeline *timeline, uint64_t end_ns, struct buffer *out);

#endif
