/* numbers.h - what the jobs over lines of integers have in common. */
#ifndef FAULTLINE_JOBS_NUMBERS_H
#define FAULTLINE_JOBS_NUMBERS_H

#include "model/stream/pipeline.h"

/* The source, and its lines as integers (record_i64): lines that are none are bad records. */
struct stream numbers_source(struct pipeline *pipeline);

void numbers_by_value(const struct record *number, struct key *key);

/* The last two decimal digits, 0 to 99; of a negative number as if one went on counting down from
 * 0: -1 is with 99. */
int64_t numbers_group(int64_t number);
void numbers_by_group(const struct record *number, struct key *key);

#endif
