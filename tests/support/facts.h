/* facts.h - trace facts in one line each, for tests of those who listen to them. */
#ifndef FAULTLINE_TESTS_FACTS_H
#define FAULTLINE_TESTS_FACTS_H

#include "model/trace.h"

/* Of the whole job: no subtask, no attempt, no checkpoint, values 0. */
struct fact_event fact_of_job(uint64_t time_ns, enum fact_kind kind);

/* Of one checkpoint, as the coordinator reports it. */
struct fact_event fact_of_checkpoint(uint64_t time_ns, enum fact_kind kind, uint64_t checkpoint);

/* Of one subtask in an attempt. */
struct fact_event fact_of_task(uint64_t time_ns, enum fact_kind kind, uint64_t attempt,
                               uint32_t vertex, uint32_t subtask);

/* Of one subtask's part in a checkpoint, in attempt 1. */
struct fact_event fact_of_part(uint64_t time_ns, enum fact_kind kind, uint64_t checkpoint,
                               uint32_t vertex, uint32_t subtask);

/* The same event with its values, its text, its attempt or its checkpoint set. */
struct fact_event fact_values(struct fact_event event, uint64_t value0, uint64_t value1);
struct fact_event fact_text(struct fact_event event, const char *text);
struct fact_event fact_attempt(struct fact_event event, uint64_t attempt);
struct fact_event fact_checkpoint(struct fact_event event, uint64_t checkpoint);

#endif
