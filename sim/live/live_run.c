#include "sim/live/live_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/checkpoint/store.h"
#include "model/live/live_cluster.h"
#include "model/runtime/process.h"
#include "sim/campaign/human.h"
#include "sim/campaign/mapped_file.h"
#include "sim/campaign/progress.h"
#include "sim/live/live_faults.h"
#include "sim/live/live_folder.h"
#include "sim/live/live_log.h"
#include "sim/live/live_spool.h"
#include "sim/live/live_trouble.h"
#include "sim/live/live_watch.h"

enum { LOOK_NS = 100 * 1000 * 1000 }; /* so often at least signals and progress are looked at */

#define PATIENCE_NS UINT64_C(10000000000) /* so long the next fault is waited for */
#define WHOLE "input.whole"               /* on the SHARED volume: the input is whole */

#define BIT(kind) (UINT64_C(1) << (kind))

/* The steps at which the oracle reads what lies in the checkpoint store. They are held until it has
 * been noted; the job's end is held for good. */
#define LAST (BIT(FACT_JOB_FINISHED) | BIT(FACT_JOB_FAILED))
#define JUDGED                                                                                     \
    (LAST | BIT(FACT_JOB_MANAGER_STARTED) | BIT(FACT_RESTORE_CHOSEN) |                             \
     BIT(FACT_CHECKPOINT_COMPLETED))

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
    struct live_trouble trouble;
    enum outcome outcome;
    bool has_ended;
    uint64_t end_ns;
    const char *death;    /* a process that ended by itself; NULL: none */
    bool is_from_outside; /* somebody else killed it, or the system did not give what it needs */
    bool was_interrupted;
    struct live_folder *folder;
    struct live_spool *spool; /* standard input, which comes meanwhile; NULL: it is whole, ... */
    uint64_t whole_ns;        /* ... since then */
    bool awaits_faults;       /* the input is not at its end before the planned faults were */
    uint64_t struck_ns;       /* when the last of them was */
    enum status input_status; /* what came of it, with one sentence ... */
    struct buffer *error;     /* ... here */
    struct buffer *notes;
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
    live_trouble_on_fact(&live->trouble, event);
    if ((LAST & BIT(fact->kind)) != 0) {
        note_end(live, event);
    }
}

static void on_fired(void *context, const struct fault_record *record)
{
    struct live *live = context;
    live->struck_ns = record->fired_ns;
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

static void on_refused(void *context, uint32_t process, const struct live_refused *refused)
{
    struct live *live = context;
    if (!live->has_ended) {
        const char *folder =
            live_cluster_folder(live->cluster, process, refused->volume, live->arena);
        live_trouble_on_refused(&live->trouble, folder, refused);
    }
}

static const char *describe_end(struct arena *arena, int how)
{
    return WIFSIGNALED(how) ? arena_format(arena, "signal %d (%s)", WTERMSIG(how),
                                           strsignal(WTERMSIG(how)))
                            : arena_format(arena, "exit status %d", WEXITSTATUS(how));
}

static void on_death(void *context, uint32_t process, int how)
{
    struct live *live = context;
    if (live->death == NULL && !live->has_ended) {
        live->is_from_outside = WIFSIGNALED(how) ? WTERMSIG(how) == SIGKILL
                                                 : WEXITSTATUS(how) == LIVE_EXIT_NO_THREAD;
        const char *name = process == PROCESS_JOB_MANAGER
                               ? "job_manager"
                               : arena_format(live->arena, "task_manager[%u]",
                                              process - PROCESS_FIRST_TASK_MANAGER);
        const char *verb = WIFSIGNALED(how) && live->is_from_outside
                               ? "was killed, and not by this run"
                               : "ended by itself";
        live->death = arena_format(live->arena, "%s %s: %s", name, verb,
                                   describe_end(live->arena, how));
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

/* How many records the sources have emitted, of which the one that is farthest behind its rate says
 * how far it is. */
static uint64_t count_records(const struct live *live, uint64_t *lag_ns)
{
    uint64_t records = 0;
    *lag_ns = 0;
    for (uint32_t i = 0; i < scenario_parallelism_max(live->run->scenario); i++) {
        const struct source *source = &live->sources[i];
        records += source->records;
        *lag_ns = source->lag_ns > *lag_ns ? source->lag_ns : *lag_ns;
    }
    return records;
}

static void show_progress(struct live *live)
{
    if (!progress_is_due(&live->progress)) {
        return;
    }
    uint64_t lag_ns;
    uint64_t records = count_records(live, &lag_ns);
    uint64_t now_ns = live_cluster_now_ns(live->cluster);
    uint64_t since_ms = (now_ns - live->shown_ns) / 1000000 + 1;
    uint64_t more = records > live->shown_records ? records - live->shown_records : 0;
    uint64_t lines = live->spool != NULL ? live_spool_lines(live->spool) : 0;
    const char *behind = lines > records
                             ? arena_format(live->arena, "%" PRIu64 " records", lines - records)
                             : arena_format(live->arena, "%" PRIu64 " ms", lag_ns / 1000000);
    progress_show(&live->progress,
                  "%s: %" PRIu64 " records, %" PRIu64 " a second, %s behind; "
                  "last checkpoint %" PRIu64,
                  live->run->scenario->name, records, more * 1000 / since_ms, behind,
                  live->checkpoint);
    live->shown_ns = now_ns;
    live->shown_records = records;
}

/* Where the job looks for the input, on the SHARED volume. */
static const char *input_place(const struct live *live)
{
    return arena_format(live->arena, "shared/%s", live->run->scenario->job.input.file);
}

static void note_input_error(struct live *live, const struct buffer *why)
{
    buffer_append_format(live->error, "%s: job.input.file: ", live->run->scenario->path);
    buffer_append(live->error, buffer_bytes(why));
}

/* Lets the sources end, if nothing is to come any more. */
static void declare_whole(struct live *live)
{
    if (live->spool != NULL || live->awaits_faults || live->input_status != STATUS_OK) {
        return;
    }
    struct buffer why;
    buffer_init(&why, live->arena);
    live->input_status =
        live_folder_write(live->folder, "shared/" WHOLE, (struct bytes){ 0 }, &why);
    if (live->input_status != STATUS_OK) {
        note_input_error(live, &why);
    }
}

/* No more comes from standard input. */
static void end_spool(struct live *live)
{
    struct buffer why;
    buffer_init(&why, live->arena);
    live->input_status = live_spool_end(live->spool, &why);
    live->spool = NULL;
    live->whole_ns = live_cluster_now_ns(live->cluster);
    if (live->input_status != STATUS_OK) {
        note_input_error(live, &why);
    }
    declare_whole(live);
}

/* A signal ends the input; if there is none to end, the run. */
static void look_at_spool(struct live *live, bool is_signalled)
{
    uint64_t lag_ns;
    if (live->spool == NULL) {
        live->was_interrupted = is_signalled;
    } else if (is_signalled || !live_spool_is_open(live->spool, count_records(live, &lag_ns))) {
        live->awaits_faults = live->awaits_faults && !is_signalled;
        end_spool(live);
        live->was_interrupted = is_signalled && live->input_status != STATUS_OK;
        if (is_signalled && live->input_status == STATUS_OK) {
            buffer_append_format(live->notes,
                                 "%s: live: the signal ended standard input: the job ended with "
                                 "what had been read\n",
                                 live->run->scenario->path);
        }
    }
}

/* What strikes at the end of the job is not waited for before. */
static bool is_awaited(const struct fault_record *record)
{
    const uint64_t ends = LAST | BIT(FACT_TASK_END_OF_DATA) | BIT(FACT_TASK_FINISHED);
    const struct fault_trigger *trigger = &record->fault->trigger;
    return !record->fired &&
           (trigger->kind != TRIGGER_WHEN || (ends & BIT(trigger->fact)) == 0);
}

static bool faults_are_to_come(const struct live *live)
{
    const struct fault_record *records = live_faults_records(live->faults);
    bool are_to_come = false;
    for (uint32_t i = 0; i < live->run->scenario->fault_count; i++) {
        are_to_come = are_to_come || is_awaited(&records[i]);
    }
    return are_to_come;
}

/* A planned fault that never happens fails the run, and when a slow machine comes to it nobody
 * knows: the input lasts as long, unless nothing happens for a long time. */
static void look_at_faults(struct live *live)
{
    if (live->awaits_faults &&
        (!faults_are_to_come(live) ||
         live_cluster_now_ns(live->cluster) >= live->struck_ns + PATIENCE_NS)) {
        live->awaits_faults = false;
        declare_whole(live);
    }
}

static bool can_go_on(const struct live *live)
{
    return !live->has_ended && live->death == NULL && !live->was_interrupted &&
           !live->trouble.is_lasting && live->input_status == STATUS_OK;
}

/* When time is up: not as long as there is input to come. */
static uint64_t limit_ns(const struct live *live)
{
    uint64_t limit_ns;
    if (live->spool != NULL ||
        __builtin_add_overflow(live->whole_ns, live->run->scenario->expect.within_ns, &limit_ns)) {
        return UINT64_MAX;
    }
    return limit_ns;
}

/* Until the job has ended, time is up, or it cannot go on. */
static void supervise(struct live *live, const sigset_t *held)
{
    bool started = true;
    while (can_go_on(live) && started) {
        uint64_t due_ns = live_faults_work(live->faults, &started);
        uint64_t now_ns = live_cluster_now_ns(live->cluster);
        if (now_ns >= limit_ns(live) || vain_is_hopeless(&live->vain)) {
            break;
        }
        due_ns = due_ns < limit_ns(live) ? due_ns : limit_ns(live);
        live_cluster_poll(live->cluster, due_ns < now_ns + LOOK_NS ? due_ns : now_ns + LOOK_NS);
        look_at_spool(live, was_signalled(held));
        look_at_faults(live);
        show_progress(live);
    }
    if (!started) {
        live->death = "a process could not be started again";
        live->is_from_outside = true;
    }
    if (!live->has_ended) {
        live->end_ns = live_cluster_now_ns(live->cluster);
    }
    if (live->spool != NULL) {
        end_spool(live);
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
            buffer_append_text(error, "; live --skip-faults runs without it");
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
        .waits = live_faults_waits(live->faults) | JUDGED,
        .tells = live_watch_tells,
        .spared = WHOLE,
        .listener = { .on_fact = on_fact,
                      .on_death = on_death,
                      .on_passing = on_passing,
                      .on_struck = on_struck,
                      .on_call = live->options->on_call != NULL ? on_call : NULL,
                      .on_refused = on_refused,
                      .context = live },
    };
    return live_cluster_create(&options);
}

/* The run is over early: by a signal to it or to a process of it, or since the machine refuses what
 * it needs. */
static void tell_broken_off(const struct live *live)
{
    buffer_append_format(live->error, "%s: live: ", live->run->scenario->path);
    if (live->was_interrupted) {
        buffer_append_text(live->error, "interrupted; ");
    }
    if (live->is_from_outside) {
        buffer_append_format(live->error, "%s; ", live->death);
    }
    if (live->trouble.is_there) {
        live_trouble_describe(&live->trouble, live->error);
        buffer_append_text(live->error, "; ");
    }
    if (live->checkpoint == 0) {
        buffer_append_text(live->error, "nothing was committed");
    } else {
        buffer_append_format(live->error, "what was committed ends with checkpoint %" PRIu64,
                             live->checkpoint);
    }
    if (live->vain.failures > 0 && !live->trouble.is_there) {
        buffer_append_format(live->error, "; failures of the job since then: %u, the last: ",
                             live->vain.failures);
        buffer_append(live->error, buffer_bytes(&live->vain.cause));
    }
}

/* What ended otherwise than well while the machine refused something did so for that. */
static bool is_in_trouble(const struct live *live)
{
    return live->trouble.is_there && live->outcome != OUTCOME_FINISHED;
}

static enum status end_of(const struct live *live)
{
    if (live->input_status != STATUS_OK) {
        return live->input_status;
    }
    if (live->was_interrupted || live->is_from_outside || is_in_trouble(live)) {
        tell_broken_off(live);
        return is_in_trouble(live) ? live_trouble_status(&live->trouble) : STATUS_IO;
    }
    return STATUS_OK;
}

/* Lets it run; OK if it came so far. */
static enum status run_cluster(struct live *live)
{
    struct run *run = live->run;
    struct job_config job = run->scenario->job;
    live->awaits_faults = run->scenario->expect.all_fired && faults_are_to_come(live);
    job.input.grows = live->spool != NULL;
    job.input.open_until = live->spool != NULL || live->awaits_faults ? WHOLE : NULL;
    struct process_argument argument = { .config = &job, .pipeline = &run->pipeline };
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
        buffer_append_format(live->error, "%s: live: no processes can be started in %s: %s",
                             run->scenario->path, live->options->folder, strerror(errno));
    }
    if (live->cluster != NULL) {
        live_cluster_destroy(live->cluster);
    }
    if (!live->was_interrupted) { /* a second signal does not cut off what is said of the first */
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
    }
    return has_begun ? end_of(live) : STATUS_IO;
}

static void judge(struct live *live, struct bytes input)
{
    struct run *run = live->run;
    struct disk *disk = disk_create(live->arena);
    run_take_input(run, input);
    run_begin(run, disk);
    run->faults = live_faults_records(live->faults);
    run->event_count = live_log_fact_count(live->log);
    live_log_tell(live->log, run, disk);
    struct live_changes rest = live_volume_look(live->volume, "");
    live_changes_apply(&rest, disk);
    run->vain = live->vain; /* it knew at each fact which faults were left */
    if (live->death != NULL) {
        run_note_unmet(run, live->death);
        live->outcome = OUTCOME_BROKEN;
    }
    run_end(run, live->outcome, live->end_ns, live_faults_last_ns(live->faults));
}

static bool damages_files(const struct scenario *scenario)
{
    bool damages = false;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        damages = damages || scenario->faults[i].object.kind == OBJECT_FILE;
    }
    return damages;
}

/* Begins to read standard input; the job reads what is kept of it, from one split. */
static enum status open_input(struct live *live, struct scenario *scenario)
{
    if (scenario->job.input.splits > 1) {
        buffer_append_format(live->notes,
                             "%s: live: job.input.splits: standard input is read as it comes, and "
                             "is one split\n",
                             scenario->path);
    }
    scenario->job.input.splits = 1;
    struct input_shape *shape = arena_alloc(live->arena, 1, sizeof *shape);
    *shape = scenario->input_shape;
    run_note_kept(scenario, live->arena, live->options->kept);
    live->spool = live_spool_start(live->arena, shape, live->options->kept, live->error);
    return live->spool != NULL ? STATUS_OK : STATUS_IO;
}

/* Puts the input where the job reads it. */
static enum status place_input(struct live *live, struct bytes input, struct buffer *why)
{
    const char *place = input_place(live);
    if (live->spool != NULL) {
        return live_folder_link(live->folder, place, live->options->kept, why);
    }
    return live->run->scenario->job.input.kind == INPUT_FILE
               ? live_folder_write(live->folder, place, input, why)
               : STATUS_OK;
}

/* What was kept of standard input. */
static enum status map_kept(const struct live *live, struct bytes *input)
{
    struct stat info;
    int file = open(live->options->kept, O_RDONLY | O_CLOEXEC);
    bool mapped = file >= 0 && fstat(file, &info) == 0 &&
                  file_map(live->arena, file, (size_t)info.st_size, input);
    if (!mapped) {
        buffer_append_format(live->error, "%s: %s", live->options->kept, strerror(errno));
    }
    if (file >= 0) {
        (void)close(file);
    }
    return mapped ? STATUS_OK : STATUS_IO;
}

static enum status run_in_folder(struct live *live, struct bytes input)
{
    struct run *run = live->run;
    const struct live_run_options *options = live->options;
    struct fault_hooks hooks = { .on_fired = on_fired, .on_damage = on_damage, .context = live };
    const char *shared = arena_format(live->arena, "%s/shared", options->folder);
    run->live = options->threads ? "threads" : "processes";
    live->faults = live_faults_create(live->arena, run->scenario, &run->pipeline, shared, hooks);
    live->volume = live_volume_create(live->arena, shared, !damages_files(run->scenario));
    live->log = live_log_create(live->arena);
    vain_init(&live->vain, live->arena, run->scenario, run->pipeline.vertex_count);
    live_trouble_init(&live->trouble, live->arena);
    live->sources =
        arena_alloc(live->arena, scenario_parallelism_max(run->scenario), sizeof *live->sources);
    progress_init(&live->progress, options->progress);
    struct buffer why;
    buffer_init(&why, live->arena);
    enum status status = place_input(live, input, &why);
    if (status != STATUS_OK) {
        note_input_error(live, &why);
    } else {
        status = run_cluster(live);
    }
    if (status == STATUS_OK && options->kept != NULL) {
        status = map_kept(live, &input);
    }
    if (status == STATUS_OK) {
        judge(live, input);
    }
    return status;
}

enum status live_run(struct run *run, struct arena *arena, const struct scenario *given,
                     struct bytes input, const struct live_run_options *options,
                     struct buffer *notes, struct buffer *error)
{
    uint64_t start_ns = real_now_ns();
    struct scenario *scenario = arena_alloc(arena, 1, sizeof *scenario);
    *scenario = *given;
    struct live live = { .run = run,
                         .arena = arena,
                         .options = options,
                         .outcome = OUTCOME_STUCK,
                         .error = error,
                         .notes = notes };
    enum status status = check_faults(scenario, arena, options->skip_faults, notes, error);
    if (status != STATUS_OK) {
        return status;
    }
    live.folder = live_folder_open(arena, options->folder, error);
    if (live.folder == NULL) {
        return STATUS_IO; /* before the other run's input is overwritten */
    }
    status = options->kept != NULL ? open_input(&live, scenario) : STATUS_OK;
    if (status == STATUS_OK) {
        run_prepare(run, arena, scenario, &options->run);
        status = run_in_folder(&live, input);
    }
    if (live.spool != NULL) { /* it did not come to reading it */
        struct buffer ignored;
        buffer_init(&ignored, arena);
        (void)!live_spool_end(live.spool, &ignored);
    }
    live_folder_close(live.folder);
    if (options->was_interrupted != NULL) {
        *options->was_interrupted = live.was_interrupted;
    }
    run->wall_ns = real_now_ns() - start_ns;
    return status;
}
