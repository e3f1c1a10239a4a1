/* figures.h - pictures of one run, as gnuplot scripts that carry their own data.
 *
 * A script needs gnuplot 5.4 or newer and nothing else, and writes one picture. Grey where the job
 * was down, light grey while it caught up, a dashed line where a fault began: readable without
 * colour and on white paper. Texts are quoted so that gnuplot shows them and never runs them. */
#ifndef FAULTLINE_REPORTS_FIGURES_H
#define FAULTLINE_REPORTS_FIGURES_H

#include <stdint.h>

#include "model/base/bytes.h"
#include "reports/summary.h"

enum figure_format { FIGURE_SVG, FIGURE_PNG };

struct figure_fault {
    uint64_t from_ns;
    const char *text; /* short: it stands along the line */
};

struct figure_options {
    enum figure_format format;
    const char *output;  /* the file that gnuplot writes */
    const char *title;   /* what is seen */
    const char *caption; /* how it was made: scenario, seed, build; lines are broken where needed */
    const struct figure_fault *faults; /* none: NULL */
    uint32_t fault_count;
};

enum {
    FIGURE_FAULT_TEXTS_MAX = 12,  /* with more faults than this the lines go without their texts */
    FIGURE_CHECKPOINTS_MAX = 2000 /* of more, only the longest of each few neighbours is shown */
};

/* Appends the script of: how long each checkpoint took, over the time of its trigger; those that
 * did not complete are crosses on the axis. */
void figure_checkpoints(const struct summary *summary, const struct figure_options *options,
                        struct buffer *out);

/* Appends the script of: records emitted by all sources, and how late they were, over time. */
void figure_progress(const struct summary *summary, const struct figure_options *options,
                     struct buffer *out);

#endif
