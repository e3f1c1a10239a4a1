#include "model/jobs/rules.h"

#include "model/base/codec.h"
#include "model/base/text.h"
#include "model/jobs/numbers.h"
#include "model/state/state.h"
#include "model/stream/operator_state.h"
#include "model/stream/timer_service.h"
#include "model/stream/watermark.h"

enum { RULE_EVERY = 10, END_MS = 1, SHARE_SIZE = sizeof(uint32_t) + sizeof(uint64_t) };

static bool is_rule(struct operator_context *context, const struct record *number)
{
    (void)context;
    return record_to_i64(number) % RULE_EVERY == 0;
}

static bool is_event(struct operator_context *context, const struct record *number)
{
    return !is_rule(context, number);
}

/* All at one time, so that a timer behind it goes off when all have come. */
static int64_t no_time(struct operator_context *context, const struct record *number)
{
    (void)context;
    (void)number;
    return 0;
}

struct match {
    struct operator_context *context;
    struct value_state count;      /* of a value's events */
    struct operator_state *rules;  /* broadcast: the greatest of each group */
    struct operator_state *shares; /* union: of each subtask, how many events it has seen */
    uint64_t share;                /* of this one */
};

/* Broadcast state has bytes for keys. */
static struct bytes group_key(uint8_t room[sizeof(uint64_t)], int64_t value)
{
    store_u64(room, (uint64_t)numbers_group(value / RULE_EVERY));
    return (struct bytes){ .data = room, .size = sizeof(uint64_t) };
}

static void match_open(void *self, struct operator_context *context)
{
    struct match *match = self;
    match->context = context;
    value_state_open(&match->count, context->backend, "count");
    match->rules = operator_states_declare(context->states, "rules", STATE_BROADCAST);
    match->shares = operator_states_declare(context->states, "shares", STATE_UNION);
}

static void put_share(struct match *match, uint64_t share)
{
    uint8_t item[SHARE_SIZE];
    match->share = share;
    store_u32(item, match->context->subtask);
    store_u64(item + sizeof(uint32_t), share);
    operator_state_clear(match->shares);
    operator_state_add(match->shares, (struct bytes){ .data = item, .size = sizeof item });
}

/* Every subtask sees all shares of the checkpoint: each is taken over by one of those there are. */
static void match_restored(void *self)
{
    struct match *match = self;
    const struct operator_context *context = match->context;
    uint64_t share = 0;
    for (uint32_t i = 0; i < operator_state_count(match->shares); i++) {
        struct bytes item = operator_state_item(match->shares, i);
        CHECK(item.size == SHARE_SIZE);
        if (load_u32(item.data) % context->parallelism == context->subtask) {
            share += load_u64(item.data + sizeof(uint32_t));
        }
    }
    put_share(match, share);
}

static void match_event(void *self, const struct record *number, struct collector *out)
{
    (void)number;
    (void)out;
    struct match *match = self;
    put_share(match, match->share + 1);
    if (value_state_add(&match->count, 1) == 1) {
        timers_register(match->context, TIMER_EVENT_TIME, END_MS, (struct bytes){ 0 });
    }
}

static void match_rule(void *self, const struct record *number, struct collector *out)
{
    (void)out;
    struct match *match = self;
    uint8_t room[sizeof(uint64_t)];
    uint8_t rule[sizeof(uint64_t)];
    int64_t value = record_to_i64(number);
    struct bytes key = group_key(room, value);
    struct bytes known = operator_state_get(match->rules, key);
    if (known.data == NULL || (int64_t)load_u64(known.data) < value) {
        store_u64(rule, (uint64_t)value);
        operator_state_put(match->rules, key, (struct bytes){ .data = rule, .size = sizeof rule });
    }
}

static void emit_line(struct collector *out, const struct buffer *line)
{
    collector_emit(out, &(struct record){ .value = buffer_bytes(line) });
}

static void match_end(void *self, const struct timer *timer, struct collector *out)
{
    const struct match *match = self;
    uint8_t room[sizeof(uint64_t)];
    int64_t value = (int64_t)load_u64(timer->key.bytes.data);
    int64_t count = 0;
    bool has_count = value_state_get(&match->count, &count);
    CHECK(has_count);
    struct bytes rule = operator_state_get(match->rules, group_key(room, value));
    struct buffer line;
    buffer_init(&line, match->context->host->arena);
    buffer_append_format(&line, "%lld : %lld : ", (long long)value, (long long)count);
    if (rule.data == NULL) {
        buffer_append_text(&line, "none");
    } else {
        buffer_append_format(&line, "%lld", (long long)load_u64(rule.data));
    }
    emit_line(out, &line);
    buffer_free(&line);
}

static void match_finish(void *self, struct collector *out)
{
    struct match *match = self;
    struct buffer line;
    if (match->share > 0) {
        buffer_init(&line, match->context->host->arena);
        buffer_append_format(&line, "events : %llu", (unsigned long long)match->share);
        emit_line(out, &line);
        buffer_free(&line);
    }
    put_share(match, 0); /* it is told */
}

void rules_build(struct pipeline *pipeline)
{
    static const struct watermark_parameters time = { .timestamp_ms = no_time };
    static const struct filter_parameters events = { .keep = is_event };
    static const struct filter_parameters rules = { .keep = is_rule };
    static const struct process_parameters match = { .self_bytes = sizeof(struct match),
                                                     .open = match_open,
                                                     .process = match_event,
                                                     .process2 = match_rule,
                                                     .on_timer = match_end,
                                                     .finish = match_finish,
                                                     .has_operator_state = true,
                                                     .restored = match_restored };
    struct stream numbers = stream_watermarks(numbers_source(pipeline), "time", &time);
    struct stream keyed =
        stream_key_by(stream_filter(numbers, "events", &events), numbers_by_value);
    struct stream known = stream_broadcast(stream_filter(numbers, "rules", &rules));
    stream_file_sink(stream_process(stream_connect(keyed, known), "match", &match), "sink");
}
