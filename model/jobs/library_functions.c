/* The operators of a library's job, and what its functions may call. */
#include "model/base/check.h"
#include "model/jobs/library_api.h"
#include "model/state/list_state.h"
#include "model/state/map_state.h"
#include "model/state/state.h"
#include "model/stream/operator_state.h"
#include "model/stream/timer_service.h"

enum { NS_PER_MS = 1000000, KEY_FRAME_BYTES = 2 * sizeof(uint32_t) };

/* What a function sees, and what stands behind it. */
struct library_call {
    struct faultline_call head;
    struct operator_context *context;
    struct collector *out;
};

static struct bytes bytes_from(struct faultline_bytes bytes)
{
    return (struct bytes){ .data = bytes.data, .size = bytes.size };
}

static struct faultline_bytes bytes_to(struct bytes bytes)
{
    return (struct faultline_bytes){ .data = bytes.data, .size = bytes.size };
}

static struct library_call call_of(struct operator_context *context, struct collector *out)
{
    return (struct library_call){ .head = { .api = &library_api }, .context = context, .out = out };
}

/* ---- a map ----------------------------------------------------------------------------------- */

struct library_map {
    struct library_call call;
    const struct faultline_map *map;
};

static void *map_open(struct operator_context *context, const void *parameters,
                      struct collector *out)
{
    struct library_map *map = arena_alloc(context->host->arena, 1, sizeof *map);
    *map = (struct library_map){ .call = call_of(context, out), .map = parameters };
    return map;
}

static void map_process(void *self, const struct record *record)
{
    struct library_map *map = self;
    if (!operator_throws(map->call.context, HOST_CALL_MAP)) {
        map->map->map(&map->call.head, bytes_to(record->value));
    }
}

const struct operator_ops library_map_operator = { .open = map_open, .process = map_process };

/* ---- what joins streams, and changes nothing --------------------------------------------------
 */

static void *pass_open(struct operator_context *context, const void *parameters,
                       struct collector *out)
{
    (void)context;
    (void)parameters;
    return out;
}

static void pass_process(void *self, const struct record *record)
{
    collector_emit(self, record);
}

const struct operator_ops library_pass_operator = { .open = pass_open, .process = pass_process };

/* ---- keys ------------------------------------------------------------------------------------ */

struct library_key {
    const struct faultline_key *key;
    struct collector *out;
    struct buffer framed;
};

static void *key_open(struct operator_context *context, const void *parameters,
                      struct collector *out)
{
    struct library_key *key = arena_alloc(context->host->arena, 1, sizeof *key);
    *key = (struct library_key){ .key = parameters, .out = out };
    buffer_init(&key->framed, context->host->arena);
    return key;
}

static void key_process(void *self, const struct record *record)
{
    struct library_key *key = self;
    struct bytes value = record->value;
    struct faultline_bytes part = key->key->key_of(bytes_to(value));
    size_t offset = part.size == 0 ? 0 : (size_t)(part.data - value.data);
    CHECK(offset <= value.size);
    CHECK(part.size <= value.size - offset); /* the key is a part of the record */
    buffer_reset(&key->framed);
    encode_u32(&key->framed, (uint32_t)offset);
    encode_u32(&key->framed, (uint32_t)part.size);
    buffer_append(&key->framed, value);
    collector_emit(key->out, &(struct record){ .value = buffer_bytes(&key->framed) });
}

const struct operator_ops library_key_operator = { .open = key_open, .process = key_process };

static struct bytes unframed(const struct record *record)
{
    CHECK(record->value.size >= KEY_FRAME_BYTES);
    return (struct bytes){ .data = record->value.data + KEY_FRAME_BYTES,
                           .size = record->value.size - KEY_FRAME_BYTES };
}

void library_key_of(const struct record *record, struct key *key)
{
    struct bytes value = unframed(record);
    key->bytes = (struct bytes){ .data = value.data + load_u32(record->value.data),
                                 .size = load_u32(record->value.data + sizeof(uint32_t)) };
    key->hash = key_hash_text(key->bytes);
}

/* ---- event time ------------------------------------------------------------------------------ */

struct library_event_time {
    struct operator_context *context;
    const struct faultline_event_time *event_time;
    struct collector *out;
    int64_t newest_ms; /* NO_TIMESTAMP: none yet */
};

static void *event_time_open(struct operator_context *context, const void *parameters,
                             struct collector *out)
{
    struct library_event_time *time = arena_alloc(context->host->arena, 1, sizeof *time);
    *time = (struct library_event_time){
        .context = context, .event_time = parameters, .out = out, .newest_ms = NO_TIMESTAMP
    };
    return time;
}

static void event_time_process(void *self, const struct record *record)
{
    struct library_event_time *time = self;
    int64_t time_ms = time->event_time->time_ms(bytes_to(record->value));
    if (time_ms == NO_TIMESTAMP) {
        operator_fail(time->context, true, "a record has the time INT64_MIN, which means none");
        return;
    }
    time->newest_ms = time_ms > time->newest_ms ? time_ms : time->newest_ms;
    operator_emit_at(time->context, time->out, record, time_ms);
}

static struct watermark event_time_watermark(void *self, uint64_t now_ns)
{
    (void)now_ns;
    const struct library_event_time *time = self;
    int64_t behind_ms = time->event_time->disorder_ms + 1;
    bool is_known = time->newest_ms > WATERMARK_MIN + behind_ms;
    return (struct watermark){ .ms = is_known ? time->newest_ms - behind_ms : WATERMARK_MIN };
}

const struct operator_ops library_event_time_operator = {
    .open = event_time_open,
    .process = event_time_process,
    .make_watermark = event_time_watermark,
};

/* ---- a keyed function ------------------------------------------------------------------------ */

struct library_process {
    struct library_call call;
    const struct faultline_process *process;
    void *function; /* the user's own struct */
};

static void *process_open(struct operator_context *context, const void *parameters,
                          struct collector *out)
{
    CHECK(context->backend != NULL);
    struct arena *arena = context->host->arena;
    struct library_process *process = arena_alloc(arena, 1, sizeof *process);
    *process = (struct library_process){ .call = call_of(context, out), .process = parameters };
    if (process->process->on_timer != NULL) {
        timers_open(context);
    }
    if (process->process->process2 != NULL) {
        context->states = operator_states_create(arena);
    }
    process->function = arena_alloc(arena, 1, process->process->self_bytes);
    process->process->open(process->function, &process->call.head);
    return process;
}

static void process_process(void *self, const struct record *record)
{
    struct library_process *process = self;
    if (!operator_throws(process->call.context, HOST_CALL_PROCESS)) {
        process->process->process(process->function, &process->call.head,
                                  bytes_to(unframed(record)));
    }
}

/* A broadcast record has no key in front of it. */
static void process_process2(void *self, const struct record *record)
{
    struct library_process *process = self;
    const struct operator_context *context = process->call.context;
    if (!operator_throws(process->call.context, HOST_CALL_PROCESS)) {
        struct bytes value = context->key == NULL ? record->value : unframed(record);
        process->process->process2(process->function, &process->call.head, bytes_to(value));
    }
}

static void fire(void *self, const struct timer *timer)
{
    struct library_process *process = self;
    enum faultline_timer_kind kind =
        timer->kind == TIMER_EVENT_TIME ? FAULTLINE_EVENT_TIME : FAULTLINE_PROCESSING_TIME;
    process->process->on_timer(process->function, &process->call.head, kind, timer->time_ms);
}

static void process_watermark(void *self, int64_t watermark_ms)
{
    struct library_process *process = self;
    timers_on_watermark(process->call.context, watermark_ms, fire, process);
}

static void process_processing_time(void *self, uint64_t now_ns)
{
    struct library_process *process = self;
    timers_on_processing_time(process->call.context, now_ns, fire, process);
}

/* Its own state is the broadcast states; all else is keyed. */
static void process_snapshot(void *self, uint64_t checkpoint, struct buffer *out)
{
    (void)checkpoint;
    const struct library_process *process = self;
    if (process->call.context->states != NULL) {
        operator_states_snapshot(process->call.context->states, out);
    }
}

static enum status process_restore(void *self, struct bytes state)
{
    const struct library_process *process = self;
    struct operator_states *states = process->call.context->states;
    if (state.size == 0) {
        return STATUS_OK;
    }
    return states == NULL ? STATUS_CORRUPT : operator_states_restore(states, state);
}

const struct operator_ops library_process_operator = {
    .open = process_open,
    .process = process_process,
    .process2 = process_process2,
    .watermark = process_watermark,
    .processing_time = process_processing_time,
    .snapshot = process_snapshot,
    .restore = process_restore,
};

/* ---- what functions call: the subtask -------------------------------------------------------- */

static struct operator_context *context_of(const struct faultline_call *call)
{
    return ((const struct library_call *)call)->context;
}

static struct faultline_side *open_side(struct faultline_call *call, const char *tag)
{
    return (struct faultline_side *)operator_side(context_of(call), tag);
}

static void emit(struct faultline_call *call, struct faultline_bytes record)
{
    struct library_call *own = (struct library_call *)call;
    collector_emit(own->out, &(struct record){ .value = bytes_from(record) });
}

static void emit_side(struct faultline_call *call, struct faultline_side *side,
                      struct faultline_bytes record)
{
    (void)call;
    collector_emit((struct collector *)side, &(struct record){ .value = bytes_from(record) });
}

static void fail(struct faultline_call *call, const char *why)
{
    operator_fail(context_of(call), false, why);
}

static int64_t now_ms(struct faultline_call *call)
{
    return (int64_t)(host_now_ns(context_of(call)->host) / NS_PER_MS);
}

static int64_t time_ms(struct faultline_call *call)
{
    return context_of(call)->timestamp_ms;
}

static int64_t watermark_ms(struct faultline_call *call)
{
    return context_of(call)->watermark_ms;
}

static uint32_t subtask(struct faultline_call *call)
{
    return context_of(call)->subtask;
}

static uint64_t attempt(struct faultline_call *call)
{
    return context_of(call)->attempt;
}

static struct faultline_bytes key_in_hand(struct faultline_call *call)
{
    CHECK(context_of(call)->key != NULL);
    return bytes_to(context_of(call)->key->bytes);
}

static enum timer_kind timer_kind_of(enum faultline_timer_kind kind)
{
    CHECK(kind == FAULTLINE_EVENT_TIME || kind == FAULTLINE_PROCESSING_TIME);
    return kind == FAULTLINE_EVENT_TIME ? TIMER_EVENT_TIME : TIMER_PROCESSING_TIME;
}

static void set_timer(struct faultline_call *call, enum faultline_timer_kind kind, int64_t at_ms)
{
    CHECK(context_of(call)->timers != NULL); /* a function with timers has on_timer */
    timers_register(context_of(call), timer_kind_of(kind), at_ms, (struct bytes){ 0 });
}

static void drop_timer(struct faultline_call *call, enum faultline_timer_kind kind, int64_t at_ms)
{
    CHECK(context_of(call)->timers != NULL);
    timers_delete(context_of(call), timer_kind_of(kind), at_ms, (struct bytes){ 0 });
}

/* ---- what functions call: states ------------------------------------------------------------- */

struct faultline_state {
    enum faultline_state_kind kind;
    union {
        struct bytes_state value;
        struct list_state list;
        struct map_state map;
        struct {
            struct operator_state *state;
            uint32_t next; /* the item that `next` gives */
        } broadcast;
    };
};

struct library_out {
    struct faultline_out head;
    struct buffer *out;
};

static void append(struct faultline_out *out, struct faultline_bytes bytes)
{
    buffer_append(((struct library_out *)out)->out, bytes_from(bytes));
}

static bool upgrade(const struct state_type *type, uint16_t version, struct bytes old,
                    struct buffer *out)
{
    const struct faultline_state_options *options = type->context;
    struct library_out own = { .head = { .append = append }, .out = out };
    return options->upgrade(version, bytes_to(old), &own.head);
}

static struct faultline_state *open_state(struct faultline_call *call,
                                          enum faultline_state_kind kind,
                                          const struct faultline_state_options *given)
{
    struct operator_context *context = context_of(call);
    CHECK(context->backend != NULL); /* a map has no states */
    CHECK(given->name != NULL);
    struct state_options options = {
        .name = given->name,
        .value = { .name = given->type == NULL ? "bytes" : given->type,
                   .version = given->type_version,
                   .upgrade = given->upgrade == NULL ? NULL : upgrade,
                   .context = given },
        .ttl = { .ttl_ns = given->ttl_ms * NS_PER_MS,
                 .refresh = given->ttl_renewed_by_reading ? TTL_ON_READ_AND_WRITE
                                                          : TTL_ON_CREATE_AND_WRITE,
                 .host = context->host },
    };
    struct arena *arena = context->host->arena;
    struct faultline_state *state = arena_alloc(arena, 1, sizeof *state);
    state->kind = kind;
    switch (kind) {
    case FAULTLINE_BROADCAST:
        CHECK(context->states != NULL); /* a function with such states has process2 */
        CHECK(given->type == NULL && given->type_version == 0 && given->ttl_ms == 0);
        state->broadcast.state =
            operator_states_declare(context->states, given->name, STATE_BROADCAST);
        return state;
    case FAULTLINE_VALUE:
        bytes_state_open(&state->value, arena, context->backend, &options, (struct bytes){ 0 });
        return state;
    case FAULTLINE_LIST:
        list_state_open(&state->list, arena, context->backend, &options);
        return state;
    case FAULTLINE_MAP:
        options.subkey = (struct state_type){ .name = "bytes" };
        map_state_open(&state->map, arena, context->backend, &options);
        return state;
    }
    CHECK_UNREACHABLE("a kind of state");
}

static void clear(struct faultline_state *state)
{
    switch (state->kind) {
    case FAULTLINE_VALUE: bytes_state_clear(&state->value); return;
    case FAULTLINE_LIST: list_state_clear(&state->list); return;
    case FAULTLINE_MAP: map_state_clear(&state->map); return;
    case FAULTLINE_BROADCAST: operator_state_clear(state->broadcast.state); return;
    }
    CHECK_UNREACHABLE("a kind of state");
}

static struct faultline_bytes get(struct faultline_state *state)
{
    CHECK(state->kind == FAULTLINE_VALUE);
    return bytes_to(bytes_state_get(&state->value));
}

static void put(struct faultline_state *state, struct faultline_bytes value)
{
    CHECK(state->kind == FAULTLINE_VALUE);
    bytes_state_put(&state->value, bytes_from(value));
}

static void list_add(struct faultline_state *state, struct faultline_bytes value)
{
    CHECK(state->kind == FAULTLINE_LIST);
    list_state_add(&state->list, bytes_from(value));
}

static void begin(struct faultline_state *state)
{
    switch (state->kind) {
    case FAULTLINE_VALUE: break;
    case FAULTLINE_LIST: list_state_begin(&state->list); return;
    case FAULTLINE_MAP: map_state_begin(&state->map); return;
    case FAULTLINE_BROADCAST: state->broadcast.next = 0; return;
    }
    CHECK_UNREACHABLE("a kind of state that has elements");
}

static bool broadcast_next(struct faultline_state *state, struct bytes *under, struct bytes *found)
{
    const struct operator_state *items = state->broadcast.state;
    if (state->broadcast.next >= operator_state_count(items)) {
        return false;
    }
    *under = operator_state_key(items, state->broadcast.next);
    *found = operator_state_item(items, state->broadcast.next++);
    return true;
}

static bool next_element(struct faultline_state *state, struct bytes *under, struct bytes *found)
{
    switch (state->kind) {
    case FAULTLINE_VALUE: break;
    case FAULTLINE_LIST: return list_state_next(&state->list, found);
    case FAULTLINE_MAP: return map_state_next(&state->map, under, found);
    case FAULTLINE_BROADCAST: return broadcast_next(state, under, found);
    }
    CHECK_UNREACHABLE("a kind of state that has elements");
}

static bool next(struct faultline_state *state, struct faultline_bytes *subkey,
                 struct faultline_bytes *value)
{
    struct bytes under = { 0 };
    struct bytes found = { 0 };
    bool is_there = next_element(state, &under, &found);
    *value = bytes_to(found);
    if (subkey != NULL) {
        *subkey = bytes_to(under);
    }
    return is_there;
}

static bool is_broadcast(const struct faultline_state *state)
{
    CHECK(state->kind == FAULTLINE_MAP || state->kind == FAULTLINE_BROADCAST);
    return state->kind == FAULTLINE_BROADCAST;
}

static struct faultline_bytes map_get(struct faultline_state *state, struct faultline_bytes subkey)
{
    return bytes_to(is_broadcast(state)
                        ? operator_state_get(state->broadcast.state, bytes_from(subkey))
                        : map_state_get(&state->map, bytes_from(subkey)));
}

static void map_put(struct faultline_state *state, struct faultline_bytes subkey,
                    struct faultline_bytes value)
{
    if (is_broadcast(state)) {
        operator_state_put(state->broadcast.state, bytes_from(subkey), bytes_from(value));
    } else {
        map_state_put(&state->map, bytes_from(subkey), bytes_from(value));
    }
}

static void map_remove(struct faultline_state *state, struct faultline_bytes subkey)
{
    if (is_broadcast(state)) {
        operator_state_remove(state->broadcast.state, bytes_from(subkey));
    } else {
        map_state_remove(&state->map, bytes_from(subkey));
    }
}

const struct faultline_api library_api = {
    .source = library_source,
    .map = library_map,
    .event_time = library_event_time,
    .key_by = library_key_by,
    .process = library_process,
    .unite = library_unite,
    .broadcast = library_broadcast,
    .connect = library_connect,
    .side = library_side,
    .sink = library_sink,
    .state = open_state,
    .open_side = open_side,
    .emit = emit,
    .emit_side = emit_side,
    .fail = fail,
    .now_ms = now_ms,
    .time_ms = time_ms,
    .watermark_ms = watermark_ms,
    .subtask = subtask,
    .attempt = attempt,
    .key = key_in_hand,
    .set_timer = set_timer,
    .drop_timer = drop_timer,
    .clear = clear,
    .get = get,
    .put = put,
    .list_add = list_add,
    .begin = begin,
    .next = next,
    .map_get = map_get,
    .map_put = map_put,
    .map_remove = map_remove,
};
