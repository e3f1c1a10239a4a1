/* carried.h - parts of the state that travel in a message, because only the JobManager reaches the
 * checkpoint store: with the acknowledgement to it, and with the deployment from it.
 *
 * One after the other: the path that the part has in the store (store.h), and its bytes, each a run
 * as encode_bytes writes it. */
#ifndef FAULTLINE_CHECKPOINT_CARRIED_H
#define FAULTLINE_CHECKPOINT_CARRIED_H

#include <stdbool.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"

/* Appends a part. */
void carried_add(struct buffer *carried, struct bytes path, struct bytes part);

/* Reads the next part, borrowed from what the decoder reads. False at the end, or where the bytes
 * are no such list: the decoder has failed then. */
bool carried_next(struct decoder *decoder, struct bytes *path, struct bytes *part);

/* The part behind `path`, borrowed from `carried`; false if there is none. */
bool carried_find(struct bytes carried, struct bytes path, struct bytes *part);

#endif
