/* ttl.h - how long a state's values live, and how values that have a time carry it.
 *
 * A value of a state with a time to live begins with the time at which it was written or, if so
 * wished, read last (u64, nanoseconds of the host's clock). Of a list each element begins with its
 * own, of a map each value.
 *
 * L1  A value is expired when its time plus the time to live is not after the present.
 * L2  Expired values may vanish at any time: a backend drops them when it writes a whole snapshot,
 *     when it visits them, when it compacts its files.
 * L3  What a user sees of those that have not vanished yet is for the views to decide (state.h).
 *
 * Source: Flink's StateTtlConfig and TtlUtils. */
#ifndef FAULTLINE_STATE_TTL_H
#define FAULTLINE_STATE_TTL_H

#include "model/base/bytes.h"
#include "model/state/descriptor.h"

enum { TTL_STAMP_BYTES = 8 };

/* L1; a time that is too far away to be told never comes. */
static inline bool ttl_is_over(uint64_t stamp_ns, uint64_t ttl_ns, uint64_t now_ns)
{
    return ttl_ns <= UINT64_MAX - stamp_ns && stamp_ns + ttl_ns <= now_ns;
}

enum ttl_verdict {
    TTL_KEEP,   /* the entry as it is */
    TTL_DROP,   /* the entry goes */
    TTL_SHRINK, /* a list: what is left has been appended to `kept` */
};

/* What becomes of an entry's value of a state with a time to live at `now_ns` (L2). `kept` may be
 * NULL: then a list with anything alive in it is kept. */
enum ttl_verdict ttl_judge(const struct state_descriptor *state, struct bytes value,
                           uint64_t now_ns, struct buffer *kept);

/* Has the value, of a state with a time to live, the stamps that ttl_judge looks for? One that was
 * read from a snapshot may not. */
bool ttl_is_sound(const struct state_descriptor *state, struct bytes value);

#endif
