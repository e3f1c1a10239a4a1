/* A job that judges itself, since a run without faults cannot judge a time to live or a timer that
 * is wrong there too. Each record says what the states must hold when it comes:
 *
 *   KEY COUNT   it is number COUNT of a visit of the key; a visit is over when nothing came for 8 s
 *   - 0         passes time
 *
 * The records of a visit are less than a second apart, and visits of one key 15 s or more, so that
 * no recovery of a few seconds changes the answer. Three seconds into a visit a timer says so,
 * once; another one, set for a second later, is dropped in time. */
#include <faultline/job.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TTL_MS = 8000, LONG_TTL_MS = 30000, QUIET_MS = 3000, DROPPED_MS = 4000, TEXT_SIZE = 100 };

struct visits {
    struct faultline_state *count;   /* of the visit; lives as long as it does */
    struct faultline_state *records; /* the same as a list */
    struct faultline_state *known;   /* written once, kept alive by being read */
    struct faultline_state *ever;    /* how often the key came: for ever */
    struct faultline_state *quiet;   /* when the timer of the visit goes off */
};

static struct faultline_bytes key_of(struct faultline_bytes record)
{
    const uint8_t *blank = memchr(record.data, ' ', record.size);
    size_t size = blank == NULL ? record.size : (size_t)(blank - record.data);
    return (struct faultline_bytes){ record.data, size };
}

static int64_t count_of(struct faultline_bytes record)
{
    char text[TEXT_SIZE];
    (void)snprintf(text, sizeof text, "%.*s", (int)record.size, (const char *)record.data);
    const char *blank = strchr(text, ' ');
    return blank == NULL ? 0 : strtoll(blank, NULL, 10);
}

static void open_visits(void *self, struct faultline_call *call)
{
    static const struct faultline_state_options count = { .name = "count", .ttl_ms = TTL_MS };
    static const struct faultline_state_options records = { .name = "records", .ttl_ms = TTL_MS };
    static const struct faultline_state_options known = { .name = "known",
                                                          .ttl_ms = LONG_TTL_MS,
                                                          .ttl_renewed_by_reading = true };
    static const struct faultline_state_options ever = { .name = "ever" };
    static const struct faultline_state_options quiet = { .name = "quiet" };
    struct visits *visits = self;
    visits->count = call->api->state(call, FAULTLINE_VALUE, &count);
    visits->records = call->api->state(call, FAULTLINE_LIST, &records);
    visits->known = call->api->state(call, FAULTLINE_VALUE, &known);
    visits->ever = call->api->state(call, FAULTLINE_VALUE, &ever);
    visits->quiet = call->api->state(call, FAULTLINE_VALUE, &quiet);
}

/* Fails the job unless a state holds what it must. */
static void expect(struct faultline_call *call, const char *what, int64_t expected, int64_t found)
{
    if (expected != found) {
        struct faultline_bytes key = call->api->key(call);
        char text[TEXT_SIZE];
        (void)snprintf(text, sizeof text, "%s of %.*s: expected %lld, found %lld", what,
                       (int)key.size, (const char *)key.data, (long long)expected,
                       (long long)found);
        call->api->fail(call, text);
    }
}

static void emit(struct faultline_call *call, const char *what, int64_t number)
{
    struct faultline_bytes key = call->api->key(call);
    char line[TEXT_SIZE];
    int size = snprintf(line, sizeof line, "%.*s %s %lld", (int)key.size, (const char *)key.data,
                        what, (long long)number);
    call->api->emit(call, (struct faultline_bytes){ (const uint8_t *)line, (size_t)size });
}

static int64_t count_records(struct visits *visits, struct faultline_call *call)
{
    int64_t count = 0;
    struct faultline_bytes record;
    call->api->begin(visits->records);
    while (call->api->next(visits->records, NULL, &record)) {
        count++;
    }
    return count;
}

static void begin_visit(struct visits *visits, struct faultline_call *call)
{
    int64_t quiet_ms = call->api->now_ms(call) + QUIET_MS;
    faultline_put_i64(call, visits->quiet, quiet_ms);
    call->api->set_timer(call, FAULTLINE_PROCESSING_TIME, quiet_ms);
    call->api->set_timer(call, FAULTLINE_PROCESSING_TIME, quiet_ms); /* no second one */
    call->api->set_timer(call, FAULTLINE_PROCESSING_TIME, quiet_ms - QUIET_MS + DROPPED_MS);
}

static void on_record(void *self, struct faultline_call *call, struct faultline_bytes record)
{
    struct visits *visits = self;
    int64_t count = count_of(record);
    if (count == 0) {
        return;
    }
    int64_t ever = faultline_get_i64(call, visits->ever);
    expect(call, "count", count - 1, faultline_get_i64(call, visits->count));
    expect(call, "records", count - 1, count_records(visits, call));
    expect(call, "known", ever > 0, faultline_get_i64(call, visits->known));
    if (ever == 0) {
        faultline_put_i64(call, visits->known, 1);
    }
    faultline_put_i64(call, visits->count, count);
    call->api->list_add(visits->records, record);
    faultline_put_i64(call, visits->ever, ever + 1);
    if (count == 1) {
        begin_visit(visits, call);
    } else if (count == 2) {
        call->api->drop_timer(call, FAULTLINE_PROCESSING_TIME,
                              faultline_get_i64(call, visits->quiet) - QUIET_MS + DROPPED_MS);
    }
    emit(call, "came", count);
}

static void on_timer(void *self, struct faultline_call *call, enum faultline_timer_kind kind,
                     int64_t time_ms)
{
    struct visits *visits = self;
    expect(call, "kind of timer", FAULTLINE_PROCESSING_TIME, kind);
    expect(call, "timer", faultline_get_i64(call, visits->quiet), time_ms);
    expect(call, "the clock behind the timer", 1, call->api->now_ms(call) > time_ms);
    call->api->clear(visits->quiet);
    emit(call, "quiet", QUIET_MS);
}

static void build(struct faultline_graph *graph)
{
    static const struct faultline_key key = { .key_of = key_of };
    static const struct faultline_process visits = { .self_bytes = sizeof(struct visits),
                                                     .open = open_visits,
                                                     .process = on_record,
                                                     .on_timer = on_timer };
    const struct faultline_api *api = graph->api;
    struct faultline_stream *keyed = api->key_by(api->source(graph), &key);
    api->sink(api->process(keyed, "visits", &visits), "sink");
}

const struct faultline_job faultline_job = { .version = FAULTLINE_JOB_VERSION,
                                             .name = "visits",
                                             .build = build };
