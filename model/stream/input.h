/* input.h - what a source reads: a file of lines, or records computed from their number. */
#ifndef FAULTLINE_STREAM_INPUT_H
#define FAULTLINE_STREAM_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/stream/generator.h"
#include "model/stream/nexmark.h"

enum input_kind { INPUT_FILE, INPUT_GENERATOR, INPUT_NEXMARK };

/* Between from_ns and until_ns records become due factor_ppm millionths as fast. */
struct input_burst {
    uint64_t from_ns;
    uint64_t until_ns;
    uint64_t factor_ppm; /* at least 1000000 */
};

/* The record with number n (from 0, over all subtasks) is due at n / rate_per_s seconds of the
 * host's clock, or earlier by what bursts add to the clock. Records of a file are numbered within
 * each split (source.h): the k-th record of split i counts as number k * splits + i. */
struct input_config {
    enum input_kind kind;
    uint32_t splits;       /* 0: as many as the parallelism that the job begins with */
    const char *file;      /* INPUT_FILE: its path on the SHARED volume */
    const char *open_until; /* NULL: the input is whole. Else no source is at its end before there
                             * is a file of this path on the SHARED volume */
    bool grows;            /* INPUT_FILE: until then lines may be added to it; it is one split */
    const char *label;     /* INPUT_FILE: the path to name in messages */
    bool is_numbered;      /* INPUT_FILE: its lines are not those of one text file, but records */
    uint64_t records;      /* INPUT_GENERATOR, INPUT_NEXMARK: how many, over all subtasks */
    uint64_t keys;         /* INPUT_GENERATOR: keys are 0..keys-1 */
    uint32_t skew_ppm;     /* INPUT_GENERATOR: the Zipf exponent; 0: uniform */
    uint64_t seed;         /* INPUT_GENERATOR */
    const struct generator *generator; /* INPUT_GENERATOR: made from the four fields above by
                                        * whoever starts the job; shared, immutable */
    struct nexmark_config nexmark;     /* INPUT_NEXMARK */
    uint64_t rate_per_s;   /* over all subtasks; 0: as fast as possible */
    const struct input_burst *bursts; /* with a rate only */
    uint32_t burst_count;
    bool skip_bad_records; /* leave out and report what cannot be parsed, instead of failing */
};

#endif
