#include "model/jobs/pairs.h"

#include "model/base/text.h"
#include "model/jobs/numbers.h"
#include "model/state/state.h"

struct pair {
    struct value_state open;
};

static void pair_open(void *self, struct operator_context *context)
{
    struct pair *pair = self;
    value_state_open(&pair->open, context->backend, "open");
}

static void pair_process(void *self, const struct record *number, struct collector *out)
{
    struct pair *pair = self;
    int64_t open;
    if (!value_state_get(&pair->open, &open)) {
        value_state_put(&pair->open, 1);
        return;
    }
    value_state_clear(&pair->open);
    uint8_t line[TEXT_INTEGER_SIZE_MAX];
    size_t size = text_format_i64(line, record_to_i64(number));
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

void pairs_build(struct pipeline *pipeline)
{
    static const struct process_parameters pairing = { .self_bytes = sizeof(struct pair),
                                                       .open = pair_open,
                                                       .process = pair_process };
    struct stream numbers = stream_key_by(numbers_source(pipeline), numbers_by_value);
    stream_file_sink(stream_process(numbers, "pair", &pairing), "sink");
}
