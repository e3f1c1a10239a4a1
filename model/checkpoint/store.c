#include "model/checkpoint/store.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
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

/* A piece this small is still in the processor's cache when it is verified and used. */
enum { PIECE_BYTES = 1024 * 1024 };

/* A part in memory is one piece. */
static bool find_in_memory(const struct state_handle *handle, struct bytes carried,
                           struct bytes *bytes)
{
    *bytes = handle->location;
    return handle->kind == HANDLE_INLINE || carried_find(carried, handle->location, bytes);
}

static enum status open_file(struct store_part *part)
{
    char path[STORE_PATH_SIZE];
    struct bytes location = part->handle.location;
    if (location.size >= sizeof path) {
        return STATUS_CORRUPT;
    }
    memcpy(path, location.data, location.size);
    path[location.size] = '\0';
    enum status status = host_file_open(part->host, HOST_SHARED, path, HOST_READ, &part->file);
    return status == STATUS_OK ? host_file_size(part->host, part->file, &part->file_bytes) : status;
}

/* Reads the next piece of the file to the end of `out`. */
static enum status read_file(struct store_part *part, struct buffer *out)
{
    uint64_t left_bytes = part->file_bytes - part->read_bytes;
    size_t wanted = left_bytes < PIECE_BYTES ? (size_t)left_bytes : PIECE_BYTES;
    if (wanted == 0) {
        return STATUS_OK;
    }
    size_t got;
    uint8_t *at = buffer_extend(out, wanted);
    enum status status = host_file_read(part->host, part->file, part->read_bytes, at, wanted, &got);
    got = status == STATUS_OK ? got : 0;
    CHECK(got <= wanted);
    out->size -= wanted - got;
    if (got < wanted) {
        part->file_bytes = part->read_bytes + got; /* it has become shorter */
    }
    return status;
}

/* Counts the piece in, which is damaged if it is the last one and the whole is not what was
 * written. */
static enum status verify(struct store_part *part, struct bytes piece)
{
    if (piece.size > 0) {
        hash_stream_add(&part->hash, piece);
        part->read_bytes += piece.size;
    }
    if (part->read_bytes < part->file_bytes) {
        return STATUS_OK;
    }
    bool is_sound = part->read_bytes == part->handle.size_bytes &&
                    hash_stream_finish(&part->hash) == part->handle.checksum;
    return is_sound ? STATUS_OK : STATUS_CORRUPT;
}

static enum status read_part(struct part_source *source, struct buffer *out)
{
    struct store_part *part = (struct store_part *)(void *)source;
    size_t size_before = out->size;
    enum status status = STATUS_OK;
    CHECK(!source->has_ended);
    if (part->first.arena != NULL) {
        buffer_append(out, buffer_bytes(&part->first));
        buffer_free(&part->first);
        part->first.arena = NULL;
    } else {
        status = read_file(part, out);
        struct bytes piece = { out->data + size_before, out->size - size_before };
        status = status == STATUS_OK ? verify(part, piece) : status;
    }
    source->has_ended = part->read_bytes == part->file_bytes;
    return status;
}

enum status store_part_open(struct store_part *part, struct host *host, struct bytes carried,
                            const struct state_handle *handle)
{
    struct bytes bytes;
    *part = (struct store_part){ .source = { .read = read_part }, .host = host, .handle = *handle };
    hash_stream_init(&part->hash, host->arena);
    buffer_init(&part->first, host->arena);
    enum status status = STATUS_OK;
    if (find_in_memory(handle, carried, &bytes)) {
        buffer_append(&part->first, bytes);
        part->file_bytes = bytes.size;
    } else {
        status = open_file(part);
        status = status == STATUS_OK ? read_file(part, &part->first) : status;
    }
    status = status == STATUS_OK ? verify(part, buffer_bytes(&part->first)) : status;
    if (status != STATUS_OK) {
        store_part_close(part);
    }
    return status;
}

void store_part_close(struct store_part *part)
{
    buffer_free(&part->first);
    if (part->hash.memory != NULL) {
        (void)hash_stream_finish(&part->hash);
    }
    if (part->file != 0) {
        host_file_close(part->host, part->file);
        part->file = 0;
    }
}
