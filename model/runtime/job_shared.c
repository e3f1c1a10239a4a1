#include "model/base/check.h"
#include "model/checkpoint/manifest.h"
#include "model/checkpoint/store.h"
#include "model/runtime/job_manager.h"

static bool is_on(const struct job_manager *manager)
{
    return manager->shared.registry != NULL;
}

/* ---- what checkpoints refer to --------------------------------------------------------------- */

/* Notes the shared files among the parts of one subtask. */
static void refer(struct job_manager *manager, uint64_t checkpoint, const struct keyed_state *keyed)
{
    struct decoder decoder;
    keyed_state_begin(keyed, &decoder);
    for (uint32_t i = 0; i < keyed->part_count; i++) {
        struct state_handle part;
        uint64_t creator;
        struct bytes name;
        keyed_state_next(&decoder, &part);
        if (part.kind == HANDLE_FILE && store_parse_shared(part.location, &creator, &name)) {
            shared_registry_refer(manager->shared.registry, checkpoint, creator, name);
        }
    }
}

static void learn(struct job_manager *manager, const struct manifest *manifest)
{
    for (uint32_t i = 0; i < manifest->vertex_count; i++) {
        const struct manifest_vertex *vertex = &manifest->vertices[i];
        for (uint32_t j = 0; j < vertex->parallelism; j++) {
            refer(manager, manifest->checkpoint, &vertex->subtasks[j].keyed);
        }
    }
}

/* Reads the manifest of checkpoint `id` and notes what it refers to. */
static enum status read_and_learn(struct job_manager *manager, uint64_t id)
{
    char path[STORE_PATH_SIZE];
    struct arena arena;
    struct buffer bytes;
    struct manifest manifest;
    arena_init(&arena);
    buffer_init(&bytes, &arena);
    store_file(path, id, STORE_MANIFEST);
    enum status status = store_read(manager->store, path, &bytes);
    if (status == STATUS_OK) {
        status = manifest_decode(&manifest, &arena, buffer_bytes(&bytes));
    }
    if (status == STATUS_OK && manifest.checkpoint != id) {
        status = STATUS_CORRUPT;
    }
    if (status == STATUS_OK) {
        learn(manager, &manifest);
    }
    arena_drop(&arena);
    return status;
}

/* Checkpoint `id` is known, or gone. */
static void forget_unread(struct job_manager *manager, uint64_t id)
{
    struct job_shared *shared = &manager->shared;
    size_t kept_count = 0;
    for (size_t i = 0; i < shared->unread_count; i++) {
        if (shared->unread[i] != id) {
            shared->unread[kept_count++] = shared->unread[i];
        }
    }
    shared->unread_count = kept_count;
}

/* ---- what goes ------------------------------------------------------------------------------- */

/* I3, I5. What fails now is swept later. */
static void remove_garbage(struct job_manager *manager, const struct shared_garbage *garbage,
                           size_t count)
{
    struct job_shared *shared = &manager->shared;
    if (shared->unread_count > 0) {
        shared->is_sweep_due = true;
        return;
    }
    enum status status = store_remove_shared(manager->store, garbage, count);
    if (status != STATUS_OK && status != STATUS_HALTED) {
        host_mark(manager->host, MARK_DISCARD_FAILED);
        shared->is_sweep_due = true;
    }
}

static bool is_needed(void *context, uint64_t id, const char *name)
{
    const struct job_manager *manager = context;
    if (name[0] == '\0') {
        return job_checkpoints_is_pending(manager, id);
    }
    return shared_registry_needs(manager->shared.registry, id, bytes_of_text(name));
}

/* Removes the drafts of attempts that are over. */
static void end_drafts(struct job_manager *manager)
{
    uint64_t removed;
    bool is_over = manager->record.state != JOB_STATE_ACTIVE;
    enum status status =
        store_end_attempts(manager->store, is_over ? 0 : manager->record.attempt, &removed);
    if (status == STATUS_HALTED) {
        return;
    }
    if (status != STATUS_OK) {
        host_mark(manager->host, MARK_DISCARD_FAILED);
    }
    if (removed > 0 && !is_over) {
        host_mark(manager->host, MARK_DRAFTS_REMOVED);
    }
    manager->shared.are_drafts_due = status != STATUS_OK;
}

void job_shared_tidy(struct job_manager *manager)
{
    struct job_shared *shared = &manager->shared;
    if (shared->are_drafts_due) {
        end_drafts(manager);
    }
    if (!is_on(manager) || !shared->is_sweep_due) {
        return;
    }
    for (size_t i = shared->unread_count; i > 0; i--) {
        uint64_t id = shared->unread[i - 1];
        if (read_and_learn(manager, id) == STATUS_OK) {
            forget_unread(manager, id);
        }
    }
    if (shared->unread_count > 0) {
        return; /* I5 */
    }
    uint64_t removed;
    enum status status = store_sweep_shared(manager->store, is_needed, manager, &removed);
    if (status == STATUS_HALTED) {
        return;
    }
    if (removed > 0) {
        host_mark(manager->host, MARK_SHARED_FILES_SWEPT);
    }
    shared->is_sweep_due = status != STATUS_OK && status != STATUS_CORRUPT; /* T5 */
}

bool job_shared_is_tidy(const struct job_manager *manager)
{
    const struct job_shared *shared = &manager->shared;
    return !shared->are_drafts_due && (!shared->is_sweep_due || shared->unread_count > 0);
}

/* ---- events ---------------------------------------------------------------------------------- */

enum status job_shared_open(struct job_manager *manager, const uint64_t *ids, size_t count)
{
    struct job_shared *shared = &manager->shared;
    struct arena *arena = manager->host->arena;
    if (!job_config_shares_files(manager->config)) {
        return STATUS_OK;
    }
    *shared =
        (struct job_shared){ .registry = shared_registry_create(arena), .is_sweep_due = true };
    shared->unread = arena_alloc(arena, count, sizeof *shared->unread);
    for (size_t i = 0; i < count; i++) {
        enum status status = read_and_learn(manager, ids[i]);
        if (status == STATUS_HALTED) {
            return status;
        }
        if (status != STATUS_OK) {
            shared->unread[shared->unread_count++] = ids[i];
        }
    }
    job_shared_tidy(manager);
    return STATUS_OK;
}

enum status job_shared_begin_attempt(struct job_manager *manager)
{
    if (!manager->config->state.changelog.enabled) {
        return STATUS_OK;
    }
    enum status status = store_begin_attempt(manager->store, manager->record.attempt);
    if (status == STATUS_OK) {
        end_drafts(manager);
    }
    return status;
}

void job_shared_end(struct job_manager *manager)
{
    manager->shared.are_drafts_due = manager->config->state.changelog.enabled;
}

uint64_t job_shared_begin(struct job_manager *manager, uint64_t id)
{
    if (!is_on(manager)) {
        return 0;
    }
    CHECK(manager->shared.base <= manager->record.newest_completed); /* I1 */
    shared_registry_pin(manager->shared.registry, id, manager->shared.base);
    return manager->shared.base;
}

void job_shared_on_ack(struct job_manager *manager, uint64_t id, const struct keyed_state *keyed)
{
    struct decoder decoder;
    if (!is_on(manager)) {
        return;
    }
    keyed_state_begin(keyed, &decoder);
    for (uint32_t i = 0; i < keyed->part_count; i++) {
        struct state_handle part;
        uint64_t creator;
        struct bytes name;
        keyed_state_next(&decoder, &part);
        bool is_old = part.kind == HANDLE_FILE &&
                      store_parse_shared(part.location, &creator, &name) && creator != id;
        CHECK(!is_old || shared_registry_needs(manager->shared.registry, creator, name)); /* I2 */
    }
    refer(manager, id, keyed);
}

void job_shared_on_completed(struct job_manager *manager, uint64_t id)
{
    size_t count;
    if (!is_on(manager)) {
        return;
    }
    const struct shared_garbage *garbage =
        shared_registry_confirm(manager->shared.registry, id, &count);
    manager->shared.base = id;
    remove_garbage(manager, garbage, count);
}

void job_shared_on_restore(struct job_manager *manager, const struct manifest *manifest)
{
    if (!is_on(manager)) {
        return;
    }
    manager->shared.base = 0;
    if (manifest->checkpoint == 0) {
        return;
    }
    learn(manager, manifest);
    forget_unread(manager, manifest->checkpoint);
    job_shared_on_completed(manager, manifest->checkpoint);
    if (manifest->vertices[0].parallelism != manager->record.parallelism) {
        manager->shared.base = 0;
    }
}

enum status job_shared_discard(struct job_manager *manager, uint64_t id, bool had_completed)
{
    size_t count;
    if (!is_on(manager)) {
        return STATUS_OK;
    }
    enum status status =
        had_completed ? STATUS_OK : store_discard_shared(manager->store, id); /* I4 */
    if (status != STATUS_OK) {
        return status;
    }
    struct job_shared *shared = &manager->shared;
    const struct shared_garbage *garbage = shared_registry_release(shared->registry, id, &count);
    CHECK(had_completed || !shared_registry_needs_folder(shared->registry, id)); /* I4 */
    if (count > 0) {
        remove_garbage(manager, garbage, count);
    }
    if (shared->unread_count > 0) {
        forget_unread(manager, id);
    }
    return STATUS_OK;
}
