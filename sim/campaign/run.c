#include "sim/campaign/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/base/check.h"
#include "model/jobs/jobs.h"
#include "sim/fault/fault_input.h"
#include "sim/oracle/recording.h"
#include "sim/scenario/scenario_values.h"
#include "sim/world/world.h"

enum { UNMET_COUNT_MAX = 16 };

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASS: return "pass";
    case VERDICT_WRONG: return "wrong";
    case VERDICT_STUCK: return "stuck";
    case VERDICT_BAD_USAGE: return "bad_usage";
    case VERDICT_NOT_DETERMINISTIC: return "not_deterministic";
    case VERDICT_NOT_FIRED: return "not_fired";
    case VERDICT_SURROUNDINGS: return "surroundings";
    }
    CHECK_UNREACHABLE("a verdict");
}

/* ---- listening ------------------------------------------------------------------------------- */

void run_on_fact(struct run *run, const struct fact_event *event)
{
    oracle_on_fact(run->oracle, event);
    summary_on_fact(&run->summary, event);
    vain_on_fact(&run->vain, event, run->faults);
    if (run->timeline != NULL) {
        timeline_on_fact(run->timeline, event);
    }
    if (run->trace != NULL) {
        trace_log_add(run->trace, event);
    }
    if (run->observer.on_fact != NULL) {
        run->observer.on_fact(run->observer.context, event);
    }
}

static void on_fact(void *context, const struct fact_event *event)
{
    run_on_fact(context, event);
}

void run_on_credit(struct run *run, const struct credit_event *event)
{
    oracle_on_credit(run->oracle, event);
}

static void on_credit(void *context, const struct credit_event *event)
{
    run_on_credit(context, event);
}

void run_on_heartbeat(struct run *run, const struct heartbeat_event *event)
{
    oracle_on_heartbeat(run->oracle, event);
}

static void on_heartbeat(void *context, const struct heartbeat_event *event)
{
    run_on_heartbeat(context, event);
}

/* How long what is detected next is the fault's effect: while it lasts. A JobManager that died is
 * missed until one has started, which is some time after its process is there again. */
static uint64_t felt_until_ns(const struct fault_record *record)
{
    const struct fault *fault = record->fault;
    bool ends_process = fault->verb == FAULT_CRASH || fault->verb == FAULT_WIPE;
    return ends_process && fault->object.kind == OBJECT_JOB_MANAGER ? UINT64_MAX
                                                                    : record->ended_ns;
}

void run_on_fired(struct run *run, const struct fault_record *record)
{
    struct buffer text;
    buffer_init(&text, run->arena);
    fault_describe(run->scenario, record->fault, &text);
    *buffer_extend(&text, 1) = '\0';
    enum fault_verb verb = record->fault->verb;
    bool breaks = verb == FAULT_CRASH || verb == FAULT_PAUSE || verb == FAULT_WIPE ||
                  verb == FAULT_RESET || verb == FAULT_THROW;
    summary_on_fault(&run->summary, record->fired_ns, felt_until_ns(record),
                     (const char *)text.data, breaks);
    if (run->timeline != NULL) {
        timeline_on_fault(run->timeline, record->fired_ns, record->ended_ns,
                          (const char *)text.data);
    }
    buffer_free(&text);
    if (run->observer.on_fired != NULL) {
        run->observer.on_fired(run->observer.context, record);
    }
}

static void on_fired(void *context, const struct fault_record *record)
{
    run_on_fired(context, record);
}

void run_on_damage(struct run *run, const char *path)
{
    oracle_on_damage(run->oracle, path);
}

static void on_damage(void *context, const char *path)
{
    run_on_damage(context, path);
}

/* ---- judging --------------------------------------------------------------------------------- */

void run_note_unmet(struct run *run, const char *message)
{
    if (run->unmet_count < UNMET_COUNT_MAX) {
        run->unmet[run->unmet_count++].message = message;
    }
}

static const char *outcome_text(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_FINISHED: return "the job finished";
    case OUTCOME_FAILED: return "the job failed";
    case OUTCOME_REFUSED: return "the job refused to restore";
    case OUTCOME_STUCK:
    case OUTCOME_BROKEN: return "the job did not end";
    }
    CHECK_UNREACHABLE("an outcome");
}

/* What the model said when it gave up, or what can be said of a job that never does; "". */
static const char *why_it_ended(const struct run *run)
{
    if (run->outcome != OUTCOME_STUCK || !vain_is_hopeless(&run->vain)) {
        return run->summary.failure;
    }
    struct buffer text;
    buffer_init(&text, run->arena);
    vain_describe(&run->vain, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data; /* the arena keeps it */
}

static bool outcome_is_expected(const struct run *run)
{
    switch (run->scenario->expect.result) {
    case EXPECT_SAME: return run->outcome == OUTCOME_FINISHED;
    case EXPECT_REFUSED: return run->outcome == OUTCOME_REFUSED;
    case EXPECT_FAILED: return run->outcome == OUTCOME_FAILED;
    case EXPECT_SAME_OR_REFUSED:
        return run->outcome == OUTCOME_FINISHED || run->outcome == OUTCOME_REFUSED;
    case EXPECT_SAME_OR_FAILED: return run->outcome < OUTCOME_STUCK;
    }
    CHECK_UNREACHABLE("an expected result");
}

/* "expect.checkpoints: 7 completed; wanted >= 8" */
static void note_outside(struct run *run, struct bound bound, enum value_unit unit,
                         const char *found)
{
    struct buffer text;
    buffer_init(&text, run->arena);
    buffer_append_text(&text, found);
    buffer_append_text(&text, "; wanted ");
    value_format_bound(bound, unit, &text);
    *buffer_extend(&text, 1) = '\0';
    run_note_unmet(run, (const char *)text.data); /* the arena keeps it */
}

static void check_expectations(struct run *run)
{
    const struct expect *expect = &run->scenario->expect;
    const struct summary *summary = &run->summary;
    /* A job that gives up instead of finishing is the liveness property's finding. */
    bool gave_up = (run->outcome == OUTCOME_FAILED || run->outcome == OUTCOME_REFUSED) &&
                   (expect->result == EXPECT_SAME || expect->result == EXPECT_SAME_OR_REFUSED);
    bool is_told = gave_up || run->outcome == OUTCOME_BROKEN;
    if (!outcome_is_expected(run) && !is_told) {
        const char *why = why_it_ended(run);
        run_note_unmet(run,
                       arena_format(run->arena, "expect.result: %s%s%s", outcome_text(run->outcome),
                                    why[0] != '\0' ? ": " : "", why));
    }
    if (!bound_holds(expect->checkpoints, summary->completed)) {
        note_outside(run, expect->checkpoints, VALUE_COUNT,
                     arena_format(run->arena, "expect.checkpoints: %llu completed",
                                  (unsigned long long)summary->completed));
    }
    if (!bound_holds(expect->recoveries, summary->recovery_count)) {
        note_outside(
            run, expect->recoveries, VALUE_COUNT,
            arena_format(run->arena, "expect.recoveries: there were %zu", summary->recovery_count));
    }
    for (size_t i = 0; i < summary->recovery_count; i++) {
        const struct recovery_summary *recovery = &summary->recoveries[i];
        uint64_t end_ns = recovery->caught_up_ns != 0 ? recovery->caught_up_ns : run->simulated_ns;
        uint64_t took_ns = end_ns - recovery->failed_ns;
        if (!bound_holds(expect->recovery_time_ns, took_ns)) {
            note_outside(run, expect->recovery_time_ns, VALUE_DURATION,
                         arena_format(run->arena, "expect.recovery_time: recovery %zu took %llu ms",
                                      i + 1, (unsigned long long)(took_ns / 1000000)));
        }
    }
}

static bool all_fired(const struct run *run)
{
    for (uint32_t i = 0; i < run->scenario->fault_count; i++) {
        if (!run->faults[i].fired) {
            return false;
        }
    }
    return true;
}

/* The worst that was found decides. */
static enum verdict judge(struct run *run)
{
    if (run->is_ambiguous) {
        return VERDICT_NOT_DETERMINISTIC;
    }
    uint32_t count;
    const struct violation *violations = oracle_violations(run->oracle, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (violations[i].property != PROPERTY_LIVENESS) {
            return VERDICT_WRONG;
        }
    }
    if (run->outcome == OUTCOME_STUCK) {
        return VERDICT_STUCK;
    }
    if (count > 0 || run->unmet_count > 0) {
        return VERDICT_WRONG;
    }
    if (run->scenario->expect.all_fired && !all_fired(run)) {
        return VERDICT_NOT_FIRED;
    }
    return VERDICT_PASS;
}

/* ---- running --------------------------------------------------------------------------------- */

static uint64_t wall_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void make_collectors(struct run *run, const struct run_options *options)
{
    const struct scenario *scenario = run->scenario;
    job_build(scenario_job(scenario), &run->pipeline);
    run->task_count = run->pipeline.vertex_count * scenario->job.parallelism;
    vain_init(&run->vain, run->arena, scenario, run->pipeline.vertex_count);
    run->unmet = arena_alloc(run->arena, UNMET_COUNT_MAX, sizeof *run->unmet);
    uint32_t parallelism_max = scenario_parallelism_max(scenario);
    summary_init(&run->summary, run->arena, run->pipeline.vertex_count, parallelism_max);
    if (options->keep_timeline) {
        const char *names[PIPELINE_VERTEX_COUNT_MAX];
        for (uint32_t i = 0; i < run->pipeline.vertex_count; i++) {
            names[i] = run->pipeline.vertices[i].name;
        }
        run->timeline =
            timeline_create(run->arena, names, run->pipeline.vertex_count, parallelism_max);
    }
    if (options->keep_trace) {
        run->trace = trace_log_create(run->arena, &run->pipeline);
    }
}

void run_begin(struct run *run, const struct disk *shared)
{
    run->oracle = oracle_create(run->arena, run->scenario, shared, run->input);
    if (run->recording != NULL) {
        oracle_set_recording(run->oracle, run->recording);
    }
}

static void tell_end(struct run *run, enum outcome outcome, uint64_t end_ns, uint64_t last_fault_ns)
{
    run->outcome = outcome;
    run->simulated_ns = end_ns;
    oracle_on_end(run->oracle, outcome, end_ns, last_fault_ns);
    summary_on_end(&run->summary, end_ns);
    run->totals = oracle_totals(run->oracle);
}

/* Runs the scenario as it is, without a verdict. */
static void simulate(struct run *run, const struct run_options *options)
{
    const struct scenario *scenario = run->scenario;
    struct arena *arena = run->arena;
    struct world *world = world_create(arena, scenario, &run->pipeline, run->input);
    run_begin(run, world_shared_disk(world));
    world_add_listener(world, (struct world_listener){ .on_fact = on_fact,
                                                       .on_credit = on_credit,
                                                       .on_heartbeat = on_heartbeat,
                                                       .context = run });
    struct fault_script *script = fault_script_create(
        arena, scenario, world,
        (struct fault_hooks){ .on_fired = on_fired, .on_damage = on_damage, .context = run });
    run->faults = fault_script_records(script);
    if (options->arm != NULL) {
        options->arm(options->observer.context, world);
    }
    while (!vain_is_hopeless(&run->vain) && world_step(world)) {
        if (run->observer.on_event != NULL) {
            run->observer.on_event(run->observer.context, world);
        }
    }
    run->trace_hash = world_trace_hash(world);
    run->event_count = world_event_count(world);
    tell_end(run, world_outcome(world), world_now_ns(world), fault_script_last_ns(script));
    if (run->recording != NULL && !run->recording->is_done) {
        oracle_record_state(run->oracle);
    }
    world_destroy(world);
}

/* Other chances, and messages that take longer by so little that no heartbeat is missed. */
static void shift_delays(struct scenario *scenario)
{
    enum { SHARE = 20, MOST_NS = 20 * 1000 * 1000 };
    uint64_t shift_ns = scenario->job.heartbeat_timeout_ns / SHARE;
    shift_ns = shift_ns < MOST_NS ? shift_ns : MOST_NS;
    scenario->seed = ~scenario->seed;
    scenario->cluster.network.latency_min_ns += shift_ns;
    scenario->cluster.network.latency_max_ns += 2 * shift_ns;
}

/* Records what the job answers without faults; `otherwise`: and with other delays. Faults that
 * change the input are in the input already. */
static struct recording *record(struct arena *arena, const struct scenario *scenario,
                                struct bytes input, bool otherwise)
{
    struct recording *recording = arena_alloc(arena, 1, sizeof *recording);
    recording_init(recording, arena);
    struct arena own;
    arena_init(&own);
    struct scenario calm = *scenario;
    calm.faults = NULL;
    calm.fault_count = 0;
    if (otherwise) {
        shift_delays(&calm);
    }
    struct run run = { .scenario = &calm, .arena = &own, .input = input, .recording = recording };
    make_collectors(&run, &(struct run_options){ 0 });
    simulate(&run, &(struct run_options){ 0 });
    if (run.outcome != OUTCOME_FINISHED) {
        recording->failure =
            arena_format(arena, "even without faults %s%s%s", outcome_text(run.outcome),
                         run.summary.failure[0] != '\0' ? ": " : "", run.summary.failure);
    }
    recording->is_done = true;
    arena_drop(&own);
    return recording;
}

/* Is the result wrong, or does the job answer now this, now that? */
static void check_recording(struct run *run)
{
    uint32_t count;
    const struct violation *violations = oracle_violations(run->oracle, &count);
    bool differs = false;
    for (uint32_t i = 0; i < count; i++) {
        differs = differs || violations[i].property == PROPERTY_OUTPUT ||
                  violations[i].property == PROPERTY_STATE;
    }
    const struct expect *expect = &run->scenario->expect;
    bool may_fail = expect->result == EXPECT_FAILED || expect->result == EXPECT_SAME_OR_FAILED;
    if (run->recording->failure != NULL) {
        if (!may_fail) {
            run_note_unmet(run,
                           arena_format(run->arena, "job.library: %s", run->recording->failure));
        }
    } else if (differs) {
        const struct recording *other = record(run->arena, run->scenario, run->input, true);
        const char *difference =
            other->failure != NULL ? NULL : recording_difference(run->arena, run->recording, other);
        if (difference != NULL) {
            run->is_ambiguous = true;
            run->unmet_count = 0;
            run_note_unmet(run, arena_format(run->arena,
                                             "job.library: two runs without faults differ only in "
                                             "their delays, and the job answers otherwise: %s; so "
                                             "no result of it can be judged",
                                             difference));
        }
    }
}

static void reach_verdict(struct run *run)
{
    check_expectations(run);
    if (run->recording != NULL) {
        check_recording(run);
    }
    run->verdict = judge(run);
}

void run_end(struct run *run, enum outcome outcome, uint64_t end_ns, uint64_t last_fault_ns)
{
    tell_end(run, outcome, end_ns, last_fault_ns);
    reach_verdict(run);
}

void run_prepare(struct run *run, struct arena *arena, const struct scenario *given,
                 const struct run_options *options)
{
    struct scenario *scenario = arena_alloc(arena, 1, sizeof *scenario);
    *scenario = *given;
    fault_input_prepare(arena, scenario);
    *run = (struct run){ .scenario = scenario, .observer = options->observer, .arena = arena };
    make_collectors(run, options);
}

void run_take_input(struct run *run, struct bytes input)
{
    run->input = input;
    if (run->scenario->library != NULL) {
        run->recording = record(run->arena, run->scenario, input, false);
    }
}

void run_scenario(struct run *run, struct arena *arena, const struct scenario *given,
                  struct bytes input, const struct run_options *options)
{
    uint64_t start_ns = wall_now_ns();
    run_prepare(run, arena, given, options);
    run_take_input(run, input);
    simulate(run, options);
    reach_verdict(run);
    run->wall_ns = wall_now_ns() - start_ns;
}
