#include "model/base/text.h"
#include "model/jobs/events.h"
#include "model/jobs/queries.h"
#include "model/stream/window.h"

enum { WINDOW_MS = 10000 };

static bool is_person(struct operator_context *context, const struct record *record)
{
    (void)context;
    struct nexmark_event event;
    events_read(record, &event);
    return event.kind == NEXMARK_PERSON;
}

static bool is_auction(struct operator_context *context, const struct record *record)
{
    (void)context;
    struct nexmark_event event;
    events_read(record, &event);
    return event.kind == NEXMARK_AUCTION;
}

/* The accumulator: u8 whether the key opened an auction, then the names it came with, as runs. */
static void create(struct buffer *accumulator)
{
    encode_u8(accumulator, 0);
}

static bool has_name(struct bytes accumulator, struct bytes name)
{
    struct decoder names;
    decoder_init(&names, accumulator);
    (void)decode_u8(&names);
    while (names.position < names.size) {
        if (bytes_equal(decode_bytes(&names), name)) {
            return true;
        }
        CHECK(!names.failed);
    }
    return false;
}

static void add(struct buffer *accumulator, const struct record *record)
{
    struct nexmark_event event;
    events_read(record, &event);
    if (event.kind == NEXMARK_AUCTION) {
        accumulator->data[0] = 1;
    } else if (!has_name(buffer_bytes(accumulator), event.as.person.name)) {
        encode_bytes(accumulator, event.as.person.name);
    }
}

static void emit_person(int64_t id, struct bytes name, int64_t window_ms, struct collector *out)
{
    uint8_t line[NEXMARK_LINE_SIZE_MAX + 2 * TEXT_INTEGER_SIZE_MAX];
    CHECK(name.size < NEXMARK_LINE_SIZE_MAX - 2);
    size_t size = text_format_i64(line, id);
    line[size++] = ',';
    bytes_put(line + size, name.data, name.size);
    size += name.size;
    line[size++] = ',';
    size += text_format_i64(line + size, window_ms);
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

static void result(const struct aggregate_result *result, struct collector *out)
{
    struct decoder names;
    decoder_init(&names, result->accumulator);
    if (decode_u8(&names) == 0) {
        return;
    }
    int64_t id = (int64_t)load_u64(result->key->bytes.data);
    while (names.position < names.size) {
        emit_person(id, decode_bytes(&names), result->window.start_ms, out);
        CHECK(!names.failed);
    }
}

void q8_build(struct pipeline *pipeline)
{
    static const struct filter_parameters persons = { .keep = is_person };
    static const struct filter_parameters auctions = { .keep = is_auction };
    static const struct aggregate_function meeting = { .create = create,
                                                       .add = add,
                                                       .result = result };
    static const struct window_parameters windows = { .kind = WINDOW_TUMBLING,
                                                      .size_ms = WINDOW_MS,
                                                      .function = &meeting };
    struct stream events = events_source_with_time(pipeline);
    struct stream both = stream_union(stream_filter(events, "persons", &persons),
                                      stream_filter(events, "auctions", &auctions));
    struct stream keyed = stream_key_by(both, events_by_person);
    stream_file_sink(stream_window(keyed, "join", &windows), "sink");
}
