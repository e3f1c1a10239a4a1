/* failure_file.h - stores a scenario as the one file that replays a failure. */
#ifndef FAULTLINE_SIM_CAMPAIGN_FAILURE_FILE_H
#define FAULTLINE_SIM_CAMPAIGN_FAILURE_FILE_H

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "sim/campaign/finding.h"
#include "sim/scenario/scenario.h"

/* "ORIGIN: FINDING: its sentence", on one line and in printable characters: what the `about` of
 * such a file says. Memory from `arena`. */
const char *failure_about(struct arena *arena, const char *origin, const struct finding *finding);

/* Writes `scenario` under the name `name` to FOLDER/NAME.json, whole or not at all, making the
 * folders. Its `about` says `origin` ("fuzz of base, seed 17") and what was found. With `is_short`
 * it holds only what differs from the defaults. Appends the path to `path`. Errors: IO with a
 * sentence. */
MUST_USE enum status failure_file_write(const char *folder, const char *name,
                                        const struct scenario *scenario, const char *origin,
                                        const struct finding *finding, bool is_short,
                                        struct buffer *path, struct buffer *error);

#endif
