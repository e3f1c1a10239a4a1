/* A job whose state changes its type: what is written as version 1, a 64-bit integer, is version 2,
 * a decimal text, for the second attempt, which can upgrade it. From the third on it has a type of
 * another name, which no restore accepts. */
#include <faultline/job.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 24 };

struct totals {
    struct faultline_state *total;
    bool is_text;
};

static struct faultline_bytes key_of(struct faultline_bytes record)
{
    return (struct faultline_bytes){ record.data + record.size - (record.size > 0),
                                     record.size > 0 };
}

static struct faultline_bytes text_of(int64_t number, char room[TEXT_SIZE])
{
    int size = snprintf(room, TEXT_SIZE, "%" PRId64, number);
    return (struct faultline_bytes){ (const uint8_t *)room, (size_t)size };
}

static bool to_text(uint16_t version, struct faultline_bytes old, struct faultline_out *out)
{
    if (version != 1 || old.size != sizeof(int64_t)) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < old.size; i++) {
        number |= (uint64_t)old.data[i] << 8 * i;
    }
    char room[TEXT_SIZE];
    out->append(out, text_of((int64_t)number, room));
    return true;
}

static void open_totals(void *self, struct faultline_call *call)
{
    static const struct faultline_state_options versions[] = {
        { .name = "total", .type = "number", .type_version = 1 },
        { .name = "total", .type = "number", .type_version = 2, .upgrade = to_text },
        { .name = "total", .type = "another", .type_version = 2, .upgrade = to_text },
    };
    struct totals *totals = self;
    uint64_t attempt = call->api->attempt(call);
    totals->is_text = attempt > 1;
    totals->total =
        call->api->state(call, FAULTLINE_VALUE, &versions[attempt > 2 ? 2 : attempt - 1]);
}

static int64_t total_of(struct totals *totals, struct faultline_call *call)
{
    if (!totals->is_text) {
        return faultline_get_i64(call, totals->total);
    }
    struct faultline_bytes text = call->api->get(totals->total);
    char copy[TEXT_SIZE];
    (void)snprintf(copy, sizeof copy, "%.*s", (int)text.size,
                   text.data == NULL ? "" : (const char *)text.data);
    return strtoll(copy, NULL, 10);
}

static void on_record(void *self, struct faultline_call *call, struct faultline_bytes record)
{
    struct totals *totals = self;
    (void)record;
    int64_t total = total_of(totals, call) + 1;
    char room[TEXT_SIZE];
    struct faultline_bytes text = text_of(total, room);
    if (totals->is_text) {
        call->api->put(totals->total, text);
    } else {
        faultline_put_i64(call, totals->total, total);
    }
    call->api->emit(call, text);
}

static void build(struct faultline_graph *graph)
{
    static const struct faultline_key key = { .key_of = key_of };
    static const struct faultline_process totals = { .self_bytes = sizeof(struct totals),
                                                     .open = open_totals,
                                                     .process = on_record };
    const struct faultline_api *api = graph->api;
    struct faultline_stream *keyed = api->key_by(api->source(graph), &key);
    api->sink(api->process(keyed, "totals", &totals), "sink");
}

const struct faultline_job faultline_job = { .version = FAULTLINE_JOB_VERSION,
                                             .name = "evolving",
                                             .build = build };
