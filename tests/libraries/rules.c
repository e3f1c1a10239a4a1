/* A job of two inputs: rules that every subtask knows, and orders under keys. A line `rule WORD
 * NUMBER` sets the price of a word, `order WORD` and `more WORD` order one of it. When the input is
 * over, each word is billed: `WORD COUNT PRICE`, whatever came first. Orders arrive on two ways,
 * which are united; rules are broadcast. */
#include <faultline/job.h>
#include <stdio.h>
#include <string.h>

enum { END_MS = 1000000, LINE_SIZE = 100 };

static bool begins_with(struct faultline_bytes line, const char *word)
{
    return line.size > strlen(word) && memcmp(line.data, word, strlen(word)) == 0 &&
           line.data[strlen(word)] == ' ';
}

static void pass(struct faultline_call *call, struct faultline_bytes line, const char *word)
{
    if (begins_with(line, word)) {
        size_t size = strlen(word) + 1;
        call->api->emit(call, (struct faultline_bytes){ line.data + size, line.size - size });
    }
}

static void pass_rule(struct faultline_call *call, struct faultline_bytes line)
{
    pass(call, line, "rule");
}

static void pass_order(struct faultline_call *call, struct faultline_bytes line)
{
    pass(call, line, "order");
}

static void pass_more(struct faultline_call *call, struct faultline_bytes line)
{
    pass(call, line, "more");
}

static struct faultline_bytes whole(struct faultline_bytes record)
{
    return record;
}

/* All at one time: timers behind it go off at the end. */
static int64_t no_time(struct faultline_bytes record)
{
    (void)record;
    return 0;
}

struct bills {
    struct faultline_state *count;
    struct faultline_state *prices;
};

static void open_bills(void *self, struct faultline_call *call)
{
    static const struct faultline_state_options count = { .name = "count" };
    static const struct faultline_state_options prices = { .name = "prices" };
    struct bills *bills = self;
    bills->count = call->api->state(call, FAULTLINE_VALUE, &count);
    bills->prices = call->api->state(call, FAULTLINE_BROADCAST, &prices);
}

static void on_order(void *self, struct faultline_call *call, struct faultline_bytes word)
{
    struct bills *bills = self;
    (void)word;
    faultline_put_i64(call, bills->count, faultline_get_i64(call, bills->count) + 1);
    call->api->set_timer(call, FAULTLINE_EVENT_TIME, END_MS);
}

static void on_rule(void *self, struct faultline_call *call, struct faultline_bytes rule)
{
    struct bills *bills = self;
    const uint8_t *space = memchr(rule.data, ' ', rule.size);
    if (space == NULL) {
        call->api->fail(call, "a rule has no number");
        return;
    }
    size_t size = (size_t)(space - rule.data);
    call->api->map_put(bills->prices, (struct faultline_bytes){ rule.data, size },
                       (struct faultline_bytes){ space + 1, rule.size - size - 1 });
}

static void on_end(void *self, struct faultline_call *call, enum faultline_timer_kind kind,
                   int64_t time_ms)
{
    struct bills *bills = self;
    char line[LINE_SIZE];
    struct faultline_bytes word = call->api->key(call);
    struct faultline_bytes price = call->api->map_get(bills->prices, word);
    (void)kind;
    (void)time_ms;
    int size = snprintf(line, sizeof line, "%.*s %lld %.*s", (int)word.size,
                        (const char *)word.data, (long long)faultline_get_i64(call, bills->count),
                        (int)price.size, price.data == NULL ? "" : (const char *)price.data);
    call->api->emit(call, (struct faultline_bytes){ (const uint8_t *)line, (size_t)size });
}

static void build(struct faultline_graph *graph)
{
    static const struct faultline_map rules = { .map = pass_rule };
    static const struct faultline_map orders = { .map = pass_order };
    static const struct faultline_map more = { .map = pass_more };
    static const struct faultline_event_time time = { .time_ms = no_time };
    static const struct faultline_key key = { .key_of = whole };
    static const struct faultline_process bills = { .self_bytes = sizeof(struct bills),
                                                    .open = open_bills,
                                                    .process = on_order,
                                                    .process2 = on_rule,
                                                    .on_timer = on_end };
    const struct faultline_api *api = graph->api;
    struct faultline_stream *lines = api->event_time(api->source(graph), "time", &time);
    struct faultline_stream *all =
        api->unite(api->map(lines, "orders", &orders), api->map(lines, "more", &more), "all");
    struct faultline_stream *known = api->broadcast(api->map(lines, "rules", &rules));
    api->sink(api->process(api->connect(api->key_by(all, &key), known), "bills", &bills), "sink");
}

const struct faultline_job faultline_job = { .version = FAULTLINE_JOB_VERSION,
                                             .name = "rules",
                                             .build = build };
