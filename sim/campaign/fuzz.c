#include "sim/campaign/fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/failure_file.h"
#include "sim/campaign/hunt.h"
#include "sim/campaign/shrink.h"
#include "sim/campaign/swarm.h"

enum {
    BATCH_MS = 200, /* of real time: what a child of the pool is given at once */
    BATCH_RUNS_MAX = 512,
    RUN_SECONDS_MAX = 60,  /* of real time; a run takes milliseconds */
    GROUPS_MAX = 32,       /* kinds of failures that are told apart */
    STORED_PER_GROUP = 10, /* failing seeds that are stored and named, of each kind */
    SHRINK_SECONDS = 60,
};

/* All failures that are the same. */
struct group {
    struct finding finding; /* of the first that came */
    uint64_t count;
    uint64_t first_seed; /* the lowest */
};

struct campaign {
    const struct fuzz_options *options;
    struct fuzz_result *result;
    struct hunt hunt;
    struct swarm_base base;
    uint64_t base_wall_ns; /* what the run of the base alone took */
    uint64_t next_seed;
    bool seeds_used_up;
    struct group groups[GROUPS_MAX];
    uint32_t group_count;
};

/* ---- one run, in a child --------------------------------------------------------------------- */

static struct finding invalid(struct arena *arena, const struct buffer *error)
{
    return (struct finding){ .kind = FINDING_INVALID,
                             .message = arena_format(arena, "%.*s", (int)error->size,
                                                     (const char *)error->data) };
}

static bool changes_input(const struct scenario *scenario)
{
    bool changes = false;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        changes = changes || scenario->faults[i].object.kind == OBJECT_INPUT;
    }
    return changes;
}

static void run_seed(void *context, uint64_t seed, struct buffer *result)
{
    const struct campaign *campaign = context;
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct coverage coverage;
    coverage_init(&coverage);
    struct scenario scenario;
    struct finding finding;
    if (swarm_draw(&scenario, &arena, &campaign->base, seed, &error) == STATUS_OK) {
        struct run_options options = { .observer = coverage_observer(&coverage) };
        struct run run;
        if (changes_input(&scenario)) {
            scenario.job.input.generator = NULL; /* the run makes its own */
        }
        run_scenario(&run, &arena, &scenario, campaign->hunt.input, &options);
        finding = finding_of_run(&run);
    } else {
        finding = invalid(&arena, &error);
    }
    finding_encode(&finding, result);
    coverage_encode(&coverage, result);
    arena_drop(&arena);
}

/* ---- what came of them, in the parent -------------------------------------------------------- */

static bool next_seed(void *context, uint64_t *seed)
{
    struct campaign *campaign = context;
    uint64_t time_ns = campaign->options->time_ns;
    if (campaign->seeds_used_up ||
        (time_ns > 0 && progress_elapsed_ns(&campaign->hunt.progress) >= time_ns)) {
        return false;
    }
    *seed = campaign->next_seed;
    campaign->seeds_used_up = campaign->next_seed == campaign->options->seed_last;
    campaign->next_seed++;
    return true;
}

/* The group of a finding, made if it is new; NULL if there are too many. */
static struct group *find_group(struct campaign *campaign, const struct finding *finding,
                                uint64_t seed)
{
    for (uint32_t i = 0; i < campaign->group_count; i++) {
        if (finding_same(&campaign->groups[i].finding, finding)) {
            return &campaign->groups[i];
        }
    }
    if (campaign->group_count == GROUPS_MAX) {
        return NULL;
    }
    struct group *group = &campaign->groups[campaign->group_count++];
    *group = (struct group){ .finding = *finding, .first_seed = seed };
    group->finding.message = arena_text(&campaign->hunt.arena, finding->message);
    return group;
}

static const char *failure_name(const struct campaign *campaign, struct arena *arena, uint64_t seed,
                                const char *ending)
{
    return arena_format(arena, "%s-%" PRIu64 "%s", campaign->hunt.scenario.name, seed, ending);
}

static const char *failure_origin(const struct campaign *campaign, struct arena *arena,
                                  uint64_t seed)
{
    return arena_format(arena, "fuzz of %s, seed %" PRIu64, campaign->hunt.scenario.name, seed);
}

/* The seed's scenario is drawn once more: it was another process that ran it. One that cannot be
 * drawn is all that the finding says. */
static void store(struct campaign *campaign, uint64_t seed, const struct finding *finding)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct buffer what;
    buffer_init(&what, &arena);
    buffer_append_format(&what, "seed %" PRIu64 ": ", seed);
    finding_describe(finding, &what);
    buffer_append_format(&what, ": %s", finding->message);
    *buffer_extend(&what, 1) = '\0';
    const char *text = (const char *)what.data;
    struct scenario scenario;
    if (swarm_draw(&scenario, &arena, &campaign->base, seed, &error) != STATUS_OK) {
        progress_say(&campaign->hunt.progress, "%s\n    %.*s", text, (int)error.size,
                     (const char *)error.data);
    } else {
        hunt_store(&campaign->hunt, failure_name(campaign, &arena, seed, ""), &scenario,
                   failure_origin(campaign, &arena, seed), text, finding);
    }
    arena_drop(&arena);
}

static void note_failure(struct campaign *campaign, uint64_t seed, const struct finding *finding)
{
    struct fuzz_result *result = campaign->result;
    if (result->failures == 0 || seed < result->first_failure) {
        result->first_failure = seed;
    }
    result->failures++;
    struct group *group = find_group(campaign, finding, seed);
    if (group == NULL) {
        return;
    }
    group->count++;
    if (seed < group->first_seed) {
        group->first_seed = seed;
    }
    if (group->count <= STORED_PER_GROUP || seed == group->first_seed) {
        store(campaign, seed, finding);
    }
}

static bool seed_ended(void *context, const struct worker_end *end)
{
    struct campaign *campaign = context;
    struct arena arena;
    arena_init(&arena);
    struct finding finding;
    if (end->crashed) {
        finding = finding_of_crash(end, &arena);
    } else {
        struct decoder decoder;
        decoder_init(&decoder, end->result);
        finding = finding_decode(&decoder, &arena);
        coverage_decode_add(&decoder, &campaign->result->coverage);
        CHECK(decoder_finish(&decoder) == STATUS_OK);
    }
    campaign->result->runs++;
    if (finding.kind != FINDING_NONE) {
        note_failure(campaign, end->job, &finding);
    }
    arena_drop(&arena);
    return true;
}

/* ---- telling --------------------------------------------------------------------------------- */

static uint64_t rate(const struct campaign *campaign)
{
    uint64_t elapsed_ms = progress_elapsed_ns(&campaign->hunt.progress) / 1000000;
    return elapsed_ms == 0 ? 0 : campaign->result->runs * 1000 / elapsed_ms;
}

static bool show_progress(void *context)
{
    struct campaign *campaign = context;
    const struct fuzz_result *result = campaign->result;
    if (progress_is_due(&campaign->hunt.progress)) {
        progress_show(&campaign->hunt.progress,
                      "%5" PRIu64 " s  %" PRIu64 " runs, %" PRIu64 "/s  %" PRIu64
                      " failures  %u of %d facts, %u of %d marks, %u fault x step pairs",
                      progress_elapsed_ns(&campaign->hunt.progress) / 1000000000, result->runs,
                      rate(campaign), result->failures, coverage_fact_count(&result->coverage),
                      FACT_KIND_COUNT, coverage_mark_count(&result->coverage), MARK_COUNT,
                      coverage_pair_count(&result->coverage));
    }
    return true;
}

static void tell_unseen(struct campaign *campaign)
{
    const struct coverage *coverage = &campaign->result->coverage;
    struct buffer text;
    buffer_init(&text, &campaign->hunt.arena);
    for (unsigned i = 0; i < FACT_KIND_COUNT; i++) {
        if (coverage->facts[i] == 0) {
            buffer_append_format(&text, " %s", fact_info((enum fact_kind)i)->name);
        }
    }
    if (text.size > 0) {
        progress_say(&campaign->hunt.progress, "facts never seen:%.*s", (int)text.size,
                     (const char *)text.data);
    }
    buffer_reset(&text);
    for (unsigned i = 0; i < MARK_COUNT; i++) {
        if (coverage->marks[i] == 0) {
            buffer_append_format(&text, " %s", mark_name((enum mark)i));
        }
    }
    if (text.size > 0) {
        progress_say(&campaign->hunt.progress, "marks never hit:%.*s", (int)text.size,
                     (const char *)text.data);
    }
    buffer_reset(&text);
    for (unsigned i = 0; i < FAULT_VERB_COUNT; i++) {
        if (coverage->fired[i] > 0) {
            buffer_append_format(&text, "%s %s %" PRIu64, text.size == 0 ? "" : ",",
                                 fault_verb_name((enum fault_verb)i), coverage->fired[i]);
        }
    }
    progress_say(&campaign->hunt.progress, "faults that took effect:%.*s", (int)text.size,
                 (const char *)text.data);
    buffer_free(&text);
}

static void tell_groups(struct campaign *campaign)
{
    struct arena arena;
    arena_init(&arena);
    for (uint32_t i = 0; i < campaign->group_count; i++) {
        const struct group *group = &campaign->groups[i];
        struct buffer what;
        buffer_init(&what, &arena);
        finding_describe(&group->finding, &what);
        progress_say(&campaign->hunt.progress, "  %" PRIu64 " x %.*s, the first: %s run %s/%s.json",
                     group->count, (int)what.size, (const char *)what.data,
                     campaign->options->hunt.program, hunt_folder(&campaign->hunt, &arena),
                     failure_name(campaign, &arena, group->first_seed, ""));
    }
    arena_drop(&arena);
}

static void tell_summary(struct campaign *campaign)
{
    const struct fuzz_result *result = campaign->result;
    progress_end(&campaign->hunt.progress);
    progress_say(&campaign->hunt.progress,
                 "%s: %" PRIu64 " runs from seed %" PRIu64 " in %" PRIu64 " ms, %" PRIu64
                 "/s; %" PRIu64 " failed%s",
                 campaign->hunt.scenario.name, result->runs, campaign->options->seed_first,
                 progress_elapsed_ns(&campaign->hunt.progress) / 1000000, rate(campaign),
                 result->failures, result->interrupted ? " (interrupted)" : "");
    tell_groups(campaign);
    progress_say(
        &campaign->hunt.progress, "covered: %u of %d facts, %u of %d marks, %u fault x step pairs",
        coverage_fact_count(&result->coverage), FACT_KIND_COUNT,
        coverage_mark_count(&result->coverage), MARK_COUNT, coverage_pair_count(&result->coverage));
    tell_unseen(campaign);
}

/* ---- afterwards ------------------------------------------------------------------------------ */

static void shrink_group(struct campaign *campaign, const struct group *group)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct buffer path;
    buffer_init(&path, &arena);
    struct scenario scenario;
    struct scenario small;
    struct shrink_result shrunk = { 0 };
    enum status status = swarm_draw(&scenario, &arena, &campaign->base, group->first_seed, &error);
    if (status == STATUS_OK) {
        struct shrink_options options = { .processes = campaign->options->hunt.processes,
                                          .time_ns = SHRINK_SECONDS * UINT64_C(1000000000) };
        status = shrink(&small, &arena, &scenario, campaign->hunt.input, &group->finding, &options,
                        &shrunk, &error);
    }
    if (status == STATUS_OK) {
        status = failure_file_write(hunt_folder(&campaign->hunt, &arena),
                                    failure_name(campaign, &arena, group->first_seed, "-small"),
                                    &small, failure_origin(campaign, &arena, group->first_seed),
                                    &shrunk.finding, true, &path, &error);
    }
    const struct buffer *said = status == STATUS_OK ? &path : &error;
    progress_say(&campaign->hunt.progress, "shrunk seed %" PRIu64 " to %u faults: %.*s",
                 group->first_seed, status == STATUS_OK ? small.fault_count : 0, (int)said->size,
                 (const char *)said->data);
    arena_drop(&arena);
}

/* The first of each kind; an invalid one was never run. */
static void shrink_all(struct campaign *campaign)
{
    for (uint32_t i = 0; i < campaign->group_count; i++) {
        if (campaign->groups[i].finding.kind != FINDING_INVALID) {
            shrink_group(campaign, &campaign->groups[i]);
        }
    }
}

static enum verdict judge(struct campaign *campaign)
{
    enum verdict verdict = VERDICT_PASS;
    for (uint32_t i = 0; i < campaign->group_count; i++) {
        bool is_stuck = campaign->groups[i].finding.kind == FINDING_STUCK;
        if (!is_stuck) {
            return VERDICT_WRONG;
        }
        verdict = VERDICT_STUCK;
    }
    for (uint32_t i = 0; i < campaign->options->required_mark_count; i++) {
        enum mark mark = campaign->options->required_marks[i];
        if (campaign->result->coverage.marks[mark] == 0) {
            progress_say(&campaign->hunt.progress, "a required mark was never hit: %s (%s)",
                         mark_name(mark), mark_help(mark));
            verdict = VERDICT_WRONG;
        }
    }
    return verdict;
}

/* ---- beginning ------------------------------------------------------------------------------- */

static uint64_t longest_checkpoint(const struct summary *summary)
{
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        const struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        uint64_t took_ns = checkpoint->fate == CHECKPOINT_DONE
                               ? checkpoint->ended_ns - checkpoint->triggered_ns
                               : 0;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
    }
    return longest_ns;
}

/* A run of the base alone: does it pass, and how long does it take? */
static void run_base(void *context, uint64_t job, struct buffer *result)
{
    const struct campaign *campaign = context;
    struct arena arena;
    arena_init(&arena);
    struct run run;
    (void)job;
    run_scenario(&run, &arena, &campaign->hunt.scenario, campaign->hunt.input,
                 &(struct run_options){ 0 });
    struct finding finding = finding_of_run(&run);
    finding_encode(&finding, result);
    encode_u64(result, run.simulated_ns);
    encode_u64(result, longest_checkpoint(&run.summary));
    encode_u64(result, run.wall_ns);
    arena_drop(&arena);
}

static enum verdict try_base(struct campaign *campaign)
{
    struct decoder known;
    enum verdict verdict = hunt_try_base(&campaign->hunt, run_base, campaign,
                                         "fails as it is, without a drawn fault", &known);
    if (verdict != VERDICT_PASS) {
        return verdict;
    }
    campaign->base = (struct swarm_base){ .scenario = &campaign->hunt.scenario,
                                          .overrides = &campaign->options->hunt.overrides,
                                          .fault_count = campaign->options->fault_count,
                                          .horizon_ns = decode_u64(&known) + 1 };
    campaign->base.checkpoint_ns = decode_u64(&known);
    campaign->base_wall_ns = decode_u64(&known);
    CHECK(!known.failed);
    return VERDICT_PASS;
}

/* To begin a child takes as long as a run of a few milliseconds; but the last children to end
 * should end together, and those that run when the time is up soon. */
static uint32_t batch_runs(const struct campaign *campaign)
{
    uint64_t runs = BATCH_MS * UINT64_C(1000000) / (campaign->base_wall_ns + 1);
    return runs < 1 ? 1 : runs > BATCH_RUNS_MAX ? BATCH_RUNS_MAX : (uint32_t)runs;
}

static enum verdict run_campaign(struct campaign *campaign)
{
    struct fuzz_result *result = campaign->result;
    const struct fuzz_options *options = campaign->options;
    struct worker_pool pool = { .batch = batch_runs(campaign),
                                .job_count = options->seed_last - options->seed_first + 1,
                                .job_seconds = RUN_SECONDS_MAX,
                                .next = next_seed,
                                .run = run_seed,
                                .ended = seed_ended,
                                .tick = show_progress,
                                .context = campaign };
    enum verdict verdict = hunt_run(&campaign->hunt, pool, &result->interrupted);
    if (verdict != VERDICT_PASS) {
        return verdict;
    }
    tell_summary(campaign);
    if (campaign->options->shrink && !result->interrupted) {
        shrink_all(campaign);
    }
    return judge(campaign);
}

enum verdict fuzz(const struct fuzz_options *options, struct fuzz_result *result,
                  struct buffer *error)
{
    CHECK(options->seed_first <= options->seed_last);
    *result = (struct fuzz_result){ 0 };
    coverage_init(&result->coverage);
    struct campaign campaign = { .options = options,
                                 .result = result,
                                 .next_seed = options->seed_first };
    enum verdict verdict = hunt_begin(&campaign.hunt, &options->hunt, error);
    if (verdict == VERDICT_PASS) {
        verdict = try_base(&campaign);
    }
    if (verdict == VERDICT_PASS) {
        verdict = run_campaign(&campaign);
    }
    hunt_end(&campaign.hunt);
    return verdict;
}
