#include "model/stream/watermark.h"

#include "model/base/check.h"

struct watermarks {
    struct operator_context *context;
    const struct watermark_parameters *parameters;
    struct collector *out;
    int64_t newest_ms;       /* timestamp seen; NO_TIMESTAMP: none yet */
    uint64_t records;        /* seen */
    uint64_t records_before; /* seen when it was last asked and there were new ones */
    uint64_t quiet_since_ns; /* when that was */
};

static void *watermarks_open(struct operator_context *context, const void *parameters,
                             struct collector *out)
{
    struct watermarks *watermarks = arena_alloc(context->host->arena, 1, sizeof *watermarks);
    *watermarks = (struct watermarks){
        .context = context, .parameters = parameters, .out = out, .newest_ms = NO_TIMESTAMP
    };
    CHECK(watermarks->parameters->timestamp_ms != NULL);
    CHECK(watermarks->parameters->disorder_ms >= 0);
    return watermarks;
}

static void watermarks_process(void *self, const struct record *record)
{
    struct watermarks *watermarks = self;
    struct operator_context *context = watermarks->context;
    int64_t timestamp_ms = watermarks->parameters->timestamp_ms(context, record);
    CHECK(timestamp_ms != NO_TIMESTAMP);
    if (timestamp_ms > watermarks->newest_ms) {
        watermarks->newest_ms = timestamp_ms;
    }
    watermarks->records++;
    operator_emit_at(context, watermarks->out, record, timestamp_ms);
}

static struct watermark watermarks_make(void *self, uint64_t now_ns)
{
    struct watermarks *watermarks = self;
    const struct watermark_parameters *parameters = watermarks->parameters;
    struct watermark made = { .ms = WATERMARK_MIN };
    if (watermarks->newest_ms > WATERMARK_MIN + parameters->disorder_ms + 1) {
        made.ms = watermarks->newest_ms - parameters->disorder_ms - 1;
    }
    if (watermarks->records != watermarks->records_before || watermarks->quiet_since_ns == 0) {
        watermarks->records_before = watermarks->records;
        watermarks->quiet_since_ns = now_ns;
    }
    made.is_idle = parameters->idle_after_ns > 0 &&
                   now_ns >= watermarks->quiet_since_ns + parameters->idle_after_ns;
    return made;
}

const struct operator_ops watermark_operator = {
    .open = watermarks_open,
    .process = watermarks_process,
    .make_watermark = watermarks_make,
};
