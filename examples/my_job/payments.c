/* A job of one's own: cards that pay more than a limit within one minute.
 *
 * In:   TIME_MS CARD AMOUNT       one payment a line
 * Out:  CARD MINUTE SUM           of each minute of a card in which SUM reaches the limit
 *
 * A minute is over when no earlier payment is to be expected: an event-time timer says when. So the
 * result does not depend on which subtask was faster, and can be compared with a run without
 * faults.
 */
#include <faultline/job.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60000, LIMIT = 1000, KEPT_MS = 3600000, LINE_SIZE_MAX = 100 };

/* Field number `index` of a line, from 0. */
static struct faultline_bytes field(struct faultline_bytes line, int index)
{
    size_t start = 0;
    for (size_t at = 0; at <= line.size; at++) {
        if (at < line.size && line.data[at] != ' ') {
            continue;
        }
        if (index-- == 0) {
            return (struct faultline_bytes){ line.data + start, at - start };
        }
        start = at + 1;
    }
    return (struct faultline_bytes){ line.data, 0 };
}

static int64_t number(struct faultline_bytes text)
{
    char copy[24];
    size_t size = text.size < sizeof copy ? text.size : sizeof copy - 1;
    memcpy(copy, text.data, size);
    copy[size] = '\0';
    return strtoll(copy, NULL, 10);
}

static int64_t time_of(struct faultline_bytes payment)
{
    return number(field(payment, 0));
}

static struct faultline_bytes card_of(struct faultline_bytes payment)
{
    return field(payment, 1);
}

/* ---- the function with state: one for each card ---------------------------------------------- */

struct spending {
    struct faultline_state *sums;     /* by minute */
    struct faultline_state *payments; /* how many there were: kept for ever */
};

static void spending_open(void *self, struct faultline_call *call)
{
    /* The timer clears each minute; should one be missed, its sum vanishes after an hour. */
    static const struct faultline_state_options sums = { .name = "sums", .ttl_ms = KEPT_MS };
    static const struct faultline_state_options payments = { .name = "payments" };
    struct spending *spending = self;
    spending->sums = call->api->state(call, FAULTLINE_MAP, &sums);
    spending->payments = call->api->state(call, FAULTLINE_VALUE, &payments);
}

/* The subkey: its bytes are compared, so a text will do. */
static struct faultline_bytes minute_key(int64_t minute, char room[24])
{
    int size = snprintf(room, 24, "%" PRId64, minute);
    return (struct faultline_bytes){ (const uint8_t *)room, (size_t)size };
}

static void on_payment(void *self, struct faultline_call *call, struct faultline_bytes payment)
{
    struct spending *spending = self;
    int64_t minute = time_of(payment) / MINUTE_MS;
    char room[24];
    struct faultline_bytes key = minute_key(minute, room);
    int64_t sum = number(call->api->map_get(spending->sums, key)) + number(field(payment, 2));
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, sum);
    call->api->map_put(spending->sums, key,
                       (struct faultline_bytes){ (const uint8_t *)text, (size_t)size });
    call->api->set_timer(call, FAULTLINE_EVENT_TIME, (minute + 1) * MINUTE_MS - 1);
    faultline_put_i64(call, spending->payments, faultline_get_i64(call, spending->payments) + 1);
}

static void on_minute(void *self, struct faultline_call *call, enum faultline_timer_kind kind,
                      int64_t time_ms)
{
    (void)kind;
    struct spending *spending = self;
    char room[24];
    struct faultline_bytes minute = minute_key(time_ms / MINUTE_MS, room);
    int64_t sum = number(call->api->map_get(spending->sums, minute));
    call->api->map_remove(spending->sums, minute);
    if (sum >= LIMIT) {
        struct faultline_bytes card = call->api->key(call);
        char line[LINE_SIZE_MAX];
        int size =
            snprintf(line, sizeof line, "%.*s %s %" PRId64, card.size < 40 ? (int)card.size : 40,
                     (const char *)card.data, room, sum);
        call->api->emit(call, (struct faultline_bytes){ (const uint8_t *)line, (size_t)size });
    }
}

/* ---- the job --------------------------------------------------------------------------------- */

static void build(struct faultline_graph *graph)
{
    static const struct faultline_event_time times = { .time_ms = time_of, .disorder_ms = 1000 };
    static const struct faultline_key by_card = { .key_of = card_of };
    static const struct faultline_process spending = { .self_bytes = sizeof(struct spending),
                                                       .open = spending_open,
                                                       .process = on_payment,
                                                       .on_timer = on_minute };
    const struct faultline_api *api = graph->api;
    struct faultline_stream *payments = api->event_time(api->source(graph), "times", &times);
    api->sink(api->process(api->key_by(payments, &by_card), "spending", &spending), "alerts");
}

const struct faultline_job faultline_job = { .version = FAULTLINE_JOB_VERSION,
                                             .name = "payments",
                                             .build = build };
