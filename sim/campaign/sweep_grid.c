#include "sim/campaign/sweep_grid.h"

#include <string.h>

#include "model/base/check.h"

static const char *take_text(struct buffer *text)
{
    *buffer_extend(text, 1) = '\0';
    return (const char *)text->data;
}

/* The settings of cell `number`: the last axis moves fastest. Returns how many. */
static uint32_t settings_of(const struct sweep_grid *grid, uint64_t number,
                            const struct sweep_setting **settings)
{
    uint32_t count = 0;
    uint64_t below = grid->cell_count;
    for (uint32_t i = 0; i < grid->axis_count; i++) {
        const struct sweep_axis *axis = &grid->axes[i];
        below /= axis->value_count;
        const struct sweep_value *value = &axis->values[number / below % axis->value_count];
        for (uint32_t j = 0; j < value->setting_count; j++) {
            settings[count++] = &value->settings[j];
        }
    }
    return count;
}

static uint32_t settings_max(const struct sweep_grid *grid)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < grid->axis_count; i++) {
        uint32_t most = 0;
        for (uint32_t j = 0; j < grid->axes[i].value_count; j++) {
            uint32_t count = grid->axes[i].values[j].setting_count;
            most = count > most ? count : most;
        }
        sum += most;
    }
    return sum;
}

/* What all cells have in common. */
struct expansion {
    const struct sweep_grid *grid;
    const char *path;
    const struct scenario_overrides *overrides;
    struct arena *arena;
    struct buffer *error;
};

/* A path is a name of scenario keys: nothing in it needs an escape. */
static void name_cell(struct arena *arena, struct grid_cell *cell,
                      const struct sweep_setting *const *settings, uint32_t count)
{
    struct buffer label;
    struct buffer coordinates;
    buffer_init(&label, arena);
    buffer_init(&coordinates, arena);
    buffer_append_text(&coordinates, "{");
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_format(&label, "%s%s", i == 0 ? "" : " ", settings[i]->text);
        buffer_append_format(&coordinates, "%s\"%s\":%s", i == 0 ? "" : ",", settings[i]->path,
                             settings[i]->json);
    }
    buffer_append_text(&coordinates, "}");
    cell->label = take_text(&label);
    cell->coordinates = take_text(&coordinates);
}

/* The user's own overrides hold in every cell, but for what the grid sets. */
static struct scenario_overrides overrides_of(const struct scenario_overrides *given,
                                              const struct sweep_setting *const *settings,
                                              uint32_t count, struct arena *arena)
{
    const char **texts =
        arena_alloc(arena, (size_t)given->setting_count + count + 1, sizeof *texts);
    struct scenario_overrides all = { .settings = texts };
    for (uint32_t i = 0; i < given->setting_count; i++) {
        texts[all.setting_count++] = given->settings[i];
    }
    all.has_seed = given->has_seed;
    all.seed = given->seed;
    for (uint32_t i = 0; i < count; i++) {
        texts[all.setting_count++] = settings[i]->text;
        if (strcmp(settings[i]->path, "seed") == 0) {
            all.has_seed = false;
        }
    }
    return all;
}

/* What is wrong with a cell's value is wrong with the grid: the reader thinks of an override. */
static void blame_cell(const struct expansion *expansion, const struct grid_cell *cell,
                       const char *sentence)
{
    static const char option[] = "--set: ";
    if (expansion->grid->axis_count == 0) {
        buffer_append_text(expansion->error, sentence);
        return;
    }
    if (strncmp(sentence, option, strlen(option)) == 0) {
        sentence += strlen(option);
    }
    buffer_append_format(expansion->error, "%s: sweep (%s): %s", expansion->path, cell->label,
                         sentence);
}

static enum status resolve_cell(const struct expansion *expansion, uint64_t number,
                                struct grid_cell *cell)
{
    struct arena scratch;
    arena_init(&scratch);
    const struct sweep_setting **settings =
        arena_alloc(&scratch, settings_max(expansion->grid) + 1u, sizeof *settings);
    uint32_t count = settings_of(expansion->grid, number, settings);
    name_cell(expansion->arena, cell, settings, count);
    struct scenario_overrides overrides =
        overrides_of(expansion->overrides, settings, count, &scratch);
    struct buffer error;
    buffer_init(&error, &scratch);
    struct scenario scenario;
    enum status status = scenario_read(&scenario, &scratch, expansion->path, &overrides, &error);
    if (status == STATUS_OK && expansion->grid->cell_count > 1 &&
        scenario.job.input.kind == INPUT_FILE && input_is_standard(scenario.input_path)) {
        buffer_append_format(&error,
                             "%s: job.input.file: standard input cannot be swept: it can be read "
                             "once only",
                             expansion->path);
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        struct buffer json;
        buffer_init(&json, expansion->arena);
        scenario_write(&scenario, &json);
        cell->json = take_text(&json);
    } else {
        blame_cell(expansion, cell, take_text(&error));
    }
    arena_drop(&scratch);
    return status;
}

enum status sweep_grid_cells(const struct sweep_grid *grid, const char *path,
                             const struct scenario_overrides *overrides, struct arena *arena,
                             struct grid_cell **cells, struct buffer *error)
{
    CHECK(grid->cell_count > 0);
    struct expansion expansion = {
        .grid = grid, .path = path, .overrides = overrides, .arena = arena, .error = error
    };
    *cells = arena_alloc(arena, grid->cell_count, sizeof **cells);
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < grid->cell_count && status == STATUS_OK; i++) {
        status = resolve_cell(&expansion, i, &(*cells)[i]);
    }
    return status;
}
