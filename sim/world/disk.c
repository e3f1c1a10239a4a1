#include "sim/world/disk.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/world/disk_content.h"
#include "sim/world/disk_tree.h"

struct disk *disk_create(struct arena *arena)
{
    struct disk *disk = arena_alloc(arena, 1, sizeof *disk);
    disk->arena = arena;
    disk->root = disk_tree_hold(disk_tree_file(disk, true));
    return disk;
}

void disk_destroy(struct disk *disk)
{
    disk_tree_destroy(disk);
}

/* Takes the next name off `*path`; false at its end. */
static bool next_name(const char **path, struct bytes *name)
{
    while (**path == '/') {
        (*path)++;
    }
    const char *start = *path;
    while (**path != '\0' && **path != '/') {
        (*path)++;
    }
    *name = (struct bytes){ .data = (const uint8_t *)start, .size = (size_t)(*path - start) };
    return name->size > 0;
}

/* The directory that holds, or would hold, the last name of `path`, and that name; NULL if there is
 * no such directory. The root has no name. */
static struct disk_file *find_parent(const struct disk *disk, const char *path, struct bytes *name)
{
    struct disk_file *directory = disk->root;
    struct bytes next;
    if (!next_name(&path, name)) {
        return NULL;
    }
    while (next_name(&path, &next)) {
        directory = disk_tree_lookup(directory, *name);
        if (directory == NULL || !directory->is_directory) {
            return NULL;
        }
        *name = next;
    }
    return directory;
}

static struct disk_file *find(const struct disk *disk, const char *path)
{
    struct bytes name;
    const char *rest = path;
    if (!next_name(&rest, &name)) {
        return disk->root;
    }
    struct disk_file *directory = find_parent(disk, path, &name);
    return directory != NULL ? disk_tree_lookup(directory, name) : NULL;
}

static struct disk_file *find_file(const struct disk *disk, const char *path)
{
    struct disk_file *file = find(disk, path);
    return file != NULL && !file->is_directory ? file : NULL;
}

static struct disk_file *find_directory(const struct disk *disk, const char *path)
{
    struct disk_file *file = find(disk, path);
    return file != NULL && file->is_directory ? file : NULL;
}

void disk_add_input(struct disk *disk, const char *path, struct bytes content)
{
    struct disk_file *directory = disk->root;
    struct bytes name;
    struct bytes next;
    bool is_named = next_name(&path, &name);
    CHECK(is_named);
    while (next_name(&path, &next)) {
        if (disk_tree_lookup(directory, name) == NULL) {
            (void)disk_tree_change(disk, DISK_NOBODY, directory, name, disk_tree_file(disk, true));
        }
        directory = disk_tree_lookup(directory, name);
        CHECK(directory->is_directory);
        name = next;
    }
    CHECK(disk_tree_lookup(directory, name) == NULL);
    struct disk_file *file = disk_tree_file(disk, false);
    file->is_input = true;
    disk_content_borrow(&file->content, content);
    (void)disk_tree_change(disk, DISK_NOBODY, directory, name, file);
}

enum status disk_open(struct disk *disk, uint32_t client, const char *path, bool create,
                      bool truncate, struct disk_file **file)
{
    CHECK(client != DISK_NOBODY);
    CHECK(create || !truncate);
    struct bytes name;
    struct disk_file *directory = find_parent(disk, path, &name);
    if (directory == NULL) {
        return STATUS_NOT_FOUND;
    }
    struct disk_file *found = disk_tree_lookup(directory, name);
    if (found == NULL && create) {
        found = disk_tree_file(disk, false);
        (void)disk_tree_change(disk, client, directory, name, found);
    } else if (found == NULL) {
        return STATUS_NOT_FOUND;
    } else if (found->is_directory || (truncate && found->is_input)) {
        return STATUS_IO;
    } else if (truncate) {
        disk_content_truncate(&found->content, client, 0);
        disk_tree_update(disk, found);
    }
    found->open_count++;
    *file = disk_tree_hold(found);
    return STATUS_OK;
}

void disk_close(struct disk *disk, struct disk_file *file)
{
    CHECK(file->open_count > 0);
    file->open_count--;
    disk_tree_release(disk, file);
}

uint64_t disk_size(const struct disk_file *file)
{
    CHECK(!file->is_directory);
    return file->content.size;
}

size_t disk_read(const struct disk_file *file, uint64_t offset, void *data, size_t size_bytes)
{
    CHECK(!file->is_directory);
    struct bytes content = disk_content_bytes(&file->content);
    if (offset >= content.size || size_bytes == 0) {
        return 0;
    }
    size_t rest = content.size - (size_t)offset;
    size_t got = size_bytes < rest ? size_bytes : rest;
    memcpy(data, content.data + offset, got);
    return got;
}

enum status disk_write(struct disk *disk, uint32_t client, struct disk_file *file, uint64_t offset,
                       struct bytes bytes)
{
    CHECK(client != DISK_NOBODY);
    CHECK(file->open_count > 0);
    if (file->is_input) {
        return STATUS_IO;
    }
    disk_content_write(&file->content, client, offset, bytes);
    disk_tree_update(disk, file);
    return STATUS_OK;
}

void disk_sync(struct disk *disk, struct disk_file *file)
{
    CHECK(file->open_count > 0);
    disk_content_sync(&file->content);
    disk_tree_update(disk, file);
}

enum status disk_rename(struct disk *disk, uint32_t client, const char *from, const char *to)
{
    CHECK(client != DISK_NOBODY);
    struct bytes from_name;
    struct bytes to_name;
    struct disk_file *from_directory = find_parent(disk, from, &from_name);
    struct disk_file *to_directory = find_parent(disk, to, &to_name);
    if (from_directory == NULL || to_directory == NULL) {
        return STATUS_NOT_FOUND;
    }
    struct disk_file *file = disk_tree_lookup(from_directory, from_name);
    struct disk_file *replaced = disk_tree_lookup(to_directory, to_name);
    if (file == NULL || file->is_directory) {
        return STATUS_NOT_FOUND;
    }
    if (replaced != NULL && replaced->is_directory) {
        return STATUS_IO;
    }
    if (from_directory == to_directory && bytes_equal(from_name, to_name)) {
        return STATUS_OK;
    }
    struct name_change *added = disk_tree_change(disk, client, to_directory, to_name, file);
    struct name_change *removed = disk_tree_change(disk, client, from_directory, from_name, NULL);
    added->twin = removed;
    removed->twin = added;
    return STATUS_OK;
}

enum status disk_remove(struct disk *disk, uint32_t client, const char *path)
{
    CHECK(client != DISK_NOBODY);
    struct bytes name;
    struct disk_file *directory = find_parent(disk, path, &name);
    struct disk_file *file = directory != NULL ? disk_tree_lookup(directory, name) : NULL;
    if (file == NULL || file->is_directory) {
        return STATUS_NOT_FOUND;
    }
    (void)disk_tree_change(disk, client, directory, name, NULL);
    return STATUS_OK;
}

enum status disk_make_dir(struct disk *disk, uint32_t client, const char *path)
{
    CHECK(client != DISK_NOBODY);
    struct bytes name;
    if (find(disk, path) != NULL) {
        return STATUS_EXISTS;
    }
    struct disk_file *directory = find_parent(disk, path, &name);
    if (directory == NULL) {
        return STATUS_NOT_FOUND;
    }
    (void)disk_tree_change(disk, client, directory, name, disk_tree_file(disk, true));
    return STATUS_OK;
}

enum status disk_remove_dir(struct disk *disk, uint32_t client, const char *path)
{
    CHECK(client != DISK_NOBODY);
    struct bytes name;
    struct disk_file *parent = find_parent(disk, path, &name);
    struct disk_file *directory = parent != NULL ? disk_tree_lookup(parent, name) : NULL;
    if (directory == NULL || !directory->is_directory) {
        return STATUS_NOT_FOUND;
    }
    if (directory->entry_count > 0) {
        return STATUS_EXISTS;
    }
    (void)disk_tree_change(disk, client, parent, name, NULL);
    return STATUS_OK;
}

enum status disk_sync_dir(struct disk *disk, const char *path)
{
    struct disk_file *directory = find_directory(disk, path);
    if (directory == NULL) {
        return STATUS_NOT_FOUND;
    }
    disk_tree_sync(disk, directory);
    return STATUS_OK;
}

enum status disk_list(const struct disk *disk, const char *path,
                      void (*each)(void *context, const char *name), void *context)
{
    const struct disk_file *directory = find_directory(disk, path);
    if (directory == NULL) {
        return STATUS_NOT_FOUND;
    }
    for (size_t i = 0; i < directory->entry_count; i++) {
        each(context, directory->entries[i]->name);
    }
    return STATUS_OK;
}

void disk_cut(struct disk *disk, uint32_t client, enum disk_survival survival, struct prng *prng)
{
    CHECK(client != DISK_NOBODY);
    if (survival == DISK_RANDOM) {
        survival = (enum disk_survival)prng_below(prng, DISK_RANDOM);
    }
    disk_tree_cut(disk, client, survival, prng);
}

bool disk_peek(const struct disk *disk, const char *path, struct bytes *content)
{
    const struct disk_file *file = find_file(disk, path);
    if (file == NULL) {
        return false;
    }
    *content = disk_content_bytes(&file->content);
    return true;
}

static void each_file_in(const struct disk_file *directory, struct buffer *path,
                         void (*each)(void *context, const char *path), void *context)
{
    size_t path_size = path->size;
    for (size_t i = 0; i < directory->entry_count; i++) {
        const struct disk_entry *entry = directory->entries[i];
        buffer_append_text(path, path_size > 0 ? "/" : "");
        buffer_append_text(path, entry->name);
        if (entry->file->is_directory) {
            each_file_in(entry->file, path, each, context);
        } else {
            buffer_append(path, (struct bytes){ .data = (const uint8_t *)"", .size = 1 });
            each(context, (const char *)path->data);
        }
        path->size = path_size;
    }
}

void disk_each_file(const struct disk *disk, void (*each)(void *context, const char *path),
                    void *context)
{
    struct buffer path;
    buffer_init(&path, disk->arena);
    each_file_in(disk->root, &path, each, context);
    buffer_free(&path);
}

bool disk_corrupt(struct disk *disk, const char *path, uint64_t position)
{
    struct disk_file *file = find_file(disk, path);
    if (file == NULL || file->content.size == 0) {
        return false;
    }
    struct bytes content = disk_content_bytes(&file->content);
    uint64_t bit = position % (content.size * 8);
    uint8_t damaged = (uint8_t)(content.data[bit / 8] ^ 1u << bit % 8);
    disk_content_write(&file->content, DISK_NOBODY, bit / 8,
                       (struct bytes){ .data = &damaged, .size = 1 });
    disk_tree_update(disk, file);
    return true;
}

bool disk_truncate(struct disk *disk, const char *path, uint64_t size_bytes)
{
    struct disk_file *file = find_file(disk, path);
    if (file == NULL) {
        return false;
    }
    disk_content_truncate(&file->content, DISK_NOBODY, size_bytes);
    disk_tree_update(disk, file);
    return true;
}

void disk_check(const struct disk *disk)
{
    disk_tree_check(disk);
}
