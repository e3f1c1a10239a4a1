#include "model/base/text.h"
#include "model/jobs/events.h"
#include "model/jobs/queries.h"

enum { EURO_PER_MILLE = 908 };

static void convert(struct operator_context *context, const struct record *record,
                    struct collector *out)
{
    (void)context;
    struct nexmark_event event;
    events_read(record, &event);
    if (event.kind != NEXMARK_BID) {
        return;
    }
    /* Rounded down as a whole; in two steps, so that no price is too high for the product. */
    uint64_t price = event.as.bid.price / 1000 * EURO_PER_MILLE +
                     event.as.bid.price % 1000 * EURO_PER_MILLE / 1000;
    uint8_t line[4 * (TEXT_INTEGER_SIZE_MAX + 1)];
    size_t size = text_format_u64(line, event.as.bid.auction);
    line[size++] = ',';
    size += text_format_u64(line + size, event.as.bid.bidder);
    line[size++] = ',';
    size += text_format_u64(line + size, price);
    line[size++] = ',';
    size += text_format_i64(line + size, event.timestamp_ms);
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

void q1_build(struct pipeline *pipeline)
{
    static const struct map_parameters converting = { .map = convert };
    stream_file_sink(stream_map(events_source(pipeline), "convert", &converting), "sink");
}
