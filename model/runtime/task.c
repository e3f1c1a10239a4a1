#include "model/runtime/task_private.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/checkpoint/store.h"
#include "model/runtime/process.h"
#include "model/stream/timer_service.h"

enum timer_tag { TIMER_WORK, TIMER_FLUSH, TIMER_WATERMARK, TIMER_WAKE };

void task_report(struct task *task, enum fact_kind kind, uint64_t checkpoint, uint64_t value0,
                 uint64_t value1)
{
    host_trace(task->host, &(struct fact){ .kind = kind,
                                           .vertex = task->context.vertex,
                                           .subtask = task->context.subtask,
                                           .attempt = task->context.attempt,
                                           .checkpoint = checkpoint,
                                           .values = { value0, value1 } });
}

void task_tell_job_manager(struct task *task, enum message_kind kind)
{
    struct message *message = message_of_kind(task->host, kind, task->context.attempt);
    message->channel = task->index;
    host_send(task->host, task->deployment->job_manager, message);
}

static void fail(struct task *task, uint64_t unreadable_checkpoint, bool is_final,
                 struct bytes why)
{
    if (task->state == TASK_FAILED) {
        return;
    }
    task->state = TASK_FAILED;
    host_trace(task->host, &(struct fact){ .kind = FACT_TASK_FAILED,
                                           .vertex = task->context.vertex,
                                           .subtask = task->context.subtask,
                                           .attempt = task->context.attempt,
                                           .text = why });
    struct failure failure = { .checkpoint = unreadable_checkpoint,
                               .is_final = is_final,
                               .why = why };
    host_send(task->host, task->deployment->job_manager,
              failure_encode(task->host, MESSAGE_FAILED, task->context.attempt, task->index,
                             &failure));
}

static void fail_of_backend(struct task *task, enum status status)
{
    struct buffer why;
    buffer_init(&why, task->host->arena);
    buffer_append_format(&why, "the %s backend of %s[%u]: %s",
                         state_backend_name(task->config->state.backend), task->vertex->name,
                         task->context.subtask, status_text(status));
    fail(task, 0, false, buffer_bytes(&why));
    buffer_free(&why);
}

bool task_has_failed(struct task *task)
{
    const struct backend *backend = task->context.backend;
    if (backend != NULL && backend_failure(backend) != STATUS_OK && task->state != TASK_FAILED) {
        fail_of_backend(task, backend_failure(backend));
    }
    if (task->context.failure.size > 0) {
        fail(task, 0, task->context.failure_is_final, buffer_bytes(&task->context.failure));
    }
    return task->state == TASK_FAILED;
}

void task_schedule_work_at(struct task *task, uint64_t due_ns)
{
    if (task->work_timer == 0) {
        task->work_timer = host_timer_set(task->host, due_ns, TIMER_WORK);
    }
}

void task_schedule_work(struct task *task)
{
    task_schedule_work_at(task, host_now_ns(task->host));
}

/* Records in a buffer that is not full wait no longer than the buffer timeout. */
static void schedule_flush(struct task *task)
{
    if (task->flush_timer == 0 && output_set_is_dirty(&task->outputs)) {
        task->flush_timer =
            host_timer_set(task->host, host_now_ns(task->host) + task->config->buffer_timeout_ns,
                           TIMER_FLUSH);
    }
}

/* Keeps the timer that calls the operators when they want to be called. */
static void schedule_wake(struct task *task)
{
    uint64_t due_ns = task->context.wake_ns;
    bool is_set = task->wake_timer != 0 && task->wake_ns <= due_ns;
    if (due_ns == WAKE_NEVER || is_set || task->state != TASK_RUNNING) {
        return;
    }
    host_timer_cancel(task->host, task->wake_timer);
    task->wake_ns = due_ns;
    task->wake_timer = host_timer_set(task->host, due_ns, TIMER_WAKE);
}

/* What follows whenever records or timers were handled. */
static void after_handling(struct task *task)
{
    schedule_flush(task);
    schedule_wake(task);
    if (!task_has_failed(task) && task_snapshots_has_work(&task->snapshots)) {
        task_schedule_work(task); /* what the records changed may be due to be written ahead */
    }
}

static void schedule_watermark(struct task *task)
{
    if (task->chain.makes_any) {
        uint64_t interval_ns = task->config->watermark_interval_ns;
        CHECK(interval_ns > 0);
        task->watermark_timer =
            host_timer_set(task->host, host_now_ns(task->host) + interval_ns, TIMER_WATERMARK);
    }
}

/* ---- start and restore ----------------------------------------------------------------------- */

static void open_channels(struct task *task)
{
    const struct vertex *vertex = task->vertex;
    uint32_t parallelism = task->context.parallelism;
    task->channel_count = vertex_first_channel(vertex, vertex->input_count, parallelism);
    for (uint32_t i = 0; i < vertex->input_count; i++) {
        uint32_t own = vertex->inputs[i].exchange == EXCHANGE_FORWARD ? 0 : task->deployed->subtask;
        task->output_channels[i] =
            output_set_first_channel(task->pipeline, parallelism, task->deployed->vertex, i) + own;
    }
    if (vertex_has_event_time(vertex)) {
        watermark_valve_init(&task->valve, task->host->arena, task->channel_count);
    }
}

/* The disk may refuse a backend its working files. */
static enum status open_backend(struct task *task)
{
    char directory[PROCESS_DIRECTORY_SIZE];
    char name[32];
    process_directory(directory, task->host->self);
    int length = snprintf(name, sizeof name, "state-%u", task->index);
    CHECK(length > 0 && (size_t)length < sizeof name);
    bool is_logged = task->config->state.changelog.enabled;
    struct backend_options options = {
        .kind = task->config->state.backend,
        .range = key_group_range_of(task->deployed->subtask, task->context.max_parallelism,
                                    task->context.parallelism),
        .parts_max = is_logged                         ? task->config->state.changelog.parts_max
                     : task->config->state.incremental ? task->config->state.parts_max
                                                       : 1,
        .changelog = is_logged,
        .materialization_interval_ns = task->config->state.changelog.materialization_ns,
        .persist_bytes = store_kind_carries(task->config->checkpoint.store)
                             ? 0
                             : task->config->state.changelog.persist_bytes,
        .cache_bytes = task->config->state.cache_bytes,
        .directory = directory,
        .name = name,
    };
    enum status status = backend_create(task->host, &options, &task->context.backend);
    if (status == STATUS_OK) {
        backend_set_time(task->context.backend, host_now_ns(task->host));
    }
    return status;
}

static void open_chain(struct task *task)
{
    operator_chain_open(
        &task->chain,
        &(struct operator_chain_options){
            .vertex = task->vertex,
            .context = &task->context,
            .exits = task->outputs.exits,
            .exit_count = task->outputs.count,
            .watermarks = { .emit = task_emit_watermark, .target = task } });
    if (task->vertex->input_count == 0) {
        task->source = task->chain.instances[0];
    }
}

/* Begins to read the parts; after an error `part` is the one that could not be read. Returns how
 * many are open through `open_count`. */
static enum status open_parts(struct task *task, const struct keyed_state *keyed,
                              struct store_part *parts, uint32_t *open_count,
                              struct state_handle *part)
{
    struct decoder decoder;
    enum status status = STATUS_OK;
    keyed_state_begin(keyed, &decoder);
    for (*open_count = 0; *open_count < keyed->part_count; ++*open_count) {
        keyed_state_next(&decoder, part);
        status = store_part_open(&parts[*open_count], task->host, task->deployment->carried, part);
        if (status != STATUS_OK) {
            return status;
        }
    }
    host_charge(task->host, HOST_WORK_SNAPSHOT_BYTES, keyed->size_bytes);
    return STATUS_OK;
}

/* Takes from one snapshot what lies in the subtask's range. After an error `part` is the one that
 * was read last. */
static enum status restore_keyed(struct task *task, const struct keyed_state *keyed,
                                 struct state_handle *part)
{
    struct arena *arena = task->host->arena;
    struct store_part *parts = arena_alloc(arena, keyed->part_count, sizeof *parts);
    struct part_source **sources = arena_alloc(arena, keyed->part_count, sizeof *sources);
    uint32_t open_count;
    enum status status = open_parts(task, keyed, parts, &open_count, part);
    for (uint32_t i = 0; i < open_count; i++) {
        sources[i] = &parts[i].source;
    }
    if (status == STATUS_OK) {
        status = task->context.backend == NULL
                     ? STATUS_CORRUPT
                     : backend_restore(task->context.backend, task->deployment->checkpoint, sources,
                                       keyed->part_count);
    }
    for (uint32_t i = 0; i < open_count; i++) {
        *part = sources[i]->has_ended ? parts[i].handle : *part;
        store_part_close(&parts[i]);
    }
    arena_free(arena, sources);
    arena_free(arena, parts);
    return status;
}

/* Reads the subtask's part of the checkpoint. What is of several old subtasks cannot be built on;
 * nor can what is of one that had other key groups, but then no barrier will ask for it. After an
 * error `part` is what could not be read, if it was keyed state. */
static enum status restore_state(struct task *task, uint64_t *bytes, struct state_handle *part)
{
    const struct assigned_state *state = &task->deployed->state;
    *bytes = assigned_state_bytes(state);
    enum status status = operator_chain_restore(&task->chain, state->operators);
    for (uint32_t i = 0; i < state->keyed_count && status == STATUS_OK; i++) {
        status = restore_keyed(task, &state->keyed[i], part);
    }
    if (status != STATUS_OK || state->keyed_count == 0) {
        return status;
    }
    if (state->keyed_count == 1) {
        task_snapshots_restored(&task->snapshots, task->deployment->checkpoint, state->keyed);
    }
    return timers_restore(&task->context);
}

static void restore(struct task *task)
{
    uint64_t bytes;
    struct state_handle part = { .kind = HANDLE_INLINE };
    enum status status = restore_state(task, &bytes, &part);
    if (status == STATUS_HALTED || task_has_failed(task)) {
        return;
    }
    if (status != STATUS_OK) {
        struct buffer why;
        buffer_init(&why, task->host->arena);
        buffer_append_format(&why, "state of %s[%u] in checkpoint %llu", task->vertex->name,
                             task->deployed->subtask,
                             (unsigned long long)task->deployment->checkpoint);
        if (part.kind == HANDLE_FILE) {
            buffer_append_format(&why, " (%.*s)", (int)part.location.size,
                                 (const char *)part.location.data);
        }
        bool is_refused = status == STATUS_INVALID; /* and would be at each further attempt */
        buffer_append_text(&why, ": ");
        buffer_append(&why, is_refused ? backend_refusal(task->context.backend)
                                       : bytes_of_text(status_text(status)));
        fail(task, is_refused ? 0 : task->deployment->checkpoint, is_refused, buffer_bytes(&why));
        return;
    }
    if (task->source != NULL && task->deployed->state.finished) {
        source_skip_to_end(task->source);
    }
    task->state = TASK_RESTORED;
    host_trace(task->host, &(struct fact){ .kind = FACT_TASK_RESTORED,
                                           .vertex = task->context.vertex,
                                           .subtask = task->context.subtask,
                                           .attempt = task->context.attempt,
                                           .checkpoint = task->deployment->checkpoint,
                                           .values = { bytes },
                                           .content = task->deployed->state.operators });
    task_tell_job_manager(task, MESSAGE_RESTORED);
}

/* How much an acknowledgement may carry. */
static uint64_t carried_max_bytes(const struct job_config *config)
{
    switch (config->checkpoint.store) {
    case STORE_MEMORY: return config->checkpoint.store_state_max_bytes;
    case STORE_SQLITE: return STORE_CARRIED_MAX_BYTES;
    default: return UINT64_MAX;
    }
}

static void *task_start(struct host *host, struct bytes bytes)
{
    struct task_argument argument;
    CHECK(bytes.size == sizeof argument);
    memcpy(&argument, bytes.data, bytes.size);
    const struct deployment *deployment = argument.deployment;
    const struct deployed_subtask *deployed = &deployment->subtasks[argument.index];
    struct task *task = arena_alloc(host->arena, 1, sizeof *task);
    task->host = host;
    task->config = argument.config;
    task->pipeline = argument.pipeline;
    task->deployment = deployment;
    task->deployed = deployed;
    task->vertex = &argument.pipeline->vertices[deployed->vertex];
    task->index = task_index(deployment->parallelism, deployed->vertex, deployed->subtask);
    task->context = (struct operator_context){ .host = host,
                                               .input = &argument.config->input,
                                               .vertex = deployed->vertex,
                                               .subtask = deployed->subtask,
                                               .parallelism = deployment->parallelism,
                                               .split_count = job_split_count(argument.config),
                                               .max_parallelism = deployment->max_parallelism,
                                               .attempt = deployment->attempt,
                                               .timestamp_ms = NO_TIMESTAMP,
                                               .watermark_ms = WATERMARK_MIN,
                                               .wake_ns = WAKE_NEVER };
    buffer_init(&task->context.failure, host->arena);
    task_report(task, FACT_TASK_STARTED, 0, 0, 0);
    open_channels(task);
    output_set_init(&task->outputs, host, argument.config, argument.pipeline, deployment,
                    deployed->vertex, deployed->subtask, &task->context.timestamp_ms);
    aligner_init(&task->aligner, host->arena,
                 argument.config->checkpoint.mode == MODE_EXACTLY_ONCE ? ALIGNER_EXACTLY_ONCE
                                                                       : ALIGNER_AT_LEAST_ONCE,
                 task->channel_count);
    enum status status = task->vertex->keyed ? open_backend(task) : STATUS_OK;
    if (status != STATUS_OK) {
        fail_of_backend(task, status);
        return task;
    }
    open_chain(task);
    task->snapshots = (struct task_snapshots){
        .host = host,
        .backend = task->context.backend,
        .job_manager = deployment->job_manager,
        .uploader_index = deployed->actor_index + 1,
        .vertex_name = task->vertex->name,
        .vertex = deployed->vertex,
        .subtask = deployed->subtask,
        .task = task->index,
        .attempt = deployment->attempt,
        .inline_threshold_bytes = argument.config->checkpoint.inline_threshold_bytes,
        .incremental = job_config_shares_files(argument.config),
        .store = argument.config->checkpoint.store,
        .carried_max_bytes = carried_max_bytes(argument.config),
        .draft_failures_max = argument.config->state.changelog.failures_max,
        .failure = &task->context.failure,
    };
    task_snapshots_init(&task->snapshots);
    restore(task);
    return task;
}

/* ---- work ------------------------------------------------------------------------------------ */

/* One bounded piece of whatever can be done; comes back by a timer while there is more. */
static void work(struct task *task)
{
    if (!task_is_active(task)) {
        return;
    }
    if (task_snapshots_has_work(&task->snapshots)) {
        task_snapshots_step(&task->snapshots);
        if (task_snapshots_has_work(&task->snapshots)) {
            task_schedule_work(task);
        }
    }
    if (output_set_is_available(&task->outputs)) {
        if (task->source != NULL && task->state == TASK_RUNNING) {
            task_pull_source(task);
        } else if (task->source == NULL) {
            struct message *message = input_gate_pop(&task->gate, &task->aligner);
            if (message != NULL) {
                task_process_input(task, message);
            }
            if (task->gate.ready.count > 0 && task_is_active(task)) {
                task_schedule_work(task);
            }
        }
    }
    after_handling(task);
    task_finish_if_due(task);
}

/* ---- entry points ---------------------------------------------------------------------------- */

static void on_wake(struct task *task)
{
    uint64_t now_ns = host_now_ns(task->host);
    if (task->state == TASK_RUNNING && task->context.wake_ns <= now_ns) {
        task->context.wake_ns = WAKE_NEVER;
        operator_chain_processing_time(&task->chain, now_ns);
        after_handling(task);
    }
    schedule_wake(task);
}

static void on_watermark_timer(struct task *task)
{
    if (task->state == TASK_RUNNING) {
        operator_chain_make_watermarks(&task->chain, host_now_ns(task->host));
        schedule_watermark(task);
        after_handling(task);
    }
}

static void on_run(struct task *task)
{
    if (task->state == TASK_RESTORED) {
        task->state = TASK_RUNNING;
        operator_chain_run(&task->chain);
        if (task_has_failed(task)) {
            return;
        }
        if (task->source != NULL) {
            task->is_catching_up = true;
            task_report_progress(task, true);
        }
        schedule_watermark(task);
        on_wake(task); /* timers that became due while the job was down fire first */
        work(task);
    }
}

/* Messages of channels. They may come before RUN: then they wait in the gate. */
static void on_input(struct task *task, struct message *message)
{
    bool waiting = task->gate.ready.count > 0 || !output_set_is_available(&task->outputs);
    input_gate_push(&task->gate, message);
    if (!task_is_active(task)) {
        return;
    }
    if (waiting) {
        task_schedule_work(task);
        return;
    }
    struct message *next = input_gate_pop(&task->gate, &task->aligner);
    if (next != NULL) {
        task_process_input(task, next);
        after_handling(task);
    }
}

static void on_control(struct task *task, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_RUN:
        on_run(task);
        break;
    case MESSAGE_TRIGGER:
        task_on_trigger(task, message);
        break;
    case MESSAGE_NOTIFY_COMPLETE:
        task_on_complete(task, message_number(message));
        break;
    case MESSAGE_NOTIFY_ABORTED:
        if (task_is_active(task)) {
            task_on_aborted(task, message_number(message));
        }
        break;
    case MESSAGE_CREDIT:
        output_set_on_credit(&task->outputs, message->channel);
        if (task_is_active(task) && output_set_is_available(&task->outputs)) {
            task_schedule_work(task);
        }
        break;
    case MESSAGE_UPLOAD_ACCEPTED:
    case MESSAGE_UPLOAD_DONE:
        task_snapshots_on_upload(&task->snapshots, message);
        if (task_snapshots_has_work(&task->snapshots)) {
            task_schedule_work(task);
        }
        (void)task_has_failed(task);
        break;
    default:
        CHECK_UNREACHABLE("a message for a subtask");
    }
    task_finish_if_due(task);
    host_message_free(task->host, message);
}

static void task_message(void *self, struct message *message)
{
    struct task *task = self;
    bool is_fenced = message->attempt != task->context.attempt; /* K4 */
    if (is_fenced) {
        task_report(task, FACT_MESSAGE_FENCED, 0, message->attempt, 0);
    }
    if (is_fenced || task->state == TASK_FAILED || task->state == TASK_FINISHED) {
        host_message_free(task->host, message);
        return;
    }
    switch (message->kind) {
    case MESSAGE_DATA:
    case MESSAGE_BARRIER:
    case MESSAGE_WATERMARK:
    case MESSAGE_STREAM_ENDED:
    case MESSAGE_END_OF_PARTITION:
        on_input(task, message);
        break;
    default:
        on_control(task, message);
    }
}

static void task_timer(void *self, timer_id timer, uint64_t tag)
{
    struct task *task = self;
    switch (tag) {
    case TIMER_WORK:
        CHECK(timer == task->work_timer);
        task->work_timer = 0;
        work(task);
        break;
    case TIMER_FLUSH:
        CHECK(timer == task->flush_timer);
        task->flush_timer = 0;
        if (task_is_active(task)) {
            output_set_flush(&task->outputs);
        }
        break;
    case TIMER_WATERMARK:
        CHECK(timer == task->watermark_timer);
        task->watermark_timer = 0;
        on_watermark_timer(task);
        break;
    default:
        CHECK(tag == TIMER_WAKE && timer == task->wake_timer);
        task->wake_timer = 0;
        on_wake(task);
    }
}

const struct actor_ops task_actor = {
    .name = "task",
    .on_start = task_start,
    .on_message = task_message,
    .on_timer = task_timer,
};
