/* join.h - the join of two keyed streams that never forgets: each record meets all records of the
 * other side with the same key, those that came before it and those that will come.
 *
 * Both sides are kept as lists in the keyed state. What one record meets is emitted in the order in
 * which the others came. */
#ifndef FAULTLINE_STREAM_JOIN_H
#define FAULTLINE_STREAM_JOIN_H

#include "model/stream/pipeline.h"

struct join_parameters {
    /* One pair, whichever came first. */
    void (*join)(struct operator_context *context, struct bytes first, struct bytes second,
                 struct collector *out);
};

/* Joins two keyed streams; the vertex is called `name`. */
struct stream stream_join(struct stream first, struct stream second, const char *name,
                          const struct join_parameters *parameters);

#endif
