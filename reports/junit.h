/* junit.h - verdicts as JUnit XML, which CI servers show. */
#ifndef FAULTLINE_REPORTS_JUNIT_H
#define FAULTLINE_REPORTS_JUNIT_H

#include <stdint.h>

#include "model/base/bytes.h"

enum junit_kind { JUNIT_PASSED, JUNIT_FAILED, JUNIT_ERROR };

struct junit_case {
    const char *group; /* what the cases of one file or one sweep have in common */
    const char *name;
    uint64_t wall_ns;
    enum junit_kind kind;
    const char *message; /* what is wrong, in a few words; "" where nothing is */
    const char *detail;  /* more lines, such as the command that replays it; "" for none */
};

/* Appends the whole document: one test suite. */
void junit_write(const char *suite, const struct junit_case *cases, uint64_t count,
                 struct buffer *out);

/* Appends `text` with the characters escaped that XML and HTML treat as markup, and without those
 * that XML forbids. Good for content and for attributes in double quotes. */
void markup_append(struct buffer *out, const char *text);

#endif
