/* progress.h - one line about a campaign that runs: rewritten in place on a terminal, a plain line
 * every few seconds elsewhere; and real time, which nothing but progress and budgets depend on. */
#ifndef FAULTLINE_SIM_CAMPAIGN_PROGRESS_H
#define FAULTLINE_SIM_CAMPAIGN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Real time since some moment in the past. */
uint64_t real_now_ns(void);

struct progress {
    FILE *out;  /* borrowed; NULL: say nothing */
    bool quiet; /* until the end: shows and says nothing */
    bool terminal;
    bool shown; /* a line stands on the terminal */
    uint64_t start_ns;
    uint64_t last_ns;
};

/* Begins now, not quiet. */
void progress_init(struct progress *progress, FILE *out);

/* Real time since the beginning. */
uint64_t progress_elapsed_ns(const struct progress *progress);

/* Is it time for a new line? */
bool progress_is_due(const struct progress *progress);

/* Shows the formatted line, without a line feed, in place of the last one. */
void progress_show(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints a lasting line, above the progress line. */
void progress_say(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Removes the progress line. What is said from here on is the end: a quiet one says it, too. */
void progress_end(struct progress *progress);

#endif
