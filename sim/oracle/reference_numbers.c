/* The references of the jobs over integers, grouped by their last two digits.
 *
 * running: `GROUP : SUM MIN MAX`. The order of a group's values depends on which subtask was
 * faster, so the differences between its sums must be its values in some order, and the other two
 * must follow from them. After an older checkpoint was restored, a group may go on from an older
 * sum: then only its last line is known.
 *
 * distinct: `GROUP : VALUES`, counts rising from 1 for each group. */
#include "sim/oracle/job_reference.h"
#include "sim/oracle/reference.h"

#include "model/base/check.h"
#include "model/base/codec.h"

enum {
    GROUPS = 0, /* by group */
    VALUES = 1, /* running: by group and value; distinct: by value */
    GROUP_COUNT = 100,
    RECORDS = 0, /* running, of a group: how many, then the numbers of a line */
    SUM = 1,
    MIN = 2,
    MAX = 3,
};

static int64_t group_of(int64_t value)
{
    return (value % GROUP_COUNT + GROUP_COUNT) % GROUP_COUNT;
}

static int64_t add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* ---- running --------------------------------------------------------------------------------- */

/* What the numbers of a line become with one more value. */
static void include(int64_t *numbers, int64_t value)
{
    bool is_first = numbers[RECORDS]++ == 0;
    numbers[SUM] = add(numbers[SUM], value);
    numbers[MIN] = is_first || value < numbers[MIN] ? value : numbers[MIN];
    numbers[MAX] = is_first || value > numbers[MAX] ? value : numbers[MAX];
}

static bool running_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    int64_t value;
    if (!reference_parse(record, &value)) {
        return false;
    }
    struct fold_key key;
    int64_t group = group_of(value);
    include(fold_table_at(&fold->tables[GROUPS], fold_key_i64(&key, group))->folded, value);
    fold_table_at(&fold->tables[VALUES], fold_key_pair(&key, group, value))->folded[0]++;
    return true;
}

static bool read_running_line(struct bytes line, int64_t *group, int64_t *numbers)
{
    struct bytes key;
    struct bytes rest;
    struct bytes fields[3];
    bool is_right = split_line(line, &key, &rest) && reference_parse(key, group) &&
                    fields_of(rest, ' ', fields, 3) == 3;
    for (int i = 0; is_right && i < 3; i++) {
        is_right = reference_parse(fields[i], &numbers[SUM + i]);
    }
    return is_right;
}

static bool same(const int64_t *a, const int64_t *b)
{
    return a[SUM] == b[SUM] && a[MIN] == b[MIN] && a[MAX] == b[MAX];
}

/* The value that the line adds to its group's sum: is it one of the group's, and not yet used up?
 * False: it is none, and the line says nothing more. */
static bool judge_value(struct job_fold *fold, struct line_judge *judge, struct bytes line,
                        int64_t group, int64_t value)
{
    struct fold_key key;
    struct fold_entry *entry =
        fold_table_find(&fold->tables[VALUES], fold_key_pair(&key, group, value));
    if (entry == NULL || entry->folded[0] == 0) {
        line_judge_wrong(judge, line, "it adds %lld, which is no value of its group",
                         (long long)value);
        return false;
    }
    if (++entry->committed[0] > entry->folded[0]) {
        judge->repeated++;
        if (!judge->may_repeat) {
            line_judge_wrong(judge, line, "it adds %lld once more than there is", (long long)value);
        }
    }
    return true;
}

static void running_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    int64_t group = 0;
    int64_t found[FOLD_NUMBERS] = { 0 };
    struct fold_key key;
    struct fold_entry *entry = NULL;
    if (read_running_line(line, &group, found)) {
        entry = fold_table_find(&fold->tables[GROUPS], fold_key_i64(&key, group));
    }
    if (entry == NULL || entry->folded[RECORDS] == 0) {
        line_judge_wrong(judge, line, "expected a line `GROUP : SUM MIN MAX` of a group");
        return;
    }
    if (judge->may_go_back) {
        entry->committed[RECORDS]++;
        judge->repeated += entry->committed[RECORDS] > entry->folded[RECORDS];
        entry->committed[SUM] |= same(found, entry->folded); /* the last line has been seen */
        return;
    }
    int64_t value = (int64_t)((uint64_t)found[SUM] - (uint64_t)entry->committed[SUM]);
    bool is_value = judge_value(fold, judge, line, group, value);
    include(entry->committed, value);
    if (!same(found, entry->committed)) {
        if (is_value) {
            line_judge_wrong(judge, line, "expected minimum %lld and maximum %lld",
                             (long long)entry->committed[MIN], (long long)entry->committed[MAX]);
        }
        entry->committed[MIN] = found[MIN];
        entry->committed[MAX] = found[MAX];
    }
}

static void running_end(struct job_fold *fold, struct line_judge *judge)
{
    const struct fold_table *groups = &fold->tables[GROUPS];
    for (size_t i = 0; judge->finished && judge->may_go_back && i < groups->count; i++) {
        const struct fold_entry *entry = &groups->entries[i];
        if (entry->folded[RECORDS] > 0 && !judge->may_exceed && entry->committed[SUM] == 0) {
            line_judge_missing(judge, "the last line of group %lld, with sum %lld",
                               (long long)load_u64(entry->key.near), (long long)entry->folded[SUM]);
        }
    }
    const struct fold_table *values = &fold->tables[VALUES];
    for (size_t i = 0; judge->finished && !judge->may_go_back && i < values->count; i++) {
        const struct fold_entry *entry = &values->entries[i];
        if (entry->committed[0] < entry->folded[0]) {
            line_judge_missing(judge, "%lld: expected %lld times, found %lld",
                               (long long)load_u64(entry->key.near + sizeof(int64_t)),
                               (long long)entry->folded[0], (long long)entry->committed[0]);
        }
    }
}

static bool running_covers(const int64_t *folded, const int64_t *found)
{
    return found[MIN] <= folded[MIN] && found[MAX] >= folded[MAX];
}

static const struct state_rule running_rules[] = {
    { .vertex = "running",
      .state = "rolling",
      .table = GROUPS,
      .first = SUM,
      .count = 3,
      .covers = running_covers },
};

const struct job_reference running_reference = {
    .job = "running",
    .fold = running_fold,
    .line = running_line,
    .end = running_end,
    .rules = running_rules,
    .rule_count = sizeof running_rules / sizeof running_rules[0],
};

/* ---- distinct -------------------------------------------------------------------------------- */

static bool distinct_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    int64_t value;
    if (!reference_parse(record, &value)) {
        return false;
    }
    struct fold_key key;
    if (fold_table_at(&fold->tables[VALUES], fold_key_i64(&key, value))->folded[0]++ == 0) {
        struct bytes group = fold_key_i64(&key, group_of(value));
        fold_table_at(&fold->tables[GROUPS], group)->folded[0]++;
    }
    return true;
}

static void distinct_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    struct bytes text;
    struct bytes number;
    int64_t group = 0;
    int64_t count = 0;
    if (!split_line(line, &text, &number) || !reference_parse(text, &group) ||
        !reference_parse(number, &count)) {
        line_judge_wrong(judge, line, "expected a line `GROUP : VALUES`");
        return;
    }
    struct fold_key key;
    struct fold_table *table = &fold->tables[GROUPS];
    counting_line(judge, table, fold_table_find(table, fold_key_i64(&key, group)), line, count);
}

static void distinct_end(struct job_fold *fold, struct line_judge *judge)
{
    counting_end(judge, &fold->tables[GROUPS], fold_name_i64);
}

static bool distinct_covers_seen(const int64_t *folded, const int64_t *found)
{
    (void)folded;
    (void)found;
    return true; /* it is there */
}

static const struct state_rule distinct_rules[] = {
    { .vertex = "count", .state = "values", .table = GROUPS, .count = 1, .covers = covers_count },
    { .vertex = "first", .state = "seen", .table = VALUES, .covers = distinct_covers_seen },
};

const struct job_reference distinct_reference = {
    .job = "distinct",
    .fold = distinct_fold,
    .line = distinct_line,
    .end = distinct_end,
    .rules = distinct_rules,
    .rule_count = sizeof distinct_rules / sizeof distinct_rules[0],
};
