/* parts.h - parts of snapshots that lie in memory, and parts of a store as a whole. */
#ifndef FAULTLINE_TESTS_SUPPORT_PARTS_H
#define FAULTLINE_TESTS_SUPPORT_PARTS_H

#include "model/checkpoint/store.h"
#include "model/state/backend.h"

/* backend_restore of parts that come in pieces of one byte to a few hundred, as their own bytes
 * have it; large ones in larger pieces. */
enum status restore_parts(struct backend *backend, uint64_t id, const struct bytes *parts,
                          uint32_t part_count);

/* The same of one part that turns out at its end not to be what was written. */
enum status restore_damaged(struct backend *backend, uint64_t id, struct bytes part);

/* Appends the part that `handle` leads to to `out`; nothing after an error. */
enum status read_part(struct host *host, struct bytes carried, const struct state_handle *handle,
                      struct buffer *out);

#endif
