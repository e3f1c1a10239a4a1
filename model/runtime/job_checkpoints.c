#include <string.h>

#include "model/base/check.h"
#include "model/checkpoint/carried.h"
#include "model/checkpoint/store.h"
#include "model/runtime/job_manager.h"
#include "model/runtime/task.h"

/* ---- what has been acked --------------------------------------------------------------------- */

static struct pending_checkpoint *find_pending(const struct job_manager *manager, uint64_t id)
{
    struct pending_checkpoint *pending = manager->pending;
    while (pending != NULL && pending->id != id) {
        pending = pending->next;
    }
    return pending;
}

bool job_checkpoints_is_pending(const struct job_manager *manager, uint64_t id)
{
    return find_pending(manager, id) != NULL;
}

static void add_pending(struct job_manager *manager, const struct trigger *trigger)
{
    struct arena *arena = manager->host->arena;
    struct pending_checkpoint *pending = arena_alloc(arena, 1, sizeof *pending);
    *pending = (struct pending_checkpoint){ .id = trigger->checkpoint,
                                            .triggered_ns = trigger->triggered_ns,
                                            .base = trigger->base,
                                            .all_after_end = true };
    pending->states = arena_alloc(arena, manager->task_count, sizeof *pending->states);
    struct pending_checkpoint **link = &manager->pending;
    while (*link != NULL) {
        CHECK((*link)->id < pending->id);
        link = &(*link)->next;
    }
    *link = pending;
}

static void drop_pending(struct job_manager *manager, uint64_t id)
{
    struct pending_checkpoint **link = &manager->pending;
    while (*link != NULL && (*link)->id != id) {
        link = &(*link)->next;
    }
    struct pending_checkpoint *pending = *link;
    if (pending == NULL) {
        return;
    }
    *link = pending->next;
    struct arena *arena = manager->host->arena;
    for (uint32_t i = 0; i < manager->task_count; i++) {
        arena_free(arena, (void *)(uintptr_t)pending->states[i].operators.data);
        arena_free(arena, (void *)(uintptr_t)pending->states[i].keyed.parts.data);
    }
    arena_free(arena, pending->states);
    arena_free(arena, pending);
}

/* ---- messages to subtasks -------------------------------------------------------------------- */

static bool vertex_is_finished(const struct job_manager *manager, uint32_t vertex)
{
    for (uint32_t i = 0; i < manager->parallelism; i++) {
        uint32_t task = task_index(manager->parallelism, vertex, i);
        if (manager->tasks[task].state != JOB_TASK_FINISHED) {
            return false;
        }
    }
    return true;
}

/* The subtasks of a vertex take part from the JobManager's word if nobody upstream can send them
 * the barrier: sources, and those whose inputs have all finished. */
static void trigger_vertex(struct job_manager *manager, uint32_t vertex,
                           const struct trigger *trigger)
{
    const struct vertex *reader = &manager->pipeline->vertices[vertex];
    bool is_open = false; /* for all subtasks alike */
    for (uint32_t i = 0; i < reader->input_count; i++) {
        is_open = is_open || (reader->inputs[i].exchange != EXCHANGE_FORWARD &&
                              !vertex_is_finished(manager, reader->inputs[i].vertex));
    }
    for (uint32_t subtask = 0; !is_open && subtask < manager->parallelism; subtask++) {
        const struct job_task *task =
            &manager->tasks[task_index(manager->parallelism, vertex, subtask)];
        bool is_due = task->state != JOB_TASK_FINISHED;
        for (uint32_t i = 0; i < reader->input_count; i++) {
            uint32_t feeder = task_index(manager->parallelism, reader->inputs[i].vertex, subtask);
            is_due = is_due && (reader->inputs[i].exchange != EXCHANGE_FORWARD ||
                                manager->tasks[feeder].state == JOB_TASK_FINISHED);
        }
        if (is_due) {
            host_send(manager->host, task->address,
                      trigger_encode(manager->host, MESSAGE_TRIGGER, manager->record.attempt,
                                     trigger));
        }
    }
}

static void trigger_all(struct job_manager *manager, const struct trigger *trigger)
{
    for (uint32_t i = 0; i < manager->pipeline->vertex_count; i++) {
        trigger_vertex(manager, i, trigger);
    }
}

static void notify_all(struct job_manager *manager, enum message_kind kind, uint64_t id)
{
    for (uint32_t i = 0; i < manager->task_count; i++) {
        if (manager->tasks[i].state != JOB_TASK_FINISHED) {
            host_send(manager->host, manager->tasks[i].address,
                      message_of_number(manager->host, kind, manager->record.attempt, id));
        }
    }
}

/* ---- the coordinator's actions --------------------------------------------------------------- */

/* The id is durable before anybody hears of it (R1, C1). If it cannot be made so, nobody does: the
 * next JobManager may use it. */
static void do_trigger(struct job_manager *manager, uint64_t id)
{
    CHECK(id >= manager->record.next_checkpoint);
    manager->record.next_checkpoint = id + 1;
    enum status status = job_record_store(manager->host, &manager->record);
    if (status != STATUS_OK && status != STATUS_HALTED) {
        manager->nameless_id = id;
        coordinator_on_trigger_failed(manager->coordinator, host_now_ns(manager->host), id);
        return;
    }
    struct trigger trigger = { .checkpoint = id };
    if (status == STATUS_OK) {
        status = store_begin(manager->store, id, job_config_shares_files(manager->config));
    }
    if (status == STATUS_OK) {
        trigger.base = job_shared_begin(manager, id);
    }
    if (status == STATUS_HALTED) {
        return;
    }
    trigger.triggered_ns = host_now_ns(manager->host);
    job_manager_report(manager, FACT_CHECKPOINT_TRIGGERED, id, 0, 0, "");
    if (status != STATUS_OK) {
        coordinator_on_trigger_failed(manager->coordinator, trigger.triggered_ns, id);
        return;
    }
    add_pending(manager, &trigger);
    trigger_all(manager, &trigger);
}

static void encode_pending(struct job_manager *manager, const struct pending_checkpoint *pending,
                           struct buffer *out)
{
    const struct pipeline *pipeline = manager->pipeline;
    struct manifest_vertex vertices[PIPELINE_VERTEX_COUNT_MAX];
    for (uint32_t i = 0; i < pipeline->vertex_count; i++) {
        vertices[i] = (struct manifest_vertex){
            .name = bytes_of_text(pipeline->vertices[i].name),
            .parallelism = manager->parallelism,
            .subtasks = pending->states + task_index(manager->parallelism, i, 0),
        };
    }
    struct manifest manifest = { .job = bytes_of_text(manager->config->job),
                                 .checkpoint = pending->id,
                                 .attempt = manager->record.attempt,
                                 .triggered_ns = pending->triggered_ns,
                                 .max_parallelism = manager->max_parallelism,
                                 .vertex_count = pipeline->vertex_count,
                                 .vertices = vertices };
    manifest_encode(out, &manifest);
}

/* Subtasks that finished before their snapshot are part of the checkpoint as finished. */
static void mark_finished(struct job_manager *manager, struct pending_checkpoint *pending)
{
    for (uint32_t i = 0; i < manager->task_count; i++) {
        if (coordinator_was_finished(manager->coordinator, pending->id, i)) {
            pending->states[i].finished = true;
        }
    }
}

/* R2: noted before anybody commits output because of it. If the note cannot be written now it is
 * with the record's next change: the manifest speaks for itself. Not so one in memory, of which
 * nobody knew any more if this process died. */
static enum status note_completed(struct job_manager *manager, uint64_t id)
{
    uint64_t before = manager->record.newest_completed;
    manager->record.newest_completed = id;
    enum status status = job_record_store(manager->host, &manager->record);
    if (status == STATUS_OK || status == STATUS_HALTED) {
        return status;
    }
    if (manager->config->checkpoint.store != STORE_MEMORY) {
        return STATUS_OK;
    }
    manager->record.newest_completed = before;
    return status;
}

/* J4. No later checkpoint can be committed to such a store either, and without one the job would
 * run for nothing: nothing of its output would ever be seen. */
static void refuse_store(struct job_manager *manager, uint64_t id)
{
    char *why = arena_format(manager->host->arena,
                             "the checkpoint store is damaged: checkpoint %llu cannot be committed "
                             "to it",
                             (unsigned long long)id);
    job_manager_give_up(manager, true, why);
    arena_free(manager->host->arena, why);
}

static void do_commit(struct job_manager *manager, uint64_t id)
{
    struct pending_checkpoint *pending = find_pending(manager, id);
    CHECK(pending != NULL);
    job_manager_report(manager, FACT_CHECKPOINT_ALL_ACKED, id, 0, 0, "");
    mark_finished(manager, pending);
    struct buffer bytes;
    buffer_init(&bytes, manager->host->arena);
    encode_pending(manager, pending, &bytes);
    enum status status =
        store_commit(manager->store, id, manager->record.attempt, buffer_bytes(&bytes));
    buffer_free(&bytes);
    if (status == STATUS_OK) {
        status = note_completed(manager, id);
    }
    if (status == STATUS_HALTED) {
        return;
    }
    if (status != STATUS_OK) {
        host_mark(manager->host, MARK_COMMIT_IN_DOUBT);
        manager->restore_below = UINT64_MAX; /* if it is there it is newer than what was given up */
        manager->restore_tries = 0;
        coordinator_on_commit_failed(manager->coordinator, host_now_ns(manager->host), id, true);
        if (status == STATUS_CORRUPT) {
            refuse_store(manager, id);
        }
        return;
    }
    uint64_t now_ns = host_now_ns(manager->host);
    job_manager_report(manager, FACT_CHECKPOINT_COMPLETED, id, pending->bytes,
                       now_ns - pending->triggered_ns, "");
    manager->restore_below = UINT64_MAX; /* what was unreadable is not the newest any more */
    manager->restore_tries = 0;
    job_shared_on_completed(manager, id);
    job_checkpoints_tidy(manager);
    if (pending->all_after_end) {
        coordinator_mark_final(manager->coordinator, id);
    }
    coordinator_on_committed(manager->coordinator, now_ns, id);
}

static void keep_leftover(struct job_manager *manager, uint64_t id, bool is_subsumed)
{
    manager->leftovers =
        arena_grow(manager->host->arena, manager->leftovers, &manager->leftover_capacity,
                   manager->leftover_count + 1, sizeof *manager->leftovers);
    manager->leftovers[manager->leftover_count++] =
        (struct leftover){ .id = id, .is_subsumed = is_subsumed };
}

/* Removes a checkpoint's files; what cannot be removed now is tried again, at the latest by the
 * next JobManager, which tidies the store. What damage keeps in it is left there (T5). */
static void discard(struct job_manager *manager, uint64_t id, bool is_subsumed)
{
    enum status status = store_discard(manager->store, id);
    if (status == STATUS_OK) {
        (void)id_list_remove(&manager->record.given_up, id);
    }
    if (status == STATUS_OK && is_subsumed) {
        job_manager_report(manager, FACT_CHECKPOINT_SUBSUMED, id, 0, 0, "");
    }
    if (status == STATUS_OK) {
        status = job_shared_discard(manager, id, is_subsumed); /* I3: after its manifest */
    }
    if (status != STATUS_OK && status != STATUS_HALTED) {
        host_mark(manager->host, MARK_DISCARD_FAILED);
        if (status != STATUS_CORRUPT) {
            keep_leftover(manager, id, is_subsumed);
        }
    }
}

void job_checkpoints_tidy(struct job_manager *manager)
{
    size_t count = manager->leftover_count;
    for (size_t i = 0; i < count; i++) {
        struct leftover leftover = manager->leftovers[i];
        discard(manager, leftover.id, leftover.is_subsumed); /* appends it again if need be */
    }
    CHECK(manager->leftover_count >= count);
    manager->leftover_count -= count;
    for (size_t i = 0; i < manager->leftover_count; i++) {
        manager->leftovers[i] = manager->leftovers[i + count];
    }
    job_shared_tidy(manager);
}

bool job_checkpoints_is_tidy(const struct job_manager *manager)
{
    return manager->leftover_count == 0 && job_shared_is_tidy(manager);
}

static void mark_abort(struct job_manager *manager, const char *reason)
{
    if (strcmp(reason, "expired") == 0) {
        host_mark(manager->host, MARK_CHECKPOINT_EXPIRED);
    } else if (strcmp(reason, "subsumed") == 0) {
        host_mark(manager->host, MARK_CHECKPOINT_OVERTAKEN);
    }
}

static void perform(struct job_manager *manager, const struct coordinator_action *action)
{
    switch (action->kind) {
    case COORDINATOR_TRIGGER:
        do_trigger(manager, action->id);
        break;
    case COORDINATOR_COMMIT:
        do_commit(manager, action->id);
        break;
    case COORDINATOR_NOTIFY_COMPLETE:
        drop_pending(manager, action->id);
        notify_all(manager, MESSAGE_NOTIFY_COMPLETE, action->id); /* J2 */
        break;
    case COORDINATOR_NOTIFY_ABORTED:
        if (action->id == manager->nameless_id) {
            job_manager_report(manager, FACT_CHECKPOINT_ABORTED, 0, 0, 0, action->reason);
            break;
        }
        drop_pending(manager, action->id);
        job_manager_report(manager, FACT_CHECKPOINT_ABORTED, action->id, 0, 0, action->reason);
        mark_abort(manager, action->reason);
        notify_all(manager, MESSAGE_NOTIFY_ABORTED, action->id);
        break;
    case COORDINATOR_DISCARD:
        discard(manager, action->id, false);
        break;
    case COORDINATOR_DISCARD_ACK:
        break; /* its files lay in folders that were discarded whole (I4) */
    case COORDINATOR_SUBSUME:
        discard(manager, action->id, true);
        break;
    case COORDINATOR_WAKE:
        job_manager_wake_at(manager, action->at_ns);
        break;
    case COORDINATOR_FAIL_JOB:
        job_manager_fail(manager, PROCESS_JOB_MANAGER, action->reason);
        break;
    }
}

/* Carries out what was decided, and what that leads to. An action may end in an event that comes
 * back here: the outer call goes on. */
static void perform_all(struct job_manager *manager)
{
    if (manager->performing) {
        return;
    }
    manager->performing = true;
    for (;;) {
        uint32_t count;
        const struct coordinator_action *actions =
            coordinator_take_actions(manager->coordinator, &count);
        if (count == 0) {
            break;
        }
        for (uint32_t i = 0; i < count; i++) {
            perform(manager, &actions[i]);
        }
    }
    manager->performing = false;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* R4: what the last JobManager gave up does not count. What is gone needs no note any more. */
static void recall_given_up(struct job_manager *manager)
{
    struct id_list *given_up = &manager->record.given_up;
    for (size_t i = given_up->count; i > 0; i--) {
        uint64_t id = given_up->ids[i - 1];
        if (coordinator_give_up(manager->coordinator, id)) {
            host_mark(manager->host, MARK_GIVEN_UP_RECALLED);
        } else {
            (void)id_list_remove(given_up, id);
        }
    }
}

enum status job_checkpoints_open(struct job_manager *manager)
{
    const struct job_config *config = manager->config;
    struct coordinator_options options = {
        .interval_ns = config->checkpoint.interval_ns,
        .timeout_ns = config->checkpoint.timeout_ns,
        .min_pause_ns = config->checkpoint.min_pause_ns,
        .max_concurrent = config->checkpoint.max_concurrent,
        .tolerable_failures = config->checkpoint.tolerable_failures,
        .retained = config->checkpoint.retained,
        .task_count = manager->task_count,
    };
    enum status status = store_open(manager->host, config->checkpoint.store, &manager->store);
    if (status == STATUS_OK) {
        status = store_discard_incomplete(manager->store);
    }
    uint64_t *ids = NULL;
    size_t count = 0;
    if (status == STATUS_OK) {
        status = store_list(manager->store, manager->host->arena, &ids, &count);
    }
    if (status == STATUS_OK) {
        status = job_shared_open(manager, ids, count);
    }
    if (status != STATUS_OK) {
        return status;
    }
    manager->coordinator =
        coordinator_create(manager->host->arena, &options, manager->record.next_checkpoint, ids,
                           (uint32_t)count);
    arena_free(manager->host->arena, ids);
    recall_given_up(manager);
    return STATUS_OK;
}

void job_checkpoints_on_restoring(struct job_manager *manager, uint64_t id)
{
    size_t kept_count = 0;
    coordinator_on_restoring(manager->coordinator, id);
    for (size_t i = 0; i < manager->leftover_count; i++) {
        if (manager->leftovers[i].id != id) {
            manager->leftovers[kept_count++] = manager->leftovers[i];
        }
    }
    manager->leftover_count = kept_count;
}

void job_checkpoints_start(struct job_manager *manager)
{
    coordinator_start(manager->coordinator, host_now_ns(manager->host),
                      host_random(manager->host), NULL);
    perform_all(manager);
}

void job_checkpoints_stop(struct job_manager *manager, const char *why)
{
    coordinator_stop(manager->coordinator, host_now_ns(manager->host), why);
    perform_all(manager);
}

void job_checkpoints_on_wake(struct job_manager *manager)
{
    coordinator_on_time(manager->coordinator, host_now_ns(manager->host));
    perform_all(manager);
}

static void keep_carried(struct job_manager *manager, uint64_t id, struct bytes carried)
{
    struct decoder decoder;
    struct bytes path;
    struct bytes part;
    decoder_init(&decoder, carried);
    while (carried_next(&decoder, &path, &part)) {
        store_put(manager->store, id, path, part);
    }
}

static void keep_state(struct job_manager *manager, struct pending_checkpoint *pending,
                       uint32_t task, const struct acknowledgement *acknowledgement)
{
    struct arena *arena = manager->host->arena;
    struct subtask_state *state = &pending->states[task];
    *state = acknowledgement->state;
    state->operators = bytes_copy(arena, state->operators);
    state->keyed.parts = bytes_copy(arena, state->keyed.parts);
    keep_carried(manager, pending->id, acknowledgement->carried);
    job_shared_on_ack(manager, pending->id, &state->keyed);
    pending->bytes += state->operators.size + state->keyed.size_bytes;
    pending->all_after_end = pending->all_after_end && acknowledgement->after_end;
}

void job_checkpoints_on_ack(struct job_manager *manager, const struct message *message)
{
    struct acknowledgement acknowledgement;
    CHECK(acknowledgement_decode(message, &acknowledgement) == STATUS_OK);
    uint64_t id = acknowledgement.checkpoint;
    uint32_t task = message->channel;
    enum coordinator_ack answer =
        coordinator_on_ack(manager->coordinator, host_now_ns(manager->host), id, task);
    bool accepted = answer == COORDINATOR_ACK_ACCEPTED;
    if (answer == COORDINATOR_ACK_LATE) {
        host_mark(manager->host, MARK_ACK_AFTER_EXPIRY);
    }
    if (accepted) {
        struct pending_checkpoint *pending = find_pending(manager, id);
        CHECK(pending != NULL);
        keep_state(manager, pending, task, &acknowledgement);
    }
    host_trace(manager->host,
               &(struct fact){ .kind = accepted ? FACT_ACK_RECEIVED : FACT_ACK_REJECTED,
                               .vertex = task / manager->parallelism,
                               .subtask = task % manager->parallelism,
                               .attempt = message->attempt,
                               .checkpoint = id,
                               .values = { acknowledgement.state.operators.size +
                                               acknowledgement.state.keyed.size_bytes,
                                           acknowledgement.written_bytes } });
    perform_all(manager);
}

void job_checkpoints_on_decline(struct job_manager *manager, const struct message *message)
{
    struct failure failure;
    CHECK(failure_decode(message, &failure) == STATUS_OK);
    uint64_t now_ns = host_now_ns(manager->host);
    if (failure.superseded) {
        coordinator_on_given_up(manager->coordinator, now_ns, failure.checkpoint,
                                message->channel);
        perform_all(manager);
        return;
    }
    char *why = arena_format(manager->host->arena, "declined: %.*s", (int)failure.why.size,
                             (const char *)failure.why.data);
    coordinator_on_decline(manager->coordinator, now_ns, failure.checkpoint, message->channel,
                           why);
    perform_all(manager);
    arena_free(manager->host->arena, why);
}

void job_checkpoints_on_end_of_data(struct job_manager *manager, uint32_t task)
{
    coordinator_on_end_of_data(manager->coordinator, host_now_ns(manager->host), task);
    perform_all(manager);
}

/* Behind what is finished nobody sends barriers any more: what is pending is triggered there
 * directly. A subtask hears of a checkpoint more than once then, which changes nothing. */
static void trigger_downstream(struct job_manager *manager, uint32_t vertex)
{
    bool is_finished = vertex_is_finished(manager, vertex);
    for (uint32_t i = 0; i < manager->pipeline->vertex_count; i++) {
        const struct vertex *reader = &manager->pipeline->vertices[i];
        bool is_behind = false;
        for (uint32_t k = 0; k < reader->input_count; k++) {
            is_behind = is_behind ||
                        (reader->inputs[k].vertex == vertex &&
                         (is_finished || reader->inputs[k].exchange == EXCHANGE_FORWARD));
        }
        for (const struct pending_checkpoint *pending = manager->pending;
             is_behind && pending != NULL; pending = pending->next) {
            struct trigger trigger = { .checkpoint = pending->id,
                                       .triggered_ns = pending->triggered_ns,
                                       .base = pending->base };
            trigger_vertex(manager, i, &trigger);
        }
    }
}

void job_checkpoints_on_finished(struct job_manager *manager, uint32_t task)
{
    coordinator_on_finished(manager->coordinator, host_now_ns(manager->host), task);
    perform_all(manager);
    trigger_downstream(manager, task / manager->parallelism);
}
