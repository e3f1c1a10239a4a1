/* The reference of the job rules: `VALUE : COUNT : RULE` of each value that is no rule, of whose
 * counts the sum is known, and `events : COUNT` of the subtasks, which add up. A rule is the
 * greatest of its group in all the input, however often it was read. */
#include "sim/oracle/job_reference.h"
#include "sim/oracle/reference.h"

#include "model/base/check.h"

enum {
    EVENTS = 0, /* how many, by value */
    RULES = 1,  /* by group: is there one, and the greatest */
    TOTAL = 2,  /* how many events, by the name of the line */
    RULE_EVERY = 10,
    GROUP_COUNT = 100,
};

static struct bytes group_key(struct fold_key *key, int64_t value)
{
    int64_t group = value / RULE_EVERY % GROUP_COUNT;
    return fold_key_i64(key, group < 0 ? group + GROUP_COUNT : group);
}

static bool rules_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    int64_t value;
    struct fold_key key;
    if (!reference_parse(record, &value)) {
        return false;
    }
    if (value % RULE_EVERY != 0) {
        fold_table_at(&fold->tables[EVENTS], fold_key_i64(&key, value))->folded[0]++;
        fold_table_at(&fold->tables[TOTAL], bytes_of_text("events"))->folded[0]++;
        return true;
    }
    int64_t *rule = fold_table_at(&fold->tables[RULES], group_key(&key, value))->folded;
    rule[1] = rule[0] == 0 || value > rule[1] ? value : rule[1];
    rule[0] = 1;
    return true;
}

/* Is `text` the rule of the group of `value`? */
static bool is_rule_of(const struct job_fold *fold, int64_t value, struct bytes text)
{
    struct fold_key key;
    int64_t number;
    const struct fold_entry *rule = fold_table_find(&fold->tables[RULES], group_key(&key, value));
    if (rule == NULL || rule->folded[0] == 0) {
        return bytes_equal(text, bytes_of_text("none"));
    }
    return reference_parse(text, &number) && number == rule->folded[1];
}

static void rules_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    struct bytes name;
    struct bytes value_text;
    struct bytes count_text;
    struct bytes rule;
    int64_t value = 0;
    int64_t count = 0;
    struct fold_key key;
    struct fold_entry *entry = NULL;
    if (!split_line(line, &name, &rule)) {
        line_judge_wrong(judge, line, "expected a line `VALUE : COUNT : RULE` or `events : COUNT`");
    } else if (bytes_equal(name, bytes_of_text("events")) && reference_parse(rule, &count)) {
        adding_line(judge, fold_table_find(&fold->tables[TOTAL], name), line, count);
    } else if (!split_line(name, &value_text, &count_text) ||
               !reference_parse(value_text, &value) || !reference_parse(count_text, &count)) {
        line_judge_wrong(judge, line, "expected a line `VALUE : COUNT : RULE` or `events : COUNT`");
    } else if (!is_rule_of(fold, value, rule)) {
        line_judge_wrong(judge, line, "expected another rule");
    } else {
        entry = fold_table_find(&fold->tables[EVENTS], fold_key_i64(&key, value));
        adding_line(judge, entry, line, count);
    }
}

static void rules_end(struct job_fold *fold, struct line_judge *judge)
{
    adding_end(judge, &fold->tables[EVENTS], fold_name_i64);
    adding_end(judge, &fold->tables[TOTAL], fold_name_text);
}

static const struct state_rule rules_rules[] = {
    { .vertex = "match", .state = "count", .table = EVENTS, .count = 1, .covers = covers_count },
};

static const struct operator_rule rules_operator_rules[] = {
    { .vertex = "match", .state = "rules", .mode = STATE_BROADCAST, .table = RULES, .number = 1 },
    { .vertex = "match",
      .state = "shares",
      .mode = STATE_UNION,
      .table = TOTAL,
      .key = "events",
      .skipped_bytes = sizeof(uint32_t) },
};

const struct job_reference rules_reference = {
    .job = "rules",
    .fold = rules_fold,
    .line = rules_line,
    .end = rules_end,
    .rules = rules_rules,
    .rule_count = sizeof rules_rules / sizeof rules_rules[0],
    .operator_rules = rules_operator_rules,
    .operator_rule_count = sizeof rules_operator_rules / sizeof rules_operator_rules[0],
};
