#include "model/checkpoint/shared_registry.h"

#include <string.h>

#include "model/base/check.h"

struct shared_file {
    uint64_t creator;
    uint32_t references; /* by own and by pinned files of holders */
    uint32_t name_size;
    char name[]; /* ends with a zero */
};

/* The files of one creator, sorted by name. A folder without files is removed. */
struct folder {
    uint64_t creator;
    struct shared_file **files;
    size_t count;
    size_t capacity;
};

struct file_list {
    struct shared_file **files;
    size_t count;
    size_t capacity;
};

/* What a checkpoint refers to. */
struct holder {
    uint64_t id;
    struct file_list own;    /* each once */
    struct file_list pinned; /* of its base */
};

struct shared_registry {
    struct arena *arena;
    struct folder *folders; /* rising creators */
    size_t folder_count;
    size_t folder_capacity;
    struct holder *holders; /* rising ids */
    size_t holder_count;
    size_t holder_capacity;
    struct shared_garbage *garbage;
    size_t garbage_count;
    size_t garbage_capacity;
    struct buffer garbage_names;
};

struct shared_registry *shared_registry_create(struct arena *arena)
{
    struct shared_registry *registry = arena_alloc(arena, 1, sizeof *registry);
    registry->arena = arena;
    buffer_init(&registry->garbage_names, arena);
    return registry;
}

void shared_registry_destroy(struct shared_registry *registry)
{
    struct arena *arena = registry->arena;
    for (size_t i = 0; i < registry->folder_count; i++) {
        for (size_t j = 0; j < registry->folders[i].count; j++) {
            arena_free(arena, registry->folders[i].files[j]);
        }
        arena_free(arena, registry->folders[i].files);
    }
    for (size_t i = 0; i < registry->holder_count; i++) {
        arena_free(arena, registry->holders[i].own.files);
        arena_free(arena, registry->holders[i].pinned.files);
    }
    arena_free(arena, registry->folders);
    arena_free(arena, registry->holders);
    arena_free(arena, registry->garbage);
    buffer_free(&registry->garbage_names);
    arena_free(arena, registry);
}

/* ---- folders and files ----------------------------------------------------------------------- */

/* The number of the first folder whose creator is not below `creator`. */
static size_t folder_position(const struct shared_registry *registry, uint64_t creator)
{
    size_t low = 0;
    size_t high = registry->folder_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (registry->folders[middle].creator < creator) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct folder *find_folder(const struct shared_registry *registry, uint64_t creator)
{
    size_t at = folder_position(registry, creator);
    bool is_there = at < registry->folder_count && registry->folders[at].creator == creator;
    return is_there ? &registry->folders[at] : NULL;
}

static int compare_name(const struct shared_file *file, struct bytes name)
{
    size_t size = file->name_size < name.size ? file->name_size : name.size;
    int order = memcmp(file->name, name.data, size);
    return order != 0 ? order : (file->name_size > name.size) - (file->name_size < name.size);
}

/* The number of the first file whose name is not below `name`. */
static size_t file_position(const struct folder *folder, struct bytes name)
{
    size_t low = 0;
    size_t high = folder->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_name(folder->files[middle], name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct shared_file *find_file(const struct shared_registry *registry, uint64_t creator,
                                     struct bytes name)
{
    const struct folder *folder = find_folder(registry, creator);
    if (folder == NULL) {
        return NULL;
    }
    size_t at = file_position(folder, name);
    bool is_there = at < folder->count && compare_name(folder->files[at], name) == 0;
    return is_there ? folder->files[at] : NULL;
}

static struct folder *add_folder(struct shared_registry *registry, uint64_t creator)
{
    size_t at = folder_position(registry, creator);
    registry->folders = arena_grow(registry->arena, registry->folders, &registry->folder_capacity,
                                   registry->folder_count + 1, sizeof *registry->folders);
    struct folder *folder = &registry->folders[at];
    memmove(folder + 1, folder, (registry->folder_count - at) * sizeof *folder);
    *folder = (struct folder){ .creator = creator };
    registry->folder_count++;
    return folder;
}

static struct shared_file *add_file(struct shared_registry *registry, uint64_t creator,
                                    struct bytes name)
{
    CHECK(name.size > 0 && name.size < UINT32_MAX);
    struct folder *folder = find_folder(registry, creator);
    folder = folder == NULL ? add_folder(registry, creator) : folder;
    size_t at = file_position(folder, name);
    folder->files = arena_grow(registry->arena, folder->files, &folder->capacity, folder->count + 1,
                               sizeof *folder->files);
    memmove(folder->files + at + 1, folder->files + at,
            (folder->count - at) * sizeof *folder->files);
    struct shared_file *file = arena_alloc(registry->arena, 1, sizeof *file + name.size + 1);
    file->creator = creator;
    file->name_size = (uint32_t)name.size;
    memcpy(file->name, name.data, name.size);
    folder->files[at] = file;
    folder->count++;
    return file;
}

/* ---- holders --------------------------------------------------------------------------------- */

static struct holder *find_holder(const struct shared_registry *registry, uint64_t id)
{
    for (size_t i = registry->holder_count; i > 0; i--) {
        if (registry->holders[i - 1].id == id) {
            return &registry->holders[i - 1];
        }
    }
    return NULL;
}

static struct holder *holder_at(struct shared_registry *registry, uint64_t id)
{
    struct holder *holder = find_holder(registry, id);
    if (holder != NULL) {
        return holder;
    }
    registry->holders = arena_grow(registry->arena, registry->holders, &registry->holder_capacity,
                                   registry->holder_count + 1, sizeof *registry->holders);
    size_t at = registry->holder_count++;
    for (; at > 0 && registry->holders[at - 1].id > id; at--) {
        registry->holders[at] = registry->holders[at - 1];
    }
    registry->holders[at] = (struct holder){ .id = id };
    return &registry->holders[at];
}

static void hold(struct shared_registry *registry, struct file_list *list, struct shared_file *file)
{
    CHECK(file->references < UINT32_MAX);
    list->files = arena_grow(registry->arena, list->files, &list->capacity, list->count + 1,
                             sizeof *list->files);
    list->files[list->count++] = file;
    file->references++;
}

static void let_go(struct shared_registry *registry, struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        CHECK(list->files[i]->references > 0);
        list->files[i]->references--;
    }
    arena_free(registry->arena, list->files);
    *list = (struct file_list){ 0 };
}

void shared_registry_pin(struct shared_registry *registry, uint64_t id, uint64_t base)
{
    CHECK(base < id);
    struct holder *holder = holder_at(registry, id); /* moves the others */
    const struct holder *from = find_holder(registry, base);
    CHECK(holder->pinned.count == 0);
    for (size_t i = 0; from != NULL && i < from->own.count; i++) {
        hold(registry, &holder->pinned, from->own.files[i]);
    }
}

void shared_registry_refer(struct shared_registry *registry, uint64_t id, uint64_t creator,
                           struct bytes name)
{
    CHECK(creator <= id);
    struct shared_file *file = find_file(registry, creator, name);
    struct holder *holder = holder_at(registry, id);
    file = file == NULL ? add_file(registry, creator, name) : file;
    for (size_t i = holder->own.count; i > 0; i--) {
        if (holder->own.files[i - 1] == file) {
            return;
        }
    }
    hold(registry, &holder->own, file);
}

bool shared_registry_needs(const struct shared_registry *registry, uint64_t creator,
                           struct bytes name)
{
    return find_file(registry, creator, name) != NULL;
}

bool shared_registry_needs_folder(const struct shared_registry *registry, uint64_t creator)
{
    return find_folder(registry, creator) != NULL;
}

/* ---- garbage --------------------------------------------------------------------------------- */

static void throw_away(struct shared_registry *registry, struct shared_file *file, bool is_last)
{
    registry->garbage = arena_grow(registry->arena, registry->garbage, &registry->garbage_capacity,
                                   registry->garbage_count + 1, sizeof *registry->garbage);
    registry->garbage[registry->garbage_count++] =
        (struct shared_garbage){ .creator = file->creator, .is_last = is_last };
    buffer_append(&registry->garbage_names, (struct bytes){ .data = (const uint8_t *)file->name,
                                                            .size = (size_t)file->name_size + 1 });
    arena_free(registry->arena, file);
}

/* Throws away the files of a folder that nobody refers to. */
static void clear_folder(struct shared_registry *registry, struct folder *folder)
{
    size_t kept_count = 0;
    for (size_t i = 0; i < folder->count; i++) {
        kept_count += folder->files[i]->references > 0;
    }
    size_t at = 0;
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->files[i]->references > 0) {
            folder->files[at++] = folder->files[i];
        } else {
            throw_away(registry, folder->files[i], kept_count == 0 && i + 1 == folder->count);
        }
    }
    folder->count = at;
}

/* The names lie one after the other; their places are known when the last is there. */
static const struct shared_garbage *collect(struct shared_registry *registry, size_t *count)
{
    size_t at = 0;
    registry->garbage_count = 0;
    buffer_reset(&registry->garbage_names);
    for (size_t i = 0; i < registry->folder_count; i++) {
        struct folder folder = registry->folders[i];
        clear_folder(registry, &folder);
        if (folder.count > 0) {
            registry->folders[at++] = folder;
        } else {
            arena_free(registry->arena, folder.files);
        }
    }
    registry->folder_count = at;
    const char *name = (const char *)registry->garbage_names.data;
    for (size_t i = 0; i < registry->garbage_count; i++) {
        registry->garbage[i].name = name;
        name += strlen(name) + 1;
    }
    *count = registry->garbage_count;
    return registry->garbage;
}

const struct shared_garbage *shared_registry_confirm(struct shared_registry *registry, uint64_t id,
                                                     size_t *count)
{
    struct holder *holder = find_holder(registry, id);
    if (holder != NULL) {
        let_go(registry, &holder->pinned);
    }
    return collect(registry, count);
}

const struct shared_garbage *shared_registry_release(struct shared_registry *registry, uint64_t id,
                                                     size_t *count)
{
    struct holder *holder = find_holder(registry, id);
    if (holder != NULL) {
        let_go(registry, &holder->pinned);
        let_go(registry, &holder->own);
        size_t at = (size_t)(holder - registry->holders);
        registry->holder_count--;
        memmove(holder, holder + 1, (registry->holder_count - at) * sizeof *holder);
    }
    return collect(registry, count);
}

void shared_registry_check(const struct shared_registry *registry)
{
    uint64_t references = 0;
    uint64_t held = 0;
    for (size_t i = 0; i < registry->folder_count; i++) {
        const struct folder *folder = &registry->folders[i];
        CHECK(folder->count > 0);
        CHECK(i == 0 || folder[-1].creator < folder->creator);
        for (size_t j = 0; j < folder->count; j++) {
            CHECK(folder->files[j]->creator == folder->creator);
            CHECK(folder->files[j]->references > 0);
            references += folder->files[j]->references;
        }
    }
    for (size_t i = 0; i < registry->holder_count; i++) {
        const struct holder *holder = &registry->holders[i];
        CHECK(i == 0 || holder[-1].id < holder->id);
        held += holder->own.count + holder->pinned.count;
    }
    CHECK(references == held);
}
