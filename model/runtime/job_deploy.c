#include <string.h>

#include "model/base/check.h"
#include "model/checkpoint/carried.h"
#include "model/runtime/job_manager.h"
#include "model/runtime/task.h"

/* A new JobManager gives all TaskManagers this long to register, so that the load is spread
 * evenly. */
enum { REGISTRATION_GRACE_NS = 200 * 1000 * 1000 };

/* ---- what to restore ------------------------------------------------------------------------- */

/* The manifest to restore, with the memory it borrows from. */
struct restore_plan {
    uint64_t id; /* 0: from the beginning */
    struct arena arena;
    uint64_t *listed; /* the checkpoints of the store, rising */
    size_t listed_count;
    struct buffer bytes;
    struct manifest manifest;
    struct buffer carried; /* the parts, if only the JobManager reaches the store (carried.h) */
    struct assigned_state *assigned; /* by global index of the subtask; id 0: NULL */
};

void job_deploy_unreadable(struct job_manager *manager, uint64_t id, const char *why)
{
    uint64_t retry_ns = host_now_ns(manager->host) + manager->config->restore_retry_delay_ns;
    if (++manager->restore_tries < manager->config->restore_tries) {
        host_mark(manager->host, MARK_CHECKPOINT_READ_AGAIN);
        job_manager_report(manager, FACT_RESTORE_RETRIED, id, manager->restore_tries, 0, why);
        manager->deploy_after_ns = retry_ns;
        return;
    }
    uint64_t *ids = NULL;
    size_t count = 0;
    enum status status = store_list(manager->store, manager->host->arena, &ids, &count);
    bool has_older = status == STATUS_OK && count > 0 && ids[0] < id;
    arena_free(manager->host->arena, ids);
    if (status != STATUS_OK && status != STATUS_CORRUPT) {
        manager->restore_tries--; /* J4: this try decides when the store can be listed again */
        manager->deploy_after_ns = retry_ns;
        return;
    }
    if (manager->config->allow_older && has_older) {
        host_mark(manager->host, MARK_OLDER_CHECKPOINT_CHOSEN);
        manager->restore_below = id;
        manager->restore_tries = 0;
        manager->deploy_after_ns = host_now_ns(manager->host);
        return;
    }
    char *text = arena_format(manager->host->arena,
                              "checkpoint %llu cannot be restored (%s)%s",
                              (unsigned long long)id, why,
                              has_older ? "; an older one would repeat committed output, which "
                                          "only restart.allow_older permits"
                                        : "; there is no older one");
    job_manager_give_up(manager, true, text); /* J3 */
    arena_free(manager->host->arena, text);
}

/* Does the checkpoint belong to this job as it is to run? Otherwise `why` says why not. Parallelism
 * may differ, for all vertices alike. */
static bool fits(const struct job_manager *manager, const struct manifest *manifest,
                 struct buffer *why)
{
    const struct pipeline *pipeline = manager->pipeline;
    bool same = bytes_equal(manifest->job, bytes_of_text(manager->config->job)) &&
                manifest->vertex_count == pipeline->vertex_count;
    for (uint32_t i = 0; same && i < pipeline->vertex_count; i++) {
        same = bytes_equal(manifest->vertices[i].name, bytes_of_text(pipeline->vertices[i].name)) &&
               manifest->vertices[i].parallelism == manifest->vertices[0].parallelism;
    }
    if (!same) {
        buffer_append_text(why, "it is of another job");
    } else if (manifest->max_parallelism != manager->record.max_parallelism) {
        same = false;
        buffer_append_format(why,
                             "max_parallelism was %u when it was taken, and is to be %u: its keys "
                             "lie in other key groups",
                             manifest->max_parallelism, manager->record.max_parallelism);
    }
    return same;
}

/* Deals what the manifest names to the subtasks of the next attempt. */
static enum status assign(const struct job_manager *manager, struct restore_plan *plan)
{
    const struct pipeline *pipeline = manager->pipeline;
    uint32_t parallelism = manager->record.parallelism;
    enum status status = STATUS_OK;
    plan->assigned = arena_alloc(&plan->arena, (size_t)pipeline->vertex_count * parallelism,
                                 sizeof *plan->assigned);
    for (uint32_t i = 0; i < pipeline->vertex_count && status == STATUS_OK; i++) {
        status = state_assign(&plan->arena, &plan->manifest.vertices[i],
                              pipeline->vertices[i].chain_length, manager->record.max_parallelism,
                              parallelism, plan->assigned + task_index(parallelism, i, 0));
    }
    return status;
}

/* Reads the manifest of checkpoint `id` into `plan`; false: `why` says what is wrong. */
static enum status read_manifest(struct job_manager *manager, uint64_t id,
                                 struct restore_plan *plan, struct buffer *why)
{
    char path[STORE_PATH_SIZE];
    store_file(path, id, STORE_MANIFEST);
    enum status status = store_read(manager->store, path, &plan->bytes);
    if (status == STATUS_OK) {
        status = manifest_decode(&plan->manifest, &plan->arena, buffer_bytes(&plan->bytes));
    }
    if (status == STATUS_OK && plan->manifest.checkpoint != id) {
        status = STATUS_CORRUPT;
    }
    if (status != STATUS_OK) {
        buffer_append_format(why, "%s: %s", path, status_text(status));
    } else if (!fits(manager, &plan->manifest, why)) {
        status = STATUS_INVALID;
    } else if (assign(manager, plan) != STATUS_OK) {
        status = STATUS_CORRUPT;
        buffer_append_format(why, "%s: the state of its operators", path);
    }
    return status;
}

/* Reads the parts of a subtask's keyed state that the deployment must carry; each once. */
static enum status carry_parts(struct job_manager *manager, const struct keyed_state *keyed,
                               struct restore_plan *plan, struct buffer *why)
{
    struct decoder decoder;
    enum status status = STATUS_OK;
    keyed_state_begin(keyed, &decoder);
    for (uint32_t i = 0; i < keyed->part_count && status == STATUS_OK; i++) {
        struct state_handle part;
        struct bytes known;
        keyed_state_next(&decoder, &part);
        if (part.kind != HANDLE_FILE ||
            carried_find(buffer_bytes(&plan->carried), part.location, &known)) {
            continue;
        }
        struct buffer content;
        buffer_init(&content, &plan->arena);
        char *path = arena_format(&plan->arena, "%.*s", (int)part.location.size,
                                  (const char *)part.location.data);
        status = store_read(manager->store, path, &content);
        if (status == STATUS_OK) {
            carried_add(&plan->carried, part.location, buffer_bytes(&content));
        } else {
            buffer_append_format(why, "%s: %s", path, status_text(status));
        }
        buffer_free(&content);
    }
    return status;
}

static enum status carry_all_parts(struct job_manager *manager, struct restore_plan *plan,
                                   struct buffer *why)
{
    enum status status = STATUS_OK;
    if (!store_kind_carries(manager->config->checkpoint.store)) {
        return status;
    }
    for (uint32_t i = 0; i < plan->manifest.vertex_count; i++) {
        const struct manifest_vertex *vertex = &plan->manifest.vertices[i];
        for (uint32_t j = 0; j < vertex->parallelism && status == STATUS_OK; j++) {
            status = carry_parts(manager, &vertex->subtasks[j].keyed, plan, why);
        }
    }
    return status;
}

/* J5. Did checkpoints go with the memory of the last JobManager, and may the job not begin anew
 * without them? Then it has ended. */
static bool refuse_after_memory(struct job_manager *manager, uint64_t newest)
{
    const struct job_config *config = manager->config;
    uint64_t known = manager->record.newest_completed;
    if (config->checkpoint.store != STORE_MEMORY || newest > 0 || known == 0) {
        return false;
    }
    host_mark(manager->host, MARK_CHECKPOINTS_GONE_WITH_MEMORY);
    if (config->allow_older || config->checkpoint.mode == MODE_AT_LEAST_ONCE) {
        manager->record.newest_completed = 0; /* durable with the new attempt */
        return false;
    }
    char *why = arena_format(manager->host->arena,
                             "checkpoint %llu is gone with the memory of the JobManager that held "
                             "it (checkpoint.store memory); to begin anew would repeat committed "
                             "output, which only restart.allow_older or checkpoint.mode "
                             "at_least_once permits",
                             (unsigned long long)known);
    job_manager_give_up(manager, true, why);
    arena_free(manager->host->arena, why);
    return true;
}

static const char *misfit_text(struct restore_plan *plan, struct buffer *why)
{
    *buffer_extend(why, 1) = '\0';
    return arena_format(&plan->arena, "checkpoint %llu does not fit the job: %s",
                        (unsigned long long)plan->id, (const char *)why->data);
}

/* The newest completed checkpoint below `restore_below`; 0: none. */
static enum status find_newest(struct job_manager *manager, struct restore_plan *plan)
{
    enum status status =
        store_list(manager->store, &plan->arena, &plan->listed, &plan->listed_count);
    for (size_t i = 0; status == STATUS_OK && i < plan->listed_count; i++) {
        if (plan->listed[i] < manager->restore_below) {
            plan->id = plan->listed[i];
        }
    }
    return status;
}

/* What is newer than the one to be restored has been given up: that is durable with the new
 * attempt (R4). */
static void note_given_up(struct job_manager *manager, const struct restore_plan *plan)
{
    struct id_list *given_up = &manager->record.given_up;
    (void)id_list_remove(given_up, plan->id);
    for (size_t i = 0; i < plan->listed_count; i++) {
        if (plan->listed[i] > plan->id) {
            id_list_add(given_up, manager->host->arena, plan->listed[i]);
        }
    }
}

/* Rare situations of a restore at another parallelism. */
static void note_rescaled(const struct job_manager *manager, const struct manifest *manifest)
{
    bool any_finished = false;
    for (uint32_t i = 0; i < manifest->vertex_count; i++) {
        for (uint32_t k = 0; k < manifest->vertices[i].parallelism; k++) {
            any_finished = any_finished || manifest->vertices[i].subtasks[k].finished;
        }
    }
    if (manifest->vertices[0].parallelism == manager->record.parallelism) {
        return;
    }
    if (any_finished) {
        host_mark(manager->host, MARK_RESCALE_AFTER_FINISH);
    }
    if (!manager->ever_deployed) {
        host_mark(manager->host, MARK_JOB_MANAGER_DIED_RESCALING);
    }
}

/* J3. False: nothing can be deployed now; what follows is arranged. */
static bool choose_restore(struct job_manager *manager, struct restore_plan *plan)
{
    *plan = (struct restore_plan){ 0 };
    arena_init(&plan->arena);
    buffer_init(&plan->bytes, &plan->arena);
    buffer_init(&plan->carried, &plan->arena);
    struct buffer why;
    buffer_init(&why, &plan->arena);
    enum status status = find_newest(manager, plan);
    if (status == STATUS_OK && refuse_after_memory(manager, plan->id)) {
        return false;
    }
    uint64_t known = manager->record.newest_completed;
    /* R2: not even who allows an older checkpoint allows none at all. */
    if (status == STATUS_OK && plan->id < known &&
        (known < manager->restore_below || plan->id == 0)) {
        plan->id = known;
        status = STATUS_NOT_FOUND;
        buffer_append_format(&why, "it had completed, and its manifest is gone");
        host_mark(manager->host, MARK_NEWEST_CHECKPOINT_GONE);
    }
    if (status == STATUS_OK && plan->id != 0) {
        status = read_manifest(manager, plan->id, plan, &why);
    }
    if (status == STATUS_INVALID) {
        job_manager_give_up(manager, true, misfit_text(plan, &why)); /* J6 */
        return false;
    }
    if (status == STATUS_OK && plan->id != 0) {
        note_rescaled(manager, &plan->manifest);
    }
    if (status == STATUS_OK) {
        status = carry_all_parts(manager, plan, &why);
    }
    if (status == STATUS_OK) {
        manager->restore_id = plan->id;
        /* A commit whose outcome was unknown has succeeded; the restore will commit its output. */
        job_checkpoints_on_restoring(manager, plan->id);
        note_given_up(manager, plan);
        job_shared_on_restore(manager, &plan->manifest);
        if (manager->record.newest_completed < plan->id) {
            manager->record.newest_completed = plan->id; /* durable with the new attempt */
        }
        job_manager_report(manager, FACT_RESTORE_CHOSEN, plan->id, 0, 0, "");
        return true;
    }
    if (status == STATUS_CORRUPT && why.size == 0) {
        job_manager_give_up(manager, true, "the checkpoint store is damaged: it cannot be listed");
        return false;
    }
    if (status != STATUS_HALTED && why.size == 0) {
        buffer_append_format(&why, "the store cannot be listed: %s", status_text(status));
        host_mark(manager->host, MARK_STORE_UNLISTED);
        *buffer_extend(&why, 1) = '\0';
        job_manager_report(manager, FACT_RESTORE_RETRIED, 0, manager->restore_tries, 0,
                           (const char *)why.data); /* J4 */
        job_manager_deploy_at(manager, host_now_ns(manager->host) +
                                           manager->config->restore_retry_delay_ns);
    } else if (status != STATUS_HALTED) {
        *buffer_extend(&why, 1) = '\0';
        job_deploy_unreadable(manager, plan->id, (const char *)why.data);
        if (manager->state == JOB_WAITING) {
            job_manager_deploy_at(manager, manager->deploy_after_ns);
        }
    }
    return false;
}

/* ---- slots ----------------------------------------------------------------------------------- */

bool job_deploy_has_slots(const struct job_manager *manager)
{
    uint32_t slots = 0;
    uint32_t registered = 0;
    for (uint32_t i = 0; i < manager->config->task_managers; i++) {
        if (manager->workers[i].address != 0) {
            slots += manager->workers[i].slots;
            registered++;
        }
    }
    if (slots < manager->record.parallelism) {
        return false;
    }
    return registered == manager->config->task_managers || manager->ever_deployed ||
           host_now_ns(manager->host) >= manager->started_ns + REGISTRATION_GRACE_NS;
}

/* Slot i holds subtask i of every vertex (Flink's slot sharing); slots are dealt out in turn over
 * the TaskManagers. `worker_of_slot` has `parallelism` entries. */
static void assign_slots(struct job_manager *manager, uint32_t *worker_of_slot)
{
    uint32_t vertex_count = manager->pipeline->vertex_count;
    uint32_t at = 0;
    for (uint32_t slot = 0; slot < manager->parallelism; slot++) {
        struct worker *worker = &manager->workers[at];
        while (worker->address == 0 || worker->subtask_count / vertex_count >= worker->slots) {
            at = (at + 1) % manager->config->task_managers;
            worker = &manager->workers[at];
        }
        worker_of_slot[slot] = at;
        worker->subtask_count += vertex_count;
        at = (at + 1) % manager->config->task_managers;
    }
}

/* ---- deployment ------------------------------------------------------------------------------ */

static void pick_parts(const struct restore_plan *plan, const struct keyed_state *keyed,
                       struct buffer *carried)
{
    struct decoder decoder;
    keyed_state_begin(keyed, &decoder);
    for (uint32_t i = 0; i < keyed->part_count; i++) {
        struct state_handle part;
        struct bytes content;
        keyed_state_next(&decoder, &part);
        if (part.kind == HANDLE_FILE &&
            !carried_find(buffer_bytes(carried), part.location, &content) &&
            carried_find(buffer_bytes(&plan->carried), part.location, &content)) {
            carried_add(carried, part.location, content);
        }
    }
}

/* Of what the plan carries, the parts that the subtasks of one deployment need. */
static void pick_carried(const struct restore_plan *plan, const struct deployment *deployment,
                         struct buffer *carried)
{
    for (uint32_t i = 0; plan->carried.size > 0 && i < deployment->subtask_count; i++) {
        const struct assigned_state *state = &deployment->subtasks[i].state;
        for (uint32_t k = 0; k < state->keyed_count; k++) {
            pick_parts(plan, &state->keyed[k], carried);
        }
    }
}

/* What one worker must run: its share of `all`, with addresses in place. */
static void deploy_worker(struct job_manager *manager, uint32_t index,
                          const uint32_t *worker_of_slot, const struct restore_plan *plan,
                          struct deployment *deployment)
{
    uint32_t count = 0;
    for (uint32_t vertex = 0; vertex < manager->pipeline->vertex_count; vertex++) {
        for (uint32_t slot = 0; slot < manager->parallelism; slot++) {
            if (worker_of_slot[slot] != index) {
                continue;
            }
            uint32_t task = task_index(manager->parallelism, vertex, slot);
            struct deployed_subtask *subtask = &deployment->subtasks[count++];
            *subtask = (struct deployed_subtask){
                .vertex = vertex,
                .subtask = slot,
                .actor_index = actor_index(manager->tasks[task].address),
            };
            if (plan->id != 0) {
                subtask->state = plan->assigned[task];
            }
        }
    }
    deployment->subtask_count = count;
    CHECK(count == manager->workers[index].subtask_count);
    if (count > 0) {
        struct buffer carried;
        buffer_init(&carried, manager->host->arena);
        pick_carried(plan, deployment, &carried);
        deployment->carried = buffer_bytes(&carried);
        host_send(manager->host, manager->workers[index].address,
                  deployment_encode(manager->host, deployment));
        buffer_free(&carried);
    }
}

/* An address that was never used before, in any attempt: the `count`-th subtask of this attempt on
 * `worker`. Each takes two: the subtask and its uploader. */
static actor_id new_address(const struct job_manager *manager, const struct worker *worker,
                            uint32_t count)
{
    uint64_t stride = (uint64_t)2 * manager->pipeline->vertex_count * worker->slots;
    uint64_t index = HOST_MAIN_ACTOR + 1 + manager->record.attempt * stride + 2 * (uint64_t)count;
    CHECK(2 * (uint64_t)count < stride);
    CHECK(index < UINT32_MAX);
    return actor_address(actor_process(worker->address), actor_incarnation(worker->address),
                         (uint32_t)index);
}

static void deploy(struct job_manager *manager, const struct restore_plan *plan)
{
    struct arena scratch;
    arena_init(&scratch);
    job_manager_size_tasks(manager);
    coordinator_set_task_count(manager->coordinator, manager->task_count);
    uint32_t parallelism = manager->parallelism;
    uint32_t *worker_of_slot = arena_alloc(&scratch, parallelism, sizeof *worker_of_slot);
    struct deployment deployment = { .attempt = manager->record.attempt,
                                     .parallelism = parallelism,
                                     .max_parallelism = manager->max_parallelism,
                                     .checkpoint = plan->id,
                                     .job_manager = manager->host->self,
                                     .task_count = manager->task_count };
    deployment.addresses = arena_alloc(&scratch, manager->task_count, sizeof(actor_id));
    deployment.subtasks =
        arena_alloc(&scratch, manager->task_count, sizeof *deployment.subtasks);
    uint32_t *dealt = arena_alloc(&scratch, manager->config->task_managers, sizeof *dealt);
    assign_slots(manager, worker_of_slot);
    for (uint32_t task = 0; task < manager->task_count; task++) {
        uint32_t at = worker_of_slot[task % parallelism];
        actor_id address = new_address(manager, &manager->workers[at], dealt[at]++);
        manager->tasks[task] =
            (struct job_task){ .address = address, .state = JOB_TASK_DEPLOYED };
        deployment.addresses[task] = address;
    }
    manager->state = JOB_DEPLOYING;
    manager->ever_deployed = true;
    manager->restored_count = 0;
    manager->finished_count = 0;
    for (uint32_t i = 0; i < manager->config->task_managers; i++) {
        deploy_worker(manager, i, worker_of_slot, plan, &deployment);
    }
    job_manager_report(manager, FACT_JOB_DEPLOYED, plan->id, parallelism, manager->max_parallelism,
                       "");
    arena_drop(&scratch);
}

void job_deploy_try(struct job_manager *manager)
{
    if (manager->state != JOB_WAITING) {
        return;
    }
    uint64_t now_ns = host_now_ns(manager->host);
    if (now_ns < manager->deploy_after_ns) {
        job_manager_deploy_at(manager, manager->deploy_after_ns);
        return;
    }
    if (!job_deploy_has_slots(manager)) {
        if (now_ns < manager->started_ns + REGISTRATION_GRACE_NS) {
            job_manager_deploy_at(manager, manager->started_ns + REGISTRATION_GRACE_NS);
        }
        return; /* the next registration tries again */
    }
    struct restore_plan plan;
    if (choose_restore(manager, &plan)) {
        manager->record.attempt++;
        enum status status = job_record_store(manager->host, &manager->record); /* R1 */
        if (status == STATUS_OK) {
            status = job_shared_begin_attempt(manager);
        }
        if (status == STATUS_OK) {
            deploy(manager, &plan);
        } else if (status != STATUS_HALTED) {
            job_manager_deploy_at(manager, now_ns + manager->config->restore_retry_delay_ns);
        }
    }
    arena_drop(&plan.arena);
}
