/* windows.h - two jobs that count Nexmark bids in windows of event time. */
#ifndef FAULTLINE_JOBS_WINDOWS_H
#define FAULTLINE_JOBS_WINDOWS_H

#include "model/stream/pipeline.h"

/* Bids of each auction: in tumbling windows of 1 s, and in sliding ones of 2 s, one every 500 ms,
 * which are kept for 1 s more. Out comes `AUCTION,BIDS,START,END` to the sinks "counts" and
 * "sliding"; bids that come too late for the former go to the sink "late" as they are. Vertices:
 * "source", "tumbling", "sliding". */
void windows_build(struct pipeline *pipeline);

/* Bids of each bidder in sessions that a pause of 500 ms ends: `BIDDER,BIDS,START,END` to the sink
 * "counts", bids that come too late to "late". Vertices: "source", "sessions". */
void sessions_build(struct pipeline *pipeline);

#endif
