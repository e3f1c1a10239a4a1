#include "model/checkpoint/store.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/base/text.h"
#include "model/checkpoint/carried.h"
#include "model/checkpoint/manifest.h"
#include "model/checkpoint/store_files.h"
#include "model/checkpoint/store_table.h"

#define DIRECTORY_PREFIX "chk-"

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

void store_draft_directory(char path[STORE_PATH_SIZE], uint64_t attempt)
{
    CHECK(attempt > 0);
    int length =
        snprintf(path, STORE_PATH_SIZE, STORE_DRAFTS "/att-%llu", (unsigned long long)attempt);
    CHECK(length > 0 && length < STORE_PATH_SIZE);
}

void store_draft_file(char path[STORE_PATH_SIZE], uint64_t attempt, const char *name)
{
    char folder[STORE_PATH_SIZE];
    store_draft_directory(folder, attempt);
    path_in_folder(path, folder, name);
}

/* Only the very name that folder_path gives is a checkpoint's. */
bool store_parse_directory(struct bytes name, uint64_t *id)
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
    if (end == NULL ||
        !store_parse_directory((struct bytes){ rest.data, (size_t)(end - rest.data) }, id)) {
        return false;
    }
    *name = (struct bytes){ .data = end + 1, .size = rest.size - (size_t)(end + 1 - rest.data) };
    return name->size > 0;
}

const char *store_kind_name(enum store_kind kind)
{
    switch (kind) {
    case STORE_FILES: return "files";
    case STORE_MEMORY: return "memory";
    case STORE_SQLITE: return "sqlite";
    case STORE_KIND_COUNT: break;
    }
    CHECK_UNREACHABLE("a checkpoint store");
}

static enum status open_sqlite(struct host *host, struct store **store)
{
    struct blob_table *table;
    enum status status = store_files_make_root(host);
    if (status == STATUS_OK) {
        status = blob_table_sqlite_open(host, &table);
    }
    if (status == STATUS_OK) {
        *store = store_table_create(table);
    }
    return status;
}

enum status store_open(struct host *host, enum store_kind kind, struct store **store)
{
    switch (kind) {
    case STORE_FILES: return store_files_open(host, store);
    case STORE_MEMORY:
        *store = store_table_create(blob_table_memory_create(host));
        return STATUS_OK;
    case STORE_SQLITE: return open_sqlite(host, store);
    case STORE_KIND_COUNT: break;
    }
    CHECK_UNREACHABLE("a checkpoint store");
}

/* ---- parts ----------------------------------------------------------------------------------- */

static enum status read_location(struct host *host, struct bytes carried,
                                 const struct state_handle *handle, struct buffer *out)
{
    char path[STORE_PATH_SIZE];
    struct bytes part;
    if (handle->kind == HANDLE_INLINE) {
        buffer_append(out, handle->location);
        return STATUS_OK;
    }
    if (carried_find(carried, handle->location, &part)) {
        buffer_append(out, part);
        return STATUS_OK;
    }
    if (handle->location.size >= sizeof path) {
        return STATUS_CORRUPT;
    }
    memcpy(path, handle->location.data, handle->location.size);
    path[handle->location.size] = '\0';
    return store_files_read(host, path, out);
}

enum status store_read_part(struct host *host, struct bytes carried,
                            const struct state_handle *handle, struct buffer *out)
{
    size_t size_before = out->size;
    enum status status = read_location(host, carried, handle, out);
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
