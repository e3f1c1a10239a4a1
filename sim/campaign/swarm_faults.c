#include "sim/campaign/swarm_drawing.h"

#include <string.h>

#include "model/base/check.h"
#include "model/trace.h"
#include "sim/campaign/swarm_knobs.h"
#include "sim/campaign/swarm_verbs.h"
#include "sim/scenario/scenario_values.h"

#define MS_NS        UINT64_C(1000000)
#define AFTER_MAX_NS (50 * MS_NS)
enum {
    MILLION = 1000000,
    CHECKPOINT_MAX = 30,
    RESTART_MAX = 3,
    WEIGHT_MAX = 100,
    SCENE_SHARE_MIN_PPM = 200000,
    SCENE_SHARE_MAX_PPM = 900000,
};

/* ---- when it can be done --------------------------------------------------------------------- */

/* A step that a fault can wait for. */
struct step {
    enum fact_kind fact;
    bool of_task;
    bool of_checkpoint;
};

static const struct step checkpoint_steps[] = {
    { FACT_CHECKPOINT_TRIGGERED, false, true },
    { FACT_BARRIER_EMITTED, true, true },
    { FACT_BARRIER_RECEIVED, true, true },
    { FACT_TASK_ALIGNED, true, true },
    { FACT_SNAPSHOT_TAKEN, true, true },
    { FACT_SNAPSHOT_WRITTEN, true, true },
    { FACT_TASK_ACKED, true, true },
    { FACT_ACK_RECEIVED, true, true },
};
static const struct step commit_steps[] = {
    { FACT_CHECKPOINT_ALL_ACKED, false, true }, { FACT_MANIFEST_WRITTEN, false, true },
    { FACT_MANIFEST_SYNCED, false, true },      { FACT_MANIFEST_RENAMED, false, true },
    { FACT_CHECKPOINT_COMPLETED, false, true }, { FACT_CHECKPOINT_SUBSUMED, false, true },
    { FACT_TASK_NOTIFIED, true, true },         { FACT_SINK_COMMITTED, true, true },
    { FACT_CHECKPOINT_ABORTED, false, true },
};
static const struct step recovery_steps[] = {
    { FACT_JOB_MANAGER_STARTED, false, false }, { FACT_TASK_MANAGER_REGISTERED, false, false },
    { FACT_FAILURE_DETECTED, false, false },    { FACT_JOB_CANCELLED, false, false },
    { FACT_RESTART_SCHEDULED, false, false },   { FACT_RESTORE_CHOSEN, false, false },
    { FACT_JOB_DEPLOYED, false, false },        { FACT_TASK_STARTED, true, false },
    { FACT_TASK_RESTORED, true, false },        { FACT_JOB_RUNNING, false, false },
    { FACT_RESTORE_RETRIED, false, false },     { FACT_TASK_FAILED, true, false },
};
static const struct step end_steps[] = {
    { FACT_TASK_END_OF_DATA, true, false },
    { FACT_TASK_FINISHED, true, false },
};

struct steps {
    const struct step *steps;
    uint32_t count;
};
#define STEPS(array)                                                                               \
    {                                                                                              \
        array, sizeof(array) / sizeof(array)[0]                                                    \
    }
static const struct steps window_steps[SWARM_WINDOW_COUNT] = {
    [SWARM_WINDOW_CHECKPOINT] = STEPS(checkpoint_steps),
    [SWARM_WINDOW_COMMIT] = STEPS(commit_steps),
    [SWARM_WINDOW_RECOVERY] = STEPS(recovery_steps),
    [SWARM_WINDOW_END] = STEPS(end_steps),
};

/* ---- what this run is like ------------------------------------------------------------------- */

uint32_t swarm_draw_weighted(struct prng *prng, const uint32_t *weights, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    CHECK(sum > 0);
    uint64_t left = prng_below(prng, sum);
    uint32_t index = 0;
    while (left >= weights[index]) {
        left -= weights[index++];
        CHECK(index < count);
    }
    return index;
}

/* Each is off with a probability of a half, but not all of them: one is on whatever happens. */
static void draw_weights(struct prng *prng, uint32_t *weights, uint32_t count)
{
    uint64_t always = prng_below(prng, count);
    for (uint32_t i = 0; i < count; i++) {
        bool on = i == always || prng_chance(prng, MILLION / 2);
        weights[i] = on ? (uint32_t)prng_between(prng, 1, WEIGHT_MAX) : 0;
    }
}

static bool row_is_possible(const struct swarm_drawing *drawing, const struct swarm_row *row)
{
    const struct input_config *input = &drawing->scenario->job.input;
    bool rated = input->kind == INPUT_GENERATOR && input->rate_per_s > 0;
    return ((row->needs & ROW_RATED_INPUT) == 0 || rated) &&
           ((row->needs & ROW_SKIPS_RECORDS) == 0 || input->skip_bad_records);
}

/* Most of what goes wrong shows only after a recovery, whatever caused it: so crashes are frequent
 * in most runs. What cannot be done gives its weight to the first row, which always can. */
static void draw_rows(struct swarm_drawing *drawing)
{
    draw_weights(&drawing->prng, drawing->row_weights, swarm_row_count);
    bool crashes = prng_chance(&drawing->prng, MILLION / 4 * 3);
    for (uint32_t i = 0; crashes && i < swarm_row_count; i++) {
        drawing->row_weights[i] += swarm_rows[i].verb == FAULT_CRASH ? WEIGHT_MAX : 0;
    }
    for (uint32_t i = 0; i < swarm_row_count; i++) {
        if (!row_is_possible(drawing, &swarm_rows[i])) {
            CHECK(i > 0);
            drawing->row_weights[0] += drawing->row_weights[i];
            drawing->row_weights[i] = 0;
        }
    }
}

void swarm_draw_character(struct swarm_drawing *drawing)
{
    struct prng *prng = &drawing->prng;
    draw_rows(drawing);
    draw_weights(prng, drawing->window_weights, SWARM_WINDOW_COUNT);
    draw_weights(prng, drawing->scene_weights, swarm_scene_count);
    drawing->scene_share_ppm =
        (uint32_t)prng_between(prng, SCENE_SHARE_MIN_PPM, SCENE_SHARE_MAX_PPM);
    /* Without a quiet time faults meet each other; with one, each meets a job that works. */
    uint64_t share_ns = drawing->base->horizon_ns / (drawing->base->fault_count + 1);
    drawing->quiet_ns = prng_chance(prng, MILLION / 3) ? 0 : prng_between(prng, 0, share_ns);
    drawing->next_ns = 0;
    drawing->attempts = 1;
}

/* ---- one fault, as JSON ---------------------------------------------------------------------- */

const char *swarm_vertex_name(const struct swarm_drawing *drawing, uint64_t vertex)
{
    CHECK(vertex < drawing->pipeline.vertex_count);
    return drawing->pipeline.vertices[vertex].name;
}

void swarm_append_object(struct swarm_drawing *drawing, const char *object)
{
    const struct pipeline *pipeline = &drawing->pipeline;
    const char *at = strchr(object, '@');
    if (at == NULL) {
        buffer_append_text(drawing->json, object);
        return;
    }
    buffer_append_format(drawing->json, "%.*s", (int)(at - object), object);
    uint64_t vertex = prng_below(&drawing->prng, pipeline->vertex_count);
    if (strncmp(at, "@task", strlen("@task")) == 0) {
        buffer_append_format(drawing->json, "%s%s", swarm_vertex_name(drawing, vertex),
                             at + strlen("@task"));
        return;
    }
    CHECK(strcmp(at, "@link") == 0);
    if (pipeline->vertex_count == 1) {
        buffer_append_text(drawing->json, "network"); /* the job has no link of its own */
        return;
    }
    do {
        vertex = prng_below(&drawing->prng, pipeline->vertex_count);
    } while (pipeline->vertices[vertex].input_count == 0);
    const struct vertex *reader = &pipeline->vertices[vertex];
    uint64_t input = reader->input_count == 1 ? 0 : prng_below(&drawing->prng, reader->input_count);
    buffer_append_format(drawing->json, "link %s->%s",
                         swarm_vertex_name(drawing, reader->inputs[input].vertex),
                         swarm_vertex_name(drawing, vertex));
}

/* Where a scene may take a TaskManager away for ever (SCENE_SPARE_SLOTS), the slots of the others
 * must do. */
uint64_t swarm_draw_parallelism(struct swarm_drawing *drawing)
{
    const struct job_config *job = &drawing->scenario->job;
    uint64_t slots = (uint64_t)job->slots * (job->task_managers - 1);
    if (slots < job->parallelism) {
        slots += job->slots;
    }
    return prng_between(&drawing->prng, 1,
                        slots < job->max_parallelism ? slots : job->max_parallelism);
}

static void append_parameter(struct swarm_drawing *drawing, const struct swarm_parameter *parameter)
{
    static const enum value_unit units[] = { [DRAW_DURATION] = VALUE_DURATION,
                                             [DRAW_NUMBER] = VALUE_COUNT,
                                             [DRAW_BANDWIDTH] = VALUE_BANDWIDTH };
    struct prng *prng = &drawing->prng;
    struct buffer *json = drawing->json;
    buffer_append_format(json, ", \"%s\": ", parameter->key);
    if (parameter->kind == DRAW_CHOICE) {
        uint64_t count = 0;
        while (parameter->choices[count] != NULL) {
            count++;
        }
        buffer_append_format(json, "\"%s\"", parameter->choices[prng_below(prng, count)]);
        return;
    }
    if (parameter->kind == DRAW_PARALLELISM) {
        buffer_append_format(json, "%llu", (unsigned long long)swarm_draw_parallelism(drawing));
        return;
    }
    CHECK(parameter->kind != DRAW_NONE);
    uint64_t value = swarm_draw_scaled(prng, parameter->low, parameter->high);
    if (parameter->kind == DRAW_DURATION && value > MS_NS) {
        value -= value % 1000; /* whole microseconds: run.json is read by people */
    }
    bool is_text = parameter->kind != DRAW_NUMBER;
    buffer_append_text(json, is_text ? "\"" : "");
    value_format(value, units[parameter->kind], json);
    buffer_append_text(json, is_text ? "\"" : "");
}

/* The checkpoint that is about to be made at `time_ns` if all goes well. */
uint64_t swarm_checkpoint_at(const struct swarm_drawing *drawing, uint64_t time_ns)
{
    uint64_t interval_ns = drawing->scenario->job.checkpoint.interval_ns;
    uint64_t checkpoint = interval_ns == 0 ? 1 : 1 + time_ns / interval_ns;
    return checkpoint < CHECKPOINT_MAX ? checkpoint : CHECKPOINT_MAX;
}

static void append_step(struct swarm_drawing *drawing, enum swarm_window window, uint64_t time_ns)
{
    struct prng *prng = &drawing->prng;
    struct buffer *json = drawing->json;
    const struct steps *steps = &window_steps[window];
    const struct step *step = &steps->steps[prng_below(prng, steps->count)];
    buffer_append_text(json, "\"when\": \"");
    if (step->of_checkpoint) {
        buffer_append_format(json, "checkpoint %llu ",
                             (unsigned long long)swarm_checkpoint_at(drawing, time_ns));
    }
    buffer_append_text(json, fact_info(step->fact)->name);
    uint64_t occurrences = step->of_checkpoint ? 1 : RESTART_MAX;
    if (step->of_task) {
        if (prng_chance(prng, MILLION / 2)) {
            buffer_append_format(
                json, "(any %s)",
                swarm_vertex_name(drawing, prng_below(prng, drawing->pipeline.vertex_count)));
        } else {
            occurrences *=
                (uint64_t)drawing->pipeline.vertex_count * drawing->scenario->job.parallelism;
        }
    }
    buffer_append_format(json, " #%llu\"", (unsigned long long)prng_between(prng, 1, occurrences));
    if (prng_chance(prng, MILLION / 4)) { /* what lies between two steps has no name */
        uint64_t after_ns = swarm_draw_scaled(prng, 1000, AFTER_MAX_NS);
        buffer_append_text(json, ", \"after\": \"");
        value_format(after_ns - after_ns % 1000, VALUE_DURATION, json);
        buffer_append_text(json, "\"");
    }
}

uint64_t swarm_draw_time(struct swarm_drawing *drawing)
{
    uint64_t horizon_ns = drawing->base->horizon_ns;
    uint64_t rest_ns = drawing->next_ns < horizon_ns ? horizon_ns - drawing->next_ns : 1;
    uint64_t time_ns = drawing->next_ns + prng_below(&drawing->prng, rest_ns / 2 + 1);
    drawing->next_ns = time_ns + drawing->quiet_ns;
    return time_ns - time_ns % 1000; /* run.json is read by people */
}

static void append_trigger(struct swarm_drawing *drawing, const struct swarm_row *row)
{
    struct prng *prng = &drawing->prng;
    uint64_t time_ns = swarm_draw_time(drawing);
    enum swarm_window window =
        (enum swarm_window)swarm_draw_weighted(prng, drawing->window_weights, SWARM_WINDOW_COUNT);
    if ((row->needs & ROW_AT_A_STEP) != 0 && window == SWARM_WINDOW_ANY) {
        window = prng_chance(prng, MILLION / 2) ? SWARM_WINDOW_COMMIT : SWARM_WINDOW_RECOVERY;
    }
    if (window != SWARM_WINDOW_ANY && (row->needs & ROW_AT_A_TIME) == 0) {
        append_step(drawing, window, time_ns);
        return;
    }
    buffer_append_text(drawing->json, "\"at\": \"");
    value_format(time_ns, VALUE_DURATION, drawing->json);
    buffer_append_text(drawing->json, "\"");
}

void swarm_append_fault(struct swarm_drawing *drawing)
{
    struct prng *prng = &drawing->prng;
    const struct swarm_row *row =
        &swarm_rows[swarm_draw_weighted(prng, drawing->row_weights, swarm_row_count)];
    uint64_t object_count = 0;
    while (row->objects[object_count] != NULL) {
        object_count++;
    }
    CHECK(object_count > 0);
    buffer_append_text(drawing->json, "{");
    append_trigger(drawing, row);
    buffer_append_format(drawing->json, ", \"do\": \"%s\", \"on\": \"", fault_verb_name(row->verb));
    swarm_append_object(drawing, row->objects[prng_below(prng, object_count)]);
    buffer_append_text(drawing->json, "\"");
    for (uint32_t i = 0; i < SWARM_PARAMETER_MAX && row->parameters[i].key != NULL; i++) {
        append_parameter(drawing, &row->parameters[i]);
    }
    buffer_append_text(drawing->json, "}");
    drawing->attempts += row->verb == FAULT_CRASH || row->verb == FAULT_WIPE ||
                         row->verb == FAULT_THROW || row->verb == FAULT_RESET;
}
