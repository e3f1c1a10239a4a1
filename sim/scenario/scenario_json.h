/* scenario_json.h - scenarios as JSON files: the format, its errors, and the way back.
 *
 * One table names every key with its type, place in struct scenario and bounds; reading, writing,
 * `--set`, the suggestion for a misspelt key and the test of the JSON Schema all use it. */
#ifndef FAULTLINE_SIM_SCENARIO_JSON_H
#define FAULTLINE_SIM_SCENARIO_JSON_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "sim/scenario/scenario.h"

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

/* Reads `{"faults": [...]}` into a resolved scenario that has none yet, and sets `expect.result` to
 * what they may lead to: as if the list stood in its file. Errors as above. */
MUST_USE enum status scenario_parse_faults(struct scenario *scenario, struct arena *arena,
                                           struct bytes json, const char *label,
                                           struct buffer *error);

/* ---- sweeps ---------------------------------------------------------------------------------- */

enum { SWEEP_CELLS_MAX = 20000 };

/* One value of one path. */
struct sweep_setting {
    const char *path; /* "job.parallelism" */
    const char *json; /* the value, as JSON */
    const char *text; /* both, as an override: "job.parallelism=4" */
};

/* One step along an axis: what it sets. */
struct sweep_value {
    struct sweep_setting *settings;
    uint32_t setting_count;
};

struct sweep_axis {
    const char *name; /* its path, or any word if its values set several paths */
    struct sweep_value *values;
    uint32_t value_count;
};

/* What "sweep" asks for: every combination of one value of each axis, in the order of the file. */
struct sweep_grid {
    struct sweep_axis *axes;
    uint32_t axis_count;
    uint64_t cell_count; /* the product; 1 without axes */
};

/* Reads the scenario as scenario_read does, and its grid. Values are not checked here: that is for
 * the scenario of each cell. */
MUST_USE enum status scenario_read_sweep(struct sweep_grid *grid, struct scenario *scenario,
                                         struct arena *arena, const char *path,
                                         const struct scenario_overrides *overrides,
                                         struct buffer *error);

/* Appends the resolved scenario as JSON: every value explicit, no random draw left, so that reading
 * it back gives the same run. The input path is made absolute. */
void scenario_write(const struct scenario *scenario, struct buffer *out);

/* Appends what things cost in simulated time as one JSON object in one line: path -> value. */
void scenario_write_costs(const struct scenario *scenario, struct buffer *out);

/* Calls `each` for every key of the format, as a path ("checkpoint.interval"). */
void scenario_each_key(void (*each)(void *context, const char *path), void *context);

#endif
