#include "model/jobs/windows.h"

#include "model/base/text.h"
#include "model/jobs/events.h"
#include "model/stream/window.h"

enum {
    TUMBLING_MS = 1000,
    SLIDING_MS = 2000,
    SLIDE_MS = 500,
    SLIDING_LATENESS_MS = 1000,
    SESSION_GAP_MS = 500,
};

/* The accumulator: how many bids. */
static void create(struct buffer *accumulator)
{
    encode_u64(accumulator, 0);
}

static void add(struct buffer *accumulator, const struct record *record)
{
    (void)record;
    store_u64(accumulator->data, load_u64(accumulator->data) + 1);
}

static void merge(struct buffer *accumulator, struct bytes other)
{
    store_u64(accumulator->data, load_u64(accumulator->data) + load_u64(other.data));
}

static void result(const struct aggregate_result *result, struct collector *out)
{
    int64_t fields[] = { (int64_t)load_u64(result->key->bytes.data),
                         (int64_t)load_u64(result->accumulator.data), result->window.start_ms,
                         result->window.end_ms };
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    uint8_t line[FIELDS * (TEXT_INTEGER_SIZE_MAX + 1)];
    size_t size = 0;
    for (size_t i = 0; i < FIELDS; i++) {
        if (i > 0) {
            line[size++] = ',';
        }
        size += text_format_i64(line + size, fields[i]);
    }
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

static const struct aggregate_function counting = {
    .create = create, .add = add, .merge = merge, .result = result
};

void windows_build(struct pipeline *pipeline)
{
    static const struct window_parameters tumbling = {
        .kind = WINDOW_TUMBLING, .size_ms = TUMBLING_MS, .late_tag = "late", .function = &counting
    };
    static const struct window_parameters sliding = { .kind = WINDOW_SLIDING,
                                                      .size_ms = SLIDING_MS,
                                                      .slide_ms = SLIDE_MS,
                                                      .lateness_ms = SLIDING_LATENESS_MS,
                                                      .function = &counting };
    struct stream bids =
        stream_key_by(events_bids(events_source_with_time(pipeline)), events_by_auction);
    struct stream counts = stream_window(bids, "tumbling", &tumbling);
    stream_file_sink(counts, "counts");
    stream_file_sink(stream_side(counts, "late"), "late");
    stream_file_sink(stream_window(bids, "sliding", &sliding), "sliding");
}

void sessions_build(struct pipeline *pipeline)
{
    static const struct window_parameters sessions = {
        .kind = WINDOW_SESSION, .gap_ms = SESSION_GAP_MS, .late_tag = "late", .function = &counting
    };
    struct stream bids =
        stream_key_by(events_bids(events_source_with_time(pipeline)), events_by_bidder);
    struct stream counts = stream_window(bids, "sessions", &sessions);
    stream_file_sink(counts, "counts");
    stream_file_sink(stream_side(counts, "late"), "late");
}
