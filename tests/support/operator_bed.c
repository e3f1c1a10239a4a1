#include "tests/support/operator_bed.h"

#include "model/base/check.h"
#include "model/stream/timer_service.h"
#include "tests/support/parts.h"

enum { MAX_PARALLELISM = 128, STEP_BYTES = 1 << 20 };

static uint64_t on_now_ns(struct host *base)
{
    return ((struct operator_bed *)base)->now_ns;
}

static void on_charge(struct host *base, enum host_work work, uint64_t amount)
{
    if (work == HOST_WORK_RECORDS) {
        ((struct operator_bed *)base)->charged += amount;
    }
}

static const struct host_ops ops = { .now_ns = on_now_ns, .charge = on_charge };

static void note(struct operator_bed *bed, struct buffer *out, const struct record *record)
{
    buffer_append(out, record->value);
    if (bed->context.timestamp_ms == NO_TIMESTAMP) {
        buffer_append_text(out, "@- ");
    } else {
        buffer_append_format(out, "@%lld ", (long long)bed->context.timestamp_ms);
    }
}

static void on_emit(void *target, const struct record *record)
{
    struct operator_bed *bed = target;
    note(bed, &bed->emitted, record);
}

static void on_late(void *target, const struct record *record)
{
    struct operator_bed *bed = target;
    note(bed, &bed->late_emitted, record);
}

static struct collector *side_of(void *argument, const char *tag)
{
    (void)tag;
    return &((struct operator_bed *)argument)->late;
}

static void open_operator(struct operator_bed *bed, const void *parameters)
{
    bed->context = (struct operator_context){
        .host = &bed->host,
        .backend = backend_heap_create(&bed->arena, (struct key_group_range){ 0, 127 }, 1),
        .parallelism = 1,
        .max_parallelism = MAX_PARALLELISM,
        .timestamp_ms = NO_TIMESTAMP,
        .watermark_ms = WATERMARK_MIN,
        .wake_ns = WAKE_NEVER,
        .side = side_of,
        .side_argument = bed,
    };
    buffer_init(&bed->context.failure, &bed->arena);
    bed->instance = bed->ops->open(&bed->context, parameters, &bed->out);
}

void operator_bed_open(struct operator_bed *bed, const struct operator_ops *operator_ops,
                       const void *parameters)
{
    *bed = (struct operator_bed){ .ops = operator_ops };
    arena_init(&bed->arena);
    bed->host = (struct host){ .ops = &ops, .arena = &bed->arena };
    bed->out = (struct collector){ .emit = on_emit, .target = bed };
    bed->late = (struct collector){ .emit = on_late, .target = bed };
    buffer_init(&bed->emitted, &bed->arena);
    buffer_init(&bed->late_emitted, &bed->arena);
    open_operator(bed, parameters);
}

void operator_bed_free(struct operator_bed *bed)
{
    arena_drop(&bed->arena);
}

static void record(struct operator_bed *bed, int64_t number, const char *value,
                   int64_t timestamp_ms, void (*process)(void *self, const struct record *record))
{
    struct key key;
    key_set_i64(&key, number);
    bed->context.key = &key;
    bed->context.timestamp_ms = timestamp_ms;
    backend_set_key(bed->context.backend, operator_key_group(&bed->context), key.bytes);
    process(bed->instance, &(struct record){ .value = bytes_of_text(value) });
    bed->context.key = NULL;
    bed->context.timestamp_ms = NO_TIMESTAMP;
}

void operator_bed_record(struct operator_bed *bed, int64_t key, const char *value,
                         int64_t timestamp_ms)
{
    record(bed, key, value, timestamp_ms, bed->ops->process);
}

void operator_bed_record2(struct operator_bed *bed, int64_t key, const char *value,
                          int64_t timestamp_ms)
{
    record(bed, key, value, timestamp_ms, bed->ops->process2);
}

void operator_bed_watermark(struct operator_bed *bed, int64_t watermark_ms)
{
    CHECK(watermark_ms > bed->context.watermark_ms);
    bed->context.watermark_ms = watermark_ms;
    bed->ops->watermark(bed->instance, watermark_ms);
}

void operator_bed_clock(struct operator_bed *bed, uint64_t now_ms)
{
    bed->now_ns = now_ms * 1000000;
    if (bed->context.wake_ns <= bed->now_ns) {
        bed->context.wake_ns = WAKE_NEVER;
        bed->ops->processing_time(bed->instance, bed->now_ns);
    }
}

void operator_bed_restart(struct operator_bed *bed, const void *parameters)
{
    struct buffer own;
    struct buffer keyed;
    buffer_init(&own, &bed->arena);
    buffer_init(&keyed, &bed->arena);
    if (bed->ops->snapshot != NULL) {
        bed->ops->snapshot(bed->instance, 1, &own);
    }
    struct backend_snapshot *snapshot = backend_snapshot_begin(bed->context.backend, 1, 0);
    while (backend_snapshot_step(snapshot, &keyed, STEP_BYTES) != BACKEND_DONE) {
    }
    backend_snapshot_end(snapshot);
    open_operator(bed, parameters);
    struct bytes part = buffer_bytes(&keyed);
    CHECK(restore_parts(bed->context.backend, 1, &part, 1) == STATUS_OK);
    CHECK(timers_restore(&bed->context) == STATUS_OK);
    if (bed->ops->restore != NULL) {
        CHECK(bed->ops->restore(bed->instance, buffer_bytes(&own)) == STATUS_OK);
    }
}

static const char *take(struct buffer *buffer)
{
    *buffer_extend(buffer, 1) = '\0';
    buffer->size = 0;
    return (const char *)buffer->data;
}

const char *operator_bed_take(struct operator_bed *bed)
{
    return take(&bed->emitted);
}

const char *operator_bed_take_late(struct operator_bed *bed)
{
    return take(&bed->late_emitted);
}
