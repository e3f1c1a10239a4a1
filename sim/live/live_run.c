#include "sim/live/live_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "model/base/check.h"
#include "model/checkpoint/store.h"
#include "model/live/live_cluster.h"
#include "model/runtime/process.h"
#include "sim/campaign/human.h"
#include "sim/campaign/progress.h"
#include "sim/live/live_faults.h"
#include "sim/live/live_folder.h"
#include "sim/live/live_log.h"
#include "sim/live/live_watch.h"

enum { LOOK_NS = 100 * 1000 * 1000 }; /* so often at least signals and progress are looked at */

#define BIT(kind) (UINT64_C(1) << (kind))

/* The steps at which the oracle reads what lies in the checkpoint store. They are held until it has
 * been noted; the job's end is held for good. */
#define JUDGED                                                                                     \
    (BIT(FACT_JOB_MANAGER_STARTED) | BIT(FACT_RESTORE_CHOSEN) | BIT(FACT_CHECKPOINT_COMPLETED))
#define LAST (BIT(FACT_JOB_FINISHED) | BIT(FACT_JOB_FAILED))

/* What a subtask of the source said last. */
struct source {
    uint64_t records; /* emitted */
    uint64_t lag_ns;  /* behind its rate */
};

struct live {
    struct run *run;
    struct arena *arena;
    const struct live_run_options *options;
    struct live_cluster *cluster;
    struct live_faults *faults;
    struct live_volume *volume;
    struct live_log *log;
    struct vain vain;
    enum outcome outcome;
    bool has_ended;
    uint64_t end_ns;
    const char *death; /* a process that ended by itself; NULL: none */
    bool was_interrupted;
    struct progress progress;
    struct source *sources; /* by global index */
    uint64_t checkpoint;    /* the last that completed */
    uint64_t shown_ns;      /* when the last line of progress was, and what it said */
    uint64_t shown_records;
};

/* ---- listening ------------------------------------------------------------------------------- */

static void note_end(struct live *live, const struct fact_event *event)
{
    if (event->fact.kind == FACT_JOB_FINISHED) {
        live->outcome = OUTCOME_FINISHED;
    } else {
        live->outcome = event->fact.values[0] != 0 ? OUTCOME_REFUSED : OUTCOME_FAILED;
    }
    live->has_ended = true;
    live->end_ns = event->time_ns;
    for (uint32_t i = 0; i <= live->run->scenario->job.task_managers; i++) {
        (void)live_cluster_kill(live->cluster, i); /* as in the simulator, nothing follows */
    }
}

static void on_fact(void *context, const struct fact_event *event)
{
    struct live *live = context;
    const struct fact *fact = &event->fact;
    if (live->has_ended) {
        return;
    }
    if ((JUDGED & BIT(fact->kind)) != 0) {
        live_log_add_changes(live->log, event->time_ns, live_volume_look(live->volume, STORE_ROOT));
    }
    live_log_add_fact(live->log, event);
    if (fact->kind == FACT_SOURCE_PROGRESS) {
        live->sources[fact->subtask] = (struct source){ fact->values[0], fact->values[1] };
    } else if (fact->kind == FACT_CHECKPOINT_COMPLETED) {
        live->checkpoint = fact->checkpoint;
    }
    live_faults_on_fact(live->faults, event);
    vain_on_fact(&live->vain, event, live_faults_records(live->faults));
    if ((LAST & BIT(fact->kind)) != 0) {
        note_end(live, event);
    }
}

static void on_fired(void *context, const struct fault_record *record)
{
    struct live *live = context;
    live_log_add_fired(live->log, record);
}

/* What became of the file is seen at once: the oracle hears of both together. */
static void on_damage(void *context, const char *path)
{
    struct live *live = context;
    uint64_t now_ns = live_cluster_now_ns(live->cluster);
    live_log_add_changes(live->log, now_ns, live_volume_look(live->volume, ""));
    live_log_add_damage(live->log, now_ns, path);
}

static void on_passing(void *context, const struct live_passing *passing)
{
    struct live *live = context;
    if (!live->has_ended) {
        live_log_add_passing(live->log, passing);
    }
}

static void on_call(void *context, const struct live_call *call)
{
    const struct live *live = context;
    live->options->on_call(live->options->run.observer.context, call);
}

static void on_struck(void *context, const struct live_struck *struck)
{
    struct live *live = context;
    if (!live->has_ended) {
        live_faults_on_struck(live->faults, struck);
    }
}

static void on_death(void *context, uint32_t process, const char *how)
{
    struct live *live = context;
    if (live->death == NULL && !live->has_ended) {
        const char *name = process == PROCESS_JOB_MANAGER
                               ? "job_manager"
                               : arena_format(live->arena, "task_manager[%u]",
                                              process - PROCESS_FIRST_TASK_MANAGER);
        live->death = arena_format(live->arena, "%s ended by itself: %s", name, how);
    }
}

/* ---- supervising ----------------------------------------------------------------------------- */

/* SIGINT and SIGTERM are held, and asked for. */
static void hold_signals(sigset_t *held, sigset_t *before)
{
    (void)sigemptyset(held);
    (void)sigaddset(held, SIGINT);
    (void)sigaddset(held, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, held, before);
}

static bool was_signalled(const sigset_t *held)
{
    static const struct timespec at_once;
    return sigtimedwait(held, NULL, &at_once) > 0;
}

static void show_progress(struct live *live)
{
    if (!progress_is_due(&live->progress)) {
        return;
    }
    uint64_t records = 0;
    uint64_t lag_ns = 0;
    for (uint32_t i = 0; i < scenario_parallelism_max(live->run->scenario); i++) {
        records += live->sources[i].records;
        lag_ns = live->sources[i].lag_ns > lag_ns ? live->sources[i].lag_ns : lag_ns;
    }
    uint64_t now_ns = live_cluster_now_ns(live->cluster);
    uint64_t since_ms = (now_ns - live->shown_ns) / 1000000 + 1;
    uint64_t more = records > live->shown_records ? records - live->shown_records : 0;
    progress_show(&live->progress,
                  "%s: %" PRIu64 " records, %" PRIu64 " a second, %" PRIu64
                  " ms behind; last checkpoint %" PRIu64,
                  live->run->scenario->name, records, more * 1000 / since_ms, lag_ns / 1000000,
                  live->checkpoint);
    live->shown_ns = now_ns;
    live->shown_records = records;
}

/* Until the job has ended, time is up, or it cannot go on. */
static void supervise(struct live *live, const sigset_t *held)
{
    uint64_t within_ns = live->run->scenario->expect.within_ns;
    bool started = true;
    while (!live->has_ended && live->death == NULL && started && !live->was_interrupted) {
        uint64_t due_ns = live_faults_work(live->faults, &started);
        uint64_t now_ns = live_cluster_now_ns(live->cluster);
        if (now_ns >= within_ns || vain_is_hopeless(&live->vain)) {
            break;
        }
        due_ns = due_ns < within_ns ? due_ns : within_ns;
        live_cluster_poll(live->cluster, due_ns < now_ns + LOOK_NS ? due_ns : now_ns + LOOK_NS);
        live->was_interrupted = was_signalled(held);
        show_progress(live);
    }
    if (!started) {
        live->death = "a process could not be started again";
    }
    if (!live->has_ended) {
        live->end_ns = live_cluster_now_ns(live->cluster);
    }
    progress_end(&live->progress);
}

/* ---- before and after ------------------------------------------------------------------------ */

/* Faults that cannot be caused: an error, or left out with a note. Tells that power is not cut. */
static enum status check_faults(struct scenario *scenario, struct arena *arena, bool skip,
                                struct buffer *notes, struct buffer *error)
{
    struct fault *kept = arena_alloc(arena, scenario->fault_count, sizeof *kept);
    uint32_t count = 0;
    bool cuts_power = false;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        const char *refusal = live_fault_refusal(fault);
        if (refusal == NULL) {
            kept[count++] = *fault;
            cuts_power = cuts_power || (fault->verb == FAULT_CRASH && fault->object.machine);
            continue;
        }
        buffer_append_format(skip ? notes : error, "%s: live: faults[%u]: cannot cause \"%s\": %s",
                             scenario->path, i, fault_verb_name(fault->verb), refusal);
        if (!skip) {
            buffer_append_text(error, "; --skip-faults runs without it");
            return STATUS_INVALID;
        }
        buffer_append_text(notes, "; it is left out\n");
    }
    if (cuts_power) {
        buffer_append_format(notes,
                             "%s: live: no power is cut: the processes of the machine are "
                             "killed, and what they had not synced survives\n",
                             scenario->path);
    }
    scenario->faults = kept;
    scenario->fault_count = count;
    return STATUS_OK;
}

static struct live_cluster *make_cluster(struct live *live, const struct process_argument *argument)
{
    const struct scenario *scenario = live->run->scenario;
    struct live_cluster_options options = {
        .threads = live->options->threads,
        .process_count = PROCESS_FIRST_TASK_MANAGER + scenario->job.task_managers,
        .seed = scenario->seed,
        .first = &job_manager_actor,
        .others = &task_manager_actor,
        .argument = { .data = (const uint8_t *)argument, .size = sizeof *argument },
        .directory = live->options->folder,
        .waits = live_faults_waits(live->faults) | JUDGED | LAST,
        .tells = live_watch_tells,
        .listener = { .on_fact = on_fact,
                      .on_death = on_death,
                      .on_passing = on_passing,
                      .on_struck = on_struck,
                      .on_call = live->options->on_call != NULL ? on_call : NULL,
                      .context = live },
    };
    return live_cluster_create(&options);
}

/* Lets it run; true if it came so far. */
static bool run_cluster(struct live *live, struct buffer *error)
{
    struct run *run = live->run;
    struct process_argument argument = { .config = &run->scenario->job,
                                         .pipeline = &run->pipeline };
    sigset_t held;
    sigset_t before;
    hold_signals(&held, &before);
    live->cluster = make_cluster(live, &argument);
    bool has_begun = live->cluster != NULL;
    if (has_begun) {
        live_faults_attach(live->faults, live->cluster);
        has_begun = live_cluster_begin(live->cluster);
    }
    if (has_begun) {
        supervise(live, &held);
    } else {
        buffer_append_format(error, "live: no processes can be started: %s", strerror(errno));
    }
    if (live->cluster != NULL) {
        live_cluster_destroy(live->cluster);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (live->was_interrupted) {
        buffer_append_format(error, "%s: live: interrupted", run->scenario->path);
    }
    return has_begun && !live->was_interrupted;
}

static void judge(struct live *live)
{
    struct run *run = live->run;
    struct disk *disk = disk_create(live->arena);
    run_begin(run, disk);
    run->faults = live_faults_records(live->faults);
    run->event_count = live_log_fact_count(live->log);
    live_log_tell(live->log, run, disk);
    struct live_changes rest = live_volume_look(live->volume, "");
    live_changes_apply(&rest, disk);
    run->vain = live->vain; /* it knew at each fact which faults were left */
    if (live->death != NULL) {
        run_note_unmet(run, live->death);
    }
    run_end(run, live->outcome, live->end_ns, live_faults_last_ns(live->faults));
    if (live->death != NULL) {
        run->verdict = VERDICT_WRONG;
    }
}

static bool damages_files(const struct scenario *scenario)
{
    bool damages = false;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        damages = damages || scenario->faults[i].object.kind == OBJECT_FILE;
    }
    return damages;
}

enum status live_run(struct run *run, struct arena *arena, const struct scenario *given,
                     struct bytes input, const struct live_run_options *options,
                     struct buffer *notes, struct buffer *error)
{
    uint64_t start_ns = real_now_ns();
    struct scenario *scenario = arena_alloc(arena, 1, sizeof *scenario);
    *scenario = *given;
    enum status status = check_faults(scenario, arena, options->skip_faults, notes, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct live_folder *folder = live_folder_open(arena, options->folder, error);
    if (folder == NULL) {
        return STATUS_IO;
    }
    if (scenario->job.input.kind == INPUT_FILE) {
        const char *path = arena_format(arena, "shared/%s", scenario->job.input.file);
        status = live_folder_write(folder, path, input, error);
    }
    run_prepare(run, arena, scenario, input, &options->run);
    run->live = options->threads ? "threads" : "processes";
    struct live live = { .run = run, .arena = arena, .options = options, .outcome = OUTCOME_STUCK };
    struct fault_hooks hooks = { .on_fired = on_fired, .on_damage = on_damage, .context = &live };
    const char *shared = arena_format(arena, "%s/shared", options->folder);
    live.faults = live_faults_create(arena, run->scenario, &run->pipeline, shared, hooks);
    live.volume = live_volume_create(arena, shared, !damages_files(run->scenario));
    live.log = live_log_create(arena);
    vain_init(&live.vain, arena, run->scenario, run->pipeline.vertex_count);
    live.sources =
        arena_alloc(arena, scenario_parallelism_max(run->scenario), sizeof *live.sources);
    progress_init(&live.progress, options->progress);
    if (status == STATUS_OK && !run_cluster(&live, error)) {
        status = STATUS_IO;
    }
    if (status == STATUS_OK) {
        judge(&live);
        run->wall_ns = real_now_ns() - start_ns;
    }
    live_folder_close(folder);
    return status;
}
