#include "model/jobs/count.h"

#include "model/base/text.h"
#include "model/state/state.h"

static void parse(struct operator_context *context, const struct record *line,
                  struct collector *out)
{
    int64_t value;
    if (!text_parse_i64(line->value, &value)) {
        operator_bad_record(context, line, "not a 64-bit integer");
        return;
    }
    uint8_t room[8];
    struct record number = record_i64(room, value);
    collector_emit(out, &number);
}

static void by_value(const struct record *number, struct key *key)
{
    key_set_i64(key, record_to_i64(number));
}

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
    int64_t seen;
    (void)value_state_get(&count->count, &seen); /* absent means 0 */
    value_state_put(&count->count, ++seen);

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
    static const struct map_parameters parsing = { .map = parse };
    static const struct process_parameters counting = { .self_bytes = sizeof(struct count),
                                                        .open = count_open,
                                                        .process = count_process };
    struct stream lines = pipeline_source(pipeline, "source");
    struct stream numbers = stream_map(lines, "parse", &parsing);
    struct stream counts = stream_process(stream_key_by(numbers, by_value), "count", &counting);
    stream_file_sink(counts, "sink");
}
