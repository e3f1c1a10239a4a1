/* Property 6: what a retained checkpoint needs is there and undamaged, and no orphan file remains
 * at the end. Those that are not restored any more, since an older one was, count for nothing: no
 * good one goes in their place.
 *
 * Files that a fault damaged or removed are not held against the model. A job that was given up may
 * leave files behind; one that finished may not. */
#include "sim/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/checkpoint/store.h"

/* Zero-terminates the path of a handle; false if it is longer than any that exists. */
static bool path_of(const struct state_handle *handle, char path[JUDGE_PATH_SIZE])
{
    CHECK(handle->kind == HANDLE_FILE);
    if (handle->location.size >= JUDGE_PATH_SIZE) {
        return false;
    }
    memcpy(path, handle->location.data, handle->location.size);
    path[handle->location.size] = '\0';
    return true;
}

/* What is wrong with the part of keyed state behind `handle`; NULL: nothing. */
static const char *find_fault(const struct oracle *oracle, const struct state_handle *handle,
                              char path[JUDGE_PATH_SIZE])
{
    struct bytes state = handle->location;
    path[0] = '\0';
    if (handle->kind == HANDLE_FILE &&
        (!path_of(handle, path) || !stored_peek(&oracle->stored, path, &state))) {
        return "is missing";
    }
    if (state.size != handle->size_bytes) {
        return "has a wrong size";
    }
    return hash_bytes(state) == handle->checksum ? NULL : "has a wrong checksum";
}

static bool check_subtask(struct oracle *oracle, uint64_t id,
                          const struct checkpoint_subtask *subtask)
{
    CHECK(id != 0);
    char path[JUDGE_PATH_SIZE];
    struct part_reader reader;
    struct state_handle part;
    bool is_sound = true;
    part_reader_open(&reader, subtask);
    while (part_reader_next(&reader, &part)) {
        const char *fault = find_fault(oracle, &part, path);
        is_sound = is_sound && fault == NULL;
        if (fault != NULL && !judge_is_damaged(oracle, path)) {
            judge_report(oracle, PROPERTY_FILES, "checkpoint %llu: the state of %s[%u] %s: %s",
                         (unsigned long long)id, judge_vertex_name(oracle, subtask->vertex),
                         subtask->subtask, fault, path[0] != '\0' ? path : "inline");
        }
    }
    return is_sound;
}

/* True if checkpoint `id` can be read. */
static bool check_checkpoint(struct oracle *oracle, uint64_t id)
{
    char path[JUDGE_PATH_SIZE];
    struct bytes manifest;
    judge_manifest_path(path, id);
    bool is_damaged = judge_is_manifest_damaged(oracle, id);
    if (!stored_peek(&oracle->stored, path, &manifest)) {
        if (!is_damaged) {
            judge_report(oracle, PROPERTY_FILES, "checkpoint %llu: its manifest is missing: %s",
                         (unsigned long long)id, path);
        }
        return false;
    }
    struct checkpoint_reader reader;
    struct checkpoint_subtask subtask;
    bool is_sound = true;
    if (checkpoint_reader_open(&reader, manifest)) {
        while (checkpoint_reader_next(&reader, &subtask)) {
            is_sound = check_subtask(oracle, id, &subtask) && is_sound;
        }
    }
    if (reader.error != NULL && !is_damaged) {
        judge_report(oracle, PROPERTY_FILES, "checkpoint %llu: its manifest is damaged: %s: %s",
                     (unsigned long long)id, reader.error, path);
    }
    CHECK(reader.error != NULL || reader.vertex == reader.vertex_count);
    return reader.error == NULL && is_sound;
}

bool property_files_is_readable(const struct oracle *oracle, uint64_t id)
{
    char path[JUDGE_PATH_SIZE];
    struct bytes manifest;
    judge_manifest_path(path, id);
    struct checkpoint_reader reader;
    if (!stored_peek(&oracle->stored, path, &manifest) ||
        !checkpoint_reader_open(&reader, manifest)) {
        return false;
    }
    struct checkpoint_subtask subtask;
    bool is_sound = true;
    while (checkpoint_reader_next(&reader, &subtask)) {
        struct part_reader parts;
        struct state_handle part;
        part_reader_open(&parts, &subtask);
        while (part_reader_next(&parts, &part)) {
            is_sound = is_sound && find_fault(oracle, &part, path) == NULL;
        }
    }
    return is_sound && reader.error == NULL;
}

static uint32_t retained_count(const struct oracle *oracle)
{
    uint32_t retained = oracle->scenario->job.checkpoint.retained;
    return retained > 0 ? retained : 1;
}

bool property_files_on_complete(struct oracle *oracle, uint64_t id)
{
    if (!oracle->stored.is_readable && oracle->stored.kind == STORE_MEMORY) {
        return false; /* nobody can look there */
    }
    if (!oracle->stored.is_readable && oracle->stored.kind == STORE_SQLITE) {
        if (id != 0 && !judge_is_database_damaged(oracle)) {
            judge_report(oracle, PROPERTY_FILES,
                         "checkpoint %llu: the database that it is in cannot be read: %s",
                         (unsigned long long)id, STORE_DATABASE);
        }
        return false;
    }
    uint32_t retained = retained_count(oracle);
    uint32_t seen = 0;
    bool is_readable = false;
    for (size_t i = oracle->history.count; i > 0 && seen < retained; i--) {
        const struct checkpoint_record *record = &oracle->history.records[i - 1];
        seen += record->completed;
        if (checkpoint_history_counts(record) && !record->lost) {
            bool is_sound = check_checkpoint(oracle, record->id);
            is_readable = record->id == id ? is_sound : is_readable;
        }
    }
    CHECK(seen <= retained);
    return is_readable;
}

void property_files_on_subsumed(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_CHECKPOINT_SUBSUMED);
    uint64_t id = fact->checkpoint;
    struct checkpoint_record *record = checkpoint_history_find(&oracle->history, id);
    if (record == NULL) {
        return;
    }
    record->subsumed = true;
    if (!checkpoint_history_counts(record)) {
        return;
    }
    uint32_t newer = 0; /* also those that a fault took away since: nobody may know */
    for (size_t i = oracle->history.count; i > 0 && oracle->history.records[i - 1].id > id; i--) {
        const struct checkpoint_record *other = &oracle->history.records[i - 1];
        newer += other->completed && (!other->superseded || other->unsure);
    }
    if (newer < retained_count(oracle)) {
        judge_report(oracle, PROPERTY_FILES,
                     "checkpoint %llu was subsumed by %u newer ones, of which %u are retained",
                     (unsigned long long)id, newer, retained_count(oracle));
    }
}

/* ---- orphans --------------------------------------------------------------------------------- */

struct reference_list {
    struct oracle *oracle;
    struct bytes *paths; /* that retained manifests name, sorted; borrowed from the manifests */
    size_t count;
    size_t capacity;
    bool is_shared_open; /* a retained manifest is unreadable: it may name any shared file */
};

static int compare_paths(const void *a, const void *b)
{
    const struct bytes *left = a;
    const struct bytes *right = b;
    size_t size = left->size < right->size ? left->size : right->size;
    int order = memcmp(left->data, right->data, size);
    return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

static void collect_paths_of(struct reference_list *list, uint64_t id)
{
    struct oracle *oracle = list->oracle;
    char path[JUDGE_PATH_SIZE];
    struct bytes manifest;
    struct checkpoint_reader reader;
    struct checkpoint_subtask subtask;
    judge_manifest_path(path, id);
    if (!stored_peek(&oracle->stored, path, &manifest) ||
        !checkpoint_reader_open_sound(&reader, manifest)) {
        list->is_shared_open = true;
        return;
    }
    while (checkpoint_reader_next(&reader, &subtask)) {
        struct part_reader parts;
        struct state_handle part;
        part_reader_open(&parts, &subtask);
        while (part_reader_next(&parts, &part)) {
            if (part.kind == HANDLE_FILE) {
                list->paths = arena_grow(oracle->arena, list->paths, &list->capacity,
                                         list->count + 1, sizeof *list->paths);
                list->paths[list->count++] = part.location;
            }
        }
    }
}

static bool is_referenced(const struct reference_list *list, const char *path)
{
    CHECK(list->count <= list->capacity);
    struct bytes wanted = bytes_of_text(path);
    return list->count > 0 &&
           bsearch(&wanted, list->paths, list->count, sizeof *list->paths, compare_paths) != NULL;
}

/* Has the file `name` of checkpoint `id` a right to be there? */
static bool is_allowed(const struct reference_list *list, const char *path, uint64_t id,
                       const char *name)
{
    const struct oracle *oracle = list->oracle;
    const struct checkpoint_record *record = checkpoint_history_find(&oracle->history, id);
    CHECK(name != NULL);
    if (record == NULL ||
        !checkpoint_history_is_allowed(&oracle->history, record, retained_count(oracle))) {
        return false;
    }
    /* Nobody can say what a damaged manifest named. */
    return record->superseded || strcmp(name, STORE_MANIFEST) == 0 ||
           judge_is_manifest_damaged(oracle, id) || is_referenced(list, path);
}

static bool is_below(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

static void judge_file(void *context, const char *path)
{
    CHECK(path[0] != '\0');
    struct reference_list *list = context;
    struct oracle *oracle = list->oracle;
    uint64_t id;
    const char *name;
    const char *last = strrchr(path, '/');
    last = last == NULL ? path : last + 1;
    if (is_below(path, "output/") && is_below(last, ".pending-")) {
        judge_report(oracle, PROPERTY_FILES, "uncommitted output remains: %s", path);
    } else if (stored_is_database(path) || judge_is_database_damaged(oracle)) {
        return; /* what is in it is judged row by row, unless nobody knows what it should be */
    } else if (judge_parse_checkpoint_path(path, &id, &name)) {
        if (!is_referenced(list, path) && !is_allowed(list, path, id, name)) {
            judge_report(oracle, PROPERTY_FILES, "an orphan file remains: %s", path);
        }
    } else if (is_below(path, STORE_ROOT "/") && !is_referenced(list, path) &&
               !(list->is_shared_open && is_below(path, STORE_SHARED "/"))) {
        judge_report(oracle, PROPERTY_FILES, "an orphan file remains: %s", path);
    }
}

/* Of checkpoints that a fault took away nobody knew: so many older ones were retained. */
static void note_lost(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->history.count; i++) {
        struct checkpoint_record *record = &oracle->history.records[i];
        char path[JUDGE_PATH_SIZE];
        struct bytes manifest;
        judge_manifest_path(path, record->id);
        record->lost = record->lost || !stored_peek(&oracle->stored, path, &manifest);
    }
}

static void judge_orphans(struct oracle *oracle)
{
    note_lost(oracle);
    struct reference_list list = { .oracle = oracle };
    uint32_t retained = retained_count(oracle);
    uint32_t seen = 0;
    for (size_t i = oracle->history.count; i > 0 && seen < retained; i--) {
        const struct checkpoint_record *record = &oracle->history.records[i - 1];
        if (record->completed) {
            collect_paths_of(&list, record->id);
            seen += checkpoint_history_counts(record) && !record->lost;
        }
    }
    if (list.count > 0) {
        qsort(list.paths, list.count, sizeof *list.paths, compare_paths);
    }
    stored_each(&oracle->stored, judge_file, &list);
    arena_free(oracle->arena, list.paths);
    CHECK(seen <= retained);
}

void property_files_on_end(struct oracle *oracle, bool finished)
{
    CHECK(oracle->shared != NULL);
    (void)property_files_on_complete(oracle, 0);
    if (finished) {
        judge_orphans(oracle);
    }
}
