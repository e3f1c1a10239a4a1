#include "sim/world/trace_log.h"

#include <stdlib.h>

#include "model/base/check.h"
#include "model/host.h"

struct line {
    uint64_t time_ns;
    size_t start;
    size_t size;
};

struct trace_log {
    struct arena *arena;
    const struct pipeline *pipeline;
    struct buffer text;
    struct line *lines;
    size_t count;
    size_t capacity;
};

struct trace_log *trace_log_create(struct arena *arena, const struct pipeline *pipeline)
{
    struct trace_log *log = arena_alloc(arena, 1, sizeof *log);
    log->arena = arena;
    log->pipeline = pipeline;
    buffer_init(&log->text, arena);
    return log;
}

static void append_json_text(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            buffer_append_format(out, "\\%c", c);
        } else if (c < ' ') {
            buffer_append_format(out, "\\u%04x", c);
        } else {
            *buffer_extend(out, 1) = c;
        }
    }
}

static void append_fact(const struct trace_log *log, const struct fact_event *event,
                        struct buffer *out)
{
    const struct fact *fact = &event->fact;
    const struct fact_info *info = fact_info(fact->kind);
    buffer_append_format(out, "{\"time_ns\":%llu,\"process\":%u,\"fact\":\"%s\"",
                         (unsigned long long)event->time_ns, actor_process(event->actor),
                         info->name);
    if (fact->vertex != FACT_NO_TASK) {
        CHECK(fact->vertex < log->pipeline->vertex_count);
        buffer_append_format(out, ",\"task\":\"%s[%u]\"",
                             log->pipeline->vertices[fact->vertex].name, fact->subtask);
    }
    if (fact->attempt != 0) {
        buffer_append_format(out, ",\"attempt\":%llu", (unsigned long long)fact->attempt);
    }
    if (fact->checkpoint != 0) {
        buffer_append_format(out, ",\"checkpoint\":%llu", (unsigned long long)fact->checkpoint);
    }
    for (int i = 0; i < 2; i++) {
        if (info->value_names[i][0] != '\0') {
            buffer_append_format(out, ",\"%s\":%llu", info->value_names[i],
                                 (unsigned long long)fact->values[i]);
        }
    }
    if (fact->text.size > 0) {
        buffer_append_text(out, ",\"text\":\"");
        append_json_text(out, fact->text);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "}\n");
}

void trace_log_add(struct trace_log *log, const struct fact_event *event)
{
    log->lines = arena_grow(log->arena, log->lines, &log->capacity, log->count + 1,
                            sizeof *log->lines);
    size_t start = log->text.size;
    append_fact(log, event, &log->text);
    log->lines[log->count++] = (struct line){ .time_ns = event->time_ns,
                                              .start = start,
                                              .size = log->text.size - start };
}

/* By time, then in the order they came: `start` rises. */
static int compare_lines(const void *left, const void *right)
{
    const struct line *a = left;
    const struct line *b = right;
    if (a->time_ns != b->time_ns) {
        return a->time_ns < b->time_ns ? -1 : 1;
    }
    return a->start < b->start ? -1 : a->start > b->start;
}

void trace_log_write(const struct trace_log *log, struct buffer *out)
{
    if (log->count > 0) {
        qsort(log->lines, log->count, sizeof *log->lines, compare_lines);
    }
    for (size_t i = 0; i < log->count; i++) {
        buffer_append(out, (struct bytes){ .data = log->text.data + log->lines[i].start,
                                           .size = log->lines[i].size });
    }
}
