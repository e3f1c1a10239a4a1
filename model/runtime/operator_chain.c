#include "model/runtime/operator_chain.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"

enum { TARGET_COUNT_MAX = 2 * PIPELINE_CHAIN_LENGTH_MAX };

/* Several readers of one output. */
struct fan_out {
    uint32_t count;
    struct collector targets[];
};

static void fan_out_emit(void *self, const struct record *record)
{
    const struct fan_out *fan_out = self;
    for (uint32_t i = 0; i < fan_out->count; i++) {
        collector_emit((struct collector *)&fan_out->targets[i], record);
    }
}

static bool is_same_tag(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Everybody who reads output `tag` of operator `index`. */
static uint32_t find_targets(const struct operator_chain *chain, uint32_t index, const char *tag,
                             struct collector targets[TARGET_COUNT_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = index + 1; i < chain->vertex->chain_length; i++) {
        const struct operator_spec *spec = &chain->vertex->chain[i];
        if (spec->parent == (int32_t)index && is_same_tag(spec->parent_tag, tag)) {
            CHECK(count < TARGET_COUNT_MAX);
            targets[count++] = (struct collector){ .emit = spec->ops->process,
                                                   .emit_numbers = spec->ops->process_numbers,
                                                   .target = chain->instances[i] };
        }
    }
    for (uint32_t i = 0; i < chain->exit_count; i++) {
        const struct chain_exit *exit = &chain->exits[i];
        if (exit->operator == index && is_same_tag(exit->tag, tag)) {
            CHECK(count < TARGET_COUNT_MAX);
            targets[count++] = exit->out;
        }
    }
    return count;
}

/* The collector of output `tag` of operator `index`; NULL if nobody reads it. */
static struct collector *collector_of(struct operator_chain *chain, uint32_t index,
                                      const char *tag)
{
    struct collector targets[TARGET_COUNT_MAX];
    uint32_t count = find_targets(chain, index, tag, targets);
    struct arena *arena = chain->context->host->arena;
    if (count == 0) {
        return NULL;
    }
    struct collector *out = arena_alloc(arena, 1, sizeof *out);
    *out = targets[0];
    if (count > 1) {
        struct fan_out *fan_out =
            arena_alloc_raw(arena, sizeof *fan_out + count * sizeof *fan_out->targets);
        fan_out->count = count;
        memcpy(fan_out->targets, targets, count * sizeof *targets);
        *out = (struct collector){ .emit = fan_out_emit, .target = fan_out };
    }
    return out;
}

static struct collector *side_of(void *self, const char *tag)
{
    struct operator_chain *chain = self;
    return collector_of(chain, chain->opening, tag);
}

static void discard(void *target, const struct record *record)
{
    (void)target;
    (void)record;
}

void operator_chain_open(struct operator_chain *chain,
                         const struct operator_chain_options *options)
{
    const struct vertex *vertex = options->vertex;
    struct operator_context *context = options->context;
    *chain = (struct operator_chain){ .vertex = vertex,
                                      .context = context,
                                      .exits = options->exits,
                                      .exit_count = options->exit_count,
                                      .watermarks = options->watermarks };
    context->side = side_of;
    context->side_argument = chain;
    for (uint32_t i = vertex->chain_length; i-- > 0;) {
        const struct operator_spec *spec = &vertex->chain[i];
        struct collector *out = collector_of(chain, i, NULL);
        if (out == NULL && !spec->ops->is_sink) {
            out = arena_alloc(context->host->arena, 1, sizeof *out);
            out->emit = discard;
        }
        chain->opening = i;
        chain->made[i] = (struct watermark){ .ms = WATERMARK_MIN };
        chain->heard_ms[i] = WATERMARK_MIN;
        chain->makes_any = chain->makes_any || spec->ops->make_watermark != NULL;
        chain->is_timed = chain->is_timed || spec->ops->processing_time != NULL;
        chain->instances[i] = spec->ops->open(context, spec->parameters, out);
    }
    context->side = NULL;
}

enum status operator_chain_restore(struct operator_chain *chain, struct bytes state)
{
    if (operator_throws(chain->context, HOST_CALL_RESTORE)) {
        return STATUS_OK; /* the failure says it all */
    }
    struct decoder decoder;
    decoder_init(&decoder, state);
    bool restoring = state.size > 0;
    if (restoring && decode_u16(&decoder) != chain->vertex->chain_length) {
        return STATUS_CORRUPT;
    }
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        struct bytes part = restoring ? decode_bytes(&decoder) : (struct bytes){ 0 };
        const struct operator_ops *ops = chain->vertex->chain[i].ops;
        if (decoder.failed) {
            return STATUS_CORRUPT;
        }
        if (ops->restore != NULL) {
            enum status status = ops->restore(chain->instances[i], part);
            if (status != STATUS_OK) {
                return status;
            }
        }
    }
    return decoder_finish(&decoder);
}

void operator_chain_run(struct operator_chain *chain)
{
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        if (chain->vertex->chain[i].ops->run != NULL) {
            chain->vertex->chain[i].ops->run(chain->instances[i]);
        }
    }
}

void operator_chain_snapshot(struct operator_chain *chain, uint64_t checkpoint,
                             struct buffer *out)
{
    CHECK(out->size == 0);
    if (operator_throws(chain->context, HOST_CALL_SNAPSHOT)) {
        return;
    }
    encode_u16(out, (uint16_t)chain->vertex->chain_length);
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        const struct operator_ops *ops = chain->vertex->chain[i].ops;
        size_t length_at = out->size;
        encode_u32(out, 0);
        if (ops->snapshot != NULL) {
            ops->snapshot(chain->instances[i], checkpoint, out);
        }
        store_u32(out->data + length_at, (uint32_t)(out->size - length_at - sizeof(uint32_t)));
    }
}

void operator_chain_finish(struct operator_chain *chain)
{
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        if (chain->vertex->chain[i].ops->finish != NULL) {
            chain->vertex->chain[i].ops->finish(chain->instances[i]);
        }
    }
}

void operator_chain_notify_complete(struct operator_chain *chain, uint64_t checkpoint)
{
    if (operator_throws(chain->context, HOST_CALL_COMMIT)) {
        return;
    }
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        if (chain->vertex->chain[i].ops->notify_complete != NULL) {
            chain->vertex->chain[i].ops->notify_complete(chain->instances[i], checkpoint);
        }
    }
}

/* Behind operator `index`: its children and those who read it from outside. */
static void pass_on(struct operator_chain *chain, uint32_t index, struct watermark watermark);

static void deliver(struct operator_chain *chain, uint32_t index, struct watermark watermark)
{
    const struct operator_ops *ops = chain->vertex->chain[index].ops;
    bool is_last = !watermark.is_idle && watermark.ms == WATERMARK_MAX;
    if (ops->make_watermark != NULL && !is_last) {
        return;
    }
    if (!watermark.is_idle && watermark.ms > chain->heard_ms[index]) {
        chain->heard_ms[index] = watermark.ms;
        if (ops->watermark != NULL) {
            ops->watermark(chain->instances[index], watermark.ms);
        }
    }
    pass_on(chain, index, watermark);
}

static void pass_on(struct operator_chain *chain, uint32_t index, struct watermark watermark)
{
    for (uint32_t i = index + 1; i < chain->vertex->chain_length; i++) {
        if (chain->vertex->chain[i].parent == (int32_t)index) {
            deliver(chain, i, watermark);
        }
    }
    chain->watermarks.emit(chain->watermarks.target, index, watermark);
}

void operator_chain_watermark(struct operator_chain *chain, struct watermark watermark)
{
    CHECK(watermark.ms >= chain->context->watermark_ms);
    if (!watermark.is_idle) {
        chain->context->watermark_ms = watermark.ms;
    }
    deliver(chain, 0, watermark);
}

void operator_chain_make_watermarks(struct operator_chain *chain, uint64_t now_ns)
{
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        const struct operator_ops *ops = chain->vertex->chain[i].ops;
        if (ops->make_watermark == NULL) {
            continue;
        }
        struct watermark made = ops->make_watermark(chain->instances[i], now_ns);
        struct watermark *last = &chain->made[i];
        CHECK(made.ms >= last->ms);
        if (made.ms != last->ms || made.is_idle != last->is_idle) {
            *last = made;
            pass_on(chain, i, made);
        }
    }
}

void operator_chain_processing_time(struct operator_chain *chain, uint64_t now_ns)
{
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        if (chain->vertex->chain[i].ops->processing_time != NULL) {
            chain->vertex->chain[i].ops->processing_time(chain->instances[i], now_ns);
        }
    }
}
