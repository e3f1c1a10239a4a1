#include "model/jobs/running.h"

#include "model/base/text.h"
#include "model/jobs/numbers.h"
#include "model/stream/aggregate.h"

/* The accumulator: sum, smallest, largest, 64 bits each; empty before the first number. */
enum { SUM = 0, MIN = 8, MAX = 16, ACCUMULATOR_BYTES = 24 };

static void create(struct buffer *accumulator)
{
    (void)accumulator;
}

static void add(struct buffer *accumulator, const struct record *record)
{
    int64_t number = record_to_i64(record);
    if (accumulator->size == 0) {
        uint8_t *first = buffer_extend(accumulator, ACCUMULATOR_BYTES);
        store_u64(first + SUM, 0);
        store_u64(first + MIN, (uint64_t)number);
        store_u64(first + MAX, (uint64_t)number);
    }
    CHECK(accumulator->size == ACCUMULATOR_BYTES);
    uint8_t *at = accumulator->data;
    store_u64(at + SUM, load_u64(at + SUM) + (uint64_t)number);
    if (number < (int64_t)load_u64(at + MIN)) {
        store_u64(at + MIN, (uint64_t)number);
    }
    if (number > (int64_t)load_u64(at + MAX)) {
        store_u64(at + MAX, (uint64_t)number);
    }
}

static void result(const struct aggregate_result *result, struct collector *out)
{
    const uint8_t *at = result->accumulator.data;
    CHECK(result->accumulator.size == ACCUMULATOR_BYTES);
    uint8_t line[4 * TEXT_INTEGER_SIZE_MAX + 5];
    size_t size = text_format_i64(line, (int64_t)load_u64(result->key->bytes.data));
    line[size++] = ' ';
    line[size++] = ':';
    for (int i = SUM; i <= MAX; i += MIN) {
        line[size++] = ' ';
        size += text_format_i64(line + size, (int64_t)load_u64(at + i));
    }
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

void running_build(struct pipeline *pipeline)
{
    static const struct aggregate_function running = { .create = create,
                                                       .add = add,
                                                       .result = result };
    struct stream groups = stream_key_by(numbers_source(pipeline), numbers_by_group);
    stream_file_sink(stream_aggregate(groups, "running", &running), "sink");
}
