/* live_spool.h - standard input, read by a process of its own while the job runs.
 *
 * What comes is put behind a file as plain lines (input.h), from which the job reads: it goes back
 * there after a failure, and the file is what the result is compared with. The reader keeps no more
 * than a bounded number of lines ahead of the job; then it lets the writer wait. It dies with this
 * process. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_SPOOL_H
#define FAULTLINE_SIM_LIVE_LIVE_SPOOL_H

#include "sim/input/input.h"

struct live_spool;

/* Begins to read standard input, which has this shape, into the file `kept`, a new one. Texts are
 * borrowed for the spool's life. This process must have no other thread. NULL: one sentence in
 * `error`. */
struct live_spool *live_spool_start(struct arena *arena, const struct input_shape *shape,
                                    const char *kept, struct buffer *error);

/* Is there more to come? The job has read `used_lines` so far. */
bool live_spool_is_open(struct live_spool *spool, uint64_t used_lines);

/* How many line ends were read. */
uint64_t live_spool_lines(const struct live_spool *spool);

/* Ends the reading, if need be in the middle: of what had come then the whole lines count. Nothing
 * is written to the file any more. Errors of the reading, with one sentence in `error`: as of
 * input_open, NO_SPACE, and of an empty file INVALID, or IO if more might have come. Once. */
MUST_USE enum status live_spool_end(struct live_spool *spool, struct buffer *error);

#endif
