#include "sim/oracle/event_line.h"

#include "model/base/check.h"
#include "sim/oracle/job_reference.h"
#include "sim/oracle/reference.h"

enum { FIELDS_MAX = 9, LINE_SIZE_MAX = 512 };

#define TIME_MS_MAX INT64_C(10000000000000000)

bool event_number_read(struct bytes text, int64_t *number)
{
    return reference_parse(text, number) && *number >= 0;
}

bool event_may_be_late(int64_t *newest_ms, int64_t timestamp_ms, int64_t last_ms)
{
    CHECK(timestamp_ms >= 0);
    CHECK(last_ms >= timestamp_ms);
    bool may_be = last_ms < *newest_ms - EVENT_DISORDER_MS;
    *newest_ms = timestamp_ms > *newest_ms ? timestamp_ms : *newest_ms;
    return may_be;
}

/* `numbers` numbers, then `texts` texts, then the timestamp, then perhaps padding. */
static bool read_fields(const struct bytes *fields, uint32_t count, uint32_t numbers,
                        uint32_t texts, struct event_line *event)
{
    uint32_t wanted = 1 + numbers + texts + 1;
    if (count != wanted && count != wanted + 1) {
        return false;
    }
    bool is_right = event_number_read(fields[wanted - 1], &event->timestamp_ms) &&
                    event->timestamp_ms <= TIME_MS_MAX;
    for (uint32_t i = 0; i < numbers; i++) {
        is_right = is_right && event_number_read(fields[1 + i], &event->numbers[i]);
    }
    for (uint32_t i = 0; i < texts; i++) {
        event->texts[i] = fields[1 + numbers + i];
        is_right = is_right && event->texts[i].size > 0;
    }
    return is_right;
}

bool event_line_read(struct bytes line, struct event_line *event)
{
    struct bytes fields[FIELDS_MAX];
    if (line.size > LINE_SIZE_MAX) {
        return false;
    }
    uint32_t count = fields_of(line, ',', fields, FIELDS_MAX);
    *event = (struct event_line){ 0 };
    if (bytes_equal(fields[0], bytes_of_text("bid"))) {
        event->kind = 'b';
        return read_fields(fields, count, 3, 0, event);
    }
    if (bytes_equal(fields[0], bytes_of_text("auction"))) {
        event->kind = 'a';
        return read_fields(fields, count, 6, 0, event);
    }
    if (bytes_equal(fields[0], bytes_of_text("person"))) {
        event->kind = 'p';
        return read_fields(fields, count, 1, 3, event);
    }
    return false;
}
