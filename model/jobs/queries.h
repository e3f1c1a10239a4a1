/* queries.h - four queries of the Nexmark benchmark (model/stream/nexmark.h), which reads what
 * happens in an auction house. */
#ifndef FAULTLINE_JOBS_QUERIES_H
#define FAULTLINE_JOBS_QUERIES_H

#include "model/stream/pipeline.h"

/* Currency conversion, without state: of each bid `AUCTION,BIDDER,PRICE,TIMESTAMP` with the price
 * times 0.908, rounded down. One vertex: "source". */
void q1_build(struct pipeline *pipeline);

/* Local item suggestion, a join that never forgets: `NAME,CITY,STATE,AUCTION` of each auction of
 * category 10 whose seller lives in Oregon, Idaho or California. Vertices: "source", "join". */
void q3_build(struct pipeline *pipeline);

/* Monitor new users, a join of windows: `PERSON,NAME,WINDOW` of those who opened an auction in the
 * 10 seconds of event time in which they came. Vertices: "source", "join". */
void q8_build(struct pipeline *pipeline);

/* How many bids each bidder made in 10 seconds of the clock: `BIDDER,BIDS,WINDOW`. When a bid is
 * counted depends on when it comes, so a bidder's lines may be cut differently after a recovery;
 * they add up to the same. Vertices: "source", "count". */
void q12_build(struct pipeline *pipeline);

#endif
