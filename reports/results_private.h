/* results_private.h - what results.c and results_open.c share. */
#ifndef FAULTLINE_REPORTS_RESULTS_PRIVATE_H
#define FAULTLINE_REPORTS_RESULTS_PRIVATE_H

#include <sqlite3.h>

#include "reports/results.h"

enum results_statement {
    INSERT_RUN,
    INSERT_CHECKPOINT,
    INSERT_TASK_CHECKPOINT,
    INSERT_RECOVERY,
    INSERT_FAULT,
    INSERT_VIOLATION,
    INSERT_PROGRESS,
    INSERT_SWEEP_CELL,
    DELETE_SWEEP,
    DELETE_COMPARISON,
    INSERT_COMPARISON,
    QUERY_CONTAIN,
    RESULTS_STATEMENT_COUNT
};

struct results {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *statements[RESULTS_STATEMENT_COUNT]; /* prepared once, kept open */
};

/* Turns what SQLite said last into a status, never OK, and a sentence: "PATH: cannot DOING: WHY".
 */
enum status results_fail(const struct results *results, const char *doing, struct buffer *error);

/* Runs SQL that gives no rows; false: see results_fail. */
bool results_execute(struct results *results, const char *sql);

#endif
