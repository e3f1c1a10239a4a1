#include "model/base/text.h"
#include "model/jobs/events.h"
#include "model/jobs/queries.h"
#include "model/stream/join.h"

static bool is_local_person(struct operator_context *context, const struct record *record)
{
    (void)context;
    static const char *const states[] = { "OR", "ID", "CA" };
    struct nexmark_event event;
    events_read(record, &event);
    for (size_t i = 0; event.kind == NEXMARK_PERSON && i < sizeof states / sizeof states[0]; i++) {
        if (bytes_equal(event.as.person.state, bytes_of_text(states[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_wanted_auction(struct operator_context *context, const struct record *record)
{
    (void)context;
    struct nexmark_event event;
    events_read(record, &event);
    return event.kind == NEXMARK_AUCTION && event.as.auction.category == NEXMARK_FIRST_CATEGORY;
}

/* Of a person and an auction, as lines, `NAME,CITY,STATE,AUCTION`. */
static void pair(struct operator_context *context, struct bytes first, struct bytes second,
                 struct collector *out)
{
    (void)context;
    struct nexmark_event person;
    struct nexmark_event auction;
    events_read(&(struct record){ .value = first }, &person);
    events_read(&(struct record){ .value = second }, &auction);
    struct bytes texts[] = { person.as.person.name, person.as.person.city, person.as.person.state };
    CHECK(first.size <= NEXMARK_LINE_SIZE_MAX);
    uint8_t line[NEXMARK_LINE_SIZE_MAX + TEXT_INTEGER_SIZE_MAX];
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bytes_put(line + size, texts[i].data, texts[i].size);
        size += texts[i].size;
        line[size++] = ',';
    }
    size += text_format_u64(line + size, auction.as.auction.id);
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

void q3_build(struct pipeline *pipeline)
{
    static const struct filter_parameters local = { .keep = is_local_person };
    static const struct filter_parameters wanted = { .keep = is_wanted_auction };
    static const struct join_parameters pairing = { .join = pair };
    struct stream events = events_source(pipeline);
    struct stream persons =
        stream_key_by(stream_filter(events, "persons", &local), events_by_person);
    struct stream auctions =
        stream_key_by(stream_filter(events, "auctions", &wanted), events_by_person);
    stream_file_sink(stream_join(persons, auctions, "join", &pairing), "sink");
}
