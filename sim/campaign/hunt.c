#include "sim/campaign/hunt.h"

#include "model/base/check.h"
#include "sim/campaign/failure_file.h"

enum verdict hunt_begin(struct hunt *hunt, const struct hunt_options *options, struct buffer *error)
{
    CHECK(options->out != NULL && options->program != NULL);
    *hunt = (struct hunt){ .options = options, .error = error };
    arena_init(&hunt->arena);
    progress_init(&hunt->progress, options->report);
    enum status status =
        scenario_read(&hunt->scenario, &hunt->arena, options->scenario, &options->overrides, error);
    if (status == STATUS_OK) {
        status = run_read_input(&hunt->scenario, &hunt->arena, &hunt->input, error);
    }
    if (status == STATUS_OK) {
        status = run_keep_input(&hunt->scenario, &hunt->arena, options->out, hunt->input, error);
    }
    if (status != STATUS_OK) {
        return status == STATUS_INVALID ? VERDICT_BAD_USAGE : VERDICT_SURROUNDINGS;
    }
    struct input_config *input = &hunt->scenario.job.input;
    if (input->kind == INPUT_GENERATOR) {
        input->generator =
            generator_create(&hunt->arena, input->keys, input->skew_ppm, input->seed);
    }
    return VERDICT_PASS;
}

enum verdict hunt_run(struct hunt *hunt, struct worker_pool pool, bool *interrupted)
{
    pool.processes = hunt->options->processes;
    if (workers_run(&pool, interrupted) != STATUS_OK) {
        buffer_append_text(hunt->error, "no worker process can be made");
        return VERDICT_SURROUNDINGS;
    }
    progress_end(&hunt->progress);
    return VERDICT_PASS;
}

const char *hunt_folder(const struct hunt *hunt, struct arena *arena)
{
    return arena_format(arena, "%s/failures", hunt->options->out);
}

bool hunt_store(struct hunt *hunt, const char *name, const struct scenario *scenario,
                const char *origin, const char *what, const struct finding *finding)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer path;
    buffer_init(&path, &arena);
    struct buffer error;
    buffer_init(&error, &arena);
    enum status status = failure_file_write(hunt_folder(hunt, &arena), name, scenario, origin,
                                            finding, false, &path, &error);
    const struct buffer *where = status == STATUS_OK ? &path : &error;
    progress_say(&hunt->progress, "%s\n    %.*s", what, (int)where->size,
                 (const char *)where->data);
    arena_drop(&arena);
    return status == STATUS_OK;
}

void hunt_end(struct hunt *hunt)
{
    arena_drop(&hunt->arena);
}
