/* The reference of the job pairs: each value comes out once for every two occurrences, and the
 * state holds those that have occurred an odd number of times. A record that is counted twice, as
 * at least once allows, can only make a value come out more often. */
#include "sim/oracle/job_reference.h"
#include "sim/oracle/reference.h"

#include "model/base/check.h"

enum {
    PAIRS = 0, /* how many, by value */
    OPEN = 1,  /* 1 or 0, by value */
};

static bool pairs_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    int64_t value;
    if (!reference_parse(record, &value)) {
        return false;
    }
    struct fold_key key;
    struct bytes bytes = fold_key_i64(&key, value);
    struct fold_entry *open = fold_table_at(&fold->tables[OPEN], bytes);
    open->folded[0] = 1 - open->folded[0];
    fold_table_at(&fold->tables[PAIRS], bytes)->folded[0] += open->folded[0] == 0;
    return true;
}

static void pairs_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    int64_t value;
    struct fold_key key;
    if (!reference_parse(line, &value)) {
        line_judge_wrong(judge, line, "expected a value");
        return;
    }
    struct fold_entry *entry = fold_table_find(&fold->tables[PAIRS], fold_key_i64(&key, value));
    if (entry != NULL && judge->may_exceed) {
        judge->repeated += ++entry->committed[0] > entry->folded[0];
        return;
    }
    adding_line(judge, entry, line, 1);
}

static void pairs_end(struct job_fold *fold, struct line_judge *judge)
{
    adding_end(judge, &fold->tables[PAIRS], fold_name_i64);
}

static const struct state_rule pairs_rules[] = {
    { .vertex = "pair", .state = "open", .table = OPEN, .count = 1 },
};

const struct job_reference pairs_reference = {
    .job = "pairs",
    .fold = pairs_fold,
    .line = pairs_line,
    .end = pairs_end,
    .rules = pairs_rules,
    .rule_count = sizeof pairs_rules / sizeof pairs_rules[0],
};
