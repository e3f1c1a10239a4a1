/* results_bed.h - a results database in a folder of its own, and an example of a run to put in it.
 */
#ifndef FAULTLINE_TESTS_RESULTS_BED_H
#define FAULTLINE_TESTS_RESULTS_BED_H

#include "reports/results.h"
#include "tests/support/folder.h"

struct results_bed {
    struct arena arena;
    struct buffer error;
    struct folder folder;
    char path[128];         /* of the database, which is not there yet */
    struct summary summary; /* one completed checkpoint, one given up, and one recovery */
};

enum { RESULTS_BED_FAULTS = 2, RESULTS_BED_VIOLATIONS = 1 };
extern const struct results_run results_bed_run;
extern const struct results_fault results_bed_faults[RESULTS_BED_FAULTS];
extern const struct results_violation results_bed_violations[RESULTS_BED_VIOLATIONS];

void results_bed_set_up(struct results_bed *bed);
void results_bed_tear_down(struct results_bed *bed);

/* The sentence of the last error. */
const char *results_bed_error(struct results_bed *bed);

/* Opens the database, and adds the example: both must succeed. */
struct results *results_bed_open(struct results_bed *bed);
void results_bed_add(struct results_bed *bed, struct results *results);

/* What a reader of its own sees: the first column of the first row; the bed's memory. */
char *results_bed_read(struct results_bed *bed, const char *sql);

#endif
