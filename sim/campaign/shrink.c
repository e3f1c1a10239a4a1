#include "sim/campaign/shrink.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "model/base/check.h"
#include "sim/campaign/shrink_private.h"
#include "sim/scenario/scenario_short.h"

enum { ROUNDS_MAX = 12, RUNS_MAX = 20000 };

/* A job that hangs simulates a day. While it is being shrunk ten minutes are enough, whatever is
 * wrong with it: candidates may hang that do not fail in the same way. */
static const uint64_t within_ns = UINT64_C(600000000000);

/* ---- a candidate, in a child ----------------------------------------------------------------- */

/* Runs a scenario as it would be read back, in this process. */
static struct finding run_candidate(const struct shrink_candidate *candidate, struct arena *arena)
{
    struct buffer json;
    buffer_init(&json, arena);
    scenario_write_short(&candidate->scenario, &json);
    struct buffer error;
    buffer_init(&error, arena);
    struct scenario scenario;
    enum status status =
        scenario_parse(&scenario, arena, buffer_bytes(&json), "candidate", ".", NULL, &error);
    if (status != STATUS_OK) {
        return (struct finding){ .kind = FINDING_INVALID,
                                 .message = arena_format(arena, "%.*s", (int)error.size,
                                                         (const char *)error.data) };
    }
    struct run run;
    run_scenario(&run, arena, &scenario, candidate->input, &(struct run_options){ 0 });
    return finding_of_run(&run);
}

/* Candidates being tried in order; the lowest that fails in the same way is the answer. */
struct trial {
    const struct shrink_candidate *candidates;
    size_t count;
    size_t next;
    const struct finding *wanted; /* NULL: any, of one candidate */
    struct arena *arena;
    struct finding finding; /* of the answer */
    size_t found;           /* `count`: none */
    uint64_t runs;
    struct shrinker *shrinker; /* NULL: nobody to show progress to */
    const char *what;
};

static bool next_candidate(void *context, uint64_t *job)
{
    struct trial *trial = context;
    if (trial->next == trial->count) {
        return false;
    }
    *job = trial->next++;
    return true;
}

static void run_in_child(void *context, uint64_t job, struct buffer *result)
{
    const struct trial *trial = context;
    CHECK(job < trial->count);
    struct arena arena;
    arena_init(&arena);
    struct finding finding = run_candidate(&trial->candidates[job], &arena);
    finding_encode(&finding, result);
    arena_drop(&arena);
}

static bool candidate_ended(void *context, const struct worker_end *end)
{
    struct trial *trial = context;
    trial->runs++;
    struct finding finding;
    if (end->crashed) {
        finding = finding_of_crash(end, trial->arena);
    } else {
        struct decoder decoder;
        decoder_init(&decoder, end->result);
        finding = finding_decode(&decoder, trial->arena);
    }
    bool same = trial->wanted == NULL || finding_same(&finding, trial->wanted);
    if (same && end->job < trial->found) {
        trial->found = (size_t)end->job;
        trial->finding = finding;
    }
    /* Jobs begin in order: what was begun before the answer runs to its end, and may win. */
    return trial->found == trial->count;
}

/* Shows that it works. False when the time is up: what runs then is given up. */
static bool trial_tick(void *context)
{
    struct trial *trial = context;
    struct shrinker *shrinker = trial->shrinker;
    if (shrinker == NULL) {
        return true;
    }
    if (progress_is_due(&shrinker->progress)) {
        progress_show(&shrinker->progress, "%6llu runs, %u faults; trying: %s",
                      (unsigned long long)(shrinker->result->runs + trial->runs),
                      shrinker->best.fault_count, trial->what);
    }
    return shrinker_goes_on(shrinker);
}

static enum status run_trial(struct trial *trial, uint32_t processes, bool *interrupted)
{
    trial->found = trial->count;
    struct worker_pool pool = { .processes = processes,
                                .job_seconds = SHRINK_RUN_SECONDS_MAX,
                                .next = next_candidate,
                                .run = run_in_child,
                                .ended = candidate_ended,
                                .tick = trial_tick,
                                .context = trial };
    return workers_run(&pool, interrupted);
}

enum status run_apart(const struct scenario *scenario, struct bytes input, struct arena *arena,
                      struct finding *finding)
{
    struct shrink_candidate candidate = { .scenario = *scenario, .input = input };
    struct trial trial = { .candidates = &candidate, .count = 1, .arena = arena };
    bool interrupted = false;
    enum status status = run_trial(&trial, 1, &interrupted);
    *finding = trial.finding;
    return status == STATUS_OK && trial.runs == 0 ? STATUS_IO : status;
}

/* ---- the list of candidates ------------------------------------------------------------------ */

void shrinker_clear(struct shrinker *shrinker)
{
    shrinker->candidate_count = 0;
}

struct scenario *shrinker_add_input(struct shrinker *shrinker, struct bytes input)
{
    shrinker->candidates =
        arena_grow(shrinker->arena, shrinker->candidates, &shrinker->candidate_capacity,
                   shrinker->candidate_count + 1, sizeof *shrinker->candidates);
    struct shrink_candidate *candidate = &shrinker->candidates[shrinker->candidate_count++];
    *candidate = (struct shrink_candidate){ .scenario = shrinker->best, .input = input };
    struct scenario *scenario = &candidate->scenario;
    uint32_t count = scenario->fault_count;
    scenario->faults = arena_alloc(shrinker->arena, count, sizeof *scenario->faults);
    for (uint32_t i = 0; i < count; i++) {
        scenario->faults[i] = shrinker->best.faults[i];
    }
    return scenario;
}

struct scenario *shrinker_add(struct shrinker *shrinker)
{
    return shrinker_add_input(shrinker, shrinker->input);
}

void shrinker_drop_last(struct shrinker *shrinker)
{
    CHECK(shrinker->candidate_count > 0);
    shrinker->candidate_count--;
}

static bool is_over(const struct shrinker *shrinker)
{
    uint64_t time_ns = shrinker->options->time_ns;
    return shrinker->result->runs >= RUNS_MAX ||
           (time_ns > 0 && progress_elapsed_ns(&shrinker->progress) >= time_ns);
}

bool shrinker_goes_on(const struct shrinker *shrinker)
{
    if (is_over(shrinker)) {
        shrinker->result->out_of_time = true;
    }
    return !shrinker->failed && !shrinker->result->interrupted && !shrinker->result->out_of_time;
}

static void say_best(struct shrinker *shrinker, const char *what)
{
    const struct scenario *best = &shrinker->best;
    struct buffer size;
    buffer_init(&size, shrinker->arena);
    if (best->job.input.kind != INPUT_FILE) {
        buffer_append_format(&size, "%llu records", (unsigned long long)best->job.input.records);
    } else {
        buffer_append_format(&size, "%zu bytes of input", shrinker->input.size);
    }
    progress_say(&shrinker->progress, "%6llu runs: %s; %u fault%s, %.*s, parallelism %u",
                 (unsigned long long)shrinker->result->runs, what, best->fault_count,
                 best->fault_count == 1 ? "" : "s", (int)size.size, (const char *)size.data,
                 best->job.parallelism);
}

bool shrinker_try(struct shrinker *shrinker, const char *what)
{
    if (shrinker->candidate_count == 0 || !shrinker_goes_on(shrinker)) {
        return false;
    }
    struct trial trial = { .candidates = shrinker->candidates,
                           .count = shrinker->candidate_count,
                           .wanted = shrinker->finding,
                           .arena = shrinker->arena,
                           .shrinker = shrinker,
                           .what = what };
    enum status status =
        run_trial(&trial, shrinker->options->processes, &shrinker->result->interrupted);
    shrinker->failed = status != STATUS_OK;
    shrinker->result->runs += trial.runs;
    if (trial.found == trial.count) {
        return false;
    }
    shrinker->best = shrinker->candidates[trial.found].scenario;
    shrinker->input = shrinker->candidates[trial.found].input;
    shrinker->result->finding = trial.finding;
    shrinker->result->accepted++;
    say_best(shrinker, what);
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool take_short_limit(struct shrinker *shrinker)
{
    if (shrinker->best.expect.within_ns <= within_ns) {
        return false;
    }
    shrinker_clear(shrinker);
    shrinker_add(shrinker)->expect.within_ns = within_ns;
    return shrinker_try(shrinker, "less time to end in");
}

/* Whatever time is up by then: it is one run. */
static void give_limit_back(struct shrinker *shrinker, uint64_t limit_ns)
{
    struct scenario candidate = shrinker->best;
    candidate.expect.within_ns = limit_ns;
    struct finding finding;
    enum status status = run_apart(&candidate, shrinker->input, shrinker->arena, &finding);
    shrinker->result->runs++;
    if (status == STATUS_OK && finding_same(&finding, shrinker->finding)) {
        shrinker->best = candidate;
        shrinker->result->finding = finding;
    }
}

/* The fewest faults come first; what costs many runs comes when a run is short. */
static bool shrink_round(struct shrinker *shrinker)
{
    bool helped = shrink_delete_faults(shrinker);
    helped = shrink_input(shrinker) || helped;
    helped = shrink_quantities(shrinker) || helped;
    helped = shrink_settings(shrinker) || helped;
    helped = shrink_join_faults(shrinker) || helped;
    helped = shrink_move_faults(shrinker) || helped;
    helped = shrink_simplify_faults(shrinker) || helped;
    helped = shrink_times_to_steps(shrinker) || helped;
    return shrink_round_times(shrinker) || helped;
}

static void shrink_all(struct shrinker *shrinker)
{
    progress_init(&shrinker->progress, shrinker->options->report);
    uint64_t limit_ns = shrinker->best.expect.within_ns;
    bool is_short = take_short_limit(shrinker);
    for (int round = 0; round < ROUNDS_MAX && shrinker_goes_on(shrinker); round++) {
        if (!shrink_round(shrinker)) {
            break;
        }
    }
    if (is_short) {
        give_limit_back(shrinker, limit_ns);
    }
    progress_end(&shrinker->progress);
}

/* Interruptions wait to be seen by the next trial: between two trials they would end the process
 * and lose what was found. */
static void hold_interruptions(sigset_t *held, sigset_t *before)
{
    (void)sigemptyset(held);
    (void)sigaddset(held, SIGINT);
    (void)sigaddset(held, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, held, before);
}

/* True if one had waited. */
static bool release_interruptions(const sigset_t *held, const sigset_t *before)
{
    bool interrupted = false;
    while (sigtimedwait(held, NULL, &(struct timespec){ 0 }) > 0) {
        interrupted = true;
    }
    (void)sigprocmask(SIG_SETMASK, before, NULL);
    return interrupted;
}

enum status shrink(struct scenario *small, struct arena *arena, const struct scenario *scenario,
                   struct bytes input, const struct finding *finding,
                   const struct shrink_options *options, struct shrink_result *result,
                   struct buffer *error)
{
    CHECK(finding->kind != FINDING_NONE);
    *result = (struct shrink_result){ 0 };
    enum status status = run_apart(scenario, input, arena, &result->finding);
    if (status == STATUS_OK && !finding_same(&result->finding, finding)) {
        buffer_append_text(error, "it does not fail in the same way when it is read back: ");
        finding_describe(&result->finding, error);
        return STATUS_INVALID;
    }
    if (status != STATUS_OK) {
        buffer_append_text(error, "no process can be made");
        return status;
    }
    struct shrinker shrinker = { .arena = arena,
                                 .best = *scenario,
                                 .input = input,
                                 .finding = finding,
                                 .options = options,
                                 .result = result };
    sigset_t held;
    sigset_t before;
    hold_interruptions(&held, &before);
    shrink_all(&shrinker);
    if (release_interruptions(&held, &before)) {
        result->interrupted = true;
    }
    *small = shrinker.best;
    result->input = shrinker.input;
    return STATUS_OK;
}
