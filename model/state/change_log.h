/* change_log.h - the changes of a keyed state in their order, in memory: the log of the changelog
 * backend. A change is coded as snapshot.h codes it, so that a piece of the log, with a header
 * before and a trailer behind it, is a part of a snapshot. */
#ifndef FAULTLINE_STATE_CHANGE_LOG_H
#define FAULTLINE_STATE_CHANGE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"

/* A place between two changes; both numbers count from the first change that ever was. */
struct log_position {
    uint64_t bytes;
    uint64_t changes;
};

struct change_log {
    struct buffer bytes; /* from `start` to `end` */
    struct log_position start;
    struct log_position end;
};

enum change_kind { CHANGE_PUT, CHANGE_APPEND, CHANGE_REMOVE };

void change_log_init(struct change_log *log, struct arena *arena);
void change_log_free(struct change_log *log);

/* Appends a change of the entry `key` (entry_key.h); of a removal `value` is not looked at. */
void change_log_add(struct change_log *log, enum change_kind kind, uint16_t key_group,
                    uint16_t state, struct bytes key, struct bytes value);

/* Appends the changes from `*at` on to `out`, whole ones: at least one, up to about `limit_bytes`,
 * none at or behind `to`; `*at` is where it stopped. */
void change_log_copy(const struct change_log *log, struct log_position *at, struct log_position to,
                     struct buffer *out, size_t limit_bytes);

/* The changes before `position` are not wanted any more; some may be forgotten already. */
void change_log_trim(struct change_log *log, struct log_position position);

#endif
