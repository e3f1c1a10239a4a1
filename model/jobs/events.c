#include "model/jobs/events.h"

#include "model/stream/watermark.h"

void events_read(const struct record *record, struct nexmark_event *event)
{
    bool is_event = nexmark_parse(record->value, event);
    CHECK(is_event);
}

static void check_event(struct operator_context *context, const struct record *record,
                        struct collector *out)
{
    struct nexmark_event event;
    if (nexmark_parse(record->value, &event)) {
        collector_emit(out, record);
    } else {
        operator_bad_record(context, record, "not a Nexmark event");
    }
}

static int64_t event_time_ms(struct operator_context *context, const struct record *record)
{
    (void)context;
    struct nexmark_event event;
    events_read(record, &event);
    return event.timestamp_ms;
}

struct stream events_source(struct pipeline *pipeline)
{
    static const struct map_parameters checking = { .map = check_event };
    return stream_map(pipeline_source(pipeline, "source"), "events", &checking);
}

struct stream events_source_with_time(struct pipeline *pipeline)
{
    static const struct watermark_parameters timing = { .timestamp_ms = event_time_ms,
                                                        .disorder_ms = EVENTS_DISORDER_MS };
    return stream_watermarks(events_source(pipeline), "time", &timing);
}

static bool is_bid(struct operator_context *context, const struct record *record)
{
    (void)context;
    struct nexmark_event event;
    events_read(record, &event);
    return event.kind == NEXMARK_BID;
}

struct stream events_bids(struct stream events)
{
    static const struct filter_parameters bids = { .keep = is_bid };
    return stream_filter(events, "bids", &bids);
}

void events_by_bidder(const struct record *record, struct key *key)
{
    struct nexmark_event event;
    events_read(record, &event);
    CHECK(event.kind == NEXMARK_BID);
    key_set_i64(key, (int64_t)event.as.bid.bidder);
}

void events_by_auction(const struct record *record, struct key *key)
{
    struct nexmark_event event;
    events_read(record, &event);
    CHECK(event.kind == NEXMARK_BID);
    key_set_i64(key, (int64_t)event.as.bid.auction);
}

void events_by_person(const struct record *record, struct key *key)
{
    struct nexmark_event event;
    events_read(record, &event);
    CHECK(event.kind != NEXMARK_BID);
    key_set_i64(key, (int64_t)(event.kind == NEXMARK_PERSON ? event.as.person.id
                                                            : event.as.auction.seller));
}
