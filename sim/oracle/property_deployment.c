/* Property 9: the job runs at the parallelism that was accepted last, when every subtask of the
 * attempt is restored, each once, and from a checkpoint that was whole when it was chosen. Who ran
 * before would read without its state, or send to somebody who is not there; who restored what is
 * damaged did not look. */
#include "sim/oracle/judge.h"

#include <string.h>

#include "model/base/check.h"

void property_deployment_init(struct oracle *oracle)
{
    oracle->deployment.restored = arena_alloc(oracle->arena, judge_subtask_places(oracle),
                                              sizeof *oracle->deployment.restored);
}

static void begin(struct oracle *oracle, uint64_t attempt)
{
    struct deployment_memory *memory = &oracle->deployment;
    CHECK(attempt > memory->attempt);
    memory->attempt = attempt;
    memory->restored_count = 0;
    memset(memory->restored, 0, judge_subtask_places(oracle) * sizeof *memory->restored);
}

static void on_restored(struct oracle *oracle, const struct fact *fact)
{
    struct deployment_memory *memory = &oracle->deployment;
    bool *restored = &memory->restored[judge_subtask_place(oracle, fact)];
    if (*restored) {
        judge_report(oracle, PROPERTY_DEPLOYMENT, "%s[%u] was restored twice in attempt %llu",
                     judge_vertex_name(oracle, fact->vertex), fact->subtask,
                     (unsigned long long)fact->attempt);
        return;
    }
    CHECK(memory->restored_count < judge_subtask_places(oracle));
    *restored = true;
    memory->restored_count++;
    property_operator_state_on_restored(oracle, fact);
}

static void on_running(struct oracle *oracle, uint64_t attempt)
{
    struct deployment_memory *memory = &oracle->deployment;
    uint32_t count = judge_subtask_count(oracle);
    if (memory->attempt != attempt || memory->restored_count != count) {
        judge_report(oracle, PROPERTY_DEPLOYMENT,
                     "attempt %llu runs although %u of its %u subtasks are restored",
                     (unsigned long long)attempt,
                     memory->attempt == attempt ? memory->restored_count : 0, count);
    }
    if (memory->unreadable != 0) {
        judge_report(oracle, PROPERTY_DEPLOYMENT,
                     "attempt %llu runs from a checkpoint that was damaged when it was chosen",
                     (unsigned long long)attempt);
    }
}

/* Does a fault of the scenario ask for what the JobManager deployed? It may have died before it
 * could say that it had accepted that. */
static bool is_asked_for(const struct oracle *oracle, uint32_t parallelism, uint32_t max)
{
    const struct scenario *scenario = oracle->scenario;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        bool is_max = fault->max_parallelism == max ||
                      (fault->max_parallelism == 0 && max == oracle->parallelism.accepted_max);
        if (fault->verb == FAULT_RESCALE && fault->parallelism == parallelism && is_max) {
            return true;
        }
    }
    return false;
}

static void on_deployed(struct oracle *oracle, const struct fact *fact)
{
    struct parallelism_memory *memory = &oracle->parallelism;
    memory->deployed = (uint32_t)fact->values[0];
    memory->deployed_max = (uint32_t)fact->values[1];
    bool is_accepted =
        memory->deployed == memory->accepted && memory->deployed_max == memory->accepted_max;
    if (!is_accepted && !is_asked_for(oracle, memory->deployed, memory->deployed_max) &&
        !judge_is_damaged(oracle, "job/record")) {
        judge_report(oracle, PROPERTY_DEPLOYMENT,
                     "attempt %llu was deployed at parallelism %u (of at most %u); %u (of at most "
                     "%u) is what the job is to run at",
                     (unsigned long long)fact->attempt, memory->deployed, memory->deployed_max,
                     memory->accepted, memory->accepted_max);
    }
}

void property_deployment_on_rescale(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_RESCALE_ACCEPTED);
    oracle->parallelism.accepted = (uint32_t)fact->values[0];
    oracle->parallelism.accepted_max = (uint32_t)fact->values[1];
}

void property_deployment_on_chosen(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_RESTORE_CHOSEN);
    /* Without a fault that damaged files, property 6 knows. What a JobManager has of a database it
     * may have in memory. */
    bool is_damaged = oracle->damaged_count > 0 && oracle->stored.kind == STORE_FILES &&
                      fact->checkpoint != 0 &&
                      !property_files_is_readable(oracle, fact->checkpoint);
    oracle->deployment.unreadable = is_damaged ? fact->checkpoint : 0;
}

void property_deployment_on_fact(struct oracle *oracle, const struct fact *fact)
{
    if (fact->attempt > oracle->deployment.attempt) {
        begin(oracle, fact->attempt); /* a JobManager may die before it says that it deployed */
    }
    if (fact->kind == FACT_JOB_RUNNING) {
        on_running(oracle, fact->attempt);
    } else if (fact->kind == FACT_TASK_RESTORED) {
        if (fact->attempt == oracle->deployment.attempt) {
            on_restored(oracle, fact);
        }
    } else {
        CHECK(fact->kind == FACT_JOB_DEPLOYED);
        on_deployed(oracle, fact);
    }
}
