#include "model/base/text.h"
#include "model/jobs/events.h"
#include "model/jobs/queries.h"
#include "model/state/backend.h"
#include "model/stream/timer_service.h"
#include "model/stream/window.h"

enum { WINDOW_MS = 10000 };

/* A bidder's state: the start of the window, and the bids in it. */
struct bids {
    int64_t window_ms;
    int64_t count;
};

struct counter {
    struct operator_context *context;
    state_id bids;
};

static void counter_open(void *self, struct operator_context *context)
{
    struct counter *counter = self;
    counter->context = context;
    counter->bids = backend_declare_value(context->backend, "bids");
}

/* False: there are none. */
static bool load(const struct counter *counter, struct bids *bids)
{
    struct bytes value = backend_get(counter->context->backend, counter->bids);
    if (value.data == NULL) {
        return false;
    }
    CHECK(value.size == sizeof *bids);
    *bids = (struct bids){ .window_ms = (int64_t)load_u64(value.data),
                           .count = (int64_t)load_u64(value.data + sizeof bids->window_ms) };
    return true;
}

static void store(const struct counter *counter, struct bids bids)
{
    uint8_t value[sizeof bids];
    store_u64(value, (uint64_t)bids.window_ms);
    store_u64(value + sizeof bids.window_ms, (uint64_t)bids.count);
    backend_put(counter->context->backend, counter->bids,
                (struct bytes){ .data = value, .size = sizeof value });
}

static void emit(const struct counter *counter, struct bids bids, struct collector *out)
{
    uint8_t line[3 * (TEXT_INTEGER_SIZE_MAX + 1)];
    size_t size = text_format_u64(line, load_u64(counter->context->key->bytes.data));
    line[size++] = ',';
    size += text_format_i64(line + size, bids.count);
    line[size++] = ',';
    size += text_format_i64(line + size, bids.window_ms);
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

/* The second timer is for windows that the end of the input cuts short. */
static void set_timers(const struct counter *counter, int64_t window_ms)
{
    struct bytes none = { 0 };
    timers_register(counter->context, TIMER_PROCESSING_TIME, window_ms + WINDOW_MS - 1, none);
    timers_register(counter->context, TIMER_EVENT_TIME, WATERMARK_MAX, none);
}

static void on_bid(void *self, const struct record *record, struct collector *out)
{
    (void)record;
    const struct counter *counter = self;
    int64_t window_ms = window_start_ms(timers_now_ms(counter->context), 0, WINDOW_MS);
    struct bids bids;
    bool is_there = load(counter, &bids);
    if (is_there && bids.window_ms != window_ms) {
        emit(counter, bids, out); /* its timer is due, but a bid came first */
    }
    if (!is_there || bids.window_ms != window_ms) {
        bids = (struct bids){ .window_ms = window_ms };
        set_timers(counter, window_ms);
    }
    bids.count++;
    store(counter, bids);
}

static void on_timer(void *self, const struct timer *timer, struct collector *out)
{
    const struct counter *counter = self;
    struct bids bids;
    bool is_due = load(counter, &bids) && (timer->kind == TIMER_EVENT_TIME ||
                                           bids.window_ms + WINDOW_MS - 1 <= timer->time_ms);
    if (is_due) {
        emit(counter, bids, out);
        backend_remove(counter->context->backend, counter->bids);
    }
}

void q12_build(struct pipeline *pipeline)
{
    static const struct process_parameters counting = { .self_bytes = sizeof(struct counter),
                                                        .open = counter_open,
                                                        .process = on_bid,
                                                        .on_timer = on_timer };
    struct stream bids = events_bids(events_source_with_time(pipeline));
    struct stream counts =
        stream_process(stream_key_by(bids, events_by_bidder), "count", &counting);
    stream_file_sink(counts, "sink");
}
