#include "sim/campaign/hunt.h"

#include "model/base/check.h"
#include "sim/campaign/failure_file.h"
#include "sim/campaign/verdict.h"

enum { RECORDS_REMEMBERED_MAX = 1 << 20 };

enum verdict hunt_begin(struct hunt *hunt, const struct hunt_options *options, struct buffer *error)
{
    CHECK(options->out != NULL && options->program != NULL);
    *hunt = (struct hunt){ .options = options, .error = error };
    arena_init(&hunt->arena);
    progress_init(&hunt->progress, options->report);
    hunt->progress.quiet = options->quiet;
    enum status status =
        scenario_read(&hunt->scenario, &hunt->arena, options->scenario, &options->overrides, error);
    if (status == STATUS_OK) {
        status = run_read_input(&hunt->scenario, &hunt->arena, &hunt->input, error);
    }
    if (status == STATUS_OK) {
        status = run_keep_input(&hunt->scenario, &hunt->arena, options->out, hunt->input, error);
    }
    if (status != STATUS_OK) {
        return verdict_of_status(status);
    }
    struct input_config *input = &hunt->scenario.job.input;
    if (input->kind == INPUT_GENERATOR) {
        struct generator *generator =
            generator_create(&hunt->arena, input->keys, input->skew_ppm, input->seed);
        uint64_t records = input->records;
        generator_remember(generator, &hunt->arena,
                           records < RECORDS_REMEMBERED_MAX ? records : RECORDS_REMEMBERED_MAX);
        input->generator = generator;
    }
    return VERDICT_PASS;
}

enum { BASE_SECONDS_MAX = 600 };

struct base_trial {
    struct hunt *hunt;
    void (*run)(void *context, uint64_t job, struct buffer *result);
    void *context;
    bool is_begun;
    bool is_over;
    struct finding finding;
    struct decoder *known;
};

static bool next_base(void *context, uint64_t *job)
{
    struct base_trial *trial = context;
    *job = 0;
    bool is_next = !trial->is_begun;
    trial->is_begun = true;
    return is_next;
}

static void run_base(void *context, uint64_t job, struct buffer *result)
{
    const struct base_trial *trial = context;
    trial->run(trial->context, job, result);
}

static bool base_ended(void *context, const struct worker_end *end)
{
    struct base_trial *trial = context;
    struct arena *arena = &trial->hunt->arena;
    trial->is_over = true;
    if (end->crashed) {
        trial->finding = finding_of_crash(end, arena);
        return true;
    }
    decoder_init(trial->known, bytes_copy(arena, end->result));
    trial->finding = finding_decode(trial->known, arena);
    return true;
}

enum verdict hunt_try_base(struct hunt *hunt,
                           void (*run)(void *context, uint64_t job, struct buffer *result),
                           void *context, const char *failure, struct decoder *known)
{
    struct base_trial trial = { .hunt = hunt, .run = run, .context = context, .known = known };
    bool interrupted = false;
    struct worker_pool pool = { .job_seconds = BASE_SECONDS_MAX,
                                .next = next_base,
                                .run = run_base,
                                .ended = base_ended,
                                .context = &trial };
    enum verdict verdict = hunt_run(hunt, pool, &interrupted);
    if (verdict != VERDICT_PASS) {
        return verdict;
    }
    if (!trial.is_over) {
        buffer_append_format(hunt->error, "%s: interrupted", hunt->options->scenario);
        return VERDICT_SURROUNDINGS;
    }
    if (trial.finding.kind != FINDING_NONE) {
        buffer_append_format(hunt->error, "%s: %s: ", hunt->options->scenario, failure);
        finding_describe(&trial.finding, hunt->error);
        buffer_append_format(hunt->error, ": %s", trial.finding.message);
    }
    return finding_verdict(&trial.finding);
}

enum verdict hunt_run(struct hunt *hunt, struct worker_pool pool, bool *interrupted)
{
    pool.processes = hunt->options->processes;
    if (workers_run(&pool, interrupted) != STATUS_OK) {
        buffer_append_text(hunt->error, "no worker process can be made");
        return VERDICT_SURROUNDINGS;
    }
    return VERDICT_PASS;
}

const char *hunt_folder(const struct hunt *hunt, struct arena *arena)
{
    return arena_format(arena, "%s/failures", hunt->options->out);
}

void hunt_store(struct hunt *hunt, const char *name, const struct scenario *scenario,
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
    if (status != STATUS_OK && hunt->error->size == 0) {
        buffer_append_format(hunt->error, "%s: not every failure could be stored",
                             hunt->options->out);
    }
    arena_drop(&arena);
}

void hunt_end(struct hunt *hunt)
{
    progress_end(&hunt->progress);
    arena_drop(&hunt->arena);
}
