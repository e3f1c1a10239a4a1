#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/runtime/task_private.h"

enum {
    SOURCE_STEP_RECORDS = 1024, /* emitted between two looks at the mailbox */
    SOURCE_PULLS_PER_BUFFER_TIMEOUT = 10,
    SOURCE_LOOK_NS = 1000 * 1000, /* at least so long between two looks for what has not come */
    PROGRESS_INTERVAL_NS = 50 * 1000 * 1000, /* between two source.progress facts */
};

enum {
    FORESEEN_RECORDS = 16,      /* are read, and their keys foreseen, before one is processed */
    FORESEEN_ENTRIES_MIN = 8192 /* less state is in the processor's caches anyway */
};

/* Reads the record at offset `at` of `message` and its key; returns the offset behind it. */
static inline uint32_t read_record(key_function key_of, const struct message *message, uint32_t at,
                                   struct record *record, struct key *key)
{
    uint32_t size = load_u32(message->data + at);
    at += (uint32_t)sizeof size;
    *record = (struct record){ .value = { .data = message->data + at, .size = size } };
    CHECK(at + size <= message->size);
    key_of(record, key);
    return at + size;
}

/* After a failure nothing that the rest of the records would do counts. */
static inline bool can_go_on(const struct operator_context *context)
{
    return context->failure.size == 0 &&
           (context->backend == NULL || backend_failure(context->backend) == STATUS_OK);
}

/* Some records of a message, and their keys. */
struct keyed_records {
    uint32_t count;
    struct record records[FORESEEN_RECORDS];
    struct key keys[FORESEEN_RECORDS];
    struct backend_key foreseen[FORESEEN_RECORDS];
};

/* Reads records from offset `at` on; returns the offset behind them. */
static uint32_t read_keyed(const struct task *task, key_function key_of,
                           const struct message *message, uint32_t at, struct keyed_records *batch)
{
    uint32_t count = 0;
    uint32_t max_parallelism = task->context.max_parallelism;
    for (; at < message->size && count < FORESEEN_RECORDS; count++) {
        struct key *key = &batch->keys[count];
        at = read_record(key_of, message, at, &batch->records[count], key);
        batch->foreseen[count].bytes = &key->bytes;
        batch->foreseen[count].key_group = key_group_of(key->hash, max_parallelism);
    }
    backend_foresee(task->context.backend, batch->foreseen, count);
    batch->count = count;
    return at;
}

/* Keyed records without timestamps, for `process` and a large state, whose keys are foreseen. Apart
 * from its caller, which so has a small frame. */
__attribute__((noinline)) static void process_foreseen(struct task *task, key_function key_of,
                                                       const struct message *message)
{
    struct backend *backend = task->context.backend;
    struct keyed_records batch;
    uint32_t records = 0;
    for (uint32_t at = 0; at < message->size && can_go_on(&task->context);) {
        at = read_keyed(task, key_of, message, at, &batch);
        for (uint32_t i = 0; i < batch.count && can_go_on(&task->context); i++, records++) {
            task->context.key = &batch.keys[i];
            backend_set_foreseen(backend, &batch.foreseen[i]);
            operator_chain_process(&task->chain, &batch.records[i]);
        }
    }
    task->context.key = NULL;
    host_charge(task->host, HOST_WORK_RECORDS, records);
}

/* The same for a small state. This and process_foreseen are where the time goes. */
__attribute__((noinline)) static void process_keyed(struct task *task, key_function key_of,
                                                    const struct message *message)
{
    struct backend *backend = task->context.backend;
    struct record record;
    struct key key;
    uint32_t records = 0;
    task->context.key = &key;
    for (uint32_t at = 0; at < message->size && can_go_on(&task->context); records++) {
        at = read_record(key_of, message, at, &record, &key);
        backend_set_key(backend, key_group_of(key.hash, task->context.max_parallelism), key.bytes);
        operator_chain_process(&task->chain, &record);
    }
    task->context.key = NULL;
    host_charge(task->host, HOST_WORK_RECORDS, records);
}

/* Records of any input: with timestamps or without, keyed or not, of either side. */
static void process_any(struct task *task, const struct vertex_input *input,
                        const struct message *message)
{
    struct operator_context *context = &task->context;
    bool is_keyed = input->key_of != NULL && context->backend != NULL;
    uint32_t records = 0;
    struct key key;
    context->key = is_keyed ? &key : NULL;
    for (uint32_t at = 0; at < message->size && can_go_on(context); records++) {
        struct record record = { .value = { .size = load_u32(message->data + at) } };
        at += (uint32_t)sizeof(uint32_t);
        if (input->has_timestamps) {
            context->timestamp_ms = (int64_t)load_u64(message->data + at);
            at += (uint32_t)sizeof context->timestamp_ms;
        }
        record.value.data = message->data + at;
        at += (uint32_t)record.value.size;
        CHECK(at <= message->size);
        if (is_keyed) {
            input->key_of(&record, &key);
            backend_set_key(context->backend, operator_key_group(context), key.bytes);
        }
        if (input->side == 0) {
            operator_chain_process(&task->chain, &record);
        } else {
            operator_chain_process2(&task->chain, &record);
        }
    }
    context->key = NULL;
    context->timestamp_ms = NO_TIMESTAMP;
    host_charge(task->host, HOST_WORK_RECORDS, records);
}

static void on_data(struct task *task, const struct message *message)
{
    const struct vertex_input *input =
        vertex_input_of_channel(task->vertex, message->channel, task->context.parallelism);
    if (input->key_of == NULL || input->has_timestamps || input->side != 0 ||
        !task->vertex->keyed) {
        process_any(task, input, message);
    } else if (backend_entry_count(task->context.backend) >= FORESEEN_ENTRIES_MIN) {
        process_foreseen(task, input->key_of, message);
    } else {
        process_keyed(task, input->key_of, message);
    }
    struct message *credit = message_of_kind(task->host, MESSAGE_CREDIT, task->context.attempt);
    credit->channel = task->output_channels[input - task->vertex->inputs];
    credit->stream = message->stream;
    host_send(task->host, message->from, credit);
}

void task_emit_watermark(void *self, uint32_t operator, struct watermark watermark)
{
    struct task *task = self;
    output_set_watermark(&task->outputs, task->host, operator,
                         watermark_encode(task->host, task->context.attempt, watermark));
}

/* The valve's watermark or idleness has changed. */
static void pass_watermark(struct task *task)
{
    struct watermark watermark = task->valve.output;
    if (watermark.ms > task->context.watermark_ms || !watermark.is_idle) {
        operator_chain_watermark(&task->chain, (struct watermark){ .ms = watermark.ms });
    }
    if (watermark.is_idle) {
        operator_chain_watermark(&task->chain, watermark);
    }
}

static void on_watermark(struct task *task, const struct message *message)
{
    CHECK(task->valve.channel_count > 0);
    if (watermark_valve_on_watermark(&task->valve, message->channel,
                                     watermark_decode(message))) {
        pass_watermark(task);
    }
}

/* The whole input is read: tells downstream and the JobManager, then waits for the final
 * checkpoint. */
static void end_of_data(struct task *task)
{
    CHECK(task->state == TASK_RUNNING);
    if (task->context.watermark_ms < WATERMARK_MAX) {
        operator_chain_watermark(&task->chain, (struct watermark){ .ms = WATERMARK_MAX });
    }
    operator_chain_finish(&task->chain);
    task->state = TASK_END_OF_DATA;
    if (task->aligner.mode == ALIGNER_AT_LEAST_ONCE) {
        task->newest_before_end = task->aligner.latest_id;
    }
    output_set_broadcast(
        &task->outputs, task->host,
        message_of_kind(task->host, MESSAGE_STREAM_ENDED, task->context.attempt));
    task_report(task, FACT_TASK_END_OF_DATA, 0, 0, 0);
    if (task->deployed->state.finished) {
        task->final_checkpoint = task->deployment->checkpoint; /* it was before the restore */
        task->newest_notified = task->final_checkpoint;
        task_finish_if_due(task);
    } else {
        task_tell_job_manager(task, MESSAGE_END_OF_DATA);
    }
}

static void on_stream_ended(struct task *task, const struct message *message)
{
    if (task->valve.channel_count > 0 &&
        watermark_valve_on_end(&task->valve, message->channel)) {
        pass_watermark(task);
    }
    if (++task->streams_ended == task->channel_count) {
        end_of_data(task);
    }
}

void task_process_input(struct task *task, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_DATA: on_data(task, message); break;
    case MESSAGE_WATERMARK: on_watermark(task, message); break;
    case MESSAGE_BARRIER: task_on_barrier(task, message); break;
    case MESSAGE_STREAM_ENDED: on_stream_ended(task, message); break;
    case MESSAGE_END_OF_PARTITION: task_on_end_of_partition(task, message); break;
    default: CHECK_UNREACHABLE("a message of a channel");
    }
    host_message_free(task->host, message);
}

void task_report_progress(struct task *task, bool force)
{
    uint64_t now_ns = host_now_ns(task->host);
    if (!force && now_ns < task->progress_ns + PROGRESS_INTERVAL_NS) {
        return;
    }
    task->progress_ns = now_ns;
    uint64_t due_ns = source_due_ns(task->source);
    uint64_t lag_ns = due_ns > 0 && now_ns > due_ns ? now_ns - due_ns : 0;
    task_report(task, FACT_SOURCE_PROGRESS, 0, source_records(task->source), lag_ns);
}

/* A few times per buffer timeout, not once a record: what is due waits in a buffer anyway. What has
 * not come is looked for not too often, even if nothing waits in buffers. */
static uint64_t next_pull_ns(const struct task *task, uint64_t now_ns)
{
    uint64_t due_ns = source_due_ns(task->source);
    uint64_t pause_ns = task->config->buffer_timeout_ns / SOURCE_PULLS_PER_BUFFER_TIMEOUT;
    if (due_ns == 0 && pause_ns < SOURCE_LOOK_NS) {
        pause_ns = SOURCE_LOOK_NS;
    }
    return due_ns > now_ns + pause_ns ? due_ns : now_ns + pause_ns;
}

void task_pull_source(struct task *task)
{
    enum source_state state;
    uint64_t now_ns = host_now_ns(task->host);
    uint32_t records = source_pull(task->source, SOURCE_STEP_RECORDS, now_ns, &state);
    host_charge(task->host, HOST_WORK_RECORDS, records);
    bool has_caught_up = task->is_catching_up && state == SOURCE_WAIT;
    task->is_catching_up = task->is_catching_up && !has_caught_up;
    task_report_progress(task, state == SOURCE_END || has_caught_up);
    if (task_has_failed(task)) {
        return;
    }
    if (state == SOURCE_END) {
        end_of_data(task);
    } else if (state == SOURCE_MORE) {
        task_schedule_work(task);
    } else {
        task_schedule_work_at(task, next_pull_ns(task, now_ns));
    }
}
