#include "model/stream/join.h"

#include "model/base/check.h"
#include "model/state/list_state.h"

enum { SIDE_COUNT = 2 };

struct join {
    struct operator_context *context;
    const struct join_parameters *parameters;
    struct collector *out;
    struct list_state sides[SIDE_COUNT];
};

static void *join_open(struct operator_context *context, const void *parameters,
                       struct collector *out)
{
    CHECK(parameters != NULL);
    CHECK(context->backend != NULL);
    struct join *join = arena_alloc(context->host->arena, 1, sizeof *join);
    *join = (struct join){ .context = context,
                           .parameters = parameters,
                           .out = out };
    static const char *const names[SIDE_COUNT] = { "first", "second" };
    for (int side = 0; side < SIDE_COUNT; side++) {
        list_state_open(&join->sides[side], context->host->arena, context->backend,
                        &(struct state_options){ .name = names[side],
                                                 .value = { .name = "record" } });
    }
    return join;
}

static void meet(struct join *join, int side, struct bytes value)
{
    struct list_state *others = &join->sides[1 - side];
    struct bytes other;
    list_state_add(&join->sides[side], value);
    list_state_begin(others);
    while (join->context->failure.size == 0 && list_state_next(others, &other)) {
        join->parameters->join(join->context, side == 0 ? value : other, side == 0 ? other : value,
                               join->out);
    }
}

static void join_process(void *self, const struct record *record)
{
    struct join *join = self;
    if (!operator_throws(join->context, HOST_CALL_PROCESS)) {
        meet(join, 0, record->value);
    }
}

static void join_process2(void *self, const struct record *record)
{
    struct join *join = self;
    if (!operator_throws(join->context, HOST_CALL_PROCESS)) {
        meet(join, 1, record->value);
    }
}

static const struct operator_ops join_operator = { .open = join_open,
                                                   .process = join_process,
                                                   .process2 = join_process2 };

struct stream stream_join(struct stream first, struct stream second, const char *name,
                          const struct join_parameters *parameters)
{
    CHECK(second.inputs[0].key_of != NULL);
    struct stream both = stream_connect(first, second);
    return pipeline_add_keyed(&both, name, &join_operator, parameters);
}
