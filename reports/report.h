/* report.h - the report of a results database: its figures, and one HTML page that needs nothing
 * else.
 *
 * Two steps, as gnuplot stands between them: report_build makes the scripts; the caller draws them
 * and hands each panel's SVG back; report_write_page puts it all together. Without pictures the
 * page has the words and tables only. */
#ifndef FAULTLINE_REPORTS_REPORT_H
#define FAULTLINE_REPORTS_REPORT_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "reports/report_data.h"
#include "reports/report_figure.h"

enum { REPORT_FIGURES_MAX = 16 };

struct report {
    struct arena *arena;
    const char *database; /* path */
    struct report_data data;
    struct report_figure figures[REPORT_FIGURES_MAX];
    uint32_t figure_count;
    /* Of each panel of each figure; the caller fills it; empty: there is no picture. */
    struct bytes pictures[REPORT_FIGURES_MAX][REPORT_PANELS_MAX];
};

/* Reads the database `path` and makes the figures that its runs are enough for. Errors: NOT_FOUND,
 * INVALID (another program's, or another schema), CORRUPT, IO, with one sentence in `error`. */
MUST_USE enum status report_build(struct report *report, struct arena *arena, const char *path,
                                  struct buffer *error);

struct report_page_options {
    const char *program; /* for replay commands */
    const char *folder;  /* of the page; runs/ID.json in it are the scenarios */
    const char *build;   /* of the program that writes the page */
};

/* Appends the whole page. */
void report_write_page(const struct report *report, const struct report_page_options *options,
                       struct buffer *out);

#endif
