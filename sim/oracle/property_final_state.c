/* Property 1, for jobs whose reference knows what their states hold at the end of the input
 * (job_reference.h): exactly that, and nothing is left behind. */
#include <string.h>

#include "model/base/check.h"
#include "sim/oracle/final_state.h"
#include "sim/oracle/judge.h"

static bool is_compared(const struct oracle *oracle)
{
    const struct job_fold *fold = oracle->reference.fold;
    return fold != NULL && fold->job->final_state != NULL &&
           oracle->scenario->job.checkpoint.mode == MODE_EXACTLY_ONCE;
}

/* Have all sources read their whole input? Until then each subtask gives its state again. */
bool judge_is_at_end(const struct oracle *oracle)
{
    for (uint32_t i = 0; i < oracle->reference.split_count; i++) {
        const struct source_position *position = &oracle->cut.positions[i];
        if (!position->finished && position->position < oracle->reference.splits[i].range_end) {
            return false;
        }
    }
    return true;
}

/* One for each key group of each vertex. */
static size_t line_places(const struct oracle *oracle)
{
    return (size_t)oracle->pipeline.vertex_count * oracle->cut.key_groups;
}

void property_final_state_note(struct oracle *oracle, struct checkpoint_reader reader)
{
    if (!is_compared(oracle) || !judge_is_at_end(oracle)) {
        return;
    }
    size_t count = line_places(oracle);
    if (oracle->final_states == NULL) {
        oracle->final_states = arena_alloc(oracle->arena, count, sizeof *oracle->final_states);
        for (size_t i = 0; i < count; i++) {
            buffer_init(&oracle->final_states[i], oracle->arena);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!oracle->cut.unstated[i]) {
            buffer_reset(&oracle->final_states[i]);
        }
    }
    struct checkpoint_subtask subtask;
    while (checkpoint_reader_next(&reader, &subtask)) {
        if (oracle->pipeline.vertices[subtask.vertex].keyed) {
            final_state_read(oracle, &subtask,
                             oracle->final_states + subtask.vertex * oracle->cut.key_groups);
        }
    }
}

/* Takes the first line off `rest`. */
static struct bytes take_line(struct bytes *rest)
{
    const uint8_t *feed = memchr(rest->data, '\n', rest->size);
    CHECK(feed != NULL);
    struct bytes line = { .data = rest->data, .size = (size_t)(feed - rest->data) };
    *rest = (struct bytes){ .data = feed + 1, .size = rest->size - line.size - 1 };
    return line;
}

void property_final_state_each(const struct oracle *oracle, lines_function each, void *context)
{
    size_t places = oracle->final_states == NULL ? 0 : line_places(oracle);
    for (size_t i = 0; i < places; i++) {
        struct bytes rest = buffer_bytes(&oracle->final_states[i]);
        while (rest.size > 0) {
            struct bytes lines[FOLD_BATCH];
            size_t count = 0;
            while (count < FOLD_BATCH && rest.size > 0) {
                lines[count++] = take_line(&rest);
            }
            each(context, lines, count);
        }
    }
}

struct comparison {
    struct line_judge judge;
    struct fold_table *expected;
};

static void compare_lines(void *context, const struct bytes *lines, size_t count)
{
    struct comparison *comparison = context;
    comparison->judge.lines += count;
    fold_table_foresee(comparison->expected, lines, count);
    for (size_t i = 0; i < count; i++) {
        known_lines_line(&comparison->judge, comparison->expected, lines[i]);
    }
}

static void report(struct oracle *oracle, const char *what, uint64_t count, struct buffer *text)
{
    if (count > 0) {
        *buffer_extend(text, 1) = '\0';
        judge_report(oracle, PROPERTY_STATE, "checkpoint %llu, the last: %s %llu%s",
                     (unsigned long long)oracle->cut.last_verified, what, (unsigned long long)count,
                     (const char *)text->data);
    }
}

void property_final_state_on_end(struct oracle *oracle)
{
    if (!is_compared(oracle)) {
        return;
    }
    struct job_fold *fold = oracle->reference.fold;
    struct comparison comparison;
    line_judge_init(&comparison.judge, oracle->arena);
    comparison.judge.finished = true;
    comparison.judge.path = "the state";
    comparison.expected = fold->job->final_state(fold);
    if (comparison.expected == NULL) {
        return;
    }
    property_final_state_each(oracle, compare_lines, &comparison);
    known_lines_end(&comparison.judge, comparison.expected);
    oracle->totals.final_state_compared = true;
    oracle->totals.final_entries_compared = comparison.judge.lines;
    report(oracle, "entries that should not be there:", comparison.judge.wrong_count,
           &comparison.judge.wrong);
    report(oracle, "entries that are missing:", comparison.judge.missing_count,
           &comparison.judge.missing);
}
