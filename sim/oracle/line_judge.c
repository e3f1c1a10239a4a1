#include "sim/oracle/line_judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/check.h"
#include "model/base/codec.h"

enum { SHOWN = 5, MESSAGE_SIZE = 200, LINE_SHOWN_BYTES = 100 };

void line_judge_init(struct line_judge *judge, struct arena *arena)
{
    *judge = (struct line_judge){ .arena = arena, .path = "", .sink = "" };
    buffer_init(&judge->wrong, arena);
    buffer_init(&judge->missing, arena);
}

void line_judge_wrong(struct line_judge *judge, struct bytes line, const char *format, ...)
{
    if (judge->wrong_count++ >= SHOWN) {
        return;
    }
    char why[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    int shown = line.size < LINE_SHOWN_BYTES ? (int)line.size : LINE_SHOWN_BYTES;
    buffer_append_format(&judge->wrong, "; \"%.*s\" in %s: %s", shown, (const char *)line.data,
                         judge->path, why);
}

void line_judge_missing(struct line_judge *judge, const char *format, ...)
{
    if (judge->missing_count++ >= SHOWN) {
        return;
    }
    char what[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    buffer_append_format(&judge->missing, "; %s", what);
}

/* A text for a message, in the judge's arena. */
static const char *name_of(const struct line_judge *judge, const struct fold_entry *entry,
                           void (*name)(const struct fold_entry *entry, struct buffer *out))
{
    struct buffer out;
    buffer_init(&out, judge->arena);
    name(entry, &out);
    *buffer_extend(&out, 1) = '\0';
    return (const char *)out.data;
}

void fold_name_i64(const struct fold_entry *entry, struct buffer *out)
{
    CHECK(entry->key_size == sizeof(int64_t));
    buffer_append_format(out, "%lld", (long long)load_u64(entry->key.near));
}

void fold_name_text(const struct fold_entry *entry, struct buffer *out)
{
    buffer_append(out, fold_entry_key(entry));
}

/* ---- the lines are known --------------------------------------------------------------------- */

struct fold_table *known_lines_create(struct arena *arena)
{
    struct fold_table *table = arena_alloc(arena, 1, sizeof *table);
    fold_table_init(table, arena);
    return table;
}

void known_lines_expect(struct fold_table *table, struct bytes line)
{
    fold_table_at(table, line)->folded[0]++;
}

void known_lines_line(struct line_judge *judge, struct fold_table *table, struct bytes line)
{
    struct fold_entry *entry = fold_table_find(table, line);
    if (entry == NULL || entry->folded[0] == 0) {
        line_judge_wrong(judge, line, "expected no such line");
        return;
    }
    CHECK(entry->committed[0] >= 0);
    if (++entry->committed[0] <= entry->folded[0]) {
        return;
    }
    judge->repeated++;
    if (!judge->may_repeat) {
        line_judge_wrong(judge, line, "expected %lld of it, found one more",
                         (long long)entry->folded[0]);
    }
}

void known_lines_end(struct line_judge *judge, const struct fold_table *table)
{
    for (size_t i = 0; judge->finished && i < table->count; i++) {
        const struct fold_entry *entry = &table->entries[i];
        if (entry->committed[0] < entry->folded[0] - entry->folded[1]) {
            struct bytes line = fold_entry_key(entry);
            line_judge_missing(judge, "\"%.*s\": expected %lld, found %lld", (int)line.size,
                               (const char *)line.data, (long long)entry->folded[0],
                               (long long)entry->committed[0]);
        }
    }
}

/* ---- a key counts ---------------------------------------------------------------------------- */

static void keep_early(struct line_judge *judge, uint32_t entry, int64_t count)
{
    judge->early = arena_grow(judge->arena, judge->early, &judge->early_capacity,
                              judge->early_count + 1, sizeof *judge->early);
    judge->early[judge->early_count++] = (struct early_count){ .entry = entry, .count = count };
}

void counting_line(struct line_judge *judge, const struct fold_table *table,
                   struct fold_entry *entry, struct bytes line, int64_t count)
{
    if (entry == NULL || entry->folded[0] == 0 || count < 1) {
        line_judge_wrong(judge, line, "expected no such line");
        return;
    }
    int64_t expected = entry->committed[0] + 1;
    if (count > entry->folded[0] && !judge->may_exceed) {
        line_judge_wrong(judge, line, "expected counts up to %lld", (long long)entry->folded[0]);
    } else if (count == expected) {
        entry->committed[0] = count;
    } else if (!judge->may_repeat) {
        line_judge_wrong(judge, line, "expected count %lld", (long long)expected);
        entry->committed[0] = count > expected ? count : entry->committed[0];
    } else if (count > expected) {
        keep_early(judge, (uint32_t)(entry - table->entries), count);
    } else {
        judge->repeated++;
    }
}

static int compare_early(const void *a, const void *b)
{
    const struct early_count *left = a;
    const struct early_count *right = b;
    if (left->entry != right->entry) {
        return left->entry < right->entry ? -1 : 1;
    }
    return (left->count > right->count) - (left->count < right->count);
}

void counting_end(struct line_judge *judge, const struct fold_table *table,
                  void (*name)(const struct fold_entry *entry, struct buffer *out))
{
    if (judge->early_count > 0) {
        qsort(judge->early, judge->early_count, sizeof *judge->early, compare_early);
    }
    for (size_t i = 0; i < judge->early_count; i++) {
        struct fold_entry *entry = &table->entries[judge->early[i].entry];
        int64_t expected = entry->committed[0] + 1;
        if (judge->early[i].count > expected) {
            line_judge_missing(judge, "%s: count %lld", name_of(judge, entry, name),
                               (long long)expected);
        }
        judge->repeated += judge->early[i].count < expected;
        entry->committed[0] =
            judge->early[i].count < expected ? entry->committed[0] : judge->early[i].count;
    }
    for (size_t i = 0; judge->finished && i < table->count; i++) {
        const struct fold_entry *entry = &table->entries[i];
        if (entry->committed[0] < entry->folded[0]) {
            line_judge_missing(judge, "%s: expected %lld, found %lld", name_of(judge, entry, name),
                               (long long)entry->folded[0], (long long)entry->committed[0]);
        }
    }
}

/* ---- a key's lines add up -------------------------------------------------------------------- */

void adding_line(struct line_judge *judge, struct fold_entry *entry, struct bytes line,
                 int64_t amount)
{
    if (entry == NULL || entry->folded[0] == 0 || amount < 1) {
        line_judge_wrong(judge, line, "expected no such line");
        return;
    }
    entry->committed[0] += amount;
    if (entry->committed[0] <= entry->folded[0]) {
        return;
    }
    judge->repeated++;
    if (!judge->may_repeat) {
        line_judge_wrong(judge, line, "expected %lld in all, found %lld",
                         (long long)entry->folded[0], (long long)entry->committed[0]);
    }
}

void adding_end(struct line_judge *judge, const struct fold_table *table,
                void (*name)(const struct fold_entry *entry, struct buffer *out))
{
    for (size_t i = 0; judge->finished && i < table->count; i++) {
        const struct fold_entry *entry = &table->entries[i];
        if (entry->committed[0] < entry->folded[0]) {
            line_judge_missing(judge, "%s: expected %lld in all, found %lld",
                               name_of(judge, entry, name), (long long)entry->folded[0],
                               (long long)entry->committed[0]);
        }
    }
}
