/* scenario_fields.h - the table of all keys of a scenario file: type, place and limits of each.
 * Used by scenario_*.c only. */
#ifndef FAULTLINE_SIM_SCENARIO_FIELDS_H
#define FAULTLINE_SIM_SCENARIO_FIELDS_H

#include <stddef.h>

#include "sim/scenario/scenario_reader.h"

enum field_kind {
    FIELD_TEXT,
    FIELD_SEED,  /* a number that is never drawn */
    FIELD_COUNT, /* this and the next four: unsigned of the field's size */
    FIELD_DURATION,
    FIELD_SIZE,
    FIELD_BANDWIDTH,
    FIELD_RATE,
    FIELD_PPM, /* a fraction */
    FIELD_FLAG,
    FIELD_CHOICE,         /* the index of the text in `choices` */
    FIELD_DURATION_RANGE, /* two uint64_t, the lower end first */
    FIELD_COUNT_BOUND,    /* "any" is none */
    FIELD_DURATION_BOUND,
    FIELD_ONLY_FALSE, /* no place: only false is supported so far */
    FIELD_ARRAY,      /* read elsewhere, if at all */
    FIELD_OBJECT,
    FIELD_ELSEWHERE, /* a key of an array's element, or one that another part reads */
};

/* What `offset` counts from. */
enum field_base { BASE_NONE, BASE_SCENARIO, BASE_RANDOM };

struct field {
    const char *path; /* "checkpoint.interval", "faults[].at" */
    enum field_kind kind;
    enum field_base base;
    size_t offset;
    size_t size;
    uint64_t min;
    uint64_t max;
    const char *special;    /* a text for a value that no quantity can express ... */
    uint64_t special_value; /* ... and that value */
    const char *const *choices;
};

/* What "random" asks for; its lists stay in the tree. */
struct random_options {
    uint64_t fault_count;
    uint64_t during_ns;
    uint32_t step_share_ppm;
    uint64_t for_min_ns;
    uint64_t for_max_ns;
    uint64_t by_min_ns;
    uint64_t by_max_ns;
};

extern const struct field scenario_fields[];
extern const uint32_t scenario_field_count;

/* `path` without the indices of arrays: "faults[2].at" becomes "faults[].at". */
char *path_pattern(struct arena *arena, const char *path);

/* The field of a pattern; NULL if it is unknown or an object that holds keys. */
const struct field *field_find(const char *pattern);

/* Is there a field within the object `pattern`? */
bool field_is_section(const char *pattern);

/* The known path that `path` was probably meant to be, and NULL if there is none like it. */
const char *field_suggestion(struct arena *arena, const char *path);

/* Refuses every key of the object at `path` that the table does not know, and everything that is
 * no object where one must be. */
bool fields_check_keys(struct reader *reader, const char *path, json_t *object);

/* Reads every field with a place in `base` that is given, to the struct at `to`. */
bool fields_read(struct reader *reader, enum field_base base, void *to);

/* Appends the value of a field in the struct at `from`, as JSON. */
void field_write(const struct field *field, const void *from, struct buffer *out);

/* Does the field say anything about this scenario? The fields of another kind of input, and what is
 * resolved while reading, say nothing. */
bool field_is_written(const struct field *field, const struct scenario *scenario);

/* A text as a JSON string. */
void append_json_text(const char *text, struct buffer *out);

#endif
