/* part_source.h - where the bytes of a part of a snapshot come from when it is restored: piece by
 * piece, for a part can be larger than what anybody wants to hold in memory beside the state. */
#ifndef FAULTLINE_STATE_PART_SOURCE_H
#define FAULTLINE_STATE_PART_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"

/* The first member of the reader's own struct. */
struct part_source {
    /* Appends the next piece to `out`, and with the last one sets `has_ended`: after that, or after
     * an error, it is not called again. Errors: whatever ends the restore; CORRUPT if the pieces
     * are not the part that was written, which need not be known before the last. */
    enum status (*read)(struct part_source *source, struct buffer *out);
    bool has_ended;
    /* Set by the backend once it has restored the part, for who hands it over to another one. */
    uint64_t id;
    uint64_t entry_count;
};

#endif
