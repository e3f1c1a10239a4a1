/* Fills in the blanks of a scene: see swarm_scenes.h. */
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/swarm_drawing.h"
#include "sim/campaign/swarm_knobs.h"
#include "sim/scenario/scenario_values.h"

#define US_NS UINT64_C(1000)
#define MS_NS (1000 * US_NS)
#define S_NS  (1000 * MS_NS)
enum { MILLION = 1000000, CHOICES_MAX = 16, LATER_MAX = 3 };

/* What is the same in all faults of a scene. */
struct scene_drawing {
    struct swarm_drawing *drawing;
    uint64_t checkpoint;
    uint32_t attempt;
    uint32_t vertex; /* of @X */
    uint32_t subtask;
    uint64_t then_ns;
};

static uint32_t subtask_count(const struct swarm_drawing *drawing)
{
    return drawing->pipeline.vertex_count * drawing->scenario->job.parallelism;
}

static void append_number(struct swarm_drawing *drawing, uint64_t number)
{
    buffer_append_format(drawing->json, "%llu", (unsigned long long)number);
}

static void append_duration(struct swarm_drawing *drawing, uint64_t low_ns, uint64_t high_ns)
{
    uint64_t value_ns = swarm_draw_scaled(&drawing->prng, low_ns, high_ns);
    value_format(value_ns - value_ns % 1000, VALUE_DURATION, drawing->json);
}

/* Longer than the timeout, and short enough to meet those who take its place while they start. */
static void append_zombie(struct swarm_drawing *drawing)
{
    const struct job_config *job = &drawing->scenario->job;
    uint64_t more_ns = job->heartbeat_interval_ns + 2 * job->restart.delay_ns + 300 * MS_NS;
    uint64_t value_ns =
        job->heartbeat_timeout_ns + prng_below(&drawing->prng, more_ns) + 10 * MS_NS;
    value_format(value_ns - value_ns % 1000, VALUE_DURATION, drawing->json);
}

static void append_blank(struct scene_drawing *scene, const char *name, size_t size)
{
    struct swarm_drawing *drawing = scene->drawing;
    struct prng *prng = &drawing->prng;
    static const char *const names[] = { "N",    "O",    "R",     "S",      "C",    "X",
                                         "at",   "last", "brief", "zombie", "down", "while",
                                         "long", "task", "link",  "E",      "L",    "then",
                                         "T",    "P" };
    enum { COUNT = sizeof names / sizeof names[0] };
    uint32_t found = 0;
    while (found < COUNT &&
           (strlen(names[found]) != size || memcmp(names[found], name, size) != 0)) {
        found++;
    }
    switch (found) {
    case 0: append_number(drawing, scene->checkpoint); break;
    case 1: append_number(drawing, scene->checkpoint + prng_between(prng, 1, LATER_MAX)); break;
    case 2: append_number(drawing, scene->attempt); break;
    case 3: append_number(drawing, scene->attempt + 1); break;
    case 4:
        append_number(drawing, (uint64_t)(scene->attempt - 1) * subtask_count(drawing) +
                                   prng_between(prng, 1, subtask_count(drawing)));
        break;
    case 5:
        buffer_append_format(drawing->json, "%s[%u]", swarm_vertex_name(drawing, scene->vertex),
                             scene->subtask);
        break;
    case 6: value_format(swarm_draw_time(drawing), VALUE_DURATION, drawing->json); break;
    case 7: append_number(drawing, drawing->scenario->job.task_managers - 1); break;
    case 8: append_duration(drawing, US_NS, 50 * MS_NS); break;
    case 9: append_zombie(drawing); break;
    case 10: append_duration(drawing, MS_NS, S_NS); break;
    case 11: append_duration(drawing, 10 * MS_NS, 2 * S_NS); break;
    case 12: append_duration(drawing, 10 * MS_NS, 4 * S_NS); break;
    case 13: swarm_append_object(drawing, "@task"); break;
    case 14: swarm_append_object(drawing, "@link"); break;
    case 15: append_number(drawing, prng_between(prng, 1, subtask_count(drawing))); break;
    case 16: append_number(drawing, subtask_count(drawing)); break;
    case 17: value_format(scene->then_ns, VALUE_DURATION, drawing->json); break;
    case 18:
        append_number(drawing, scene->attempt - 1 + drawing->scenario->job.restore_tries);
        break;
    case 19: append_number(drawing, swarm_draw_parallelism(drawing)); break;
    default: CHECK_UNREACHABLE("a blank of a scene");
    }
}

/* One of the choices in text[0..size), which stood between < and >. */
static const char *draw_choice(struct prng *prng, const char *text, size_t size,
                               size_t *chosen_size)
{
    const char *starts[CHOICES_MAX];
    size_t sizes[CHOICES_MAX];
    uint32_t count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i == size || text[i] == '|') {
            CHECK(count < CHOICES_MAX);
            starts[count] = text + start;
            sizes[count++] = i - start;
            start = i + 1;
        }
    }
    uint64_t chosen = prng_below(prng, count);
    *chosen_size = sizes[chosen];
    return starts[chosen];
}

static bool is_small_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* The size of the blank's name that begins at `name`: one capital letter, or small ones. */
static size_t blank_size(const char *name, const char *end)
{
    size_t size = 0;
    while (name + size < end && is_small_letter(name[size])) {
        size++;
    }
    return size > 0 ? size : 1;
}

static void append_filled(struct scene_drawing *scene, const char *text, size_t size)
{
    struct buffer *json = scene->drawing->json;
    const char *end = text + size;
    for (const char *at = text; at < end; at++) {
        if (*at == '@') {
            size_t name_size = blank_size(at + 1, end);
            append_blank(scene, at + 1, name_size);
            at += name_size;
        } else if (*at == '<') {
            size_t inner_size = strcspn(at + 1, ">");
            CHECK(at[1 + inner_size] == '>');
            size_t chosen_size;
            const char *chosen =
                draw_choice(&scene->drawing->prng, at + 1, inner_size, &chosen_size);
            append_filled(scene, chosen, chosen_size); /* holds no other: ends there */
            at += inner_size + 1;
        } else {
            *buffer_extend(json, 1) = (uint8_t)(*at == '\'' ? '"' : *at);
        }
    }
}

static bool is_possible(const struct swarm_drawing *drawing, const struct swarm_scene *scene)
{
    const struct job_config *job = &drawing->scenario->job;
    bool has_spare = (uint64_t)job->slots * (job->task_managers - 1) >= job->parallelism;
    bool may_be_bad = job->input.kind == INPUT_GENERATOR && job->input.rate_per_s > 0 &&
                      job->input.skip_bad_records;
    return ((scene->flags & SCENE_SPARE_SLOTS) == 0 || has_spare) &&
           ((scene->flags & SCENE_RATED_INPUT) == 0 || may_be_bad);
}

/* Most often one that has inputs: these align, hold state, and upload it. */
static uint32_t draw_vertex(struct swarm_drawing *drawing)
{
    struct prng *prng = &drawing->prng;
    uint32_t vertex = (uint32_t)prng_below(prng, drawing->pipeline.vertex_count);
    if (drawing->pipeline.vertices[vertex].input_count == 0 && prng_chance(prng, MILLION / 4 * 3)) {
        vertex = (uint32_t)prng_below(prng, drawing->pipeline.vertex_count);
    }
    return vertex;
}

/* Whose turn it is. A scene that waits for a new attempt most often means the next that is not
 * accounted for by what was drawn before. */
static struct scene_drawing begin(struct swarm_drawing *drawing)
{
    struct prng *prng = &drawing->prng;
    uint64_t time_ns = swarm_draw_time(drawing);
    uint32_t next = drawing->attempts + 1;
    return (struct scene_drawing){
        .drawing = drawing,
        .checkpoint = swarm_checkpoint_at(drawing, time_ns),
        .attempt = prng_chance(prng, MILLION / 3) ? (uint32_t)prng_between(prng, 1, next) : next,
        .vertex = draw_vertex(drawing),
        .subtask = (uint32_t)prng_below(prng, drawing->scenario->job.parallelism),
        .then_ns = prng_between(prng, 1, 300) * MS_NS,
    };
}

uint32_t swarm_append_scene(struct swarm_drawing *drawing, uint32_t room)
{
    CHECK(room > 0);
    struct prng *prng = &drawing->prng;
    const struct swarm_scene *scene =
        &swarm_scenes[swarm_draw_weighted(prng, drawing->scene_weights, swarm_scene_count)];
    if (!is_possible(drawing, scene)) {
        return 0;
    }
    struct scene_drawing filled = begin(drawing);
    uint32_t count = 0;
    for (uint32_t i = 0; i < SWARM_SCENE_FAULT_MAX && scene->faults[i] != NULL; i++) {
        const char *text = scene->faults[i];
        bool is_optional = *text == '?';
        if (count == room || (is_optional && prng_chance(prng, MILLION / 2))) {
            continue;
        }
        buffer_append_text(drawing->json, count == 0 ? "{" : ", {");
        append_filled(&filled, text + is_optional, strlen(text + is_optional));
        buffer_append_text(drawing->json, "}");
        count++;
    }
    drawing->attempts += (scene->flags & SCENE_RESTARTS) != 0;
    return count;
}
