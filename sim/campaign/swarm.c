#include "sim/campaign/swarm.h"

#include "model/base/check.h"
#include "model/jobs/jobs.h"
#include "sim/campaign/swarm_drawing.h"
#include "sim/campaign/swarm_knobs.h"
#include "sim/fault/fault_consequences.h"
#include "sim/world/random.h"

#define SECOND_NS   UINT64_C(1000000000)
#define PATIENCE_NS (60 * SECOND_NS)
#define RESTART_NS  (10 * SECOND_NS)
enum { HORIZONS = 20 };

static void append_faults(struct swarm_drawing *drawing)
{
    uint32_t most = drawing->base->fault_count;
    uint32_t one = (uint32_t)prng_between(&drawing->prng, 1, most);
    uint32_t other = (uint32_t)prng_between(&drawing->prng, 1, most);
    uint32_t count = one > other ? one : other; /* few are rare: shrinking finds what matters */
    for (uint32_t i = 0; i < count;) {
        buffer_append_text(drawing->json, i == 0 ? "" : ", ");
        uint32_t added = 0;
        if (prng_chance(&drawing->prng, drawing->scene_share_ppm)) {
            added = swarm_append_scene(drawing, most - i);
        }
        if (added == 0) {
            swarm_append_fault(drawing);
            added = 1;
        }
        i += added;
    }
}

/* Draws faults for `drawn`, which has none: what the reader of scenarios makes of them is what it
 * would make of them in a file. */
static enum status draw_faults(struct swarm_drawing *drawing, struct arena *arena,
                               struct scenario *drawn, struct buffer *error)
{
    struct buffer *json = drawing->json;
    buffer_append_text(json, "{\"faults\": [");
    append_faults(drawing);
    buffer_append_text(json, "]}");
    enum status status = scenario_parse_faults(drawn, arena, buffer_bytes(json), "swarm", error);
    if (status != STATUS_OK) {
        buffer_append_format(error, " in %.*s", (int)json->size, (const char *)json->data);
    }
    return status;
}

/* Lets the run end as `result` says, or as it was allowed to before. */
static void allow(struct scenario *scenario, enum expected_result result)
{
    if (scenario->expect.result == EXPECT_SAME ||
        (scenario->expect.result == EXPECT_SAME_OR_REFUSED && result == EXPECT_SAME_OR_FAILED)) {
        scenario->expect.result = result;
    }
}

/* What the base promises of its own faults holds for its own settings. */
static void allow_for_settings(struct scenario *scenario, const struct scenario *base)
{
    enum expected_result result = fault_consequences_of(scenario);
    if (result != fault_consequences_of(base)) {
        allow(scenario, result);
    }
}

/* The base's faults, then the drawn ones. What they may lead to is the worst of both. */
static void join(struct scenario *scenario, struct arena *arena, const struct scenario *drawn)
{
    uint32_t own = scenario->fault_count;
    struct fault *faults = arena_alloc(arena, own + drawn->fault_count, sizeof *faults);
    for (uint32_t i = 0; i < own; i++) {
        faults[i] = scenario->faults[i];
    }
    for (uint32_t i = 0; i < drawn->fault_count; i++) {
        faults[own + i] = drawn->faults[i];
    }
    scenario->faults = faults;
    scenario->fault_count = own + drawn->fault_count;
    scenario->expect.all_fired = false;
    allow(scenario, drawn->expect.result);
}

/* How long the run may take: many times what it takes undisturbed, what the faults last, and for
 * each of them its detection and a restart. Who waits longer than that, waits for nothing. */
static void bound_time(struct scenario *scenario, const struct swarm_base *base)
{
    uint64_t bound_ns = PATIENCE_NS + HORIZONS * base->horizon_ns;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        bound_ns += fault->for_ever ? 0 : fault->for_ns;
        bound_ns += 2 * scenario->job.heartbeat_timeout_ns + RESTART_NS;
    }
    if (bound_ns < scenario->expect.within_ns) {
        scenario->expect.within_ns = bound_ns;
    }
}

enum status swarm_draw(struct scenario *scenario, struct arena *arena,
                       const struct swarm_base *base, uint64_t seed, struct buffer *error)
{
    CHECK(base->fault_count <= SWARM_FAULTS_MAX);
    CHECK(base->horizon_ns > 0);
    *scenario = *base->scenario;
    scenario->seed = seed;
    scenario_drop_bounds(scenario);
    struct prng prng = random_stream(seed, "swarm.knobs");
    swarm_turn_knobs(scenario, base, &prng);
    allow_for_settings(scenario, base->scenario);
    if (base->fault_count == 0) {
        return STATUS_OK;
    }
    struct buffer json;
    buffer_init(&json, arena);
    struct swarm_drawing drawing = { .base = base,
                                     .scenario = scenario,
                                     .prng = random_stream(seed, "swarm.faults"),
                                     .json = &json };
    job_build(scenario_job(base->scenario), &drawing.pipeline);
    swarm_draw_character(&drawing);
    struct scenario drawn = *scenario; /* the same fault may lead to more with other settings */
    drawn.faults = NULL;
    drawn.fault_count = 0;
    enum status status = draw_faults(&drawing, arena, &drawn, error);
    if (status == STATUS_OK) {
        join(scenario, arena, &drawn);
        bound_time(scenario, base);
    }
    return status;
}
