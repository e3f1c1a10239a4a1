/* source_bed.h - a disk with one input file, and the source of one subtask that reads it, in a
 * test.
 *
 * A reader's machine is its own; every reader of a bed sees the bed's disk. */
#ifndef FAULTLINE_TESTS_SOURCE_BED_H
#define FAULTLINE_TESTS_SOURCE_BED_H

#include "model/stream/source.h"
#include "tests/support/disk_host.h"

enum { PARALLELISM_MAX = 16, SECOND_NS = 1000000000 };

struct source_bed {
    struct arena arena;
    struct disk *disk;
};

void source_bed_init(struct source_bed *bed);
void source_bed_free(struct source_bed *bed);

/* An input: a file of this content, the only one on a new disk; or generated records, at a rate if
 * that is not 0. */
struct input_config source_bed_file(struct source_bed *bed, struct bytes content);
struct input_config source_bed_text(struct source_bed *bed, const char *content);
struct input_config source_bed_generated(struct source_bed *bed, uint64_t records,
                                         uint64_t rate_per_s);

/* The state of one split of a source, as source.h says. In the bed's memory. */
struct bytes source_bed_split(struct source_bed *bed, uint32_t split, uint64_t records);

/* One subtask's source with everything around it. */
struct reader {
    struct disk_host machine;
    struct input_config input;
    struct operator_context context;
    struct collector out;
    struct source *source;
    struct buffer lines; /* what it emitted, each with a line feed behind */
    uint64_t count;
    const char *bad; /* the record to complain of, which the test sets first; NULL: none */
    struct source_parameters parameters; /* set by the test, too */
    bool takes_numbers;                  /* set by the test: all that may come at once */
    uint64_t number_count;               /* how many came as numbers; `lines` has them as lines */
    uint64_t at_once_max;                /* the most that came at once */
};

/* Opens the source of a subtask; restores it from `state` (no bytes: from its beginning). */
void reader_open(struct reader *reader, struct source_bed *bed, const struct input_config *input,
                 uint32_t subtask, uint32_t parallelism, struct bytes state);
void reader_close(struct reader *reader);

/* In the bed's memory. */
struct bytes reader_snapshot(struct reader *reader, struct source_bed *bed);

/* How many bad records the last split's state counts. */
uint64_t reader_skipped(struct reader *reader, struct source_bed *bed);

/* Pulls at most `limit` at once, till the end or a failure. Answers how many records came. */
uint64_t reader_to_end(struct reader *reader, uint32_t limit);

#endif
