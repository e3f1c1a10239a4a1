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

/* A number that is not negative. */
bool event_number_read(struct bytes text, int64_t *number);

#endif
