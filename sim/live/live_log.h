/* live_log.h - what happened in a live run, noted while it runs and judged when it is over.
 *
 * The processes report their facts each for itself, and judging them takes the time that the job
 * wants; so here they are only kept, with what became of the files at the steps that the oracle
 * judges, and told afterwards in the order of their times. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_LOG_H
#define FAULTLINE_SIM_LIVE_LIVE_LOG_H

#include "model/live/live_cluster.h"
#include "sim/campaign/run.h"
#include "sim/live/live_volume.h"

struct live_log;

struct live_log *live_log_create(struct arena *arena);

/* Keeps a copy of a fact; what became of files just before it; that a fault struck (borrowed). What
 * was seen of files is told in the order in which it was seen: if it turns out to belong before a
 * fact of an earlier time, so does all that was seen before. */
void live_log_add_fact(struct live_log *log, const struct fact_event *event);
void live_log_add_changes(struct live_log *log, uint64_t time_ns, struct live_changes changes);
void live_log_add_fired(struct live_log *log, const struct fault_record *record);

/* A message passed. */
void live_log_add_passing(struct live_log *log, const struct live_passing *passing);

/* A file was damaged behind the model's back; what became of it is among the changes. */
void live_log_add_damage(struct live_log *log, uint64_t time_ns, const char *path);

uint64_t live_log_fact_count(const struct live_log *log);

/* Tells it all to `run`, whose SHARED volume is `disk`. Once. */
void live_log_tell(struct live_log *log, struct run *run, struct disk *disk);

#endif
