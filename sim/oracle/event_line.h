/* event_line.h - reads Nexmark events back from their lines, for the judge: with code of its own,
 * so that an error in the model's reader cannot hide itself. The lines: model/stream/nexmark.h. */
#ifndef FAULTLINE_SIM_ORACLE_EVENT_LINE_H
#define FAULTLINE_SIM_ORACLE_EVENT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"

struct event_line {
    char kind;             /* 'p', 'a' or 'b' */
    int64_t numbers[6];    /* those of the line in their order, without the timestamp */
    struct bytes texts[3]; /* person: name, city, state; borrowed from the line */
    int64_t timestamp_ms;
};

/* False if the line is no event. */
bool event_line_read(struct bytes line, struct event_line *event);

/* May a watermark have passed `last_ms` when an event of `timestamp_ms` comes? `*newest_ms` is the
 * newest of the events before it in its split, 0 before the first; the event is added to them. Each
 * split's watermarks stay EVENT_DISORDER_MS behind its newest event, and no reader's is ahead of
 * that of any split it reads. */
enum { EVENT_DISORDER_MS = 1000 };
bool event_may_be_late(int64_t *newest_ms, int64_t timestamp_ms, int64_t last_ms);

/* A number that is not negative. */
bool event_number_read(struct bytes text, int64_t *number);

#endif
