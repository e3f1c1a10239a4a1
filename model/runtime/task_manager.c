/* The TaskManager: offers slots to the JobManager, starts and ends subtasks, answers heartbeats.
 *
 * It serves one JobManager at a time. When the connection is lost, or no heartbeat comes for the
 * timeout, every subtask is ended and the TaskManager registers again until somebody answers; so a
 * TaskManager that was away for long comes back empty. */
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/runtime/messages.h"
#include "model/runtime/process.h"
#include "model/runtime/task.h"

enum { REGISTER_RETRY_NS = 500 * 1000 * 1000 };

enum timer_tag { TIMER_REGISTER, TIMER_HEARTBEAT };

struct task_manager {
    struct host *host;
    struct process_argument argument;
    actor_id job_manager; /* 0: not registered */
    uint64_t heard_ns;    /* when the JobManager was last heard */
    timer_id timer;       /* the next registration, or the next look at the heartbeat */
    uint64_t newest_attempt; /* deployed here; an order to deploy an older one is void */
    uint32_t session;     /* see struct registration */
    struct message *deploy_message; /* what `deployment` borrows from; NULL: nothing deployed */
    struct deployment *deployment;
};

struct process_argument process_argument_of(struct bytes argument)
{
    struct process_argument result;
    CHECK(argument.size == sizeof result);
    memcpy(&result, argument.data, argument.size);
    return result;
}

void process_directory(char directory[PROCESS_DIRECTORY_SIZE], actor_id self)
{
    int length = snprintf(directory, PROCESS_DIRECTORY_SIZE, "process-%u", actor_process(self));
    CHECK(length > 0 && length < PROCESS_DIRECTORY_SIZE);
}

/* One timer at a time: it either registers or watches. */
static void set_timer(struct task_manager *manager, uint64_t delay_ns, enum timer_tag tag)
{
    host_timer_cancel(manager->host, manager->timer);
    manager->timer =
        host_timer_set(manager->host, host_now_ns(manager->host) + delay_ns, tag);
}

static void ask_for_registration(struct task_manager *manager)
{
    CHECK(manager->job_manager == 0);
    struct registration registration = { .slots = manager->argument.config->slots,
                                         .session = manager->session };
    host_send(manager->host,
              actor_address(PROCESS_JOB_MANAGER, HOST_INCARNATION_ANY, HOST_MAIN_ACTOR),
              registration_encode(manager->host, &registration));
    set_timer(manager, REGISTER_RETRY_NS, TIMER_REGISTER);
}

static void *task_manager_start(struct host *host, struct bytes argument)
{
    struct task_manager *manager = arena_alloc(host->arena, 1, sizeof *manager);
    manager->host = host;
    manager->argument = process_argument_of(argument);
    ask_for_registration(manager);
    return manager;
}

/* Ends every subtask with its uploader. */
static void end_subtasks(struct task_manager *manager)
{
    struct deployment *deployment = manager->deployment;
    if (deployment == NULL) {
        return;
    }
    actor_id self = manager->host->self;
    for (uint32_t i = 0; i < deployment->subtask_count; i++) {
        uint32_t index = deployment->subtasks[i].actor_index;
        host_stop(manager->host,
                  actor_address(actor_process(self), actor_incarnation(self), index));
        host_stop(manager->host,
                  actor_address(actor_process(self), actor_incarnation(self), index + 1));
    }
    arena_free(manager->host->arena, deployment->addresses);
    arena_free(manager->host->arena, deployment->subtasks);
    arena_free(manager->host->arena, deployment);
    host_message_free(manager->host, manager->deploy_message);
    manager->deployment = NULL;
    manager->deploy_message = NULL;
}

static void lose_job_manager(struct task_manager *manager)
{
    end_subtasks(manager);
    manager->job_manager = 0;
    manager->session++;
    ask_for_registration(manager);
}

static void on_registered(struct task_manager *manager, actor_id job_manager)
{
    end_subtasks(manager); /* of a JobManager that is no more */
    manager->job_manager = job_manager;
    manager->heard_ns = host_now_ns(manager->host);
    host_watch(manager->host, job_manager);
    set_timer(manager, manager->argument.config->heartbeat_interval_ns, TIMER_HEARTBEAT);
}

/* What earlier attempts left on the LOCAL volume is waste. If it cannot be removed, or the
 * directory not be made, the subtasks that need it fail and say so. */
static void empty_directory(struct task_manager *manager)
{
    char directory[PROCESS_DIRECTORY_SIZE];
    process_directory(directory, manager->host->self);
    enum status status = backend_empty_directory(
        manager->host, manager->argument.config->state.backend, directory);
    CHECK(status == STATUS_OK || status == STATUS_HALTED || status == STATUS_IO ||
          status == STATUS_NO_SPACE);
}

static void on_deploy(struct task_manager *manager, struct message *message)
{
    if (message->attempt <= manager->newest_attempt) {
        host_mark(manager->host, MARK_OLD_DEPLOYMENT_DROPPED);
        host_message_free(manager->host, message);
        return;
    }
    manager->newest_attempt = message->attempt;
    end_subtasks(manager);
    empty_directory(manager);
    struct deployment *deployment = arena_alloc(manager->host->arena, 1, sizeof *deployment);
    CHECK(deployment_decode(message, manager->host->arena, deployment) == STATUS_OK);
    manager->deployment = deployment;
    manager->deploy_message = message;
    for (uint32_t i = 0; i < deployment->subtask_count; i++) {
        struct task_argument argument = { .config = manager->argument.config,
                                          .pipeline = manager->argument.pipeline,
                                          .deployment = deployment,
                                          .index = i };
        uint32_t index = deployment->subtasks[i].actor_index;
        (void)host_spawn(manager->host, index, &task_actor,
                         (struct bytes){ .data = (const uint8_t *)&argument,
                                         .size = sizeof argument });
    }
}

static void on_cancel(struct task_manager *manager, uint64_t attempt)
{
    if (manager->deployment != NULL && manager->deployment->attempt <= attempt) {
        end_subtasks(manager);
    }
    host_send(manager->host, manager->job_manager,
              message_of_kind(manager->host, MESSAGE_CANCELLED, attempt));
}

/* Does the attempt that runs here exchange records with this incarnation of a process? */
static bool has_channels_to(const struct task_manager *manager, actor_id peer)
{
    const struct deployment *deployment = manager->deployment;
    for (uint32_t i = 0; deployment != NULL && i < deployment->task_count; i++) {
        actor_id address = deployment->addresses[i];
        if (actor_process(address) == actor_process(peer) &&
            actor_incarnation(address) == actor_incarnation(peer)) {
            return true;
        }
    }
    return false;
}

/* The data connection to another TaskManager broke: nothing more comes over it, so the attempt
 * cannot go on (Flink: RemoteTransportException). One subtask says so for all; the JobManager ends
 * them. A connection that broke before the attempt was deployed here is made anew by it. */
static void on_channels_lost(struct task_manager *manager, actor_id peer)
{
    if (!has_channels_to(manager, peer) || manager->deployment->subtask_count == 0) {
        return;
    }
    const struct deployment *deployment = manager->deployment;
    const struct deployed_subtask *first = &deployment->subtasks[0];
    char why[64];
    int length = snprintf(why, sizeof why, "data connection to task_manager[%u] lost",
                          actor_process(peer) - PROCESS_FIRST_TASK_MANAGER);
    CHECK(length > 0 && (size_t)length < sizeof why);
    host_trace(manager->host, &(struct fact){ .kind = FACT_CHANNELS_LOST,
                                              .vertex = FACT_NO_TASK,
                                              .subtask = FACT_NO_TASK,
                                              .attempt = deployment->attempt,
                                              .values = { actor_process(peer) },
                                              .text = bytes_of_text(why) });
    struct failure failure = { .why = bytes_of_text(why) };
    host_send(manager->host, deployment->job_manager,
              failure_encode(manager->host, MESSAGE_FAILED, deployment->attempt,
                             task_index(deployment->parallelism, first->vertex, first->subtask),
                             &failure));
}

/* What only the JobManager that we are registered at may say. */
static void on_order(struct task_manager *manager, struct message *message)
{
    manager->heard_ns = host_now_ns(manager->host);
    switch (message->kind) {
    case MESSAGE_DEPLOY:
        on_deploy(manager, message);
        return; /* keeps the message */
    case MESSAGE_CANCEL:
        on_cancel(manager, message->attempt);
        break;
    case MESSAGE_HEARTBEAT:
        host_send(manager->host, manager->job_manager,
                  message_of_kind(manager->host, MESSAGE_HEARTBEAT, 0));
        break;
    case MESSAGE_UNKNOWN:
    case HOST_PEER_LOST:
        lose_job_manager(manager);
        break;
    default:
        CHECK_UNREACHABLE("a message for a TaskManager");
    }
    host_message_free(manager->host, message);
}

static void task_manager_message(void *self, struct message *message)
{
    struct task_manager *manager = self;
    if (message->kind == MESSAGE_REGISTERED) {
        if (message->from != manager->job_manager) {
            on_registered(manager, message->from);
        }
        host_message_free(manager->host, message);
    } else if (message->kind == HOST_CHANNELS_LOST) {
        on_channels_lost(manager, message->from);
        host_message_free(manager->host, message);
    } else if (message->from == manager->job_manager) {
        on_order(manager, message);
    } else {
        host_mark(manager->host, MARK_OLD_JOB_MANAGER_IGNORED);
        host_message_free(manager->host, message); /* of a JobManager that is no more */
    }
}

static void task_manager_timer(void *self, timer_id timer, uint64_t tag)
{
    struct task_manager *manager = self;
    const struct job_config *config = manager->argument.config;
    CHECK(timer == manager->timer);
    manager->timer = 0;
    if (tag == TIMER_REGISTER) {
        ask_for_registration(manager);
    } else if (host_now_ns(manager->host) >= manager->heard_ns + config->heartbeat_timeout_ns) {
        host_mark(manager->host, MARK_JOB_MANAGER_SILENT);
        lose_job_manager(manager);
    } else {
        set_timer(manager, config->heartbeat_interval_ns, TIMER_HEARTBEAT);
    }
}

const struct actor_ops task_manager_actor = {
    .name = "task_manager",
    .on_start = task_manager_start,
    .on_message = task_manager_message,
    .on_timer = task_manager_timer,
};
