/* scenario_json.h - scenarios as JSON files: the format, its errors, and the way back.
 *
 * One table names every key with its type, place in struct scenario and bounds; reading, writing,
 * `--set`, the suggestion for a misspelt key and the test of the JSON Schema all use it. */
#ifndef FAULTLINE_SIM_SCENARIO_JSON_H
#define FAULTLINE_SIM_SCENARIO_JSON_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "sim/scenario.h"

struct scenario_overrides {
    const char *const *settings; /* "checkpoint.interval=250ms", applied in order */
    uint32_t setting_count;
    bool has_seed; /* wins over a setting of "seed" */
    uint64_t seed;
};

/* Reads the scenario file `path`, merges what it is `like`, applies `overrides`, draws everything
 * random from the seed (ranges, `any` objects, the `random` faults) and checks every value. On
 * STATUS_INVALID (the user's fault) or STATUS_NOT_FOUND / STATUS_IO (unreadable file) `error`
 * holds one sentence such as `FILE: faults[2].at: must not be negative`, or `FILE:LINE:COLUMN: ...`
 * where the JSON itself is broken. The file named is the one the value stands in; `--set: PATH:
 * ...` blames an override. */
MUST_USE enum status scenario_read(struct scenario *scenario, struct arena *arena, const char *path,
                                   const struct scenario_overrides *overrides,
                                   struct buffer *error);

/* The same for text; `directory` is where its `like` and input paths are relative to, `label` names
 * it in errors. */
MUST_USE enum status scenario_parse(struct scenario *scenario, struct arena *arena,
                                    struct bytes json, const char *label, const char *directory,
                                    const struct scenario_overrides *overrides,
                                    struct buffer *error);

/* Appends the resolved scenario as JSON: every value explicit, no random draw left, so that reading
 * it back gives the same run. The input path is made absolute. */
void scenario_write(const struct scenario *scenario, struct buffer *out);

/* Calls `each` for every key of the format, as a path ("checkpoint.interval"). */
void scenario_each_key(void (*each)(void *context, const char *path), void *context);

#endif
