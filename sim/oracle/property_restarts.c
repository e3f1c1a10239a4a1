/* Property 10: the restart strategy is kept. A JobManager counts for itself: its successor begins
 * again. What a clock that goes wrong measures is not judged. */
#include "sim/oracle/judge.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/status.h"

/* What the texts of job.failed begin with. */
#define NO_MORE_RESTARTS "the restart strategy allows no more"
#define OF_RECORD        "the job's durable record or its checkpoints: "
#define CHECKPOINT       "checkpoint "
#define CANNOT_RESTORE   " cannot be restored"

/* Were there `max_failures` restarts within the interval that ends now? */
static bool rate_is_exceeded(const struct oracle *oracle, uint64_t now_ns)
{
    const struct restart_options *options = &oracle->scenario->job.restart;
    const struct restart_memory *memory = &oracle->restart;
    if (oracle->clocks_go_wrong || memory->restarts < options->max_failures) {
        return false;
    }
    uint64_t oldest_ns = memory->times_ns[memory->restarts % options->max_failures];
    CHECK(oldest_ns <= now_ns);
    return now_ns - oldest_ns <= options->failure_interval_ns;
}

static void on_scheduled(struct oracle *oracle, const struct fact_event *event)
{
    const struct restart_options *options = &oracle->scenario->job.restart;
    struct restart_memory *memory = &oracle->restart;
    bool is_fixed = options->strategy == RESTART_FIXED_DELAY && options->attempts != UINT32_MAX;
    if (options->strategy == RESTART_NONE || (is_fixed && memory->restarts >= options->attempts)) {
        judge_report(oracle, PROPERTY_RESTARTS,
                     "restart number %u of this JobManager; at most %u are allowed",
                     memory->restarts + 1, is_fixed ? options->attempts : 0);
    } else if (options->strategy == RESTART_FAILURE_RATE &&
               rate_is_exceeded(oracle, event->time_ns)) {
        judge_report(oracle, PROPERTY_RESTARTS,
                     "a restart although %u failures lie within the interval before it",
                     options->max_failures);
    }
    if (options->strategy == RESTART_FAILURE_RATE) {
        memory->times_ns[memory->restarts % options->max_failures] = event->time_ns;
    }
    memory->restarts++;
    memory->not_before_ns = event->time_ns + event->fact.values[0];
}

static void on_deployed(struct oracle *oracle, uint64_t time_ns)
{
    struct restart_memory *memory = &oracle->restart;
    if (time_ns < memory->not_before_ns && !oracle->clocks_go_wrong) {
        judge_report(oracle, PROPERTY_RESTARTS,
                     "an attempt was deployed %llu us before the delay of its restart was over",
                     (unsigned long long)((memory->not_before_ns - time_ns) / 1000));
    }
    memory->not_before_ns = 0;
}

static bool begins_with(struct bytes text, const char *prefix)
{
    size_t size = strlen(prefix);
    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

static bool says_unreadable(struct bytes text)
{
    return begins_with(text, CHECKPOINT) &&
           memmem(text.data, text.size, CANNOT_RESTORE, strlen(CANNOT_RESTORE)) != NULL;
}

/* Was the job given up because a call failed, not because of what it had saved? */
static bool says_store_failed(struct bytes text)
{
    static const enum status passing[] = { STATUS_IO, STATUS_NO_SPACE };
    bool says = false;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        const char *why = status_text(passing[i]);
        says = says || memmem(text.data, text.size, why, strlen(why)) != NULL;
    }
    return says && begins_with(text, OF_RECORD);
}

static uint32_t least_restarts(const struct restart_options *options)
{
    switch (options->strategy) {
    case RESTART_FIXED_DELAY: return options->attempts;
    case RESTART_FAILURE_RATE: return options->max_failures;
    case RESTART_NONE:
    case RESTART_EXPONENTIAL_DELAY: break; /* the latter forgets failures after a while */
    }
    return 0;
}

/* Giving up too early is wrong, too. */
static void on_failed(struct oracle *oracle, const struct fact *fact)
{
    const struct job_config *job = &oracle->scenario->job;
    const struct restart_memory *memory = &oracle->restart;
    if (begins_with(fact->text, NO_MORE_RESTARTS) &&
        memory->restarts < least_restarts(&job->restart)) {
        judge_report(oracle, PROPERTY_RESTARTS,
                     "the job gave up after %u restarts of this JobManager; %u are allowed",
                     memory->restarts, least_restarts(&job->restart));
    }
    if (says_store_failed(fact->text)) {
        judge_report(oracle, PROPERTY_RESTARTS,
                     "the job gave up when the store failed, before it knew what lies there: %.*s",
                     (int)fact->text.size, (const char *)fact->text.data);
    }
    if (says_unreadable(fact->text) && memory->tries + 1 < job->restore_tries) {
        judge_report(oracle, PROPERTY_RESTARTS,
                     "a checkpoint was given up after %u tries to read it; it is to be tried %u "
                     "times",
                     memory->tries + 1, job->restore_tries);
    }
}

void property_restarts_on_fact(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    switch ((int)fact->kind) {
    case FACT_JOB_MANAGER_STARTED: oracle->restart = (struct restart_memory){ 0 }; break;
    case FACT_RESTART_SCHEDULED: on_scheduled(oracle, event); break;
    case FACT_RESTORE_RETRIED: oracle->restart.tries += fact->checkpoint != 0; break;
    case FACT_JOB_DEPLOYED: on_deployed(oracle, event->time_ns); break;
    case FACT_JOB_RUNNING: oracle->restart.tries = 0; break;
    case FACT_JOB_FAILED: on_failed(oracle, fact); break;
    default: CHECK_UNREACHABLE("a fact of another property");
    }
}
