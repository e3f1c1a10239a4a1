/* live_volume.h - what lies in a real folder, put into a simulated volume: the oracle reads only
 * those.
 *
 * A checkpoint that the oracle is to read may be gone a moment later; so the folder is looked at
 * while the step is held that the oracle judges, and what has changed since the last look is noted,
 * to be put into the volume when its turn comes. Files are told apart by number, size and time of
 * change. Large ones are mapped, not read: they stay readable when their name is gone; but what is
 * to be damaged in place must be read. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_VOLUME_H
#define FAULTLINE_SIM_LIVE_LIVE_VOLUME_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "sim/world/disk.h"

struct live_volume;

/* A file that came, changed or went since the last look. */
struct live_change {
    const char *path; /* in the volume */
    bool is_gone;
    struct bytes content;
};

struct live_changes {
    struct live_change *changes;
    size_t count;
    size_t capacity;
};

/* Nothing seen yet of `folder` (borrowed). All memory and all contents live as long as `arena`. */
struct live_volume *live_volume_create(struct arena *arena, const char *folder, bool may_map);

/* Looks at everything below `part` ("": all of it), and forgets nothing of the rest. Borrowed for
 * the arena's life. */
struct live_changes live_volume_look(struct live_volume *volume, const char *part);

/* Makes `disk` what the folder was. */
void live_changes_apply(const struct live_changes *changes, struct disk *disk);

#endif
