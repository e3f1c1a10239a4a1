#include "model/base/check.h"
#include "model/runtime/job_manager.h"

/* Why the job cannot run as the request says; NULL: it can. Owned by the arena. */
static char *objection(const struct job_manager *manager, const struct rescale_request *request)
{
    const struct job_config *config = manager->config;
    struct arena *arena = manager->host->arena;
    if (request->parallelism == 0) {
        return arena_text(arena, "a parallelism of 0 is none");
    }
    if (request->max_parallelism > KEY_GROUP_COUNT_MAX) {
        return arena_format(arena, "max_parallelism is at most %u", (unsigned)KEY_GROUP_COUNT_MAX);
    }
    if (request->parallelism > request->max_parallelism) {
        return arena_format(arena, "parallelism %u is above max_parallelism, which is %u",
                            request->parallelism, request->max_parallelism);
    }
    if ((uint64_t)config->task_managers * config->slots < request->parallelism) {
        return arena_format(arena, "%u TaskManagers with %u slots each are too few for %u subtasks",
                            config->task_managers, config->slots, request->parallelism);
    }
    return NULL;
}

static void note_moment(struct job_manager *manager)
{
    if (manager->state == JOB_DEPLOYING) {
        host_mark(manager->host, MARK_RESCALE_DURING_RESTORE);
    } else if (manager->state != JOB_RUNNING) {
        host_mark(manager->host, MARK_RESCALE_OF_A_STOPPED_JOB);
    }
}

/* Durable before it is answered (R3). If the record cannot be written there is no answer: whoever
 * asked asks again. */
static bool accept(struct job_manager *manager, const struct rescale_request *request)
{
    struct job_record before = manager->record;
    manager->record.parallelism = request->parallelism;
    manager->record.max_parallelism = request->max_parallelism;
    enum status status = job_record_store(manager->host, &manager->record);
    if (status != STATUS_OK) {
        manager->record = before;
        return false;
    }
    note_moment(manager);
    return true;
}

void job_rescale_on_request(struct job_manager *manager, const struct message *message)
{
    struct rescale_request request;
    CHECK(rescale_request_decode(message, &request) == STATUS_OK);
    if (manager->state == JOB_STARTING || manager->state == JOB_TIDYING ||
        manager->failure.size > 0) {
        return; /* it does not know the job yet, or the job is over */
    }
    if (request.max_parallelism == 0) {
        request.max_parallelism = manager->record.max_parallelism;
    }
    char *why = objection(manager, &request);
    bool is_so = request.parallelism == manager->record.parallelism &&
                 request.max_parallelism == manager->record.max_parallelism;
    if (why != NULL) {
        job_manager_report(manager, FACT_RESCALE_REFUSED, 0, request.parallelism,
                           request.max_parallelism, why);
    } else if (is_so || accept(manager, &request)) {
        job_manager_report(manager, FACT_RESCALE_ACCEPTED, 0, request.parallelism,
                           request.max_parallelism, "");
        job_rescale_try(manager);
    }
    arena_free(manager->host->arena, why);
}

void job_rescale_try(struct job_manager *manager)
{
    bool is_so = manager->parallelism == manager->record.parallelism &&
                 manager->max_parallelism == manager->record.max_parallelism;
    if (is_so || !job_manager_has_attempt(manager)) {
        return; /* the next deployment follows the record */
    }
    if (!job_deploy_has_slots(manager)) {
        host_mark(manager->host, MARK_RESCALE_WAITS_FOR_SLOTS);
        return; /* the job runs on until there are enough */
    }
    char *what = arena_format(manager->host->arena, "rescaled from %u to %u", manager->parallelism,
                              manager->record.parallelism);
    job_manager_report(manager, FACT_RESCALE_STARTED, 0, manager->record.parallelism, 0, what);
    arena_free(manager->host->arena, what);
    job_checkpoints_stop(manager, "the job is rescaled");
    job_manager_end_attempt(manager);
}
