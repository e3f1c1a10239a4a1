/* scenario_reader.h - what all parts of the scenario reader share: the JSON tree that is read, the
 * one error, and single values. Used by scenario_*.c only.
 *
 * A path names a place in the tree: "checkpoint.interval", "faults[2].at"; "" is the root. Every
 * call that can find a fault in the user's value answers false and leaves one sentence in
 * `error`; the caller stops at once. */
#ifndef FAULTLINE_SIM_SCENARIO_READER_H
#define FAULTLINE_SIM_SCENARIO_READER_H

#include <jansson.h>

#include "model/base/prng.h"
#include "model/stream/pipeline.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/scenario_json.h"
#include "sim/scenario/scenario_values.h"

struct reader {
    struct arena *arena; /* of the scenario */
    struct buffer *error;
    bool failed;               /* `error` holds its sentence */
    enum status lack;          /* why a file that it names is no use; OK: it is wrong itself */
    const char *label;         /* names the file that is read */
    json_t *root;              /* owned: the file, with all that it is like and all overrides */
    json_t *origins;           /* owned: path -> label of who set it, where that is another */
    struct scenario *scenario; /* what has been read so far */
    struct pipeline pipeline;  /* of the scenario's job */
    struct sweep_grid *grid;   /* where to put what "sweep" asks for; NULL: only checked */
};

/* Says what is wrong with the value at `path`. The answer is false, for the caller to pass on. */
bool reader_fail(struct reader *reader, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes one line of what was appended to `error` from `start` on. */
void error_make_line(struct buffer *error, size_t start);

/* The random stream `name`: one seed, split by name, so that a draw in one place disturbs no
 * other. Its state is hash_mix(seed ^ hash_bytes("scenario." + name)). */
struct prng reader_stream(const struct reader *reader, const char *name);

/* The value at a path without indices; NULL if it is not given. Borrowed from the tree. */
json_t *reader_find(const struct reader *reader, const char *path);

/* `value` as a text, copied to the arena. */
bool read_text(struct reader *reader, const char *path, const json_t *value, const char **text);

bool read_flag(struct reader *reader, const char *path, const json_t *value, bool *flag);

/* The index of a text in `choices`, which a NULL ends. */
bool read_choice(struct reader *reader, const char *path, const json_t *value,
                 const char *const *choices, uint32_t *index);

struct limits {
    enum value_unit unit;
    uint64_t min;
    uint64_t max;
    const char *special; /* a word that the caller takes instead; NULL: none */
};

/* A range; and a quantity, for which a range means a draw from the stream named by the path. */
bool read_range(struct reader *reader, const char *path, const json_t *value, struct limits limits,
                uint64_t *low, uint64_t *high);
bool read_quantity(struct reader *reader, const char *path, const json_t *value,
                   struct limits limits, uint64_t *quantity);

/* A fraction in millionths. */
bool read_ppm(struct reader *reader, const char *path, const json_t *value, uint64_t min,
              uint64_t max, uint64_t *ppm);

/* Which figures "plot" asks for, to scenario->plots. */
bool read_plots(struct reader *reader);

/* The same back again: `plots`, at least one, as a JSON array. */
void plots_write(uint32_t plots, struct buffer *out);

/* What "sweep" asks for; one cell if it is not given. */
bool read_sweep(struct reader *reader, struct sweep_grid *grid);

bool read_bound(struct reader *reader, const char *path, const json_t *value, enum value_unit unit,
                struct bound *bound);

#endif
