#include "model/checkpoint/store_files.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/id_list.h"

#define MANIFEST_PART STORE_MANIFEST ".part" /* the manifest until it is durable */

static void path_in_folder(char path[STORE_PATH_SIZE], const char *folder, const char *name)
{
    CHECK(name[0] != '\0');
    int length = snprintf(path, STORE_PATH_SIZE, "%s/%s", folder, name);
    CHECK(length > 0 && length < STORE_PATH_SIZE);
}

/* Makes `path` in `parent`, or finds it there, and makes the name durable. */
static enum status make_durable_dir(struct host *host, const char *parent, const char *path)
{
    enum status status = host_make_dir(host, HOST_SHARED, path);
    if (status != STATUS_OK && status != STATUS_EXISTS) {
        return status;
    }
    return host_sync_dir(host, HOST_SHARED, parent);
}

static enum status make_folder(struct host *host, const char *root, const char *folder)
{
    enum status status = host_make_dir(host, HOST_SHARED, folder);
    return status == STATUS_OK ? host_sync_dir(host, HOST_SHARED, root) : status;
}

static enum status begin(struct store *store, uint64_t id, bool shared)
{
    char folder[STORE_PATH_SIZE];
    store_directory(folder, id);
    enum status status = make_folder(store->host, STORE_ROOT, folder);
    if (status == STATUS_OK && shared) {
        store_shared_directory(folder, id);
        status = make_folder(store->host, STORE_SHARED, folder);
    }
    return status;
}

/* Makes the name of a file durable. */
static enum status sync_folder_of(struct host *host, const char *path)
{
    char folder[STORE_PATH_SIZE];
    const char *end = strrchr(path, '/');
    CHECK(end != NULL && end - path < STORE_PATH_SIZE);
    memcpy(folder, path, (size_t)(end - path));
    folder[end - path] = '\0';
    return host_sync_dir(host, HOST_SHARED, folder);
}

enum status store_files_seal(struct host *host, const char *path, file_id file)
{
    CHECK(file != 0);
    enum status status = host_file_sync(host, file);
    return status == STATUS_OK ? sync_folder_of(host, path) : status;
}

enum status store_files_adopt(struct host *host, const char *draft, const char *path)
{
    enum status status = host_rename(host, HOST_SHARED, draft, path);
    return status == STATUS_OK ? sync_folder_of(host, path) : status;
}

static void report(struct host *host, enum fact_kind kind, uint64_t id, uint64_t attempt,
                   uint64_t value)
{
    struct fact fact = { .kind = kind,
                         .vertex = FACT_NO_TASK,
                         .subtask = FACT_NO_TASK,
                         .attempt = attempt,
                         .checkpoint = id,
                         .values = { value, 0 } };
    host_trace(host, &fact);
}

/* Writes and syncs the manifest under its temporary name. */
static enum status write_part(struct host *host, uint64_t id, uint64_t attempt,
                              struct bytes manifest)
{
    char path[STORE_PATH_SIZE];
    file_id file;
    store_file(path, id, MANIFEST_PART);
    enum status status = host_file_open(host, HOST_SHARED, path, HOST_TRUNCATE, &file);
    if (status != STATUS_OK) {
        return status;
    }
    status = host_file_write(host, file, 0, manifest);
    if (status == STATUS_OK) {
        report(host, FACT_MANIFEST_WRITTEN, id, attempt, manifest.size);
        status = host_file_sync(host, file);
    }
    host_file_close(host, file);
    return status;
}

static enum status commit(struct store *store, uint64_t id, uint64_t attempt, struct bytes manifest)
{
    struct host *host = store->host;
    CHECK(manifest.size > 0);
    char directory[STORE_PATH_SIZE];
    char part[STORE_PATH_SIZE];
    char path[STORE_PATH_SIZE];
    store_directory(directory, id);
    store_file(part, id, MANIFEST_PART);
    store_file(path, id, STORE_MANIFEST);
    enum status status = write_part(host, id, attempt, manifest);
    if (status != STATUS_OK) {
        return status;
    }
    report(host, FACT_MANIFEST_SYNCED, id, attempt, 0);
    status = host_rename(host, HOST_SHARED, part, path);
    if (status != STATUS_OK) {
        return status;
    }
    report(host, FACT_MANIFEST_RENAMED, id, attempt, 0);
    return host_sync_dir(host, HOST_SHARED, directory);
}

struct folders {
    struct arena *arena;
    struct id_list *list;
};

static void collect_id(void *context, const char *name)
{
    struct folders *folders = context;
    uint64_t id;
    if (store_parse_directory(bytes_of_text(name), &id)) {
        id_list_add(folders->list, folders->arena, id);
    }
}

/* The ids of all checkpoints with a folder in `root`, in memory of `arena`. */
static enum status list_folders(struct host *host, const char *root, struct arena *arena,
                                struct id_list *list)
{
    *list = (struct id_list){ 0 };
    struct folders folders = { .arena = arena, .list = list };
    enum status status = host_list(host, HOST_SHARED, root, collect_id, &folders);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status find_manifest(struct host *host, uint64_t id, bool *is_there)
{
    char path[STORE_PATH_SIZE];
    file_id file;
    store_file(path, id, STORE_MANIFEST);
    enum status status = host_file_open(host, HOST_SHARED, path, HOST_READ, &file);
    *is_there = status == STATUS_OK;
    if (status == STATUS_OK) {
        host_file_close(host, file);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status list_complete(struct store *store, struct arena *arena, uint64_t **ids,
                                 size_t *count)
{
    struct host *host = store->host;
    struct id_list list;
    size_t kept = 0;
    enum status status = list_folders(host, STORE_ROOT, arena, &list);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        char path[STORE_PATH_SIZE];
        bool is_there;
        status = find_manifest(host, list.ids[i], &is_there);
        if (status == STATUS_OK && is_there) {
            store_directory(path, list.ids[i]);
            status = host_sync_dir(host, HOST_SHARED, path);
            list.ids[kept++] = list.ids[i];
        }
    }
    CHECK(kept <= list.count);
    *ids = list.ids;
    *count = status == STATUS_OK ? kept : 0;
    return status;
}

static enum status read_open(struct host *host, file_id file, struct buffer *out)
{
    uint64_t size_bytes;
    size_t got;
    enum status status = host_file_size(host, file, &size_bytes);
    if (status != STATUS_OK || size_bytes == 0) {
        return status;
    }
    uint8_t *at = buffer_extend(out, size_bytes);
    status = host_file_read(host, file, 0, at, size_bytes, &got);
    if (status == STATUS_OK) {
        CHECK(got <= size_bytes);
        out->size -= size_bytes - got;
    }
    return status;
}

enum status store_files_read(struct host *host, const char *path, struct buffer *out)
{
    file_id file;
    size_t size_before = out->size;
    enum status status = host_file_open(host, HOST_SHARED, path, HOST_READ, &file);
    if (status != STATUS_OK) {
        return status;
    }
    status = read_open(host, file, out);
    host_file_close(host, file);
    if (status != STATUS_OK) {
        out->size = size_before;
    }
    return status;
}

static enum status read(struct store *store, const char *path, struct buffer *out)
{
    return store_files_read(store->host, path, out);
}

static void collect_name(void *context, const char *name)
{
    struct buffer *names = context;
    buffer_append(names, (struct bytes){ .data = (const uint8_t *)name, .size = strlen(name) + 1 });
}

/* Removes the file `name` of `folder`, or finds it gone. */
static enum status remove_file(struct host *host, const char *folder, const char *name)
{
    char path[STORE_PATH_SIZE];
    path_in_folder(path, folder, name);
    enum status status = host_remove(host, HOST_SHARED, path);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Removes the files of `folder`, which lies in `root`, then the folder, durably. */
static enum status remove_folder(struct host *host, const char *root, const char *folder)
{
    struct buffer names;
    buffer_init(&names, host->arena);
    enum status status = host_list(host, HOST_SHARED, folder, collect_name, &names);
    for (size_t at = 0; at < names.size && status == STATUS_OK;) {
        const char *name = (const char *)names.data + at;
        status = remove_file(host, folder, name);
        at += strlen(name) + 1;
    }
    buffer_free(&names);
    if (status == STATUS_OK) {
        status = host_remove_dir(host, HOST_SHARED, folder);
    }
    return status == STATUS_OK ? host_sync_dir(host, HOST_SHARED, root) : status;
}

static enum status discard(struct store *store, uint64_t id)
{
    struct host *host = store->host;
    char directory[STORE_PATH_SIZE];
    char manifest[STORE_PATH_SIZE];
    store_directory(directory, id);
    store_file(manifest, id, STORE_MANIFEST);
    enum status status = host_remove(host, HOST_SHARED, manifest);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        status = host_sync_dir(host, HOST_SHARED, directory);
    }
    if (status == STATUS_OK) {
        status = remove_folder(host, STORE_ROOT, directory);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status discard_shared(struct store *store, uint64_t id)
{
    char folder[STORE_PATH_SIZE];
    store_shared_directory(folder, id);
    enum status status = remove_folder(store->host, STORE_SHARED, folder);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The last file of its creator in the list makes all of them durable. */
static enum status remove_one(struct store *store, const struct shared_garbage *garbage,
                              bool is_end)
{
    char folder[STORE_PATH_SIZE];
    store_shared_directory(folder, garbage->creator);
    enum status status = remove_file(store->host, folder, garbage->name);
    if (status != STATUS_OK || !is_end) {
        return status;
    }
    if (garbage->is_last) {
        return discard_shared(store, garbage->creator);
    }
    status = host_sync_dir(store->host, HOST_SHARED, folder);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status remove_shared(struct store *store, const struct shared_garbage *garbage,
                                 size_t count)
{
    enum status first_error = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        bool is_end = i + 1 == count || garbage[i + 1].creator != garbage[i].creator;
        enum status status = remove_one(store, &garbage[i], is_end);
        if (status == STATUS_HALTED) {
            return status;
        }
        first_error = first_error == STATUS_OK ? status : first_error;
    }
    return first_error;
}

/* Removes from the folder of `id` what is not needed; then the folder, if it is empty. */
static enum status sweep_folder(struct store *store, uint64_t id, store_needed_function is_needed,
                                void *context, uint64_t *removed)
{
    struct host *host = store->host;
    struct buffer names;
    char folder[STORE_PATH_SIZE];
    bool is_empty = true;
    buffer_init(&names, host->arena);
    store_shared_directory(folder, id);
    enum status status = host_list(host, HOST_SHARED, folder, collect_name, &names);
    for (size_t at = 0; at < names.size && status == STATUS_OK;) {
        const char *name = (const char *)names.data + at;
        if (is_needed(context, id, name)) {
            is_empty = false;
        } else {
            status = remove_file(host, folder, name);
            *removed += status == STATUS_OK;
        }
        at += strlen(name) + 1;
    }
    buffer_free(&names);
    if (status != STATUS_OK) {
        return status;
    }
    return is_empty ? discard_shared(store, id) : host_sync_dir(host, HOST_SHARED, folder);
}

static enum status sweep_shared(struct store *store, store_needed_function is_needed, void *context,
                                uint64_t *removed)
{
    struct host *host = store->host;
    struct id_list list;
    *removed = 0;
    enum status status = list_folders(host, STORE_SHARED, host->arena, &list);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        if (!is_needed(context, list.ids[i], "")) {
            status = sweep_folder(store, list.ids[i], is_needed, context, removed);
        }
    }
    arena_free(host->arena, list.ids);
    return status;
}

static enum status discard_incomplete(struct store *store)
{
    struct host *host = store->host;
    struct id_list list;
    enum status status = list_folders(host, STORE_ROOT, host->arena, &list);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        bool is_there;
        status = find_manifest(host, list.ids[i], &is_there);
        if (status == STATUS_OK && !is_there) {
            host_mark(host, MARK_ORPHAN_CHECKPOINT_REMOVED);
            status = discard(store, list.ids[i]);
        }
    }
    arena_free(host->arena, list.ids);
    return status;
}

static enum status begin_attempt(struct store *store, uint64_t attempt)
{
    char folder[STORE_PATH_SIZE];
    store_draft_directory(folder, attempt);
    enum status status = make_durable_dir(store->host, STORE_ROOT, STORE_DRAFTS);
    return status == STATUS_OK ? make_durable_dir(store->host, STORE_DRAFTS, folder) : status;
}

static enum status end_attempts(struct store *store, uint64_t kept, uint64_t *removed)
{
    struct host *host = store->host;
    struct buffer names;
    char kept_folder[STORE_PATH_SIZE] = "";
    char folder[STORE_PATH_SIZE];
    if (kept != 0) {
        store_draft_directory(kept_folder, kept);
    }
    *removed = 0;
    buffer_init(&names, host->arena);
    enum status status = host_list(host, HOST_SHARED, STORE_DRAFTS, collect_name, &names);
    for (size_t at = 0; at < names.size && status == STATUS_OK;) {
        const char *name = (const char *)names.data + at;
        path_in_folder(folder, STORE_DRAFTS, name);
        if (strcmp(folder, kept_folder) != 0) {
            status = remove_folder(host, STORE_DRAFTS, folder);
            *removed += status == STATUS_OK;
        }
        at += strlen(name) + 1;
    }
    buffer_free(&names);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static const struct store_ops files_ops = {
    .begin = begin,
    .commit = commit,
    .list = list_complete,
    .read = read,
    .discard = discard,
    .discard_shared = discard_shared,
    .remove_shared = remove_shared,
    .sweep_shared = sweep_shared,
    .discard_incomplete = discard_incomplete,
    .begin_attempt = begin_attempt,
    .end_attempts = end_attempts,
};

enum status store_files_make_root(struct host *host)
{
    return make_durable_dir(host, "", STORE_ROOT);
}

enum status store_files_open(struct host *host, struct store **store)
{
    enum status status = store_files_make_root(host);
    if (status == STATUS_OK) {
        status = make_durable_dir(host, STORE_ROOT, STORE_SHARED);
    }
    if (status == STATUS_OK) {
        *store = arena_alloc(host->arena, 1, sizeof **store);
        **store = (struct store){ .ops = &files_ops, .host = host };
    }
    return status;
}
