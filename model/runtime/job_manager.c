#include "model/runtime/job_manager.h"

#include "model/base/check.h"

enum timer_tag { TIMER_HEARTBEAT, TIMER_DEPLOY, TIMER_COORDINATOR, TIMER_TAKE_OVER, TIMER_TIDY };

/* At the end of the job, the delay of a restore's retry apart (Flink's job clean-up is retried
 * too). After that files remain: a store that never heals must not keep the job from ending. */
enum { TIDY_TRIES = 100, TIDY_DELAY_NS_MIN = 50 * 1000 * 1000 };

void job_manager_report(struct job_manager *manager, enum fact_kind kind, uint64_t checkpoint,
                        uint64_t value0, uint64_t value1, const char *text)
{
    host_trace(manager->host, &(struct fact){ .kind = kind,
                                              .vertex = FACT_NO_TASK,
                                              .subtask = FACT_NO_TASK,
                                              .attempt = manager->record.attempt,
                                              .checkpoint = checkpoint,
                                              .values = { value0, value1 },
                                              .text = bytes_of_text(text) });
}

static uint32_t worker_process(const struct job_manager *manager, const struct worker *worker)
{
    return (uint32_t)(worker - manager->workers) + PROCESS_FIRST_TASK_MANAGER;
}

static struct worker *worker_of(struct job_manager *manager, actor_id address)
{
    uint32_t process = actor_process(address);
    CHECK(process >= PROCESS_FIRST_TASK_MANAGER);
    CHECK(process < PROCESS_FIRST_TASK_MANAGER + manager->config->task_managers);
    return &manager->workers[process - PROCESS_FIRST_TASK_MANAGER];
}

/* ---- the end of an attempt, and of the job --------------------------------------------------- */

/* The files are gone, or it was tried often enough: the job's end is made durable and known. */
static void end_when_tidy(struct job_manager *manager)
{
    job_checkpoints_tidy(manager);
    if (!job_checkpoints_is_tidy(manager) && ++manager->tidy_tries < TIDY_TRIES) {
        uint64_t delay_ns = manager->config->restore_retry_delay_ns;
        manager->state = JOB_TIDYING;
        (void)host_timer_set(manager->host,
                             host_now_ns(manager->host) +
                                 (delay_ns < TIDY_DELAY_NS_MIN ? TIDY_DELAY_NS_MIN : delay_ns),
                             TIMER_TIDY);
        return;
    }
    enum status status = job_record_store(manager->host, &manager->record);
    if (status == STATUS_HALTED) {
        return;
    }
    /* If the record could not be written the next JobManager would run the job's end again: it is
     * idempotent. */
    manager->state = JOB_ENDED;
    if (manager->record.state == JOB_STATE_FINISHED) {
        job_manager_report(manager, FACT_JOB_FINISHED, 0, 0, 0, "");
    } else {
        *buffer_extend(&manager->failure, 1) = '\0';
        job_manager_report(manager, FACT_JOB_FAILED, 0, manager->refused, 0,
                           (const char *)manager->failure.data);
    }
}

static void end_job(struct job_manager *manager, enum job_state state)
{
    const struct pipeline *pipeline = manager->pipeline;
    for (uint32_t i = 0; state == JOB_STATE_FINISHED && i < pipeline->vertex_count; i++) {
        for (uint32_t k = 0; k < pipeline->vertices[i].chain_length; k++) {
            const struct operator_spec *spec = &pipeline->vertices[i].chain[k];
            if (spec->ops->clear_away != NULL) {
                spec->ops->clear_away(manager->host, spec->parameters);
            }
        }
    }
    manager->record.state = state;
    job_shared_end(manager);
    end_when_tidy(manager);
}

/* Every subtask of the attempt that can be reached is gone. */
static void after_cancel(struct job_manager *manager)
{
    CHECK(manager->state == JOB_CANCELLING);
    job_manager_report(manager, FACT_JOB_CANCELLED, 0, 0, 0, "");
    if (manager->failure.size > 0) {
        end_job(manager, JOB_STATE_FAILED);
        return;
    }
    manager->state = JOB_WAITING;
    job_deploy_try(manager);
}

static void check_cancelled(struct job_manager *manager)
{
    if (manager->state != JOB_CANCELLING) {
        return;
    }
    for (uint32_t i = 0; i < manager->config->task_managers; i++) {
        if (manager->workers[i].cancelling) {
            return;
        }
    }
    after_cancel(manager);
}

void job_manager_end_attempt(struct job_manager *manager)
{
    manager->state = JOB_CANCELLING;
    for (uint32_t i = 0; i < manager->config->task_managers; i++) {
        struct worker *worker = &manager->workers[i];
        if (worker->address != 0 && worker->subtask_count > 0) {
            worker->cancelling = true;
            host_send(manager->host, worker->address,
                      message_of_kind(manager->host, MESSAGE_CANCEL, manager->record.attempt));
        }
        worker->subtask_count = 0;
    }
    check_cancelled(manager);
}

bool job_manager_has_attempt(const struct job_manager *manager)
{
    return manager->state == JOB_DEPLOYING || manager->state == JOB_RUNNING;
}

/* Asks the restart strategy; false: the job must end. */
static bool may_restart(struct job_manager *manager)
{
    uint64_t now_ns = host_now_ns(manager->host);
    uint64_t delay_ns;
    if (!restart_on_failure(&manager->restart, now_ns, host_random(manager->host), &delay_ns)) {
        return false;
    }
    manager->deploy_after_ns = now_ns + delay_ns;
    job_manager_report(manager, FACT_RESTART_SCHEDULED, 0, delay_ns, manager->restart.restarts, "");
    return true;
}

static void detect(struct job_manager *manager, uint32_t process, const char *why)
{
    if (manager->state == JOB_DEPLOYING && manager->restore_id != 0) {
        host_mark(manager->host, MARK_FAILURE_DURING_RESTORE);
    }
    job_manager_report(manager, FACT_FAILURE_DETECTED, 0, process, 0, why);
    job_checkpoints_stop(manager, "the job failed");
}

void job_manager_fail(struct job_manager *manager, uint32_t process, const char *why)
{
    if (!job_manager_has_attempt(manager)) {
        return;
    }
    detect(manager, process, why);
    if (!may_restart(manager)) {
        buffer_append_format(&manager->failure, "the restart strategy allows no more: %s", why);
    }
    job_manager_end_attempt(manager);
}

void job_manager_give_up(struct job_manager *manager, bool refused, const char *why)
{
    if (manager->state == JOB_ENDED || manager->state == JOB_TIDYING ||
        manager->failure.size > 0) {
        return;
    }
    manager->refused = refused;
    buffer_append_text(&manager->failure, why);
    if (job_manager_has_attempt(manager)) {
        detect(manager, PROCESS_JOB_MANAGER, why);
        job_manager_end_attempt(manager);
    } else if (manager->state == JOB_WAITING) {
        end_job(manager, JOB_STATE_FAILED);
    }
}

/* ---- TaskManagers ---------------------------------------------------------------------------- */

/* `how` says what happened to "task_manager[N]". */
static void lose_worker(struct job_manager *manager, struct worker *worker, const char *how)
{
    uint32_t process = worker_process(manager, worker);
    bool had_subtasks = worker->subtask_count > 0;
    *worker = (struct worker){ 0 };
    if (had_subtasks) {
        char *why = arena_format(manager->host->arena, "task_manager[%u]: %s",
                                 process - PROCESS_FIRST_TASK_MANAGER, how);
        job_manager_fail(manager, process, why);
        arena_free(manager->host->arena, why);
    }
    check_cancelled(manager);
}

static void on_register(struct job_manager *manager, const struct message *message)
{
    struct registration registration;
    CHECK(registration_decode(message, &registration) == STATUS_OK);
    struct worker *worker = worker_of(manager, message->from);
    if (worker->address == message->from && worker->session == registration.session) {
        host_mark(manager->host, MARK_REGISTRATION_REPEATED);
        host_send(manager->host, worker->address,
                  message_of_kind(manager->host, MESSAGE_REGISTERED, 0));
        return; /* it was impatient */
    }
    if (worker->address == message->from && registration.session < worker->session) {
        return; /* a repetition that came late: it has registered anew since then */
    }
    if (worker->address != 0) {
        host_mark(manager->host, MARK_TASK_MANAGER_CAME_BACK_EMPTY);
        /* It ended its subtasks before it asked; or it is a new process, and the old one's end has
         * not been heard of yet. */
        lose_worker(manager, worker, "came back without its subtasks");
    }
    *worker = (struct worker){ .address = message->from,
                               .slots = registration.slots,
                               .session = registration.session,
                               .heard_ns = host_now_ns(manager->host) };
    host_watch(manager->host, worker->address);
    job_manager_report(manager, FACT_TASK_MANAGER_REGISTERED, 0,
                       worker_process(manager, worker), worker->slots, "");
    host_send(manager->host, worker->address,
              message_of_kind(manager->host, MESSAGE_REGISTERED, 0));
    job_deploy_try(manager);
    job_rescale_try(manager);
}

static void on_heartbeat_timer(struct job_manager *manager)
{
    uint64_t now_ns = host_now_ns(manager->host);
    for (uint32_t i = 0; i < manager->config->task_managers; i++) {
        struct worker *worker = &manager->workers[i];
        if (worker->address == 0) {
            continue;
        }
        if (now_ns >= worker->heard_ns + manager->config->heartbeat_timeout_ns) {
            host_mark(manager->host, MARK_TASK_MANAGER_SILENT);
            lose_worker(manager, worker, "no heartbeat within the timeout");
        } else {
            host_send(manager->host, worker->address,
                      message_of_kind(manager->host, MESSAGE_HEARTBEAT, 0));
        }
    }
    (void)host_timer_set(manager->host, now_ns + manager->config->heartbeat_interval_ns,
                         TIMER_HEARTBEAT);
}

/* What a TaskManager says. */
static void on_worker_message(struct job_manager *manager, const struct message *message)
{
    struct worker *worker = worker_of(manager, message->from);
    bool known = worker->address == message->from;
    if (message->kind == HOST_PEER_LOST) {
        if (known) {
            lose_worker(manager, worker, "connection lost");
        }
    } else if (!known) {
        host_mark(manager->host, MARK_TASK_MANAGER_UNKNOWN);
        host_send(manager->host, message->from,
                  message_of_kind(manager->host, MESSAGE_UNKNOWN, 0));
    } else {
        worker->heard_ns = host_now_ns(manager->host);
        if (message->kind == MESSAGE_CANCELLED && message->attempt == manager->record.attempt) {
            worker->cancelling = false;
            check_cancelled(manager);
        }
    }
}

/* ---- subtasks -------------------------------------------------------------------------------- */

static void run_all(struct job_manager *manager)
{
    manager->state = JOB_RUNNING;
    manager->restore_tries = 0; /* what was chosen could be read */
    job_manager_report(manager, FACT_JOB_RUNNING, manager->restore_id, 0, 0, "");
    for (uint32_t i = 0; i < manager->task_count; i++) {
        host_send(manager->host, manager->tasks[i].address,
                  message_of_kind(manager->host, MESSAGE_RUN, manager->record.attempt));
    }
    job_checkpoints_start(manager);
}

static void on_finished(struct job_manager *manager, uint32_t task)
{
    if (manager->tasks[task].state == JOB_TASK_FINISHED) {
        return;
    }
    manager->tasks[task].state = JOB_TASK_FINISHED;
    manager->finished_count++;
    job_checkpoints_on_finished(manager, task);
    if (manager->finished_count == manager->task_count && manager->state == JOB_RUNNING) {
        job_checkpoints_stop(manager, "the job has finished");
        end_job(manager, JOB_STATE_FINISHED);
    }
}

static void on_failed(struct job_manager *manager, const struct message *message)
{
    struct failure failure;
    CHECK(failure_decode(message, &failure) == STATUS_OK);
    char *why = arena_format(manager->host->arena, "%.*s", (int)failure.why.size,
                             (const char *)failure.why.data);
    if (failure.checkpoint != 0) {
        job_deploy_unreadable(manager, failure.checkpoint, why);
        if (job_manager_has_attempt(manager)) {
            detect(manager, actor_process(message->from), why);
            job_manager_end_attempt(manager);
        }
    } else if (failure.is_final) {
        job_manager_give_up(manager, false, why);
    } else {
        job_manager_fail(manager, actor_process(message->from), why);
    }
    arena_free(manager->host->arena, why);
}

static void on_task_message(struct job_manager *manager, const struct message *message)
{
    if (message->attempt != manager->record.attempt || !job_manager_has_attempt(manager)) {
        job_manager_report(manager, FACT_MESSAGE_FENCED, 0, message->attempt, 0, "");
        if (message->kind == MESSAGE_ACK) {
            host_mark(manager->host, MARK_FENCED_ACK);
        }
        return; /* J1: of an attempt that is over */
    }
    CHECK(message->channel < manager->task_count);
    switch (message->kind) {
    case MESSAGE_RESTORED:
        if (manager->tasks[message->channel].state != JOB_TASK_DEPLOYED) {
            break; /* said twice */
        }
        manager->tasks[message->channel].state = JOB_TASK_RESTORED;
        if (++manager->restored_count == manager->task_count) {
            run_all(manager);
        }
        break;
    case MESSAGE_ACK:
        job_checkpoints_on_ack(manager, message);
        break;
    case MESSAGE_DECLINE:
        job_checkpoints_on_decline(manager, message);
        break;
    case MESSAGE_END_OF_DATA:
        job_checkpoints_on_end_of_data(manager, message->channel);
        break;
    case MESSAGE_FINISHED:
        on_finished(manager, message->channel);
        break;
    case MESSAGE_FAILED:
        on_failed(manager, message);
        break;
    default:
        CHECK_UNREACHABLE("a message for the JobManager");
    }
}

/* ---- entry points ---------------------------------------------------------------------------- */

void job_manager_deploy_at(struct job_manager *manager, uint64_t due_ns)
{
    host_timer_cancel(manager->host, manager->deploy_timer);
    manager->deploy_timer = host_timer_set(manager->host, due_ns, TIMER_DEPLOY);
}

void job_manager_wake_at(struct job_manager *manager, uint64_t due_ns)
{
    host_timer_cancel(manager->host, manager->wake_timer);
    manager->wake_timer = host_timer_set(manager->host, due_ns, TIMER_COORDINATOR);
}

void job_manager_size_tasks(struct job_manager *manager)
{
    CHECK(manager->pending == NULL);
    manager->parallelism = manager->record.parallelism;
    manager->max_parallelism = manager->record.max_parallelism;
    manager->task_count = manager->pipeline->vertex_count * manager->parallelism;
    arena_free(manager->host->arena, manager->tasks);
    manager->tasks = arena_alloc(manager->host->arena, manager->task_count, sizeof *manager->tasks);
}

/* Takes the leadership: a new epoch, durable before anything else is done (R1). A store that is in
 * trouble is asked again (J4); one whose content is damaged is not. */
static void take_over(struct job_manager *manager)
{
    enum status status = job_record_load(manager->host, &manager->record);
    if (status == STATUS_OK) {
        manager->record.epoch++;
        if (manager->record.parallelism == 0) {
            manager->record.parallelism = manager->config->parallelism;
            manager->record.max_parallelism = manager->config->max_parallelism;
        }
        status = job_record_store(manager->host, &manager->record);
    }
    if (status == STATUS_OK) {
        job_manager_size_tasks(manager);
        status = job_checkpoints_open(manager);
    }
    if (status == STATUS_HALTED) {
        return;
    }
    if (status == STATUS_IO || status == STATUS_NO_SPACE) {
        manager->state = JOB_STARTING;
        (void)host_timer_set(manager->host,
                             host_now_ns(manager->host) +
                                 manager->config->restore_retry_delay_ns,
                             TIMER_TAKE_OVER);
        return;
    }
    manager->state = JOB_WAITING;
    manager->started_ns = host_now_ns(manager->host);
    job_manager_report(manager, FACT_JOB_MANAGER_STARTED, 0, manager->record.epoch, 0, "");
    if (status != STATUS_OK) {
        manager->refused = true;
        buffer_append_format(&manager->failure, "the job's durable record or its checkpoints: %s",
                             status_text(status));
        manager->state = JOB_ENDED;
        *buffer_extend(&manager->failure, 1) = '\0';
        job_manager_report(manager, FACT_JOB_FAILED, 0, 1, 0,
                           (const char *)manager->failure.data);
    } else if (manager->record.state == JOB_STATE_FINISHED) {
        manager->state = JOB_ENDED;
        job_manager_report(manager, FACT_JOB_FINISHED, 0, 0, 0, "");
    } else if (manager->record.state == JOB_STATE_FAILED) {
        manager->state = JOB_ENDED;
        job_manager_report(manager, FACT_JOB_FAILED, 0, 0, 0, "the job had failed before");
    }
}

static void *job_manager_start(struct host *host, struct bytes bytes)
{
    struct process_argument argument = process_argument_of(bytes);
    struct job_manager *manager = arena_alloc(host->arena, 1, sizeof *manager);
    manager->host = host;
    manager->config = argument.config;
    manager->pipeline = argument.pipeline;
    manager->restore_below = UINT64_MAX;
    manager->workers =
        arena_alloc(host->arena, manager->config->task_managers, sizeof *manager->workers);
    buffer_init(&manager->failure, host->arena);
    restart_init(&manager->restart, &manager->config->restart);
    take_over(manager);
    if (manager->state != JOB_ENDED) {
        (void)host_timer_set(host, host_now_ns(host) + manager->config->heartbeat_interval_ns,
                             TIMER_HEARTBEAT);
    }
    return manager;
}

static void job_manager_message(void *self, struct message *message)
{
    struct job_manager *manager = self;
    if (manager->state == JOB_ENDED) {
        host_message_free(manager->host, message);
        return;
    }
    switch (message->kind) {
    case MESSAGE_REGISTER:
        on_register(manager, message);
        break;
    case MESSAGE_RESCALE: job_rescale_on_request(manager, message); break;
    case HOST_PEER_LOST:
    case MESSAGE_HEARTBEAT:
    case MESSAGE_CANCELLED:
        on_worker_message(manager, message);
        break;
    default:
        on_task_message(manager, message);
    }
    host_message_free(manager->host, message);
}

static void job_manager_timer(void *self, timer_id timer, uint64_t tag)
{
    struct job_manager *manager = self;
    if (manager->state == JOB_ENDED) {
        return;
    }
    switch ((enum timer_tag)tag) {
    case TIMER_HEARTBEAT:
        on_heartbeat_timer(manager);
        break;
    case TIMER_DEPLOY:
        CHECK(timer == manager->deploy_timer);
        manager->deploy_timer = 0;
        job_deploy_try(manager);
        break;
    case TIMER_TAKE_OVER:
        CHECK(manager->state == JOB_STARTING);
        take_over(manager);
        job_deploy_try(manager);
        break;
    case TIMER_TIDY:
        CHECK(manager->state == JOB_TIDYING);
        end_when_tidy(manager);
        break;
    case TIMER_COORDINATOR:
        CHECK(timer == manager->wake_timer);
        manager->wake_timer = 0;
        job_checkpoints_on_wake(manager);
        break;
    }
}

const struct actor_ops job_manager_actor = {
    .name = "job_manager",
    .on_start = job_manager_start,
    .on_message = job_manager_message,
    .on_timer = job_manager_timer,
};
