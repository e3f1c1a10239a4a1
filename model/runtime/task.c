#include "model/runtime/task.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/checkpoint/aligner.h"
#include "model/checkpoint/store.h"
#include "model/runtime/input_gate.h"
#include "model/runtime/operator_chain.h"
#include "model/runtime/output.h"
#include "model/runtime/task_snapshot.h"
#include "model/stream/source.h"

enum {
    SOURCE_STEP_RECORDS = 1024,              /* emitted between two looks at the mailbox */
    SOURCE_PULLS_PER_BUFFER_TIMEOUT = 10,
    PROGRESS_INTERVAL_NS = 50 * 1000 * 1000, /* between two source.progress facts */
};

enum task_state {
    TASK_STARTED,     /* no state yet */
    TASK_RESTORED,    /* waits to be told to run */
    TASK_RUNNING,
    TASK_END_OF_DATA, /* waits for its final checkpoint */
    TASK_FINISHED,
    TASK_FAILED,
};

enum timer_tag { TIMER_WORK, TIMER_FLUSH };

struct task {
    struct host *host;
    const struct job_config *config;
    const struct deployment *deployment;
    const struct deployed_subtask *deployed;
    const struct vertex *vertex;
    uint32_t index; /* global */
    enum task_state state;
    struct operator_context context;
    struct operator_chain chain;
    struct source *source; /* NULL: the vertex has inputs */
    struct aligner aligner;
    struct input_gate gate;
    uint32_t channel_count;
    uint32_t streams_ended; /* input channels without any more records */
    struct output output;
    struct task_snapshots snapshots;
    timer_id work_timer;  /* 0: not set */
    timer_id flush_timer; /* 0: not set */
    uint64_t progress_ns; /* of the last source.progress */
    /* at_least_once: the end of an input may overtake the barrier of another, so a checkpoint of
     * which a barrier came before the end of data does not cover it. 0 if barriers block. */
    uint64_t newest_before_end;
    uint64_t newest_notified; /* checkpoint that completed */
    uint64_t final_checkpoint; /* the first snapshot after the end of data; 0: none yet. It, or any
                                * later one, is final when it completes */
};

static void work(struct task *task);
static void report_progress(struct task *task, bool force);

/* ---- small things ---------------------------------------------------------------------------- */

static void report(struct task *task, enum fact_kind kind, uint64_t checkpoint, uint64_t value0,
                   uint64_t value1)
{
    host_trace(task->host, &(struct fact){ .kind = kind,
                                           .vertex = task->context.vertex,
                                           .subtask = task->context.subtask,
                                           .attempt = task->context.attempt,
                                           .checkpoint = checkpoint,
                                           .values = { value0, value1 } });
}

static void tell_job_manager(struct task *task, enum message_kind kind)
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

/* Turns a failure that an operator noted into one of the subtask. True if there is one. */
static bool has_failed(struct task *task)
{
    if (task->context.failure.size > 0) {
        fail(task, 0, task->context.failure_is_final, buffer_bytes(&task->context.failure));
    }
    return task->state == TASK_FAILED;
}

static bool is_active(const struct task *task)
{
    return task->state == TASK_RUNNING || task->state == TASK_END_OF_DATA;
}

static void schedule_work(struct task *task)
{
    if (task->work_timer == 0) {
        task->work_timer = host_timer_set(task->host, host_now_ns(task->host), TIMER_WORK);
    }
}

/* Records in a buffer that is not full wait no longer than the buffer timeout. */
static void schedule_flush(struct task *task)
{
    if (task->flush_timer == 0 && output_is_dirty(&task->output)) {
        task->flush_timer =
            host_timer_set(task->host, host_now_ns(task->host) + task->config->buffer_timeout_ns,
                           TIMER_FLUSH);
    }
}

static struct message *make_event(struct host *host, const void *argument)
{
    const struct message *event = argument; /* a prototype: kind, attempt and data */
    struct message *message = host_message_new(host, event->size);
    message->kind = event->kind;
    message->attempt = event->attempt;
    message->size = event->size;
    memcpy(message->data, event->data, event->size);
    return message;
}

/* Sends one event on every output; takes `event`. */
static void broadcast(struct task *task, struct message *event)
{
    output_broadcast(&task->output, make_event, event);
    host_message_free(task->host, event);
}

/* ---- start and restore ----------------------------------------------------------------------- */

static void open_output(struct task *task, const struct pipeline *pipeline)
{
    uint32_t vertex = task->deployed->vertex;
    uint32_t parallelism = task->config->parallelism;
    struct output_options options = { .attempt = task->deployment->attempt,
                                      .source_channel = task->deployed->subtask,
                                      .max_parallelism = task->config->max_parallelism,
                                      .buffer_bytes = task->config->buffer_bytes,
                                      .buffers_per_channel = task->config->buffers_per_channel };
    for (uint32_t i = 0; i < pipeline->vertex_count; i++) {
        if (pipeline->vertices[i].input == (int32_t)vertex) {
            CHECK(options.channel_count == 0); /* a chain: one consumer */
            options.edge = i - 1;
            options.channel_count = parallelism;
            options.receivers = task->deployment->addresses + task_index(task->config, i, 0);
            options.key_of = pipeline->vertices[i].key_of;
        }
    }
    output_init(&task->output, task->host, &options);
}

static void open_chain(struct task *task)
{
    struct collector tail = { .emit = output_emit, .target = &task->output };
    if (task->vertex->keyed) {
        task->context.backend = backend_heap_create(
            task->host->arena,
            key_group_range_of(task->deployed->subtask, task->config->max_parallelism,
                               task->config->parallelism));
    }
    operator_chain_open(&task->chain, task->vertex, &task->context,
                        task->output.channel_count > 0 ? &tail : NULL);
    if (task->vertex->input < 0) {
        task->source = task->chain.instances[0];
    }
}

/* Reads the subtask's part of the checkpoint. */
static enum status restore_state(struct task *task, uint64_t *bytes)
{
    const struct subtask_state *state = &task->deployed->state;
    *bytes = state->operators.size + state->keyed.size_bytes;
    enum status status = operator_chain_restore(&task->chain, state->operators);
    if (status != STATUS_OK || state->keyed.kind == HANDLE_NONE) {
        return status;
    }
    struct buffer keyed;
    buffer_init(&keyed, task->host->arena);
    status = store_read_state(task->host, &state->keyed, &keyed);
    if (status == STATUS_OK) {
        host_charge(task->host, HOST_WORK_SNAPSHOT_BYTES, keyed.size);
        status = task->context.backend == NULL
                     ? STATUS_CORRUPT
                     : backend_restore(task->context.backend, buffer_bytes(&keyed));
    }
    buffer_free(&keyed);
    return status;
}

static void restore(struct task *task)
{
    uint64_t bytes;
    enum status status = restore_state(task, &bytes);
    if (status == STATUS_HALTED || has_failed(task)) {
        return;
    }
    if (status != STATUS_OK) {
        struct buffer why;
        buffer_init(&why, task->host->arena);
        const struct state_handle *keyed = &task->deployed->state.keyed;
        buffer_append_format(&why, "state of %s[%u] in checkpoint %llu", task->vertex->name,
                             task->deployed->subtask,
                             (unsigned long long)task->deployment->checkpoint);
        if (keyed->kind == HANDLE_FILE) {
            buffer_append_format(&why, " (%.*s)", (int)keyed->location.size,
                                 (const char *)keyed->location.data);
        }
        buffer_append_format(&why, ": %s", status_text(status));
        fail(task, task->deployment->checkpoint, false, buffer_bytes(&why));
        return;
    }
    if (task->source != NULL && task->deployed->state.finished) {
        source_skip_to_end(task->source);
    }
    task->state = TASK_RESTORED;
    report(task, FACT_TASK_RESTORED, task->deployment->checkpoint, bytes, 0);
    tell_job_manager(task, MESSAGE_RESTORED);
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
    task->deployment = deployment;
    task->deployed = deployed;
    task->vertex = &argument.pipeline->vertices[deployed->vertex];
    task->index = task_index(argument.config, deployed->vertex, deployed->subtask);
    task->channel_count = task->vertex->input < 0 ? 0 : argument.config->parallelism;
    task->context = (struct operator_context){ .host = host,
                                               .input = &argument.config->input,
                                               .vertex = deployed->vertex,
                                               .subtask = deployed->subtask,
                                               .parallelism = argument.config->parallelism,
                                               .attempt = deployment->attempt };
    buffer_init(&task->context.failure, host->arena);
    report(task, FACT_TASK_STARTED, 0, 0, 0);
    open_output(task, argument.pipeline);
    aligner_init(&task->aligner, host->arena,
                 argument.config->checkpoint.mode == MODE_EXACTLY_ONCE ? ALIGNER_EXACTLY_ONCE
                                                                       : ALIGNER_AT_LEAST_ONCE,
                 task->channel_count);
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
    };
    restore(task);
    return task;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

/* K1, K2: every input stands at the barrier. Freezes the state, sends the barrier on. */
static void take_snapshot(struct task *task, const struct trigger *trigger,
                          const struct aligner_answer *aligned)
{
    uint64_t checkpoint = trigger->checkpoint;
    uint64_t begin_ns = host_now_ns(task->host);
    /* Machines' clocks may differ. */
    uint64_t start_delay_ns = aligned->first_barrier_ns > trigger->triggered_ns
                                  ? aligned->first_barrier_ns - trigger->triggered_ns
                                  : 0;
    report(task, FACT_TASK_ALIGNED, checkpoint, start_delay_ns,
           aligned->last_barrier_ns - aligned->first_barrier_ns);
    if (task->output.channel_count > 0) {
        broadcast(task, trigger_encode(task->host, MESSAGE_BARRIER, task->context.attempt,
                                       trigger));
        report(task, FACT_BARRIER_EMITTED, checkpoint, 0, 0);
    }
    struct buffer operators;
    buffer_init(&operators, task->host->arena);
    operator_chain_snapshot(&task->chain, checkpoint, &operators);
    if (has_failed(task)) {
        buffer_free(&operators);
        return;
    }
    bool after_end =
        task->state == TASK_END_OF_DATA && checkpoint > task->newest_before_end;
    if (after_end && task->final_checkpoint == 0) {
        task->final_checkpoint = checkpoint;
    }
    report(task, FACT_SNAPSHOT_TAKEN, checkpoint, host_now_ns(task->host) - begin_ns, 0);
    task_snapshots_begin(&task->snapshots, checkpoint, &operators, after_end);
    if (task_snapshots_has_work(&task->snapshots)) {
        schedule_work(task);
    }
}

static void give_up(struct task *task, uint64_t checkpoint)
{
    struct failure failure = { .checkpoint = checkpoint,
                               .superseded = true,
                               .why = bytes_of_text("a newer barrier came") };
    host_send(task->host, task->deployment->job_manager,
              failure_encode(task->host, MESSAGE_DECLINE, task->context.attempt, task->index,
                             &failure));
}

/* Does what the aligner answered. `trigger` is that of the event, or NULL. */
static void follow(struct task *task, const struct aligner_answer *answer,
                   const struct trigger *trigger)
{
    if (answer->given_up_id != 0) {
        host_mark(task->host, MARK_ALIGNMENT_GIVEN_UP);
        give_up(task, answer->given_up_id);
    }
    if (answer->aligned_id != 0) {
        /* The end of a channel may complete an alignment whose barriers came before. */
        struct trigger own = { .checkpoint = answer->aligned_id,
                               .triggered_ns = answer->first_barrier_ns };
        bool given = trigger != NULL && trigger->checkpoint == own.checkpoint;
        take_snapshot(task, given ? trigger : &own, answer);
    }
    if (answer->unblocked) {
        input_gate_unblock(&task->gate);
        schedule_work(task);
    }
}

static void on_barrier(struct task *task, const struct message *message)
{
    struct trigger trigger = trigger_decode(message);
    report(task, FACT_BARRIER_RECEIVED, trigger.checkpoint, message->channel, 0);
    struct aligner_answer answer = aligner_on_barrier(
        &task->aligner, message->channel, trigger.checkpoint, host_now_ns(task->host));
    follow(task, &answer, &trigger);
}

static void on_trigger(struct task *task, const struct message *message)
{
    if (is_active(task)) {
        struct trigger trigger = trigger_decode(message);
        struct aligner_answer answer =
            aligner_on_trigger(&task->aligner, trigger.checkpoint, host_now_ns(task->host));
        follow(task, &answer, &trigger);
    }
}

static void on_aborted(struct task *task, uint64_t checkpoint)
{
    struct aligner_answer answer = aligner_on_aborted(&task->aligner, checkpoint);
    follow(task, &answer, NULL);
    task_snapshots_abandon(&task->snapshots, checkpoint);
}

/* Not before its uploads are over: else a file may stay that the checkpoint knows nothing of. */
static void finish_if_due(struct task *task)
{
    if (!is_active(task) || task->final_checkpoint == 0 ||
        task->final_checkpoint > task->newest_notified || task->snapshots.oldest != NULL) {
        return;
    }
    if (task->output.channel_count > 0) {
        broadcast(task, message_of_kind(task->host, MESSAGE_END_OF_PARTITION,
                                        task->context.attempt));
    }
    task->state = TASK_FINISHED;
    report(task, FACT_TASK_FINISHED, 0, 0, 0);
    tell_job_manager(task, MESSAGE_FINISHED);
}

static void on_complete(struct task *task, uint64_t checkpoint)
{
    if (!is_active(task)) {
        return;
    }
    report(task, FACT_TASK_NOTIFIED, checkpoint, 0, 0);
    operator_chain_notify_complete(&task->chain, checkpoint);
    task->newest_notified = checkpoint;
    (void)has_failed(task);
}

/* ---- records --------------------------------------------------------------------------------- */

/* Where the state is too large for the processor's caches, keys are named to the backend this many
 * records before they are looked up: the processor then waits for many of them at once. */
enum { HINT_RECORDS = 16, LARGE_STATE_ENTRIES = 32768 };

/* Reads the record at offset `at` of `message` and its key; returns the offset behind it. */
static inline uint32_t read_record(const struct task *task, const struct message *message,
                                   uint32_t at, struct record *record, struct key *key)
{
    uint32_t size = load_u32(message->data + at);
    at += (uint32_t)sizeof size;
    *record = (struct record){ .value = { .data = message->data + at, .size = size } };
    CHECK(at + size <= message->size);
    task->vertex->key_of(record, key);
    return at + size;
}

static uint32_t hint(const struct task *task, const struct message *message, uint32_t at)
{
    struct record record;
    struct key key;
    at = read_record(task, message, at, &record, &key);
    backend_prefetch(task->context.backend, key_group_of(key.hash, task->config->max_parallelism),
                     key.bytes);
    return at;
}

static void process_buffer(struct task *task, const struct message *message)
{
    struct backend *backend = task->context.backend;
    bool is_large = backend_entry_count(backend) >= LARGE_STATE_ENTRIES;
    uint32_t hinted_at = 0;
    uint32_t hints = 0;
    uint32_t records = 0;
    for (uint32_t at = 0; at < message->size && task->context.failure.size == 0; records++) {
        for (; is_large && hinted_at < message->size && hints < records + HINT_RECORDS; hints++) {
            hinted_at = hint(task, message, hinted_at);
        }
        struct record record;
        struct key key;
        at = read_record(task, message, at, &record, &key);
        backend_set_key(backend, key_group_of(key.hash, task->config->max_parallelism), key.bytes);
        operator_chain_process(&task->chain, &record);
    }
    host_charge(task->host, HOST_WORK_RECORDS, records);
}

static void on_data(struct task *task, const struct message *message)
{
    process_buffer(task, message);
    struct message *credit = message_of_kind(task->host, MESSAGE_CREDIT, task->context.attempt);
    credit->channel = task->deployed->subtask; /* this subtask is that output channel's receiver */
    credit->stream = message->stream;
    host_send(task->host, message->from, credit);
}

/* The whole input is read: tells downstream and the JobManager, then waits for the final
 * checkpoint. */
static void end_of_data(struct task *task)
{
    CHECK(task->state == TASK_RUNNING);
    operator_chain_finish(&task->chain);
    task->state = TASK_END_OF_DATA;
    if (task->aligner.mode == ALIGNER_AT_LEAST_ONCE) {
        task->newest_before_end = task->aligner.latest_id;
    }
    if (task->output.channel_count > 0) {
        broadcast(task, message_of_kind(task->host, MESSAGE_STREAM_ENDED, task->context.attempt));
    }
    report(task, FACT_TASK_END_OF_DATA, 0, 0, 0);
    if (task->deployed->state.finished) {
        task->final_checkpoint = task->deployment->checkpoint; /* it was before the restore */
        task->newest_notified = task->final_checkpoint;
        finish_if_due(task);
    } else {
        tell_job_manager(task, MESSAGE_END_OF_DATA);
    }
}

static void process_input(struct task *task, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_DATA:
        on_data(task, message);
        break;
    case MESSAGE_BARRIER:
        on_barrier(task, message);
        break;
    case MESSAGE_STREAM_ENDED:
        if (++task->streams_ended == task->channel_count) {
            end_of_data(task);
        }
        break;
    case MESSAGE_END_OF_PARTITION: {
        struct aligner_answer answer = aligner_on_end_of_partition(
            &task->aligner, message->channel, host_now_ns(task->host));
        follow(task, &answer, NULL);
        break;
    }
    default:
        CHECK_UNREACHABLE("a message of a channel");
    }
    host_message_free(task->host, message);
}

static void report_progress(struct task *task, bool force)
{
    uint64_t now_ns = host_now_ns(task->host);
    if (!force && now_ns < task->progress_ns + PROGRESS_INTERVAL_NS) {
        return;
    }
    task->progress_ns = now_ns;
    uint64_t due_ns = source_due_ns(task->source);
    uint64_t lag_ns = due_ns > 0 && now_ns > due_ns ? now_ns - due_ns : 0;
    report(task, FACT_SOURCE_PROGRESS, 0, source_records(task->source), lag_ns);
}

/* A few times per buffer timeout, not once a record: what is due waits in a buffer anyway. */
static uint64_t next_pull_ns(const struct task *task, uint64_t now_ns)
{
    uint64_t due_ns = source_due_ns(task->source);
    uint64_t pause_ns = task->config->buffer_timeout_ns / SOURCE_PULLS_PER_BUFFER_TIMEOUT;
    return due_ns > now_ns + pause_ns ? due_ns : now_ns + pause_ns;
}

static void pull_source(struct task *task)
{
    enum source_state state;
    uint64_t now_ns = host_now_ns(task->host);
    uint32_t records = source_pull(task->source, SOURCE_STEP_RECORDS, now_ns, &state);
    host_charge(task->host, HOST_WORK_RECORDS, records);
    report_progress(task, state == SOURCE_END);
    if (has_failed(task)) {
        return;
    }
    if (state == SOURCE_END) {
        end_of_data(task);
    } else if (state == SOURCE_MORE) {
        schedule_work(task);
    } else if (task->work_timer == 0) {
        task->work_timer =
            host_timer_set(task->host, next_pull_ns(task, now_ns), TIMER_WORK);
    }
}

/* One bounded piece of whatever can be done; comes back by a timer while there is more. */
static void work(struct task *task)
{
    if (!is_active(task)) {
        return;
    }
    if (task_snapshots_has_work(&task->snapshots)) {
        task_snapshots_step(&task->snapshots);
        if (task_snapshots_has_work(&task->snapshots)) {
            schedule_work(task);
        }
    }
    if (output_is_available(&task->output)) {
        if (task->source != NULL && task->state == TASK_RUNNING) {
            pull_source(task);
        } else if (task->source == NULL) {
            struct message *message = input_gate_pop(&task->gate, &task->aligner);
            if (message != NULL) {
                process_input(task, message);
            }
            if (task->gate.ready.count > 0 && is_active(task)) {
                schedule_work(task);
            }
        }
    }
    schedule_flush(task);
    (void)has_failed(task);
    finish_if_due(task);
}

/* ---- entry points ---------------------------------------------------------------------------- */

static void on_run(struct task *task)
{
    if (task->state == TASK_RESTORED) {
        task->state = TASK_RUNNING;
        if (task->source != NULL) {
            report_progress(task, true);
        }
        work(task);
    }
}

/* Messages of channels. They may come before RUN: then they wait in the gate. */
static void on_input(struct task *task, struct message *message)
{
    bool waiting = task->gate.ready.count > 0 || !output_is_available(&task->output);
    input_gate_push(&task->gate, message);
    if (!is_active(task)) {
        return;
    }
    if (waiting) {
        schedule_work(task);
        return;
    }
    struct message *next = input_gate_pop(&task->gate, &task->aligner);
    if (next != NULL) {
        process_input(task, next);
        schedule_flush(task);
        (void)has_failed(task);
    }
}

static void on_control(struct task *task, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_RUN:
        on_run(task);
        break;
    case MESSAGE_TRIGGER:
        on_trigger(task, message);
        break;
    case MESSAGE_NOTIFY_COMPLETE:
        on_complete(task, message_number(message));
        break;
    case MESSAGE_NOTIFY_ABORTED:
        if (is_active(task)) {
            on_aborted(task, message_number(message));
        }
        break;
    case MESSAGE_CREDIT:
        output_on_credit(&task->output, message->channel);
        if (is_active(task) && output_is_available(&task->output)) {
            schedule_work(task);
        }
        break;
    case MESSAGE_UPLOAD_ACCEPTED:
    case MESSAGE_UPLOAD_DONE:
        task_snapshots_on_upload(&task->snapshots, message);
        if (task_snapshots_has_work(&task->snapshots)) {
            schedule_work(task);
        }
        break;
    default:
        CHECK_UNREACHABLE("a message for a subtask");
    }
    finish_if_due(task);
    host_message_free(task->host, message);
}

static void task_message(void *self, struct message *message)
{
    struct task *task = self;
    bool is_fenced = message->attempt != task->context.attempt; /* K4 */
    if (is_fenced) {
        report(task, FACT_MESSAGE_FENCED, 0, message->attempt, 0);
    }
    if (is_fenced || task->state == TASK_FAILED || task->state == TASK_FINISHED) {
        host_message_free(task->host, message);
        return;
    }
    switch (message->kind) {
    case MESSAGE_DATA:
    case MESSAGE_BARRIER:
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
    if (tag == TIMER_WORK) {
        CHECK(timer == task->work_timer);
        task->work_timer = 0;
        work(task);
    } else {
        CHECK(tag == TIMER_FLUSH && timer == task->flush_timer);
        task->flush_timer = 0;
        if (is_active(task)) {
            output_flush(&task->output);
        }
    }
}

const struct actor_ops task_actor = {
    .name = "task",
    .on_start = task_start,
    .on_message = task_message,
    .on_timer = task_timer,
};
