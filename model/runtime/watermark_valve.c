#include "model/runtime/watermark_valve.h"

#include "model/base/check.h"

enum channel_state { CHANNEL_ACTIVE, CHANNEL_BEHIND, CHANNEL_IDLE, CHANNEL_ENDED };

void watermark_valve_init(struct watermark_valve *valve, struct arena *arena,
                          uint32_t channel_count)
{
    CHECK(channel_count > 0);
    *valve = (struct watermark_valve){
        .channel_count = channel_count,
        .open_count = channel_count,
        .active_count = channel_count,
        .states = arena_alloc(arena, channel_count, sizeof *valve->states),
        .watermarks = arena_alloc(arena, channel_count, sizeof *valve->watermarks),
        .minima = arena_alloc(arena, 2 * (size_t)channel_count, sizeof *valve->minima),
        .output = { .ms = WATERMARK_MIN },
    };
    for (uint32_t i = 0; i < channel_count; i++) {
        valve->watermarks[i] = WATERMARK_MIN;
    }
    for (uint32_t i = 0; i < 2 * channel_count; i++) {
        valve->minima[i] = WATERMARK_MIN;
    }
}

static void set_leaf(struct watermark_valve *valve, uint32_t channel, int64_t ms)
{
    uint32_t node = valve->channel_count + channel;
    valve->minima[node] = ms;
    while (node > 1) {
        int64_t other_ms = valve->minima[node ^ 1];
        int64_t own_ms = valve->minima[node];
        node /= 2;
        valve->minima[node] = own_ms < other_ms ? own_ms : other_ms;
    }
}

static void set_state(struct watermark_valve *valve, uint32_t channel, enum channel_state state)
{
    bool was_active = valve->states[channel] <= CHANNEL_BEHIND;
    bool is_active = state <= CHANNEL_BEHIND;
    valve->active_count = valve->active_count + is_active - was_active;
    valve->states[channel] = (uint8_t)state;
    set_leaf(valve, channel, state == CHANNEL_ACTIVE ? valve->watermarks[channel] : WATERMARK_MAX);
}

/* The highest watermark of any channel that may still send records. */
static int64_t highest(const struct watermark_valve *valve)
{
    int64_t ms = WATERMARK_MIN;
    for (uint32_t i = 0; i < valve->channel_count; i++) {
        if (valve->states[i] != CHANNEL_ENDED && valve->watermarks[i] > ms) {
            ms = valve->watermarks[i];
        }
    }
    return ms;
}

static bool has_aligned(const struct watermark_valve *valve)
{
    for (uint32_t i = 0; i < valve->channel_count; i++) {
        if (valve->states[i] == CHANNEL_ACTIVE) {
            return true;
        }
    }
    return false;
}

static bool update(struct watermark_valve *valve)
{
    struct watermark before = valve->output;
    struct watermark now = { .ms = before.ms };
    if (valve->open_count == 0) {
        now.ms = WATERMARK_MAX;
    } else if (valve->active_count == 0) {
        now.is_idle = true;
        now.ms = highest(valve);
    } else {
        now.ms = valve->minima[1];
        if (now.ms == WATERMARK_MAX && !has_aligned(valve)) {
            now.ms = before.ms; /* those that are active have not caught up yet */
        }
    }
    now.ms = now.ms < before.ms ? before.ms : now.ms;
    valve->output = now;
    return now.ms != before.ms || now.is_idle != before.is_idle;
}

bool watermark_valve_on_watermark(struct watermark_valve *valve, uint32_t channel,
                                  struct watermark watermark)
{
    CHECK(channel < valve->channel_count);
    CHECK(valve->states[channel] != CHANNEL_ENDED);
    CHECK(watermark.ms >= valve->watermarks[channel]);
    valve->watermarks[channel] = watermark.ms;
    enum channel_state state = CHANNEL_ACTIVE;
    if (watermark.is_idle) {
        state = CHANNEL_IDLE;
    } else if (valve->states[channel] != CHANNEL_ACTIVE && watermark.ms < valve->output.ms) {
        state = CHANNEL_BEHIND;
    }
    set_state(valve, channel, state);
    return update(valve);
}

bool watermark_valve_on_end(struct watermark_valve *valve, uint32_t channel)
{
    CHECK(channel < valve->channel_count);
    CHECK(valve->states[channel] != CHANNEL_ENDED);
    CHECK(valve->open_count > 0);
    valve->open_count--;
    set_state(valve, channel, CHANNEL_ENDED);
    return update(valve);
}
