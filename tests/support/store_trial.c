#include "tests/support/store_trial.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "model/checkpoint/manifest.h"
#include "tests/support/keyed.h"

enum {
    CHECKPOINTS_PER_LIFE = 4,
    RETAINED = 2,
    STATE_BYTES = 3000, /* several sectors, so that they can be torn */
    OPERATOR_BYTES = 1500,
    TEAR_SEEDS = 4,
};

const char manifest_missing[] = "a committed checkpoint is gone";
const char manifest_damaged[] = "a listed manifest does not decode";
const char state_damaged[] = "a listed checkpoint lacks state";
const char list_forgets[] = "a checkpoint that was listed is gone";
const char comes_back[] = "a discarded checkpoint came back";
static const char orphan[] = "an incomplete checkpoint was left";
static const char unknown[] = "a checkpoint was listed that nobody committed";
static const char fails[] = "a call failed without a cause";

const struct store_calls right_calls = { store_files_seal, store_files_adopt, store_commit,
                                         store_list, store_discard };

static void fill(uint8_t *at, size_t size, uint64_t id, uint64_t index)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(id * 31 + index * 7 + i);
    }
}

void trial_state_name(char name[16], uint32_t index)
{
    (void)snprintf(name, 16, "count-%u", index);
}

void trial_carry_state(struct store *store, uint64_t id, uint32_t index)
{
    char name[16];
    char path[STORE_PATH_SIZE];
    uint8_t state[STATE_BYTES];
    trial_state_name(name, index);
    store_file(path, id, name);
    fill(state, sizeof state, id, index);
    store_put(store, id, bytes_of_text(path), (struct bytes){ state, sizeof state });
}

/* The state of every other checkpoint is written ahead, and then adopted (S7). */
static enum status write_state(struct trial *trial, struct host *host, uint64_t id, uint32_t index)
{
    char name[16];
    char path[STORE_PATH_SIZE];
    char draft[STORE_PATH_SIZE];
    uint8_t state[STATE_BYTES];
    file_id file;
    bool is_ahead = id % 2 == 1;
    trial_state_name(name, index);
    store_file(path, id, name);
    store_draft_file(draft, trial->attempt, name);
    fill(state, sizeof state, id, index);
    enum status status =
        host_file_open(host, HOST_SHARED, is_ahead ? draft : path, HOST_CREATE, &file);
    for (size_t at = 0; at < sizeof state && status == STATUS_OK; at += STATE_BYTES / 2) {
        status = host_file_write(host, file, at, (struct bytes){ state + at, STATE_BYTES / 2 });
    }
    if (status == STATUS_OK) {
        status = is_ahead ? host_file_sync(host, file) : trial->calls->seal(host, path, file);
        host_file_close(host, file);
    }
    if (status == STATUS_OK && is_ahead) {
        status = trial->calls->adopt(host, draft, path);
    }
    return status;
}

static enum status commit(struct trial *trial, struct store *store, uint64_t id)
{
    struct arena *arena = store->host->arena;
    char paths[SUBTASKS][STORE_PATH_SIZE];
    uint8_t state[STATE_BYTES];
    uint8_t operators[OPERATOR_BYTES];
    struct subtask_state subtasks[SUBTASKS];
    struct manifest_vertex vertex = { .name = bytes_of_text("count"),
                                      .parallelism = SUBTASKS,
                                      .subtasks = subtasks };
    struct manifest manifest = {
        .job = bytes_of_text("count"), .checkpoint = id, .vertex_count = 1, .vertices = &vertex
    };
    fill(operators, sizeof operators, id, SUBTASKS);
    for (uint32_t i = 0; i < SUBTASKS; i++) {
        char name[16];
        trial_state_name(name, i);
        store_file(paths[i], id, name);
        fill(state, sizeof state, id, i);
        struct state_handle part = file_part(paths[i], (struct bytes){ state, sizeof state });
        subtasks[i] = (struct subtask_state){ .operators = { operators, sizeof operators },
                                              .keyed = keyed_of(arena, &part, 1) };
    }
    struct buffer encoded;
    buffer_init(&encoded, arena);
    manifest_encode(&encoded, &manifest);
    trial->records[id].is_commit_begun = true;
    enum status status = trial->calls->commit(store, id, 1, buffer_bytes(&encoded));
    trial->records[id].is_committed = status == STATUS_OK;
    return status;
}

static enum status discard(struct trial *trial, struct store *store, uint64_t id)
{
    trial->records[id].is_discard_begun = true;
    enum status status = trial->calls->discard(store, id);
    trial->records[id].is_discarded = status == STATUS_OK;
    return status;
}

static enum status subsume(struct trial *trial, struct store *store)
{
    enum status status = STATUS_OK;
    size_t kept = 0;
    for (uint64_t id = trial->next_id - 1; id > 0 && status == STATUS_OK; id--) {
        const struct trial_record *record = &trial->records[id];
        bool is_held = record->is_committed && !record->is_discarded;
        kept += is_held;
        status = is_held && kept > RETAINED ? discard(trial, store, id) : STATUS_OK;
    }
    return status;
}

/* Takes a few checkpoints; one of them is aborted. Stops at the first call that fails. */
static enum status work(struct trial *trial, struct host *job_manager, struct host *task_manager)
{
    struct store *store;
    uint64_t removed;
    trial->attempt++;
    enum status status = store_open(job_manager, trial->kind, &store);
    if (status == STATUS_OK) {
        status = store_begin_attempt(store, trial->attempt);
    }
    if (status == STATUS_OK) {
        status = store_end_attempts(store, trial->attempt, &removed);
    }
    for (unsigned i = 0; i < CHECKPOINTS_PER_LIFE && status == STATUS_OK; i++) {
        uint64_t id = trial->next_id++;
        ck_assert_uint_lt(id, ID_MAX);
        status = store_begin(store, id, false);
        for (uint32_t j = 0; j < SUBTASKS && status == STATUS_OK; j++) {
            if (trial->kind == STORE_FILES) {
                status = write_state(trial, task_manager, id, j);
            } else {
                trial_carry_state(store, id, j);
            }
        }
        if (status == STATUS_OK) {
            status = i == 1 ? discard(trial, store, id) : commit(trial, store, id);
        }
        if (status == STATUS_OK) {
            status = subsume(trial, store);
        }
    }
    return status;
}

static const char *text_of(struct bytes bytes, char text[STORE_PATH_SIZE])
{
    ck_assert_uint_lt(bytes.size, STORE_PATH_SIZE);
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

/* NULL, or what is wrong with the listed checkpoint `id`. */
static const char *judge_listed(struct trial *trial, struct store *store, uint64_t id)
{
    struct host *host = store->host;
    char path[STORE_PATH_SIZE];
    struct buffer encoded;
    struct manifest manifest;
    if (id >= trial->next_id || !trial->records[id].is_commit_begun) {
        return unknown;
    }
    if (trial->records[id].is_discarded) {
        return comes_back;
    }
    buffer_init(&encoded, host->arena);
    store_file(path, id, STORE_MANIFEST);
    if (store_read(store, path, &encoded) != STATUS_OK ||
        manifest_decode(&manifest, host->arena, buffer_bytes(&encoded)) != STATUS_OK ||
        manifest.checkpoint != id) {
        return manifest_damaged;
    }
    for (uint32_t i = 0; i < SUBTASKS; i++) {
        struct buffer state;
        uint8_t expected[STATE_BYTES];
        buffer_init(&state, host->arena);
        fill(expected, sizeof expected, id, i);
        struct state_handle part = part_of(&manifest.vertices[0].subtasks[i].keyed, 0);
        if (store_read(store, text_of(part.location, path), &state) != STATUS_OK ||
            !bytes_equal(buffer_bytes(&state), (struct bytes){ expected, sizeof expected })) {
            return state_damaged;
        }
    }
    return NULL;
}

static void ignore_name(void *context, const char *name)
{
    (void)context;
    (void)name;
}

/* Is anything left of checkpoint `id`? */
static enum status find_rest(struct store *store, uint64_t id, bool *is_there)
{
    char path[STORE_PATH_SIZE];
    struct host *host = store->host;
    if (store->ops->put != NULL) {
        struct buffer content;
        buffer_init(&content, host->arena);
        *is_there = false;
        for (uint32_t i = 0; i <= SUBTASKS; i++) {
            char name[16] = STORE_MANIFEST;
            if (i < SUBTASKS) {
                trial_state_name(name, i);
            }
            store_file(path, id, name);
            enum status status = store_read(store, path, &content);
            if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
                return status;
            }
            *is_there = *is_there || status == STATUS_OK;
        }
        return STATUS_OK;
    }
    store_directory(path, id);
    enum status status = host_list(host, HOST_SHARED, path, ignore_name, NULL);
    *is_there = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* NULL, or what is wrong with a checkpoint that was not listed. */
static const char *judge_unlisted(const struct trial_record *record, struct store *store,
                                  uint64_t id, enum status *status)
{
    bool is_there = false;
    if (record->is_committed && !record->is_discard_begun) {
        return record->is_listed ? list_forgets : manifest_missing;
    }
    *status = record->is_discarded ? find_rest(store, id, &is_there) : STATUS_OK;
    return *status == STATUS_OK && is_there ? comes_back : NULL;
}

/* Lists the store and judges it by the records. A checkpoint that is found is committed, whatever
 * its commit answered. `*status` is HALTED if the host died meanwhile. */
static const char *judge(struct trial *trial, struct host *host, enum status *status)
{
    uint64_t *ids;
    size_t count;
    bool is_listed[ID_MAX] = { false };
    struct store *store;
    *status = store_open(host, trial->kind, &store);
    if (*status == STATUS_OK) {
        *status = trial->calls->list(store, host->arena, &ids, &count);
    }
    if (*status != STATUS_OK) {
        return *status == STATUS_HALTED ? NULL : fails;
    }
    for (size_t i = 0; i < count; i++) {
        const char *wrong = judge_listed(trial, store, ids[i]);
        if (((struct disk_host *)host)->is_halted) {
            *status = STATUS_HALTED;
            return NULL;
        }
        if (wrong != NULL) {
            return wrong;
        }
        is_listed[ids[i]] = true;
    }
    for (uint64_t id = 1; id < trial->next_id && *status == STATUS_OK; id++) {
        struct trial_record *record = &trial->records[id];
        const char *wrong = is_listed[id] ? NULL : judge_unlisted(record, store, id, status);
        if (wrong != NULL) {
            return wrong;
        }
        record->is_listed = is_listed[id];
        record->is_committed |= is_listed[id];
    }
    return NULL;
}

/* Cleans up: after that nothing is left of any checkpoint that is not listed. */
static const char *clean(struct trial *trial, struct host *host, enum status *status)
{
    struct store *store;
    *status = store_open(host, trial->kind, &store);
    if (*status == STATUS_OK) {
        *status = store_discard_incomplete(store);
    }
    for (uint64_t id = 1; id < trial->next_id && *status == STATUS_OK; id++) {
        struct trial_record *record = &trial->records[id];
        bool is_there;
        *status = find_rest(store, id, &is_there);
        if (*status == STATUS_OK && !record->is_listed) {
            if (is_there) {
                return orphan;
            }
            record->is_discarded = true;
        }
    }
    return *status == STATUS_OK || *status == STATUS_HALTED ? NULL : fails;
}

const char *trial_recover(struct trial *trial, struct host *host, enum status *status)
{
    const char *wrong = judge(trial, host, status);
    if (wrong == NULL && *status == STATUS_OK) {
        wrong = clean(trial, host, status);
    }
    if (wrong == NULL && *status == STATUS_OK) {
        *status = work(trial, host, host);
        wrong = *status == STATUS_OK || *status == STATUS_HALTED ? NULL : fails;
    }
    return wrong;
}

void trial_init(struct trial *trial, enum store_kind kind, const struct store_calls *calls,
                uint64_t seed)
{
    *trial =
        (struct trial){ .calls = calls, .kind = kind, .prng = { .state = seed }, .next_id = 1 };
    arena_init(&trial->arena);
    trial->disk = disk_create(&trial->arena);
}

bool trial_live_until(struct trial *trial, const struct cut *cut, struct disk_host *job_manager,
                      struct disk_host *task_manager)
{
    bool is_one = cut->scene == ONE_MACHINE;
    struct disk_host *victim = cut->scene == CUT_TASK_MANAGER ? task_manager : job_manager;
    disk_host_init(job_manager, trial->disk, 0);
    disk_host_init(task_manager, trial->disk, 1);
    disk_host_halt_at(victim, cut->call, cut->has_effect);
    (void)(work(trial, &job_manager->host, is_one ? &job_manager->host : &task_manager->host) ==
           STATUS_OK);
    bool is_cut = victim->is_halted;
    disk_host_free(job_manager);
    disk_host_free(task_manager);
    if (cut->scene != CUT_TASK_MANAGER && cut->scene != CRASH_THEN_CUT) {
        disk_cut(trial->disk, 0, cut->survival, &trial->prng);
    }
    if (cut->scene == CUT_TASK_MANAGER || cut->scene == CUT_BOTH) {
        disk_cut(trial->disk, 1, cut->survival, &trial->prng);
    }
    return is_cut;
}

/* One cut, and everything after it. NULL, or what was found wrong. */
static const char *try_cut(enum store_kind kind, const struct store_calls *calls,
                           const struct cut *cut, bool *is_cut)
{
    struct trial trial;
    struct disk_host job_manager, task_manager, next;
    enum status status;
    const char *wrong = NULL;
    trial_init(&trial, kind, calls, cut->seed);
    *is_cut = trial_live_until(&trial, cut, &job_manager, &task_manager);
    disk_host_init(&next, trial.disk, 2);
    if (cut->scene == CRASH_THEN_CUT) {
        wrong = judge(&trial, &next.host, &status);
        disk_cut(trial.disk, 0, cut->survival, &trial.prng);
    }
    if (wrong == NULL) {
        wrong = trial_recover(&trial, &next.host, &status);
    }
    if (wrong == NULL) {
        disk_host_cut(&next, DISK_LOSE, &trial.prng);
        disk_host_init(&next, trial.disk, 3);
        wrong = judge(&trial, &next.host, &status);
    }
    disk_check(trial.disk);
    disk_host_free(&next);
    disk_destroy(trial.disk);
    ck_assert_uint_eq(trial.arena.live_count, 0);
    return wrong;
}

/* Cuts at call 1, 2, 3 ... until a life is not cut; answers the first thing found wrong, or NULL.
 * `cut` says which cut it was. */
static const char *try_all_calls(enum store_kind kind, const struct store_calls *calls,
                                 struct cut *cut)
{
    bool is_cut = true;
    for (cut->call = 1; is_cut; cut->call++) {
        ck_assert_uint_lt(cut->call, CALLS_MAX);
        /* A database makes many calls, and a cut behind one is that before the next, but for what
         * the JobManager knows. */
        for (unsigned i = 0; i < (kind == STORE_FILES ? 2 : 1); i++) {
            cut->has_effect = i == 1;
            const char *wrong = try_cut(kind, calls, cut, &is_cut);
            if (wrong != NULL) {
                return wrong;
            }
        }
    }
    ck_assert_uint_gt(cut->call, 10);
    return NULL;
}

const char *trial_everything(enum store_kind kind, const struct store_calls *calls, struct cut *cut)
{
    for (unsigned scene = 0; scene < SCENES; scene++) {
        bool is_new = scene == CUT_JOB_MANAGER || scene == CRASH_THEN_CUT;
        if (kind != STORE_FILES && !is_new) {
            continue; /* the TaskManager makes no call */
        }
        unsigned tear_seeds = kind == STORE_FILES ? TEAR_SEEDS : 1; /* it makes many more calls */
        for (unsigned seed = 0; seed < 2 + tear_seeds; seed++) {
            *cut = (struct cut){ .scene = (enum scene)scene, .seed = seed };
            cut->survival = seed == 0 ? DISK_KEEP : seed == 1 ? DISK_LOSE : DISK_TEAR;
            const char *wrong = try_all_calls(kind, calls, cut);
            if (wrong != NULL) {
                return wrong;
            }
        }
    }
    return NULL;
}
