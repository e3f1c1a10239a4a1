#include "model/checkpoint/store.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/text.h"

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
