/* disk_bed.h - a simulated disk in a test, and short words for what is done with it. */
#ifndef FAULTLINE_TESTS_DISK_BED_H
#define FAULTLINE_TESTS_DISK_BED_H

#include "sim/world/disk.h"

enum { ALICE, BOB }; /* two machines */

struct disk_bed {
    struct arena arena;
    struct disk *disk;
    struct prng prng;
};

void bed_init(struct disk_bed *bed);
/* Nothing may be left. */
void bed_drop(struct disk_bed *bed);

/* Creates the file if there is none. */
struct disk_file *bed_open(struct disk_bed *bed, uint32_t client, const char *path);
void bed_write(struct disk_bed *bed, uint32_t client, struct disk_file *file, uint64_t offset,
               const char *text);

/* Creates `path` with `text`; durable with its name if `is_durable`. */
void bed_make_file(struct disk_bed *bed, uint32_t client, const char *path, const char *text,
                   bool is_durable);

void bed_cut(struct disk_bed *bed, uint32_t client, enum disk_survival survival);

/* Asserts the content of `path`; NULL: there is no such file. */
void bed_assert_file(const struct disk_bed *bed, const char *path, const char *text);

#endif
