/* verdict_private.h - what verdict.c and verdict_story.c share: the text as it grows. */
#ifndef FAULTLINE_SIM_VERDICT_PRIVATE_H
#define FAULTLINE_SIM_VERDICT_PRIVATE_H

#include "sim/campaign/verdict.h"

enum { PAGE_LABEL_WIDTH = 13 };

struct page {
    const struct run *run;
    struct buffer *out;
    struct buffer cell; /* of a table, before it is aligned */
};

/* Starts a line; `label` stands left of it, "" for a line that continues. */
void page_start_line(struct page *page, const char *label);
void page_end_line(struct page *page);

/* Moves the cell to the text, to the right of `width` columns, and empties it. */
void page_flush_cell(struct page *page, size_t width);

/* A message may have lines of its own: they continue under its start. Control characters, which a
 * scenario or an input can bring in, do not reach the terminal. */
void page_append_message(struct page *page, const char *message);

/* A line that says how many of `total` are not shown, if any. */
void page_write_more(struct page *page, uint64_t total, uint64_t shown);

/* The parts of the text that tell what broke, how the job recovered, and its checkpoints. */
void page_write_faults(struct page *page);
void page_write_recoveries(struct page *page);
void page_write_checkpoints(struct page *page);

#endif
