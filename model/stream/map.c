#include "model/base/check.h"
#include "model/stream/operator.h"
#include "model/stream/pipeline.h"

struct map {
    struct operator_context *context;
    const struct map_parameters *parameters;
    struct collector *out;
};

static void *map_open(struct operator_context *context, const void *parameters,
                      struct collector *out)
{
    CHECK(parameters != NULL);
    struct map *map = arena_alloc(context->host->arena, 1, sizeof *map);
    *map = (struct map){ .context = context, .parameters = parameters, .out = out };
    return map;
}

/* Apart from map_process, which so is nothing but a jump. */
__attribute__((noinline)) static void try_map(const struct map *map, const struct record *record)
{
    if (!operator_throws(map->context, HOST_CALL_MAP)) {
        map->parameters->map(map->context, record, map->out);
    }
}

static void map_process(void *self, const struct record *record)
{
    const struct map *map = self;
    if (operator_may_throw(map->context, HOST_CALL_MAP)) {
        try_map(map, record);
        return;
    }
    map->parameters->map(map->context, record, map->out);
}

static bool map_process_numbers(void *self, const int64_t *numbers, uint32_t count)
{
    const struct map *map = self;
    return map->parameters->keeps_numbers && !operator_may_throw(map->context, HOST_CALL_MAP) &&
           collector_emit_numbers(map->out, numbers, count);
}

const struct operator_ops map_operator = { .open = map_open,
                                           .process = map_process,
                                           .process_numbers = map_process_numbers };

struct filter {
    struct operator_context *context;
    const struct filter_parameters *parameters;
    struct collector *out;
};

static void *filter_open(struct operator_context *context, const void *parameters,
                         struct collector *out)
{
    CHECK(parameters != NULL);
    struct filter *filter = arena_alloc(context->host->arena, 1, sizeof *filter);
    *filter = (struct filter){ .context = context, .parameters = parameters, .out = out };
    return filter;
}

static void filter_process(void *self, const struct record *record)
{
    struct filter *filter = self;
    if (!operator_throws(filter->context, HOST_CALL_MAP) &&
        filter->parameters->keep(filter->context, record)) {
        collector_emit(filter->out, record);
    }
}

const struct operator_ops filter_operator = { .open = filter_open, .process = filter_process };
