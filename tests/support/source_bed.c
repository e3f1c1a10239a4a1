#include "tests/support/source_bed.h"

#include <check.h>
#include <inttypes.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/stream/operator_state.h"

static const char path[] = "in/numbers.txt";

void source_bed_init(struct source_bed *bed)
{
    arena_init(&bed->arena);
    bed->disk = disk_create(&bed->arena);
}

void source_bed_free(struct source_bed *bed)
{
    disk_destroy(bed->disk);
    arena_drop(&bed->arena);
}

struct input_config source_bed_file(struct source_bed *bed, struct bytes content)
{
    disk_destroy(bed->disk);
    bed->disk = disk_create(&bed->arena);
    disk_add_input(bed->disk, path, content);
    return (struct input_config){ .kind = INPUT_FILE, .file = path, .label = "numbers.txt" };
}

struct input_config source_bed_text(struct source_bed *bed, const char *content)
{
    return source_bed_file(bed, bytes_of_text(content));
}

struct input_config source_bed_generated(struct source_bed *bed, uint64_t records,
                                         uint64_t rate_per_s)
{
    return (struct input_config){ .kind = INPUT_GENERATOR,
                                  .records = records,
                                  .keys = 1000,
                                  .generator = generator_create(&bed->arena, 1000, 0, 1),
                                  .rate_per_s = rate_per_s };
}

struct bytes source_bed_split(struct source_bed *bed, uint32_t split, uint64_t records)
{
    struct operator_states *states = operator_states_create(&bed->arena);
    struct buffer item;
    struct buffer state;
    buffer_init(&item, &bed->arena);
    buffer_init(&state, &bed->arena);
    encode_u32(&item, split);
    encode_u64(&item, records); /* the position */
    encode_u64(&item, records);
    encode_u64(&item, 0); /* bad records */
    operator_state_add(operator_states_declare(states, "splits", STATE_SPLIT), buffer_bytes(&item));
    operator_states_snapshot(states, &state);
    return buffer_bytes(&state);
}

static void collect(void *target, const struct record *record)
{
    struct reader *reader = target;
    if (record->is_number) {
        buffer_append_format(&reader->lines, "%" PRIi64, record_to_i64(record));
        reader->number_count++;
    } else {
        buffer_append(&reader->lines, record->value);
    }
    buffer_append_text(&reader->lines, "\n");
    reader->count++;
    if (reader->bad != NULL && bytes_equal(record->value, bytes_of_text(reader->bad))) {
        operator_bad_record(&reader->context, record, "is bad");
    }
}

static bool collect_numbers(void *target, const int64_t *numbers, uint32_t count)
{
    struct reader *reader = target;
    CHECK(count > 0 && count <= NUMBERS_AT_ONCE);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t room[8];
        struct record record = record_i64(room, numbers[i]);
        record.is_number = true;
        collect(reader, &record);
    }
    reader->at_once_max = count > reader->at_once_max ? count : reader->at_once_max;
    return true;
}

void reader_open(struct reader *reader, struct source_bed *bed, const struct input_config *input,
                 uint32_t subtask, uint32_t parallelism, struct bytes state)
{
    CHECK(subtask < parallelism);
    *reader = (struct reader){ .input = *input,
                               .bad = reader->bad,
                               .parameters = reader->parameters,
                               .takes_numbers = reader->takes_numbers };
    disk_host_init(&reader->machine, bed->disk, 0);
    reader->out = (struct collector){ .emit = collect, .target = reader };
    reader->out.emit_numbers = reader->takes_numbers ? collect_numbers : NULL;
    reader->context = (struct operator_context){ .host = &reader->machine.host,
                                                 .input = &reader->input,
                                                 .vertex = 0,
                                                 .subtask = subtask,
                                                 .parallelism = parallelism,
                                                 .split_count = parallelism,
                                                 .attempt = 1 };
    buffer_init(&reader->context.failure, &reader->machine.arena);
    buffer_init(&reader->lines, &reader->machine.arena);
    reader->source = source_operator.open(&reader->context, &reader->parameters, &reader->out);
    ck_assert_ptr_eq(reader->context.source, reader->source);
    if (reader->context.failure.size == 0) {
        ck_assert_int_eq(source_operator.restore(reader->source, state), STATUS_OK);
    }
}

void reader_close(struct reader *reader)
{
    disk_host_free(&reader->machine);
}

struct bytes reader_snapshot(struct reader *reader, struct source_bed *bed)
{
    struct buffer state;
    buffer_init(&state, &bed->arena);
    source_operator.snapshot(reader->source, 1, &state);
    return buffer_bytes(&state);
}

uint64_t reader_skipped(struct reader *reader, struct source_bed *bed)
{
    struct bytes state = reader_snapshot(reader, bed);
    return load_u64(state.data + state.size - sizeof(uint64_t));
}

uint64_t reader_to_end(struct reader *reader, uint32_t limit)
{
    enum source_state state = SOURCE_MORE;
    uint64_t count = 0;
    while (state == SOURCE_MORE && reader->context.failure.size == 0) {
        uint32_t got = source_pull(reader->source, limit, 0, &state);
        ck_assert_uint_le(got, limit);
        ck_assert(got > 0 || state != SOURCE_MORE || reader->context.failure.size > 0);
        count += got;
    }
    return count;
}
