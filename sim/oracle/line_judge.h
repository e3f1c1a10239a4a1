/* line_judge.h - judges the committed lines of a job one by one, in commit order, and says what is
 * wrong with them and what is missing.
 *
 * A job's reference (job_reference.h) knows what a line must be; here are the rules that several
 * jobs share, and the messages. */
#ifndef FAULTLINE_SIM_ORACLE_LINE_JUDGE_H
#define FAULTLINE_SIM_ORACLE_LINE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "sim/oracle/fold_table.h"

/* A count that came before those that it follows. */
struct early_count {
    uint32_t entry; /* its place in the table */
    int64_t count;
};

struct line_judge {
    struct arena *arena;
    const char *path;  /* of the file with the line in hand */
    const char *sink;  /* the directory of its sink; "" if the job has only one */
    bool may_repeat;   /* lines may come again: at least once, or an older checkpoint restored */
    bool may_exceed;   /* a record may be counted more than once: at least once */
    bool may_go_back;  /* an older checkpoint was restored: keys may go on from an older state */
    bool finished;     /* nothing may be missing */
    uint64_t lines;    /* judged */
    uint64_t repeated; /* those among them that the reference does not have so often */
    uint64_t wrong_count;
    uint64_t missing_count;
    struct buffer wrong; /* the first few, as text */
    struct buffer missing;
    struct early_count *early;
    size_t early_count;
    size_t early_capacity;
};

/* Nothing judged yet; memory from `arena`. The caller sets the permissions. */
void line_judge_init(struct line_judge *judge, struct arena *arena);

/* The line in hand is wrong; the format says why: `expected ...`. */
void line_judge_wrong(struct line_judge *judge, struct bytes line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Something is not there; the format says what. */
void line_judge_missing(struct line_judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- rule: the lines are known ---------------------------------------------------------------
 * The table's keys are the lines, folded[0] is how often each must be there; folded[1] of these may
 * be missing. */

struct fold_table *known_lines_create(struct arena *arena); /* none yet */
void known_lines_expect(struct fold_table *table, struct bytes line);
void known_lines_line(struct line_judge *judge, struct fold_table *table, struct bytes line);
void known_lines_end(struct line_judge *judge, const struct fold_table *table);

/* ---- rule: a key counts --------------------------------------------------------------------
 * Each line carries the count of a key: 1, 2, 3 ... up to folded[0]. */

/* NULL: no record of the input has such a key. */
void counting_line(struct line_judge *judge, const struct fold_table *table,
                   struct fold_entry *entry, struct bytes line, int64_t count);
/* `name` writes a key for a message. */
void counting_end(struct line_judge *judge, const struct fold_table *table,
                  void (*name)(const struct fold_entry *entry, struct buffer *out));

/* ---- rule: a key's lines add up ------------------------------------------------------------
 * The amounts in the lines of a key sum up to folded[0]. */

void adding_line(struct line_judge *judge, struct fold_entry *entry, struct bytes line,
                 int64_t amount);
void adding_end(struct line_judge *judge, const struct fold_table *table,
                void (*name)(const struct fold_entry *entry, struct buffer *out));

/* Writes a key that is a 64-bit integer, or a text. */
void fold_name_i64(const struct fold_entry *entry, struct buffer *out);
void fold_name_text(const struct fold_entry *entry, struct buffer *out);

#endif
