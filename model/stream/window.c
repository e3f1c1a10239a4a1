#include "model/stream/window.h"

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/stream/timer_service.h"
#include "model/stream/window_state.h"

enum { NAME_SPACE_BYTES = 2 * sizeof(int64_t) };

struct windows {
    struct operator_context *context;
    const struct window_parameters *parameters;
    struct collector *out;
    struct collector *late; /* NULL: late records are dropped */
    struct window_state state;
    struct buffer merged; /* the accumulator of sessions while they merge */
};

int64_t window_start_ms(int64_t timestamp_ms, int64_t offset_ms, int64_t size_ms)
{
    CHECK(size_ms > 0);
    int64_t behind_ms = (timestamp_ms - offset_ms) % size_ms;
    return timestamp_ms - (behind_ms < 0 ? behind_ms + size_ms : behind_ms);
}

static void check_parameters(const struct window_parameters *parameters)
{
    CHECK(parameters->function != NULL);
    CHECK(parameters->lateness_ms >= 0);
    if (parameters->kind == WINDOW_SESSION) {
        CHECK(parameters->gap_ms > 0);
        CHECK(parameters->function->merge != NULL);
    } else {
        CHECK(parameters->size_ms > 0);
        CHECK(parameters->kind == WINDOW_TUMBLING || parameters->slide_ms > 0);
    }
}

static void *window_open(struct operator_context *context, const void *parameters,
                         struct collector *out)
{
    CHECK(parameters != NULL);
    struct windows *windows = arena_alloc(context->host->arena, 1, sizeof *windows);
    windows->context = context;
    windows->parameters = parameters;
    windows->out = out;
    check_parameters(windows->parameters);
    if (windows->parameters->late_tag != NULL) {
        windows->late = operator_side(context, windows->parameters->late_tag);
    }
    timers_open(context);
    window_state_open(&windows->state, context->host->arena, context->backend);
    buffer_init(&windows->merged, context->host->arena);
    return windows;
}

static int64_t last_ms(struct window window)
{
    return window.end_ms - 1;
}

/* When the window is removed. */
static int64_t cleanup_ms(const struct windows *windows, struct window window)
{
    int64_t lateness_ms = windows->parameters->lateness_ms;
    return last_ms(window) > INT64_MAX - lateness_ms ? INT64_MAX : last_ms(window) + lateness_ms;
}

static bool is_gone(const struct windows *windows, struct window window)
{
    return cleanup_ms(windows, window) <= windows->context->watermark_ms;
}

/* ---- timers ---------------------------------------------------------------------------------- */

static struct bytes name_space_of(struct window window, uint8_t room[NAME_SPACE_BYTES])
{
    store_u64(room, (uint64_t)window.start_ms);
    store_u64(room + sizeof window.start_ms, (uint64_t)window.end_ms);
    return (struct bytes){ .data = room, .size = NAME_SPACE_BYTES };
}

static void set_timers(const struct windows *windows, struct window window)
{
    uint8_t room[NAME_SPACE_BYTES];
    struct bytes name_space = name_space_of(window, room);
    if (last_ms(window) > windows->context->watermark_ms) {
        timers_register(windows->context, TIMER_EVENT_TIME, last_ms(window), name_space);
    }
    timers_register(windows->context, TIMER_EVENT_TIME, cleanup_ms(windows, window), name_space);
}

static void delete_timers(const struct windows *windows, struct window window)
{
    uint8_t room[NAME_SPACE_BYTES];
    struct bytes name_space = name_space_of(window, room);
    timers_delete(windows->context, TIMER_EVENT_TIME, last_ms(window), name_space);
    timers_delete(windows->context, TIMER_EVENT_TIME, cleanup_ms(windows, window), name_space);
}

/* N1 */
static void emit_result(struct windows *windows, struct window window,
                        const struct buffer *accumulator)
{
    struct operator_context *context = windows->context;
    int64_t before_ms = context->timestamp_ms;
    context->timestamp_ms = last_ms(window);
    windows->parameters->function->result(
        &(struct aggregate_result){
            .key = context->key, .window = window, .accumulator = buffer_bytes(accumulator) },
        windows->out);
    context->timestamp_ms = before_ms;
}

static void on_timer(void *self, const struct timer *timer)
{
    struct windows *windows = self;
    CHECK(timer->name_space.size == NAME_SPACE_BYTES);
    struct window window = { .start_ms = (int64_t)load_u64(timer->name_space.data),
                             .end_ms = (int64_t)load_u64(timer->name_space.data +
                                                         sizeof window.start_ms) };
    window_state_begin(&windows->state);
    const struct buffer *accumulator = window_state_find(&windows->state, window);
    CHECK(accumulator != NULL); /* the timers of a window go with it */
    if (timer->time_ms == last_ms(window)) {
        emit_result(windows, window, accumulator);
    }
    if (timer->time_ms == cleanup_ms(windows, window)) {
        window_state_drop(&windows->state, window);
    }
}

/* ---- records --------------------------------------------------------------------------------- */

/* N2: adds the record to a window that is there or begins; fires it if its time has passed. */
static void add(struct windows *windows, struct window window, struct buffer *accumulator,
                const struct record *record)
{
    windows->parameters->function->add(accumulator, record);
    window_state_put(&windows->state, window);
    set_timers(windows, window);
    if (last_ms(window) <= windows->context->watermark_ms) {
        emit_result(windows, window, accumulator);
    }
}

/* False: the window is gone. */
static bool add_to_window(struct windows *windows, struct window window,
                          const struct record *record)
{
    if (is_gone(windows, window)) {
        return false;
    }
    struct buffer *accumulator = window_state_find(&windows->state, window);
    if (accumulator == NULL) {
        accumulator = window_state_add(&windows->state, window);
        windows->parameters->function->create(accumulator);
    }
    add(windows, window, accumulator, record);
    return true;
}

static bool touch(struct window a, struct window b)
{
    return a.start_ms <= b.end_ms && b.start_ms <= a.end_ms;
}

/* What becomes of `window` with all windows of the key that it touches. */
static struct window cover(const struct windows *windows, struct window window)
{
    struct window all = window;
    for (size_t i = 0; i < windows->state.count; i++) {
        struct window other = windows->state.entries[i]->window;
        if (touch(window, other)) {
            all.start_ms = other.start_ms < all.start_ms ? other.start_ms : all.start_ms;
            all.end_ms = other.end_ms > all.end_ms ? other.end_ms : all.end_ms;
        }
    }
    return all;
}

/* N4 */
static bool add_to_session(struct windows *windows, struct window window,
                           const struct record *record)
{
    struct window_state *state = &windows->state;
    window_state_read_all(state);
    struct window all = cover(windows, window);
    if (is_gone(windows, all)) {
        return false;
    }
    struct buffer *accumulator = window_state_find(state, all);
    if (accumulator == NULL) {
        const struct aggregate_function *function = windows->parameters->function;
        bool is_first = true;
        buffer_reset(&windows->merged);
        for (size_t i = 0; i < state->count;) {
            const struct window_entry *entry = state->entries[i];
            if (!touch(window, entry->window)) {
                i++;
                continue;
            }
            if (is_first) {
                buffer_append(&windows->merged, buffer_bytes(&entry->accumulator));
            } else {
                function->merge(&windows->merged, buffer_bytes(&entry->accumulator));
            }
            is_first = false;
            delete_timers(windows, entry->window);
            window_state_drop(state, entry->window);
        }
        if (is_first) {
            function->create(&windows->merged);
        }
        accumulator = window_state_add(state, all);
        buffer_append(accumulator, buffer_bytes(&windows->merged));
    }
    add(windows, all, accumulator, record);
    return true;
}

/* Adds the record to each of its windows. False: all are gone. */
static bool assign(struct windows *windows, int64_t timestamp_ms, const struct record *record)
{
    const struct window_parameters *parameters = windows->parameters;
    if (parameters->kind == WINDOW_SESSION) {
        struct window window = { timestamp_ms, timestamp_ms + parameters->gap_ms };
        return add_to_session(windows, window, record);
    }
    bool is_sliding = parameters->kind == WINDOW_SLIDING;
    int64_t slide_ms = is_sliding ? parameters->slide_ms : parameters->size_ms;
    int64_t start_ms = window_start_ms(timestamp_ms, parameters->offset_ms, slide_ms);
    bool any = false;
    for (; start_ms > timestamp_ms - parameters->size_ms; start_ms -= slide_ms) {
        struct window window = { start_ms, start_ms + parameters->size_ms };
        any = add_to_window(windows, window, record) || any;
    }
    return any;
}

static void window_process(void *self, const struct record *record)
{
    struct windows *windows = self;
    struct operator_context *context = windows->context;
    if (operator_throws(context, HOST_CALL_PROCESS)) {
        return;
    }
    int64_t timestamp_ms = context->timestamp_ms;
    if (timestamp_ms == NO_TIMESTAMP) {
        operator_fail(context, true, "a record without timestamp came to a window");
        return;
    }
    window_state_begin(&windows->state);
    if (!assign(windows, timestamp_ms, record) && windows->late != NULL) {
        collector_emit(windows->late, record); /* N3 */
    }
}

/* ---- the operator ---------------------------------------------------------------------------- */

static void window_watermark(void *self, int64_t watermark_ms)
{
    struct windows *windows = self;
    timers_on_watermark(windows->context, watermark_ms, on_timer, windows);
}

const struct operator_ops window_operator = {
    .open = window_open,
    .process = window_process,
    .watermark = window_watermark,
};
