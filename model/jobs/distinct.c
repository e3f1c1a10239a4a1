#include "model/jobs/distinct.h"

#include "model/base/text.h"
#include "model/jobs/numbers.h"
#include "model/state/state.h"

struct stage {
    struct value_state state;
};

static void first_open(void *self, struct operator_context *context)
{
    struct stage *stage = self;
    value_state_open(&stage->state, context->backend, "seen");
}

static void first_process(void *self, const struct record *number, struct collector *out)
{
    struct stage *stage = self;
    int64_t seen;
    if (!value_state_get(&stage->state, &seen)) {
        value_state_put(&stage->state, 1);
        collector_emit(out, number);
    }
}

static void count_open(void *self, struct operator_context *context)
{
    struct stage *stage = self;
    value_state_open(&stage->state, context->backend, "values");
}

static void count_process(void *self, const struct record *number, struct collector *out)
{
    struct stage *stage = self;
    int64_t values = value_state_add(&stage->state, 1);
    uint8_t line[2 * TEXT_INTEGER_SIZE_MAX + 3];
    size_t size = text_format_i64(line, numbers_group(record_to_i64(number)));
    line[size++] = ' ';
    line[size++] = ':';
    line[size++] = ' ';
    size += text_format_i64(line + size, values);
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

void distinct_build(struct pipeline *pipeline)
{
    static const struct process_parameters letting_through = { .self_bytes = sizeof(struct stage),
                                                               .open = first_open,
                                                               .process = first_process };
    static const struct process_parameters counting = { .self_bytes = sizeof(struct stage),
                                                        .open = count_open,
                                                        .process = count_process };
    struct stream numbers = stream_key_by(numbers_source(pipeline), numbers_by_value);
    struct stream values = stream_process(numbers, "first", &letting_through);
    struct stream groups = stream_key_by(values, numbers_by_group);
    stream_file_sink(stream_process(groups, "count", &counting), "sink");
}
