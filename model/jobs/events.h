/* events.h - what the jobs over Nexmark events have in common: event lines in, times and keys. */
#ifndef FAULTLINE_JOBS_EVENTS_H
#define FAULTLINE_JOBS_EVENTS_H

#include "model/stream/nexmark.h"
#include "model/stream/pipeline.h"

/* How far behind the newest event another one may be without being late. */
enum { EVENTS_DISORDER_MS = 1000 };

/* The source, and the events that it reads: lines that are none are bad records. */
struct stream events_source(struct pipeline *pipeline);

/* The same, with the time of each event. */
struct stream events_source_with_time(struct pipeline *pipeline);

/* Reads what came from the source. */
void events_read(const struct record *record, struct nexmark_event *event);

/* The lines of one kind. */
struct stream events_bids(struct stream events);

void events_by_bidder(const struct record *record, struct key *key);
void events_by_auction(const struct record *record, struct key *key);

/* A person's own id, or an auction's seller. */
void events_by_person(const struct record *record, struct key *key);

#endif
