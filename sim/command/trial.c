#include "sim/command/trial.h"

#include "model/base/check.h"
#include "sim/campaign/run.h"
#include "sim/campaign/verdict.h"
#include "sim/live/live_run.h"

enum { SETTINGS_MAX = 12 };

static const char trial_json[] =
    "{ \"name\": \"trial\","
    "  \"job\": { \"name\": \"count\", \"parallelism\": 1,"
    "             \"input\": { \"records\": 500000, \"keys\": 10000, \"skew\": 0 } },"
    "  \"checkpoint\": { \"interval\": \"1h\" },"
    "  \"cluster\": { \"task_managers\": 1 } }";

static void on_call(void *context, const struct live_call *call)
{
    const struct trial *trial = context;
    call_times_add(trial->calls, call);
}

static void note_passing(const struct trial *trial, uint64_t acked_ns)
{
    uint64_t begin_ns = trial->triggered_ns + trial->sync_part_ns;
    if (trial->passing_ns != NULL) {
        sample_add(trial->passing_ns, acked_ns > begin_ns ? acked_ns - begin_ns : 0);
    }
}

static void on_fact(void *context, const struct fact_event *event)
{
    struct trial *trial = context;
    switch (event->fact.kind) {
    case FACT_JOB_RUNNING: trial->running_ns = event->time_ns; break;
    case FACT_TASK_END_OF_DATA: trial->end_of_data_ns = event->time_ns; break;
    case FACT_CHECKPOINT_TRIGGERED:
        trial->triggered_ns = event->time_ns;
        trial->sync_part_ns = 0;
        break;
    case FACT_SNAPSHOT_TAKEN:
        if (event->fact.values[0] > trial->sync_part_ns) {
            trial->sync_part_ns = event->fact.values[0];
        }
        break;
    case FACT_CHECKPOINT_ALL_ACKED: note_passing(trial, event->time_ns); break;
    default: break;
    }
}

enum status trial_read(const struct trial_place *place, struct arena *arena,
                       const char *const *settings, struct scenario *scenario)
{
    const struct scenario_overrides *given = &place->overrides;
    const char **all = arena_alloc(arena, given->setting_count + SETTINGS_MAX, sizeof *all);
    struct scenario_overrides overrides = *given;
    overrides.settings = all;
    for (uint32_t i = 0; i < given->setting_count; i++) {
        all[i] = given->settings[i];
    }
    for (; *settings != NULL; settings++) {
        CHECK(overrides.setting_count < given->setting_count + SETTINGS_MAX);
        all[overrides.setting_count++] = *settings;
    }
    enum status status = scenario_parse(scenario, arena, bytes_of_text(trial_json),
                                        place->command, ".", &overrides, place->error);
    scenario->path = place->command; /* so that what is said of a run says whose it is */
    return status;
}

static void note_checkpoints(struct trial *trial, const struct summary *summary)
{
    for (size_t i = 0; i < summary->task_count; i++) {
        if (summary->tasks[i].bytes >= trial->bytes) {
            trial->bytes = summary->tasks[i].bytes;
            trial->async_ns = summary->tasks[i].async_ns;
        }
    }
}

static enum status run_in(const struct trial_place *place, struct arena *arena, bool is_live,
                          const char *const *settings, struct trial *trial)
{
    struct scenario scenario;
    struct bytes input;
    struct run run;
    struct live_run_options how = { .threads = !trial->processes,
                                    .folder = place->folder,
                                    .on_call = trial->calls != NULL ? on_call : NULL };
    how.run.observer = (struct run_observer){ .on_fact = on_fact, .context = trial };
    enum status status = trial_read(place, arena, settings, &scenario);
    if (status == STATUS_OK) {
        status = run_read_input(&scenario, arena, &input, place->error);
    }
    if (status == STATUS_OK && is_live) {
        struct buffer notes;
        buffer_init(&notes, arena);
        status = live_run(&run, arena, &scenario, input, &how, &notes, place->error);
    } else if (status == STATUS_OK) {
        run_scenario(&run, arena, &scenario, input, &how.run);
    }
    if (status == STATUS_OK && run.verdict != VERDICT_PASS) {
        buffer_append_format(place->error, "%s: the job that is measured ended: %s", place->command,
                             verdict_name(run.verdict));
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        trial->records = run.totals.records;
        note_checkpoints(trial, &run.summary);
    }
    return status;
}

static enum status run(const struct trial_place *place, bool is_live, const char *const *settings,
                       struct trial *trial)
{
    struct arena arena;
    arena_init(&arena);
    enum status status = run_in(place, &arena, is_live, settings, trial);
    arena_drop(&arena);
    return status;
}

enum status trial_run_live(const struct trial_place *place, const char *const *settings,
                           struct trial *trial)
{
    return run(place, true, settings, trial);
}

enum status trial_run_simulated(const struct trial_place *place, const char *const *settings,
                                struct trial *trial)
{
    return run(place, false, settings, trial);
}

uint64_t trial_record_ns(const struct trial *trial)
{
    uint64_t whole_ns = trial->end_of_data_ns - trial->running_ns;
    return whole_ns / (trial->records > 0 ? trial->records : 1);
}
