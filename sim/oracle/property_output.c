/* Property 2: the committed output equals the reference.
 *
 * Per key the counts must be 1, 2, 3 ... in commit order (by checkpoint id, then by subtask; a key
 * is always in the same subtask), up to the reference's count if the job finished, and not beyond
 * it in any case. At least once, or after an older checkpoint was restored as the scenario allows,
 * lines may come again; but each line of the reference must be there.
 *
 * Also, at the time: nobody commits output of a checkpoint before it completed. */
#include "sim/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/oracle/differences.h"

#define OUTPUT_PREFIX  "output/"
#define FILE_PREFIX    "chk-"
#define PENDING_PREFIX ".pending-"

enum { LINES_SHOWN = 5, BATCH_LINES = 16 };

/* ---- the files ------------------------------------------------------------------------------- */

struct output_file {
    uint64_t checkpoint;
    uint64_t subtask;
    const char *directory; /* "output/", or "output/NAME/" in a job with several sinks */
};

struct output_list {
    struct arena *arena;
    const char *directories[PIPELINE_VERTEX_COUNT_MAX]; /* one a sink */
    uint32_t directory_count;
    struct output_file *files;
    size_t count;
    size_t capacity;
    const char *stray;
};

static void path_of(const struct output_file *file, char path[JUDGE_PATH_SIZE])
{
    int length = snprintf(path, JUDGE_PATH_SIZE, "%s%llu/" FILE_PREFIX "%llu", file->directory,
                          (unsigned long long)file->subtask, (unsigned long long)file->checkpoint);
    CHECK(length > 0 && length < JUDGE_PATH_SIZE);
}

/* The directory of a sink in which `path` lies; OUTPUT_PREFIX if there is none. */
static const char *directory_of(const struct output_list *list, const char *path)
{
    for (uint32_t i = 0; i < list->directory_count; i++) {
        if (strncmp(path, list->directories[i], strlen(list->directories[i])) == 0) {
            return list->directories[i];
        }
    }
    return OUTPUT_PREFIX;
}

/* The only sink of a job has no directory of its own. */
static void list_directories(const struct oracle *oracle, struct output_list *list)
{
    const struct pipeline *pipeline = &oracle->pipeline;
    for (uint32_t v = 0; pipeline->sink_count > 1 && v < pipeline->vertex_count; v++) {
        for (uint32_t i = 0; i < pipeline->vertices[v].chain_length; i++) {
            const struct operator_spec *spec = &pipeline->vertices[v].chain[i];
            if (spec->ops->is_sink) {
                CHECK(list->directory_count < PIPELINE_VERTEX_COUNT_MAX);
                list->directories[list->directory_count++] =
                    arena_format(oracle->arena, OUTPUT_PREFIX "%s/", spec->name);
            }
        }
    }
}

static void note_file(void *context, const char *path)
{
    CHECK(path != NULL);
    struct output_list *list = context;
    if (strncmp(path, OUTPUT_PREFIX, strlen(OUTPUT_PREFIX)) != 0) {
        return;
    }
    const char *name = strrchr(path, '/') + 1;
    struct output_file file = { .directory = directory_of(list, path) };
    char *end;
    file.subtask = strtoull(path + strlen(file.directory), &end, 10);
    if (strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) == 0) {
        file.checkpoint = strtoull(name + strlen(FILE_PREFIX), &end, 10);
    }
    /* Only what reads back as itself is a committed file. */
    char canonical[JUDGE_PATH_SIZE];
    path_of(&file, canonical);
    if (strcmp(path, canonical) == 0) {
        list->files = arena_grow(list->arena, list->files, &list->capacity, list->count + 1,
                                 sizeof *list->files);
        list->files[list->count++] = file;
    } else if (strncmp(name, PENDING_PREFIX, strlen(PENDING_PREFIX)) != 0 && list->stray == NULL) {
        list->stray = arena_text(list->arena, path);
    }
}

static int compare_files(const void *a, const void *b)
{
    const struct output_file *left = a;
    const struct output_file *right = b;
    if (left->checkpoint != right->checkpoint) {
        return left->checkpoint < right->checkpoint ? -1 : 1;
    }
    if (left->subtask != right->subtask) {
        return left->subtask < right->subtask ? -1 : 1;
    }
    return strcmp(left->directory, right->directory);
}

const char *property_output_each_file(const struct oracle *oracle, output_file_function each,
                                      void *context)
{
    struct output_list list = { .arena = oracle->arena };
    list_directories(oracle, &list);
    disk_each_file(oracle->shared, note_file, &list);
    if (list.count > 0) {
        qsort(list.files, list.count, sizeof *list.files, compare_files);
    }
    for (size_t i = 0; i < list.count; i++) {
        char path[JUDGE_PATH_SIZE];
        struct bytes content;
        path_of(&list.files[i], path);
        bool is_there = disk_peek(oracle->shared, path, &content);
        CHECK(is_there);
        each(context, path, content);
    }
    arena_free(oracle->arena, list.files);
    return list.stray;
}

/* ---- the lines ------------------------------------------------------------------------------- */

struct line {
    int64_t key;
    int64_t count;
};

struct reading {
    struct oracle *oracle;
    bool may_repeat;  /* lines may come again */
    bool may_exceed;  /* counts may be beyond the reference */
    bool is_readable; /* false: a line could not be read, and this was reported */
    uint64_t wrong;   /* lines that do not continue their key */
    struct buffer wrong_text;
    int64_t wrong_keys[LINES_SHOWN];
    uint32_t wrong_shown;
    struct line *early; /* may_repeat: lines that came before those they follow */
    size_t early_count;
    size_t early_capacity;
};

/* Reads "KEY : COUNT" up to the line feed. */
static bool parse_line(struct bytes text, struct line *line)
{
    const uint8_t *colon = memchr(text.data, ':', text.size);
    if (colon == NULL || colon - text.data < 2 || colon[-1] != ' ' ||
        text.data + text.size - colon < 3 || colon[1] != ' ') {
        return false;
    }
    struct bytes key = { .data = text.data, .size = (size_t)(colon - text.data) - 1 };
    struct bytes count = { .data = colon + 2, .size = (size_t)(text.data + text.size - colon) - 2 };
    CHECK(key.size > 0 && count.size > 0);
    return reference_parse(key, &line->key) && reference_parse(count, &line->count) &&
           line->count > 0;
}

/* Each key is shown once: one lost line shows itself in no other. */
static void note_wrong(struct reading *reading, const char *path, struct line line,
                       int64_t expected)
{
    reading->wrong++;
    CHECK(reading->wrong_shown <= LINES_SHOWN);
    if (reading->wrong_shown == LINES_SHOWN) {
        return;
    }
    for (uint32_t i = 0; i < reading->wrong_shown; i++) {
        if (reading->wrong_keys[i] == line.key) {
            return;
        }
    }
    reading->wrong_keys[reading->wrong_shown++] = line.key;
    buffer_append_format(&reading->wrong_text, "; key %lld: expected ", (long long)line.key);
    if (expected == 0) {
        buffer_append_text(&reading->wrong_text, "nothing");
    } else {
        buffer_append_format(&reading->wrong_text, "count %lld", (long long)expected);
    }
    buffer_append_format(&reading->wrong_text, ", found %lld in %s", (long long)line.count, path);
}

static void judge_line(struct reading *reading, const char *path, struct line line)
{
    struct oracle *oracle = reading->oracle;
    struct key_entry *entry = key_table_find(&oracle->reference.table, line.key);
    int64_t folded = entry == NULL ? 0 : entry->folded;
    if (line.count > folded && (folded == 0 || !reading->may_exceed)) {
        /* The lines of a key that go beyond the reference. */
        note_wrong(reading, path, line, entry == NULL ? 0 : folded);
    }
    if (entry == NULL) {
        return;
    }
    int64_t expected = entry->committed + 1;
    CHECK(expected > 0);
    if (line.count == expected) {
        entry->committed = line.count;
    } else if (!reading->may_repeat) {
        if (line.count <= folded) {
            note_wrong(reading, path, line, expected);
        }
        entry->committed = line.count > expected ? line.count : entry->committed;
    } else if (line.count > expected) {
        reading->early = arena_grow(oracle->arena, reading->early, &reading->early_capacity,
                                    reading->early_count + 1, sizeof *reading->early);
        reading->early[reading->early_count++] = line;
    }
}

/* Is it the next line of its key, as nearly every one is? It is counted then. */
static inline bool continues_key(const struct key_table *table, struct line line)
{
    struct key_entry *entry = key_table_find(table, line.key);
    if (entry == NULL || line.count != entry->committed + 1 || line.count > entry->folded) {
        return false;
    }
    entry->committed = line.count;
    return true;
}

/* Reads lines of plain numbers, which nearly all are, from `*at` on, until `lines` is full or
 * another line comes; `*at` is then behind them. Returns how many. */
static uint32_t read_plain_lines(const struct key_table *table, struct bytes content, size_t *at,
                                 struct line lines[BATCH_LINES])
{
    static const char separator[] = { ' ', ':', ' ' };
    const uint8_t *start = content.data + *at;
    const uint8_t *end = content.data + content.size;
    uint32_t count = 0;
    for (; count < BATCH_LINES; count++) {
        const uint8_t *key_end = reference_read_digits(start, end, &lines[count].key);
        if (key_end == NULL || end - key_end < (ptrdiff_t)sizeof separator ||
            memcmp(key_end, separator, sizeof separator) != 0) {
            break;
        }
        const uint8_t *feed =
            reference_read_digits(key_end + sizeof separator, end, &lines[count].count);
        if (feed == NULL || feed == end || *feed != '\n' || lines[count].count == 0) {
            break;
        }
        key_table_prefetch(table, lines[count].key);
        start = feed + 1;
    }
    *at = (size_t)(start - content.data);
    return count;
}

/* Reads any line from `*at` on; false if it is none. */
static bool read_any_line(struct bytes content, size_t *at, struct line *line)
{
    CHECK(*at < content.size);
    const uint8_t *start = content.data + *at;
    const uint8_t *feed = memchr(start, '\n', content.size - *at);
    if (feed == NULL) {
        return false;
    }
    struct bytes text = { .data = start, .size = (size_t)(feed - start) };
    *at += text.size + 1;
    return parse_line(text, line);
}

static void read_file(void *context, const char *path, struct bytes content)
{
    struct reading *reading = context;
    const struct key_table *table = &reading->oracle->reference.table;
    uint64_t number = 0;
    if (!reading->is_readable) {
        return; /* an earlier file was reported */
    }
    for (size_t at = 0; at < content.size && reading->is_readable;) {
        struct line lines[BATCH_LINES];
        uint32_t count = read_plain_lines(table, content, &at, lines);
        if (count == 0) {
            number++;
            reading->is_readable = read_any_line(content, &at, &lines[0]);
            count = reading->is_readable;
        } else {
            number += count;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (!continues_key(table, lines[i])) {
                judge_line(reading, path, lines[i]);
            }
        }
        reading->oracle->totals.output_lines += count;
    }
    if (!reading->is_readable) {
        judge_report(reading->oracle, PROPERTY_OUTPUT, "%s: line %llu is no line `KEY : COUNT`",
                     path, (unsigned long long)number);
    }
    CHECK(number <= content.size);
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a;
    const struct line *right = b;
    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    return (left->count > right->count) - (left->count < right->count);
}

/* Lines that came early now find their places, in the order of their counts. */
static void settle_early_lines(struct reading *reading)
{
    if (reading->early_count > 0) {
        qsort(reading->early, reading->early_count, sizeof *reading->early, compare_lines);
    }
    for (size_t i = 0; i < reading->early_count; i++) {
        struct line line = reading->early[i];
        struct key_entry *entry = key_table_find(&reading->oracle->reference.table, line.key);
        CHECK(entry != NULL);
        if (line.count == entry->committed + 1) {
            entry->committed = line.count;
        } else if (line.count > entry->committed + 1) {
            note_wrong(reading, "the output", line, entry->committed + 1);
            entry->committed = line.count;
        }
    }
    arena_free(reading->oracle->arena, reading->early);
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static void report_wrong(struct reading *reading)
{
    CHECK(reading->wrong_shown <= reading->wrong);
    *buffer_extend(&reading->wrong_text, 1) = '\0';
    if (reading->wrong > 0) {
        judge_report(
            reading->oracle, PROPERTY_OUTPUT, "%llu committed %s not continue the counts of %s%s",
            (unsigned long long)reading->wrong, reading->wrong == 1 ? "line does" : "lines do",
            reading->wrong == 1 ? "its key" : "their keys", (const char *)reading->wrong_text.data);
    }
    buffer_free(&reading->wrong_text);
}

/* What the output as a whole lacks; counts the lines that it holds too often. */
static void judge_counts(struct reading *reading, bool finished)
{
    struct oracle *oracle = reading->oracle;
    const struct key_table *table = &oracle->reference.table;
    struct differences missing = { 0 };
    uint64_t distinct = 0;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct key_entry *entry = &table->entries[i];
        if (!entry->used) {
            continue;
        }
        bool is_short = entry->committed < entry->folded;
        distinct += (uint64_t)(is_short ? entry->committed : entry->folded);
        if (is_short && finished) {
            differences_add(&missing, entry->key, entry->folded, entry->committed);
        }
    }
    if (reading->may_repeat && oracle->totals.output_lines > distinct) {
        oracle->totals.output_duplicates = oracle->totals.output_lines - distinct;
    }
    if (missing.count > 0) {
        judge_report(oracle, PROPERTY_OUTPUT, "the committed output ends too early: %s",
                     differences_text(&missing, oracle->arena));
    }
    CHECK(missing.count <= table->count);
}

/* Is it output that is not committed yet, and did faults only remove such files, never change them?
 * That it is gone must be noticed when it is to be committed. */
static bool is_removal_of_pending(const struct oracle *oracle, const char *path)
{
    const struct scenario *scenario = oracle->scenario;
    bool is_pending = strstr(path, "/.pending-") != NULL;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        enum fault_verb verb = scenario->faults[i].verb;
        is_pending = is_pending && verb != FAULT_CORRUPT && verb != FAULT_TRUNCATE;
    }
    return is_pending;
}

static bool is_output_damaged(const struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->damaged_count; i++) {
        CHECK(oracle->damaged[i] != NULL);
        if (strncmp(oracle->damaged[i], OUTPUT_PREFIX, strlen(OUTPUT_PREFIX)) == 0 &&
            !is_removal_of_pending(oracle, oracle->damaged[i])) {
            return true;
        }
    }
    return false;
}

static void report_stray(struct oracle *oracle, const char *path)
{
    if (path != NULL) {
        judge_report(oracle, PROPERTY_OUTPUT, "a file that no sink commits lies in the output: %s",
                     path);
    }
}

void property_output_on_end(struct oracle *oracle, bool finished)
{
    if (is_output_damaged(oracle)) {
        return; /* a fault changed what had been committed: nothing can be said */
    }
    if (oracle->reference.fold != NULL) {
        report_stray(oracle, property_lines_judge(oracle, finished));
        return;
    }
    bool at_least_once = oracle->scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE;
    struct reading reading = { .oracle = oracle,
                               .may_repeat = at_least_once || oracle->older_restored,
                               .may_exceed = at_least_once,
                               .is_readable = true };
    buffer_init(&reading.wrong_text, oracle->arena);
    CHECK(oracle->totals.output_lines == 0);
    report_stray(oracle, property_output_each_file(oracle, read_file, &reading));
    settle_early_lines(&reading);
    report_wrong(&reading);
    if (reading.is_readable) {
        judge_counts(&reading, finished);
    }
}

void property_output_on_committed(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_SINK_COMMITTED);
    uint64_t newest = checkpoint_history_newest_of(&oracle->history, fact->attempt);
    /* What fenced attempts do is property 7's business. */
    if (fact->attempt >= oracle->deployed_attempt && fact->checkpoint > newest) {
        judge_report(oracle, PROPERTY_OUTPUT,
                     "%s[%u] committed output of checkpoint %llu before it completed: the newest "
                     "completed is %llu",
                     judge_vertex_name(oracle, fact->vertex), fact->subtask,
                     (unsigned long long)fact->checkpoint, (unsigned long long)newest);
    }
}

void property_output_on_announced(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    const struct checkpoint_record *record =
        checkpoint_history_find(&oracle->history, fact->checkpoint);
    if (record != NULL && event->time_ns < record->completed_ns) {
        judge_report(oracle, PROPERTY_OUTPUT,
                     "%s[%u] was told at %llu ns that checkpoint %llu had completed, which it did "
                     "at %llu ns",
                     judge_vertex_name(oracle, fact->vertex), fact->subtask,
                     (unsigned long long)event->time_ns, (unsigned long long)fact->checkpoint,
                     (unsigned long long)record->completed_ns);
    }
}
