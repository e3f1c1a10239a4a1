#include "reports/timeline.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"

/* Groups of tracks ("processes" of the format), and tracks in them ("threads"). */
enum { GROUP_FAULTS = 1, GROUP_JOB_MANAGER = 2, GROUP_VERTEX_FIRST = 3 };
enum { LANES_PER_KIND = 4, LANE_WORK = 0, LANE_UPLOAD = LANES_PER_KIND };
enum { LANES_PER_TASK = 2 * LANES_PER_KIND };
enum { TRACK_JOB = 1, TRACK_CHECKPOINTS = 2, CHECKPOINT_LANES = 8 };

struct track {
    uint32_t group;
    uint32_t id;
};

/* A run of tracks beside each other; within each, spans do not overlap. */
struct lane {
    uint64_t end_ns;
    bool used;
};

struct task {
    struct lane lanes[LANES_PER_TASK];
    bool restoring;
    uint64_t started_ns;
};

struct open_checkpoint {
    uint64_t id;
    uint64_t triggered_ns;
};

struct fault_span {
    uint64_t from_ns;
    uint64_t to_ns;
    const char *text;
};

struct timeline {
    struct arena *arena;
    struct buffer events; /* JSON objects, each followed by ",\n" */
    const char **vertex_names;
    uint32_t vertex_count;
    uint32_t parallelism;
    struct task *tasks;
    struct lane checkpoint_lanes[CHECKPOINT_LANES];
    struct open_checkpoint *checkpoints;
    size_t checkpoint_count, checkpoint_capacity;
    struct fault_span *faults;
    size_t fault_count, fault_capacity;
    uint64_t last_ns; /* of any fact: a handler's clock runs ahead of that of the simulation */
    uint64_t epoch;   /* of the JobManager; 0: none yet */
    bool has_run;
    bool down;
    uint64_t down_since_ns;
    const char *down_text;
    bool written;
};

struct timeline *timeline_create(struct arena *arena, const char *const *vertex_names,
                                 uint32_t vertex_count, uint32_t parallelism)
{
    CHECK(vertex_count > 0);
    CHECK(parallelism > 0);
    struct timeline *timeline = arena_alloc(arena, 1, sizeof(*timeline));
    timeline->arena = arena;
    buffer_init(&timeline->events, arena);
    timeline->vertex_count = vertex_count;
    timeline->parallelism = parallelism;
    timeline->vertex_names = arena_alloc(arena, vertex_count, sizeof(*timeline->vertex_names));
    for (uint32_t i = 0; i < vertex_count; i++) {
        timeline->vertex_names[i] = arena_text(arena, vertex_names[i]);
    }
    timeline->tasks =
        arena_alloc(arena, (size_t)vertex_count * parallelism, sizeof(*timeline->tasks));
    return timeline;
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static char *arena_text_of(struct arena *arena, struct bytes text)
{
    char *copy = arena_alloc_raw(arena, text.size + 1);
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    return copy;
}

/* A string in quotes. Bytes that are not UTF-8 make every byte beyond ASCII a question mark. */
static void append_string(struct buffer *out, const char *text)
{
    json_t *string = json_string(text);
    if (string == NULL) {
        char *ascii = arena_text(out->arena, text);
        for (char *at = ascii; *at != '\0'; at++) {
            *at = (unsigned char)*at < 0x80 ? *at : '?';
        }
        string = json_string(ascii);
        arena_free(out->arena, ascii);
    }
    CHECK(string != NULL);
    size_t size = json_dumpb(string, NULL, 0, JSON_ENCODE_ANY);
    CHECK(size >= 2);
    (void)json_dumpb(string, (char *)buffer_extend(out, size), size, JSON_ENCODE_ANY);
    json_decref(string);
}

/* Microseconds with the nanoseconds as decimals: what the format wants, without rounding. */
static void append_time(struct buffer *out, const char *key, uint64_t time_ns)
{
    buffer_append_format(out, ",\"%s\":%" PRIu64 ".%03u", key, time_ns / 1000,
                         (unsigned)(time_ns % 1000));
}

static void begin_event(struct timeline *timeline, struct track track, const char *phase,
                        const char *name)
{
    struct buffer *out = &timeline->events;
    buffer_append_format(out,
                         "{\"ph\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"name\":", phase,
                         track.group, track.id);
    append_string(out, name);
}

/* Arguments that are shown when the event is selected; 0 and NULL are left out. */
static void end_event(struct timeline *timeline, uint64_t checkpoint, const char *text)
{
    struct buffer *out = &timeline->events;
    buffer_append_text(out, ",\"args\":{");
    if (checkpoint != 0) {
        buffer_append_format(out, "\"checkpoint\":%" PRIu64, checkpoint);
    }
    if (text != NULL && text[0] != '\0') {
        buffer_append_text(out, checkpoint != 0 ? ",\"text\":" : "\"text\":");
        append_string(out, text);
    }
    buffer_append_text(out, "}},\n");
}

static void add_span(struct timeline *timeline, struct track track, const char *name,
                     uint64_t from_ns, uint64_t to_ns, uint64_t checkpoint, const char *text)
{
    CHECK(from_ns <= to_ns);
    begin_event(timeline, track, "X", name);
    append_time(&timeline->events, "ts", from_ns);
    append_time(&timeline->events, "dur", to_ns - from_ns);
    end_event(timeline, checkpoint, text);
}

static void add_mark(struct timeline *timeline, struct track track, const char *name,
                     uint64_t time_ns, uint64_t checkpoint, const char *text)
{
    begin_event(timeline, track, "i", name);
    append_time(&timeline->events, "ts", time_ns);
    buffer_append_text(&timeline->events, ",\"s\":\"t\"");
    end_event(timeline, checkpoint, text);
}

static void add_name(struct timeline *timeline, struct track track, const char *kind,
                     const char *name)
{
    begin_event(timeline, track, "M", kind);
    buffer_append_text(&timeline->events, ",\"args\":{\"name\":");
    append_string(&timeline->events, name);
    buffer_append_text(&timeline->events, "}},\n");
}

/* ---- tracks -----------------------------------------------------------------------------------
 */

static const struct track job_track = { GROUP_JOB_MANAGER, TRACK_JOB };

/* The first lane that is free from `from_ns` on. Spans come in the order of their ends, so looking
 * at the last one of each lane is enough. When all are taken the last lane shows an overlap. */
static uint32_t take_lane(struct lane *lanes, uint32_t count, uint64_t from_ns, uint64_t to_ns)
{
    CHECK(count > 0);
    uint32_t lane = 0;
    while (lane + 1 < count && lanes[lane].used && lanes[lane].end_ns > from_ns) {
        lane++;
    }
    lanes[lane].used = true;
    lanes[lane].end_ns = to_ns;
    return lane;
}

static struct task *task_of(struct timeline *timeline, uint32_t vertex, uint32_t subtask)
{
    CHECK(vertex < timeline->vertex_count);
    CHECK(subtask < timeline->parallelism);
    return &timeline->tasks[(size_t)vertex * timeline->parallelism + subtask];
}

static struct track task_track(uint32_t vertex, uint32_t subtask, uint32_t lane)
{
    CHECK(lane < LANES_PER_TASK);
    return (struct track){ GROUP_VERTEX_FIRST + vertex, subtask * LANES_PER_TASK + lane + 1 };
}

static void add_task_span(struct timeline *timeline, const struct fact_event *event,
                          const char *name, uint32_t first_lane, uint64_t duration_ns)
{
    const struct fact *fact = &event->fact;
    struct task *task = task_of(timeline, fact->vertex, fact->subtask);
    uint64_t to_ns = event->time_ns;
    uint64_t from_ns = duration_ns < to_ns ? to_ns - duration_ns : 0;
    uint32_t lane =
        first_lane + take_lane(&task->lanes[first_lane], LANES_PER_KIND, from_ns, to_ns);
    add_span(timeline, task_track(fact->vertex, fact->subtask, lane), name, from_ns, to_ns,
             fact->checkpoint, NULL);
}

static void add_task_mark(struct timeline *timeline, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    (void)task_of(timeline, fact->vertex, fact->subtask);
    char *text = arena_text_of(timeline->arena, fact->text);
    add_mark(timeline, task_track(fact->vertex, fact->subtask, LANE_WORK),
             fact_info(fact->kind)->name, event->time_ns, fact->checkpoint, text);
    arena_free(timeline->arena, text);
}

static void add_job_mark(struct timeline *timeline, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    char *text = arena_text_of(timeline->arena, fact->text);
    add_mark(timeline, job_track, fact_info(fact->kind)->name, event->time_ns, fact->checkpoint,
             text);
    arena_free(timeline->arena, text);
}

/* ---- what is open -----------------------------------------------------------------------------
 */

static void open_checkpoint(struct timeline *timeline, const struct fact_event *event)
{
    timeline->checkpoints =
        arena_grow(timeline->arena, timeline->checkpoints, &timeline->checkpoint_capacity,
                   timeline->checkpoint_count + 1, sizeof(*timeline->checkpoints));
    timeline->checkpoints[timeline->checkpoint_count++] =
        (struct open_checkpoint){ event->fact.checkpoint, event->time_ns };
}

static void close_checkpoint_at(struct timeline *timeline, size_t index, uint64_t time_ns,
                                const char *outcome)
{
    CHECK(index < timeline->checkpoint_count);
    struct open_checkpoint checkpoint = timeline->checkpoints[index];
    timeline->checkpoint_count--;
    memmove(&timeline->checkpoints[index], &timeline->checkpoints[index + 1],
            (timeline->checkpoint_count - index) * sizeof(*timeline->checkpoints));
    uint32_t lane =
        take_lane(timeline->checkpoint_lanes, CHECKPOINT_LANES, checkpoint.triggered_ns, time_ns);
    char name[48];
    (void)snprintf(name, sizeof(name), "checkpoint %" PRIu64, checkpoint.id);
    add_span(timeline, (struct track){ GROUP_JOB_MANAGER, TRACK_CHECKPOINTS + lane }, name,
             checkpoint.triggered_ns, time_ns, checkpoint.id, outcome);
}

static void close_checkpoint(struct timeline *timeline, const struct fact_event *event)
{
    for (size_t i = 0; i < timeline->checkpoint_count; i++) {
        if (timeline->checkpoints[i].id == event->fact.checkpoint) {
            char *reason = arena_text_of(timeline->arena, event->fact.text);
            char *outcome = event->fact.kind == FACT_CHECKPOINT_COMPLETED
                                ? arena_text(timeline->arena, "completed")
                                : arena_format(timeline->arena, "aborted: %s", reason);
            close_checkpoint_at(timeline, i, event->time_ns, outcome);
            arena_free(timeline->arena, outcome);
            arena_free(timeline->arena, reason);
            return;
        }
    }
}

static void close_checkpoints(struct timeline *timeline, uint64_t time_ns, const char *outcome)
{
    while (timeline->checkpoint_count > 0) {
        close_checkpoint_at(timeline, 0, time_ns, outcome);
    }
}

static void close_restore(struct timeline *timeline, uint32_t vertex, uint32_t subtask,
                          uint64_t time_ns, const char *outcome)
{
    struct task *task = task_of(timeline, vertex, subtask);
    if (!task->restoring) {
        return;
    }
    task->restoring = false;
    uint32_t lane = take_lane(&task->lanes[LANE_WORK], LANES_PER_KIND, task->started_ns, time_ns);
    add_span(timeline, task_track(vertex, subtask, LANE_WORK + lane), "restore", task->started_ns,
             time_ns, 0, outcome);
}

static void close_restores(struct timeline *timeline, uint64_t time_ns, const char *outcome)
{
    for (uint32_t vertex = 0; vertex < timeline->vertex_count; vertex++) {
        for (uint32_t subtask = 0; subtask < timeline->parallelism; subtask++) {
            close_restore(timeline, vertex, subtask, time_ns, outcome);
        }
    }
}

static void begin_downtime(struct timeline *timeline, const struct fact_event *event)
{
    close_restores(timeline, event->time_ns, "abandoned");
    if (!timeline->down) {
        timeline->down = true;
        timeline->down_since_ns = event->time_ns;
        timeline->down_text = arena_text_of(timeline->arena, event->fact.text);
    }
}

static void end_downtime(struct timeline *timeline, uint64_t time_ns)
{
    if (timeline->down) {
        timeline->down = false;
        add_span(timeline, job_track, "downtime", timeline->down_since_ns, time_ns, 0,
                 timeline->down_text);
    }
}

static void on_job_manager(struct timeline *timeline, const struct fact_event *event)
{
    uint64_t epoch = event->fact.values[0];
    bool took_over = timeline->epoch != 0 && epoch > timeline->epoch;
    timeline->epoch = epoch > timeline->epoch ? epoch : timeline->epoch;
    add_job_mark(timeline, event);
    if (took_over) {
        close_checkpoints(timeline, event->time_ns, "lost with its JobManager");
        if (timeline->has_run) {
            begin_downtime(timeline, event);
        }
    }
}

/* ---- the doors --------------------------------------------------------------------------------
 */

static void on_task_fact(struct timeline *timeline, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    switch (fact->kind) {
    case FACT_TASK_STARTED: {
        struct task *task = task_of(timeline, fact->vertex, fact->subtask);
        task->restoring = true;
        task->started_ns = event->time_ns;
        break;
    }
    case FACT_TASK_RESTORED:
        close_restore(timeline, fact->vertex, fact->subtask, event->time_ns, NULL);
        break;
    case FACT_TASK_ALIGNED:
        if (fact->values[1] > 0) { /* a single channel has nothing to wait for */
            add_task_span(timeline, event, "alignment", LANE_WORK, fact->values[1]);
        }
        break;
    case FACT_SNAPSHOT_TAKEN:
        add_task_span(timeline, event, "snapshot, sync", LANE_WORK, fact->values[0]);
        break;
    case FACT_SNAPSHOT_WRITTEN:
        add_task_span(timeline, event, "snapshot, async", LANE_UPLOAD, fact->values[1]);
        break;
    default: add_task_mark(timeline, event);
    }
}

void timeline_on_fact(struct timeline *timeline, const struct fact_event *event)
{
    CHECK(!timeline->written);
    timeline->last_ns = event->time_ns > timeline->last_ns ? event->time_ns : timeline->last_ns;
    switch (event->fact.kind) {
    case FACT_BARRIER_RECEIVED:
    case FACT_SOURCE_PROGRESS:
    case FACT_ACK_RECEIVED:
    case FACT_TASK_NOTIFIED:
    case FACT_MESSAGE_FENCED:
    case FACT_RECORD_SKIPPED: break;
    case FACT_TASK_STARTED:
    case FACT_TASK_RESTORED:
    case FACT_BARRIER_EMITTED:
    case FACT_TASK_ALIGNED:
    case FACT_SNAPSHOT_TAKEN:
    case FACT_SNAPSHOT_WRITTEN:
    case FACT_TASK_ACKED:
    case FACT_SINK_COMMITTED:
    case FACT_TASK_END_OF_DATA:
    case FACT_TASK_FINISHED:
    case FACT_TASK_FAILED: on_task_fact(timeline, event); break;
    case FACT_CHECKPOINT_TRIGGERED: open_checkpoint(timeline, event); break;
    case FACT_CHECKPOINT_COMPLETED:
    case FACT_CHECKPOINT_ABORTED: close_checkpoint(timeline, event); break;
    case FACT_JOB_MANAGER_STARTED: on_job_manager(timeline, event); break;
    case FACT_RESCALE_STARTED:
    case FACT_FAILURE_DETECTED:
        add_job_mark(timeline, event);
        begin_downtime(timeline, event);
        break;
    case FACT_JOB_RUNNING:
        timeline->has_run = true;
        end_downtime(timeline, event->time_ns);
        add_job_mark(timeline, event);
        break;
    default: add_job_mark(timeline, event);
    }
}

void timeline_on_fault(struct timeline *timeline, uint64_t from_ns, uint64_t to_ns,
                       const char *text)
{
    CHECK(!timeline->written);
    CHECK(from_ns <= to_ns);
    timeline->faults = arena_grow(timeline->arena, timeline->faults, &timeline->fault_capacity,
                                  timeline->fault_count + 1, sizeof(*timeline->faults));
    /* Kept in the order of their beginnings, as take_lane needs it. */
    size_t at = timeline->fault_count++;
    for (; at > 0 && timeline->faults[at - 1].from_ns > from_ns; at--) {
        timeline->faults[at] = timeline->faults[at - 1];
    }
    timeline->faults[at] = (struct fault_span){ from_ns, to_ns, arena_text(timeline->arena, text) };
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void write_faults(struct timeline *timeline)
{
    uint32_t lane_count = (uint32_t)timeline->fault_count + 1;
    struct lane *lanes = arena_alloc(timeline->arena, lane_count, sizeof(*lanes));
    for (size_t i = 0; i < timeline->fault_count; i++) {
        const struct fault_span *fault = &timeline->faults[i];
        struct track track = { GROUP_FAULTS, 1 };
        if (fault->from_ns == fault->to_ns) {
            add_mark(timeline, track, fault->text, fault->from_ns, 0, NULL);
            continue;
        }
        track.id += take_lane(lanes, lane_count, fault->from_ns, fault->to_ns);
        add_span(timeline, track, fault->text, fault->from_ns, fault->to_ns, 0, NULL);
    }
    add_name(timeline, (struct track){ GROUP_FAULTS, 1 }, "process_name", "faults");
    for (uint32_t lane = 0; lane < lane_count; lane++) {
        if (lane == 0 || lanes[lane].used) {
            add_name(timeline, (struct track){ GROUP_FAULTS, lane + 1 }, "thread_name", "faults");
        }
    }
    arena_free(timeline->arena, lanes);
}

static void write_job_manager_names(struct timeline *timeline)
{
    add_name(timeline, job_track, "process_name", "JobManager");
    add_name(timeline, job_track, "thread_name", "job");
    for (uint32_t lane = 0; lane < CHECKPOINT_LANES; lane++) {
        if (lane == 0 || timeline->checkpoint_lanes[lane].used) {
            add_name(timeline, (struct track){ GROUP_JOB_MANAGER, TRACK_CHECKPOINTS + lane },
                     "thread_name", "checkpoints");
        }
    }
}

static void write_task_names(struct timeline *timeline, uint32_t vertex, uint32_t subtask)
{
    const struct task *task = task_of(timeline, vertex, subtask);
    for (uint32_t lane = 0; lane < LANES_PER_TASK; lane++) {
        if (lane == 0 || task->lanes[lane].used) {
            char *name =
                arena_format(timeline->arena, "%s[%" PRIu32 "]%s", timeline->vertex_names[vertex],
                             subtask, lane < LANE_UPLOAD ? "" : " upload");
            add_name(timeline, task_track(vertex, subtask, lane), "thread_name", name);
            arena_free(timeline->arena, name);
        }
    }
}

void timeline_write(struct timeline *timeline, uint64_t end_ns, struct buffer *out)
{
    CHECK(!timeline->written);
    end_ns = end_ns > timeline->last_ns ? end_ns : timeline->last_ns;
    close_checkpoints(timeline, end_ns, "pending at the end");
    close_restores(timeline, end_ns, "unfinished at the end");
    end_downtime(timeline, end_ns);
    write_faults(timeline);
    write_job_manager_names(timeline);
    for (uint32_t vertex = 0; vertex < timeline->vertex_count; vertex++) {
        add_name(timeline, task_track(vertex, 0, 0), "process_name",
                 timeline->vertex_names[vertex]);
        for (uint32_t subtask = 0; subtask < timeline->parallelism; subtask++) {
            write_task_names(timeline, vertex, subtask);
        }
    }
    struct bytes events = buffer_bytes(&timeline->events);
    CHECK(events.size >= 2);
    events.size -= 2; /* the comma after the last one */
    buffer_append_text(out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    buffer_append(out, events);
    buffer_append_text(out, "\n]}\n");
    buffer_free(&timeline->events);
    timeline->written = true;
}
