#include "model/checkpoint/store.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/base/text.h"
#include "model/checkpoint/manifest.h"

#define DIRECTORY_PREFIX "chk-"
#define MANIFEST_PART    STORE_MANIFEST ".part" /* the manifest until it is durable */

/* The path of the folder of checkpoint `id` in `root`. */
static void folder_path(char path[STORE_PATH_SIZE], const char *root, uint64_t id)
{
    CHECK(id > 0);
    int length = snprintf(path, STORE_PATH_SIZE, "%s/" DIRECTORY_PREFIX "%llu", root,
                          (unsigned long long)id);
    CHECK(length > 0 && length < STORE_PATH_SIZE);
}

static void path_in_folder(char path[STORE_PATH_SIZE], const char *folder, const char *name)
{
    CHECK(name[0] != '\0');
    int length = snprintf(path, STORE_PATH_SIZE, "%s/%s", folder, name);
    CHECK(length > 0 && length < STORE_PATH_SIZE);
}

void store_directory(char path[STORE_PATH_SIZE], uint64_t id)
{
    folder_path(path, STORE_ROOT, id);
}

void store_file(char path[STORE_PATH_SIZE], uint64_t id, const char *name)
{
    char folder[STORE_PATH_SIZE];
    store_directory(folder, id);
    path_in_folder(path, folder, name);
}

void store_shared_directory(char path[STORE_PATH_SIZE], uint64_t id)
{
    folder_path(path, STORE_SHARED, id);
}

void store_shared_file(char path[STORE_PATH_SIZE], uint64_t id, const char *name)
{
    char folder[STORE_PATH_SIZE];
    store_shared_directory(folder, id);
    path_in_folder(path, folder, name);
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

enum status store_init(struct host *host)
{
    enum status status = make_durable_dir(host, "", STORE_ROOT);
    return status == STATUS_OK ? make_durable_dir(host, STORE_ROOT, STORE_SHARED) : status;
}

static enum status begin(struct host *host, const char *root, uint64_t id)
{
    char path[STORE_PATH_SIZE];
    folder_path(path, root, id);
    enum status status = host_make_dir(host, HOST_SHARED, path);
    return status == STATUS_OK ? host_sync_dir(host, HOST_SHARED, root) : status;
}

enum status store_begin(struct host *host, uint64_t id)
{
    return begin(host, STORE_ROOT, id);
}

enum status store_begin_shared(struct host *host, uint64_t id)
{
    return begin(host, STORE_SHARED, id);
}

enum status store_seal(struct host *host, const char *path, file_id file)
{
    CHECK(file != 0);
    char folder[STORE_PATH_SIZE];
    const char *end = strrchr(path, '/');
    CHECK(end != NULL && end - path < STORE_PATH_SIZE);
    memcpy(folder, path, (size_t)(end - path));
    folder[end - path] = '\0';
    enum status status = host_file_sync(host, file);
    return status == STATUS_OK ? host_sync_dir(host, HOST_SHARED, folder) : status;
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

enum status store_commit(struct host *host, uint64_t id, uint64_t attempt, struct bytes manifest)
{
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

struct id_list {
    struct arena *arena;
    uint64_t *ids; /* rising */
    size_t count;
    size_t capacity;
};

/* Only the very name that folder_path gives is a checkpoint's. */
static bool parse_folder(struct bytes name, uint64_t *id)
{
    size_t prefix_size = strlen(DIRECTORY_PREFIX);
    int64_t number;
    char path[STORE_PATH_SIZE];
    if (name.size < prefix_size || memcmp(name.data, DIRECTORY_PREFIX, prefix_size) != 0 ||
        !text_parse_i64((struct bytes){ name.data + prefix_size, name.size - prefix_size },
                        &number) ||
        number <= 0) {
        return false;
    }
    *id = (uint64_t)number;
    store_directory(path, *id);
    return bytes_equal(bytes_of_text(path + strlen(STORE_ROOT "/")), name);
}

bool store_parse_shared(struct bytes path, uint64_t *id, struct bytes *name)
{
    static const char root[] = STORE_SHARED "/";
    size_t root_size = sizeof root - 1;
    if (path.size < root_size || memcmp(path.data, root, root_size) != 0) {
        return false;
    }
    struct bytes rest = { .data = path.data + root_size, .size = path.size - root_size };
    const uint8_t *end = memchr(rest.data, '/', rest.size);
    if (end == NULL || !parse_folder((struct bytes){ rest.data, (size_t)(end - rest.data) }, id)) {
        return false;
    }
    *name = (struct bytes){ .data = end + 1, .size = rest.size - (size_t)(end + 1 - rest.data) };
    return name->size > 0;
}

static void collect_id(void *context, const char *name)
{
    struct id_list *list = context;
    uint64_t id;
    if (!parse_folder(bytes_of_text(name), &id)) {
        return;
    }
    list->ids =
        arena_grow(list->arena, list->ids, &list->capacity, list->count + 1, sizeof *list->ids);
    size_t at = list->count++;
    /* Names come sorted by bytes, so chk-10 comes before chk-9. */
    for (; at > 0 && list->ids[at - 1] > id; at--) {
        list->ids[at] = list->ids[at - 1];
    }
    CHECK(at == 0 || list->ids[at - 1] < id);
    list->ids[at] = id;
}

/* The ids of all checkpoints with a folder in `root`, rising, in memory of `arena`. */
static enum status list_folders(struct host *host, const char *root, struct arena *arena,
                                struct id_list *list)
{
    *list = (struct id_list){ .arena = arena };
    enum status status = host_list(host, HOST_SHARED, root, collect_id, list);
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

enum status store_list(struct host *host, struct arena *arena, uint64_t **ids, size_t *count)
{
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

enum status store_read(struct host *host, const char *path, struct buffer *out)
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

static enum status read_location(struct host *host, const struct state_handle *handle,
                                 struct buffer *out)
{
    char path[STORE_PATH_SIZE];
    if (handle->kind == HANDLE_INLINE) {
        buffer_append(out, handle->location);
        return STATUS_OK;
    }
    if (handle->location.size >= sizeof path) {
        return STATUS_CORRUPT;
    }
    memcpy(path, handle->location.data, handle->location.size);
    path[handle->location.size] = '\0';
    return store_read(host, path, out);
}

enum status store_read_state(struct host *host, const struct state_handle *handle,
                             struct buffer *out)
{
    size_t size_before = out->size;
    enum status status = read_location(host, handle, out);
    if (status != STATUS_OK) {
        return status;
    }
    CHECK(out->size >= size_before);
    struct bytes state = { .size = out->size - size_before };
    state.data = state.size > 0 ? out->data + size_before : NULL;
    if (state.size != handle->size_bytes || hash_bytes(state) != handle->checksum) {
        out->size = size_before;
        return STATUS_CORRUPT;
    }
    return STATUS_OK;
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

enum status store_discard(struct host *host, uint64_t id)
{
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

enum status store_discard_shared(struct host *host, uint64_t id)
{
    char folder[STORE_PATH_SIZE];
    store_shared_directory(folder, id);
    enum status status = remove_folder(host, STORE_SHARED, folder);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_remove_shared(struct host *host, uint64_t id, const char *name)
{
    char folder[STORE_PATH_SIZE];
    store_shared_directory(folder, id);
    return remove_file(host, folder, name);
}

enum status store_sync_shared(struct host *host, uint64_t id)
{
    char folder[STORE_PATH_SIZE];
    store_shared_directory(folder, id);
    enum status status = host_sync_dir(host, HOST_SHARED, folder);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Removes from the folder of `id` what is not needed; then the folder, if it is empty. */
static enum status sweep_folder(struct host *host, uint64_t id, store_needed_function is_needed,
                                void *context, uint64_t *removed)
{
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
    return is_empty ? store_discard_shared(host, id) : host_sync_dir(host, HOST_SHARED, folder);
}

enum status store_sweep_shared(struct host *host, store_needed_function is_needed, void *context,
                               uint64_t *removed)
{
    struct id_list list;
    *removed = 0;
    enum status status = list_folders(host, STORE_SHARED, host->arena, &list);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        if (!is_needed(context, list.ids[i], "")) {
            status = sweep_folder(host, list.ids[i], is_needed, context, removed);
        }
    }
    arena_free(host->arena, list.ids);
    return status;
}

enum status store_discard_incomplete(struct host *host)
{
    struct id_list list;
    enum status status = list_folders(host, STORE_ROOT, host->arena, &list);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        bool is_there;
        status = find_manifest(host, list.ids[i], &is_there);
        if (status == STATUS_OK && !is_there) {
            host_mark(host, MARK_ORPHAN_CHECKPOINT_REMOVED);
            status = store_discard(host, list.ids[i]);
        }
    }
    arena_free(host->arena, list.ids);
    return status;
}
