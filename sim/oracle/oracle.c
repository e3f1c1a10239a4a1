#include "sim/oracle/oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/text.h"
#include "model/checkpoint/store.h"
#include "model/jobs/jobs.h"
#include "sim/oracle/judge.h"
#include "sim/oracle/recording.h"

#define CHECKPOINT_PREFIX STORE_ROOT "/chk-"

static const struct {
    const char *name;
    const char *help;
} infos[PROPERTY_COUNT_PLUS_ONE] = {
    [PROPERTY_STATE] = { "state", "the final keyed state equals the reference" },
    [PROPERTY_OUTPUT] = { "output", "the committed output equals the reference: nothing lost, "
                                    "nothing twice, per-key order kept" },
    [PROPERTY_CONSISTENT_CUT] = { "consistent_cut",
                                  "each completed checkpoint's state equals the fold over exactly "
                                  "the records before its source positions" },
    [PROPERTY_CHECKPOINT_IDS] = { "checkpoint_ids", "checkpoint ids rise strictly and are never "
                                                    "used twice, over every JobManager crash" },
    [PROPERTY_NEWEST_RESTORED] = { "newest_restored",
                                   "a restore uses the newest completed checkpoint, never an "
                                   "aborted or silently an older one" },
    [PROPERTY_FILES] = { "files", "what a retained checkpoint needs is there and undamaged; no "
                                  "orphan file remains at the end" },
    [PROPERTY_FENCING] = { "fencing", "nothing from a fenced attempt has an effect" },
    [PROPERTY_LIVENESS] = { "liveness", "the job ends, and checkpoints complete, within a bound "
                                        "after faults stop" },
    [PROPERTY_DEPLOYMENT] = { "deployment", "the job runs when every subtask of the attempt is "
                                            "restored, each once, with its operator state" },
    [PROPERTY_RESTARTS] = { "restarts", "the restart strategy is kept: so many restarts, so long a "
                                        "delay, so many tries to read a checkpoint" },
    [PROPERTY_PACE] = { "pace", "checkpoints keep min_pause, max_concurrent, timeout and "
                                "tolerable_failures" },
    [PROPERTY_ABANDONED] = { "abandoned",
                             "no subtask goes on with a checkpoint that was given up" },
    [PROPERTY_CREDIT] = { "credit", "no channel has more buffers on their way, sent and not "
                                    "consumed, than buffers_per_channel" },
    [PROPERTY_HEARTBEAT] = { "heartbeat", "a TaskManager is declared lost when it was silent for "
                                          "heartbeat.timeout, and not before" },
};

const char *property_name(enum property property)
{
    CHECK(property >= PROPERTY_STATE && property < PROPERTY_COUNT_PLUS_ONE);
    return infos[property].name;
}

const char *property_help(enum property property)
{
    CHECK(property >= PROPERTY_STATE && property < PROPERTY_COUNT_PLUS_ONE);
    return infos[property].help;
}

/* What the faults make of clocks and of the store, as far as a property has to know. */
static void note_faults(struct oracle *oracle)
{
    const struct scenario *scenario = oracle->scenario;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        bool fails = fault->verb == FAULT_IO_ERROR || fault->verb == FAULT_AMBIGUOUS;
        bool of_reads = (fault->calls & (HOST_STORAGE_OPEN | HOST_STORAGE_READ)) != 0;
        bool of_writes = (fault->calls & (HOST_STORAGE_OPEN | HOST_STORAGE_WRITE |
                                          HOST_STORAGE_SYNC | HOST_STORAGE_RENAME)) != 0;
        bool is_full = fault->verb == FAULT_FULL;
        oracle->reads_may_fail = oracle->reads_may_fail || (fails && of_reads);
        oracle->notes_may_fail = oracle->notes_may_fail || is_full || (fails && of_writes);
        oracle->clocks_go_wrong = oracle->clocks_go_wrong || fault->verb == FAULT_CLOCK;
    }
}

static void build_pipeline(struct oracle *oracle)
{
    const struct job_info *job = scenario_job(oracle->scenario);
    CHECK(job->library != NULL || job_reference_exists(job->name));
    job_build(job, &oracle->pipeline);
    for (uint32_t i = 0; i < oracle->pipeline.vertex_count; i++) {
        CHECK((oracle->pipeline.vertices[i].input_count == 0) == (i == JUDGE_VERTEX_SOURCE));
    }
}

struct oracle *oracle_create(struct arena *arena, const struct scenario *scenario,
                             const struct disk *shared, struct bytes input)
{
    const struct job_config *job = &scenario->job;
    CHECK(job->parallelism > 0);
    CHECK(job->max_parallelism >= job->parallelism);
    struct oracle *oracle = arena_alloc(arena, 1, sizeof *oracle);
    oracle->arena = arena;
    oracle->scenario = scenario;
    oracle->shared = shared;
    oracle->stored = (struct stored){
        .arena = arena, .shared = shared, .kind = job->checkpoint.store, .is_readable = true
    };
    build_pipeline(oracle);
    oracle->parallelism = (struct parallelism_memory){ .most = scenario_parallelism_max(scenario),
                                                       .deployed = job->parallelism,
                                                       .deployed_max = job->max_parallelism,
                                                       .accepted = job->parallelism,
                                                       .accepted_max = job->max_parallelism };
    uint32_t split_count = job_split_count(job);
    reference_init(&oracle->reference, arena, &job->input, split_count, input);
    const struct job_reference *reference =
        scenario->library != NULL ? &recorded_reference : job_reference_find(job->job);
    if (reference != NULL) {
        oracle->reference.fold = arena_alloc(arena, 1, sizeof *oracle->reference.fold);
        job_fold_init(oracle->reference.fold, reference, arena, split_count);
    }
    checkpoint_history_init(&oracle->history, arena);
    note_faults(oracle);
    property_deployment_init(oracle);
    property_pace_init(oracle);
    property_credit_init(oracle);
    property_heartbeat_init(oracle);
    property_consistent_cut_init(oracle);
    return oracle;
}

void oracle_set_recording(struct oracle *oracle, struct recording *recording)
{
    CHECK(oracle->scenario->library != NULL);
    oracle->reference.fold->recording = recording;
}

static void record_entries(void *context, const struct bytes *lines, size_t count)
{
    fold_table_foresee(context, lines, count);
    for (size_t i = 0; i < count; i++) {
        known_lines_expect(context, lines[i]);
    }
}

void oracle_record_state(const struct oracle *oracle)
{
    property_final_state_each(oracle, record_entries, &oracle->reference.fold->recording->state);
}

void oracle_on_damage(struct oracle *oracle, const char *path)
{
    CHECK(path != NULL);
    oracle->damaged = arena_grow(oracle->arena, oracle->damaged, &oracle->damaged_capacity,
                                 oracle->damaged_count + 1, sizeof *oracle->damaged);
    oracle->damaged[oracle->damaged_count++] = arena_text(oracle->arena, path);
    /* Two faults that flip the same bit undo each other: what was read is not known any more. */
    oracle->deployment.unreadable = 0;
}

static void on_completed(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    CHECK(fact->kind == FACT_CHECKPOINT_COMPLETED);
    property_fencing_on_fact(oracle, fact);
    property_checkpoint_ids_on_fact(oracle, fact);
    property_liveness_on_fact(oracle, fact);
    property_pace_on_fact(oracle, event);
    const struct checkpoint_record *record =
        checkpoint_history_find(&oracle->history, fact->checkpoint);
    if (fact->checkpoint != 0 && (record == NULL || !record->completed)) {
        judge_on_complete(oracle, fact->checkpoint, fact->attempt);
        checkpoint_history_at(&oracle->history, fact->checkpoint)->completed_ns = event->time_ns;
    }
}

/* What the JobManager says of attempts, and of the job. */
static void on_job_fact(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    switch ((int)fact->kind) {
    case FACT_JOB_DEPLOYED:
        property_newest_restored_on_deployed(oracle);
        property_fencing_on_fact(oracle, fact);
        property_deployment_on_fact(oracle, fact);
        property_restarts_on_fact(oracle, event);
        property_pace_on_fact(oracle, event);
        break;
    case FACT_RESTORE_CHOSEN:
        property_liveness_on_fact(oracle, fact);
        stored_refresh(&oracle->stored);
        property_newest_restored_on_chosen(oracle, fact);
        property_consistent_cut_on_chosen(oracle, fact);
        property_deployment_on_chosen(oracle, fact);
        break;
    case FACT_JOB_RUNNING:
        property_liveness_on_fact(oracle, fact);
        property_deployment_on_fact(oracle, fact);
        property_restarts_on_fact(oracle, event);
        property_pace_on_fact(oracle, event);
        break;
    case FACT_JOB_MANAGER_STARTED:
        stored_on_lost(&oracle->stored);
        property_newest_restored_on_take_over(oracle);
        property_liveness_on_fact(oracle, fact);
        property_restarts_on_fact(oracle, event);
        property_pace_on_fact(oracle, event);
        break;
    case FACT_RESCALE_ACCEPTED: property_deployment_on_rescale(oracle, fact); break;
    case FACT_RESCALE_STARTED:
        property_liveness_on_fact(oracle, fact);
        property_pace_on_fact(oracle, event);
        break;
    case FACT_FAILURE_DETECTED:
        property_abandoned_on_fact(oracle, event);
        property_liveness_on_fact(oracle, fact);
        property_pace_on_fact(oracle, event);
        property_heartbeat_on_fact(oracle, event);
        break;
    case FACT_TASK_MANAGER_REGISTERED: property_heartbeat_on_fact(oracle, event); break;
    case FACT_JOB_FAILED:
        property_newest_restored_on_failed(oracle, fact);
        /* fall through */
    case FACT_RESTART_SCHEDULED:
        property_liveness_on_fact(oracle, fact);
        property_restarts_on_fact(oracle, event);
        break;
    case FACT_JOB_CANCELLED:
    case FACT_JOB_FINISHED: property_liveness_on_fact(oracle, fact); break;
    default: break; /* says nothing that is judged */
    }
}

void oracle_on_fact(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    CHECK((unsigned)fact->kind < FACT_KIND_COUNT);
    /* An actor that is charged for its work is ahead of the others, and may die there. */
    if (oracle->now_ns < event->time_ns) {
        oracle->now_ns = event->time_ns;
    }
    switch ((int)fact->kind) {
    case FACT_CHECKPOINT_TRIGGERED:
        property_fencing_on_fact(oracle, fact);
        property_checkpoint_ids_on_fact(oracle, fact);
        property_pace_on_fact(oracle, event);
        break;
    case FACT_CHECKPOINT_COMPLETED: on_completed(oracle, event); break;
    case FACT_CHECKPOINT_SUBSUMED: property_files_on_subsumed(oracle, fact); break;
    case FACT_CHECKPOINT_ABORTED:
        property_checkpoint_ids_on_fact(oracle, fact);
        property_pace_on_fact(oracle, event);
        property_abandoned_on_fact(oracle, event);
        break;
    case FACT_CHECKPOINT_ALL_ACKED:
    case FACT_TASK_END_OF_DATA: property_pace_on_fact(oracle, event); break;
    case FACT_SNAPSHOT_TAKEN: property_abandoned_on_fact(oracle, event); break;
    case FACT_TASK_RESTORED: property_deployment_on_fact(oracle, fact); break;
    case FACT_TASK_FINISHED: property_consistent_cut_on_finished(oracle, fact); break;
    case FACT_RESTORE_RETRIED: property_restarts_on_fact(oracle, event); break;
    case FACT_MANIFEST_WRITTEN:
        /* Of a database nothing more is heard before it counts. */
        if (oracle->stored.kind != STORE_SQLITE) {
            break;
        }
        /* fall through */
    case FACT_MANIFEST_SYNCED:
        if (fact->checkpoint != 0) {
            checkpoint_history_at(&oracle->history, fact->checkpoint)->commit_begun = true;
        }
        break;
    case FACT_BLOB_PUT: stored_on_put(&oracle->stored, fact); break;
    case FACT_BLOB_REMOVED: stored_on_removed(&oracle->stored, fact); break;
    case FACT_ACK_RECEIVED: property_fencing_on_fact(oracle, fact); break;
    case FACT_TASK_NOTIFIED: property_output_on_announced(oracle, event); break;
    case FACT_SINK_COMMITTED:
        property_fencing_on_fact(oracle, fact);
        property_output_on_committed(oracle, fact);
        property_output_on_announced(oracle, event);
        break;
    default: on_job_fact(oracle, event);
    }
}

void oracle_on_credit(struct oracle *oracle, const struct credit_event *event)
{
    CHECK(event->sender != event->receiver);
    property_credit_on_event(oracle, event);
}

void oracle_on_heartbeat(struct oracle *oracle, const struct heartbeat_event *event)
{
    CHECK(event->job_manager != event->task_manager);
    property_heartbeat_on_event(oracle, event);
}

static void finish_reference(struct oracle *oracle)
{
    struct oracle_totals *totals = &oracle->totals;
    reference_finish(&oracle->reference);
    for (uint32_t i = 0; i < oracle->reference.split_count; i++) {
        totals->records += oracle->reference.splits[i].records;
        totals->records_skipped += oracle->reference.splits[i].bad;
    }
    const struct key_table *table = &oracle->reference.table;
    for (size_t i = 0; i < table->capacity; i++) {
        totals->keys += table->entries[i].folded > 0;
    }
    const struct job_fold *fold = oracle->reference.fold;
    for (uint32_t i = 0; fold != NULL && i < fold->job->rule_count; i++) {
        totals->keys += fold->tables[fold->job->rules[i].table].count;
    }
}

static void check(const struct oracle *oracle)
{
    uint32_t kept = 0;
    for (int i = PROPERTY_STATE; i < PROPERTY_COUNT_PLUS_ONE; i++) {
        CHECK(oracle->kept[i] <= JUDGE_KEPT_PER_PROPERTY);
        kept += oracle->kept[i];
    }
    CHECK(kept == oracle->violation_count);
    CHECK(oracle->older_restored <= oracle->went_back);
    CHECK(oracle->totals.checkpoints_verified <= oracle->history.count);
    checkpoint_history_check(&oracle->history);
    reference_check(&oracle->reference);
}

void oracle_on_end(struct oracle *oracle, enum outcome outcome, uint64_t end_ns,
                   uint64_t last_fault_ns)
{
    CHECK(outcome <= OUTCOME_BROKEN);
    if (oracle->now_ns < end_ns) {
        oracle->now_ns = end_ns;
    }
    bool finished = outcome == OUTCOME_FINISHED;
    property_liveness_on_end(oracle, outcome, last_fault_ns);
    property_pace_on_end(oracle, last_fault_ns);
    property_abandoned_on_end(oracle, last_fault_ns);
    stored_refresh(&oracle->stored);
    property_files_on_end(oracle, finished);
    finish_reference(oracle);
    if (finished) {
        property_state_on_end(oracle);
    }
    property_output_on_end(oracle, finished);
    check(oracle);
}

const struct violation *oracle_violations(const struct oracle *oracle, uint32_t *count)
{
    CHECK(count != NULL);
    *count = oracle->violation_count;
    return oracle->violations;
}

struct oracle_totals oracle_totals(const struct oracle *oracle)
{
    return oracle->totals;
}

static void append_file(void *context, const char *path, struct bytes content)
{
    CHECK(path != NULL);
    (void)path;
    buffer_append(context, content);
}

void oracle_collect_output(const struct oracle *oracle, struct buffer *out)
{
    CHECK(out != NULL);
    (void)property_output_each_file(oracle, append_file, out);
}

static int compare_keys(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* The keys that are in the state, in order; returns how many. */
static size_t sort_keys(const struct key_table *table, int64_t *keys)
{
    size_t count = 0;
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->entries[i].state != 0) {
            keys[count++] = table->entries[i].key;
        }
    }
    CHECK(count <= table->count);
    qsort(keys, count, sizeof *keys, compare_keys);
    return count;
}

static void append_number(struct buffer *out, int64_t number, char end)
{
    uint8_t *at = buffer_extend(out, TEXT_INTEGER_SIZE_MAX + 1);
    size_t size = text_format_i64(at, number);
    at[size] = (uint8_t)end;
    out->size -= TEXT_INTEGER_SIZE_MAX - size;
}

void oracle_collect_state(const struct oracle *oracle, struct buffer *out)
{
    enum { AHEAD = 16 };
    if (oracle->reference.fold != NULL) {
        property_states_collect(oracle, out);
        return;
    }
    const struct key_table *table = &oracle->reference.table;
    int64_t *keys = arena_alloc(oracle->arena, table->count, sizeof *keys);
    size_t count = sort_keys(table, keys);
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            key_table_prefetch(table, keys[i + AHEAD]);
        }
        append_number(out, keys[i], '\t');
        append_number(out, key_table_find(table, keys[i])->state, '\n');
    }
    arena_free(oracle->arena, keys);
}

/* ---- judge.h --------------------------------------------------------------------------------- */

void judge_report(struct oracle *oracle, enum property property, const char *format, ...)
{
    CHECK(property >= PROPERTY_STATE && property < PROPERTY_COUNT_PLUS_ONE);
    if (oracle->kept[property] == JUDGE_KEPT_PER_PROPERTY) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    CHECK(length > 0);
    char *message = arena_alloc_raw(oracle->arena, (size_t)length + 1);
    va_start(arguments, format);
    (void)vsnprintf(message, (size_t)length + 1, format, arguments);
    va_end(arguments);
    CHECK(oracle->violation_count < sizeof oracle->violations / sizeof *oracle->violations);
    oracle->kept[property]++;
    oracle->violations[oracle->violation_count++] =
        (struct violation){ .property = property, .time_ns = oracle->now_ns, .message = message };
}

bool judge_is_database_damaged(const struct oracle *oracle)
{
    bool is_damaged = false;
    for (size_t i = 0; i < oracle->damaged_count; i++) {
        is_damaged = is_damaged || stored_is_database(oracle->damaged[i]);
    }
    return is_damaged;
}

bool judge_is_damaged(const struct oracle *oracle, const char *path)
{
    CHECK(path != NULL);
    if (judge_is_database_damaged(oracle)) {
        return true;
    }
    for (size_t i = 0; i < oracle->damaged_count; i++) {
        if (strcmp(oracle->damaged[i], path) == 0) {
            return true;
        }
    }
    return false;
}

bool judge_is_manifest_damaged(const struct oracle *oracle, uint64_t id)
{
    CHECK(id != 0);
    if (judge_is_database_damaged(oracle)) {
        return true;
    }
    for (size_t i = 0; i < oracle->damaged_count; i++) {
        uint64_t damaged_id;
        const char *name;
        if (judge_parse_checkpoint_path(oracle->damaged[i], &damaged_id, &name) &&
            damaged_id == id && strncmp(name, STORE_MANIFEST, strlen(STORE_MANIFEST)) == 0) {
            return true;
        }
    }
    return false;
}

bool judge_is_checkpoint_damaged(const struct oracle *oracle, uint64_t id)
{
    CHECK(id != 0);
    for (size_t i = 0; i < oracle->damaged_count; i++) {
        const char *path = oracle->damaged[i];
        uint64_t damaged_id;
        const char *name;
        if (stored_is_database(path) ||
            strncmp(path, STORE_SHARED "/", strlen(STORE_SHARED "/")) == 0 ||
            (judge_parse_checkpoint_path(path, &damaged_id, &name) && damaged_id == id)) {
            return true;
        }
    }
    return false;
}

void judge_manifest_path(char path[JUDGE_PATH_SIZE], uint64_t id)
{
    int length = snprintf(path, JUDGE_PATH_SIZE, CHECKPOINT_PREFIX "%llu/" STORE_MANIFEST,
                          (unsigned long long)id);
    CHECK(length > 0 && length < JUDGE_PATH_SIZE);
}

bool judge_parse_checkpoint_path(const char *path, uint64_t *id, const char **name)
{
    const char *digits = path + strlen(CHECKPOINT_PREFIX);
    if (strncmp(path, CHECKPOINT_PREFIX, strlen(CHECKPOINT_PREFIX)) != 0 || *digits < '1' ||
        *digits > '9') {
        return false;
    }
    char *end;
    *id = strtoull(digits, &end, 10);
    CHECK(end > digits);
    *name = end + 1;
    return *end == '/';
}

void judge_on_complete(struct oracle *oracle, uint64_t id, uint64_t attempt)
{
    struct checkpoint_record *record = checkpoint_history_at(&oracle->history, id);
    CHECK(!record->completed);
    record->completed = true;
    if (!record->triggered) {
        record->attempt = attempt;
    }
    stored_refresh(&oracle->stored);
    if (property_files_on_complete(oracle, id)) {
        property_consistent_cut_verify(oracle, id);
    } else {
        oracle->cut.unread_since = true;
    }
}

const char *judge_vertex_name(const struct oracle *oracle, uint32_t vertex)
{
    bool is_there = vertex < oracle->pipeline.vertex_count;
    return is_there ? oracle->pipeline.vertices[vertex].name : "task";
}

uint32_t judge_subtask_places(const struct oracle *oracle)
{
    return oracle->pipeline.vertex_count * oracle->parallelism.most;
}

uint32_t judge_subtask_count(const struct oracle *oracle)
{
    return oracle->pipeline.vertex_count * oracle->parallelism.deployed;
}

uint32_t judge_subtask_place(const struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->vertex < oracle->pipeline.vertex_count);
    CHECK(fact->subtask < oracle->parallelism.most);
    return fact->vertex * oracle->parallelism.most + fact->subtask;
}

struct bytes judge_part_content(const struct oracle *oracle, const struct state_handle *part)
{
    if (part->kind != HANDLE_FILE) {
        return part->location;
    }
    char path[JUDGE_PATH_SIZE];
    CHECK(part->location.size < sizeof path);
    memcpy(path, part->location.data, part->location.size);
    path[part->location.size] = '\0';
    struct bytes content;
    bool is_there = stored_peek(&oracle->stored, path, &content);
    CHECK(is_there);
    return content;
}
