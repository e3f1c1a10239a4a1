/* The reference of wordcount: `WORD : COUNT`, counts rising from 1 for each word. A word is a run
 * of ASCII letters and digits, of which capitals count as small, and of bytes above 127. */
#include "sim/oracle/job_reference.h"
#include "sim/oracle/reference.h"

#include "model/base/check.h"

enum { WORDS = 0, WORD_SIZE_MAX = 256 };

static bool is_of_word(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte > 127;
}

static uint8_t small(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* A longer word counts as its first WORD_SIZE_MAX bytes. */
static bool wordcount_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    uint8_t word[WORD_SIZE_MAX];
    size_t size = 0;
    for (size_t at = 0; at <= record.size; at++) {
        if (at < record.size && is_of_word(record.data[at])) {
            if (size < sizeof word) {
                word[size++] = small(record.data[at]);
            }
        } else if (size > 0) {
            struct bytes key = { .data = word, .size = size };
            fold_table_at(&fold->tables[WORDS], key)->folded[0]++;
            size = 0;
        }
    }
    return true;
}

static void wordcount_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    struct bytes word;
    struct bytes number;
    int64_t count = 0;
    if (!split_line(line, &word, &number) || !reference_parse(number, &count)) {
        line_judge_wrong(judge, line, "expected a line `WORD : COUNT`");
        return;
    }
    struct fold_table *table = &fold->tables[WORDS];
    counting_line(judge, table, fold_table_find(table, word), line, count);
}

static void wordcount_end(struct job_fold *fold, struct line_judge *judge)
{
    counting_end(judge, &fold->tables[WORDS], fold_name_text);
}

static const struct state_rule wordcount_rules[] = {
    { .vertex = "count",
      .state = "count",
      .table = WORDS,
      .count = 1,
      .text_keys = true,
      .covers = covers_count },
};

const struct job_reference wordcount_reference = {
    .job = "wordcount",
    .fold = wordcount_fold,
    .line = wordcount_line,
    .end = wordcount_end,
    .rules = wordcount_rules,
    .rule_count = sizeof wordcount_rules / sizeof wordcount_rules[0],
};
