#include "sim/live/live_volume.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/check.h"
#include "sim/campaign/mapped_file.h"

enum { MAPPED_BYTES_MIN = 256 * 1024 };

/* What was seen of a file. */
struct seen_file {
    char *path;
    ino_t number;
    uint64_t size;
    struct timespec changed;
    bool is_there; /* in the look that is under way */
};

struct live_volume {
    struct arena *arena;
    const char *folder;
    bool may_map;
    struct seen_file *files; /* in no order: there are few */
    size_t count;
    size_t capacity;
};

struct live_volume *live_volume_create(struct arena *arena, const char *folder, bool may_map)
{
    struct live_volume *volume = arena_alloc(arena, 1, sizeof *volume);
    *volume = (struct live_volume){ .arena = arena, .folder = folder, .may_map = may_map };
    return volume;
}

/* ---- contents -------------------------------------------------------------------------------- */

static struct bytes read_file(struct arena *arena, int file, size_t size)
{
    uint8_t *data = arena_alloc_raw(arena, size);
    size_t done = 0;
    ssize_t got;
    while (done < size && (got = pread(file, data + done, size - done, (off_t)done)) > 0) {
        done += (size_t)got;
    }
    return (struct bytes){ .data = data, .size = done };
}

/* A file that vanishes meanwhile counts as empty: the next look will say so. */
static struct bytes content_of(struct live_volume *volume, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    struct bytes content = { 0 };
    if (file >= 0 && fstat(file, &info) == 0 && info.st_size > 0) {
        size_t size = (size_t)info.st_size;
        bool is_mapped = volume->may_map && size >= MAPPED_BYTES_MIN;
        if (!is_mapped) {
            content = read_file(volume->arena, file, size);
        } else if (!file_map(volume->arena, file, size, &content)) {
            content = (struct bytes){ 0 };
        }
    }
    if (file >= 0) {
        (void)close(file);
    }
    return content;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void add_change(struct live_volume *volume, struct live_changes *changes, const char *path,
                       bool is_gone, struct bytes content)
{
    changes->changes = arena_grow(volume->arena, changes->changes, &changes->capacity,
                                  changes->count + 1, sizeof *changes->changes);
    changes->changes[changes->count++] =
        (struct live_change){ .path = path, .is_gone = is_gone, .content = content };
}

static struct seen_file *find(struct live_volume *volume, const char *path)
{
    for (size_t i = 0; i < volume->count; i++) {
        if (strcmp(volume->files[i].path, path) == 0) {
            return &volume->files[i];
        }
    }
    return NULL;
}

static void see_file(struct live_volume *volume, struct live_changes *changes, const char *full,
                     const char *path, const struct stat *info)
{
    struct seen_file *seen = find(volume, path);
    bool is_known = seen != NULL;
    if (!is_known) {
        volume->files = arena_grow(volume->arena, volume->files, &volume->capacity,
                                   volume->count + 1, sizeof *volume->files);
        seen = &volume->files[volume->count++];
        *seen = (struct seen_file){ .path = arena_text(volume->arena, path) };
    }
    seen->is_there = true;
    bool is_same = is_known && seen->number == info->st_ino &&
                   seen->size == (uint64_t)info->st_size &&
                   seen->changed.tv_sec == info->st_mtim.tv_sec &&
                   seen->changed.tv_nsec == info->st_mtim.tv_nsec;
    if (!is_same) {
        seen->number = info->st_ino;
        seen->size = (uint64_t)info->st_size;
        seen->changed = info->st_mtim;
        add_change(volume, changes, seen->path, false, content_of(volume, full));
    }
}

/* `path` is the folder's, in the volume. What vanishes meanwhile is not there. */
static void see_folder(struct live_volume *volume, struct live_changes *changes, const char *path)
{
    struct arena arena;
    arena_init(&arena);
    const char *full = arena_format(&arena, "%s/%s", volume->folder, path);
    DIR *folder = opendir(full);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        const char *inner =
            arena_format(&arena, "%s%s%s", path, *path == '\0' ? "" : "/", entry->d_name);
        const char *inner_full = arena_format(&arena, "%s/%s", volume->folder, inner);
        struct stat info;
        if (lstat(inner_full, &info) != 0) {
            continue;
        }
        if (S_ISDIR(info.st_mode)) {
            see_folder(volume, changes, inner);
        } else if (S_ISREG(info.st_mode)) {
            see_file(volume, changes, inner_full, inner, &info);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    arena_drop(&arena);
}

static bool is_below(const char *path, const char *part)
{
    size_t size = strlen(part);
    return size == 0 || (strncmp(path, part, size) == 0 && path[size] == '/');
}

struct live_changes live_volume_look(struct live_volume *volume, const char *part)
{
    struct live_changes changes = { 0 };
    for (size_t i = 0; i < volume->count; i++) {
        volume->files[i].is_there = !is_below(volume->files[i].path, part);
    }
    see_folder(volume, &changes, part);
    size_t kept = 0;
    for (size_t i = 0; i < volume->count; i++) {
        if (volume->files[i].is_there) {
            volume->files[kept++] = volume->files[i];
        } else {
            add_change(volume, &changes, volume->files[i].path, true, (struct bytes){ 0 });
        }
    }
    volume->count = kept;
    return changes;
}

void live_changes_apply(const struct live_changes *changes, struct disk *disk)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct live_change *change = &changes->changes[i];
        struct bytes old;
        if (disk_peek(disk, change->path, &old)) {
            enum status status = disk_remove(disk, 0, change->path);
            CHECK(status == STATUS_OK);
        }
        if (!change->is_gone) {
            disk_add_input(disk, change->path, change->content);
        }
    }
}
