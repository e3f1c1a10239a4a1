#include "model/jobs/count.h"

#include "model/base/text.h"
#include "model/jobs/numbers.h"
#include "model/state/state.h"

struct count {
    struct value_state count;
};

static void count_open(void *self, struct operator_context *context)
{
    struct count *count = self;
    value_state_open(&count->count, context->backend, "count");
}

static void count_process(void *self, const struct record *number, struct collector *out)
{
    struct count *count = self;
    int64_t seen = value_state_add(&count->count, 1);
    uint8_t line[2 * TEXT_INTEGER_SIZE_MAX + 3];
    size_t size = text_format_i64(line, record_to_i64(number));
    line[size++] = ' ';
    line[size++] = ':';
    line[size++] = ' ';
    size += text_format_i64(line + size, seen);
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

void count_build(struct pipeline *pipeline)
{
    static const struct process_parameters counting = { .self_bytes = sizeof(struct count),
                                                        .open = count_open,
                                                        .process = count_process };
    struct stream numbers = stream_key_by(numbers_source(pipeline), numbers_by_value);
    struct stream counts = stream_process(numbers, "count", &counting);
    stream_file_sink(counts, "sink");
}
