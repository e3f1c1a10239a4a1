/* live_watch.h - credit and heartbeats of a live run, by the messages that pass: which of them its
 * processes tell of, and what they mean to the oracle.
 *
 * A process is told to be silent, or heard, by a clock that goes on while others work; so each
 * moment is known as no more than between two times, and the oracle judges only what holds for all
 * moments between. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_WATCH_H
#define FAULTLINE_SIM_LIVE_LIVE_WATCH_H

#include "model/live/live_cluster.h"
#include "sim/campaign/run.h"

/* For `tells` of a live cluster. */
uint32_t live_watch_tells(const struct message *message);

/* The time that decides its place among the facts. */
uint64_t live_watch_time_ns(const struct live_passing *passing);

/* Tells it to `run`. */
void live_watch_tell(const struct live_passing *passing, struct run *run);

#endif
