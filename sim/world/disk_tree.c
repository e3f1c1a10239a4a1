#include "sim/world/disk_tree.h"

#include <string.h>

#include "model/base/check.h"

struct disk_file *disk_tree_file(struct disk *disk, bool is_directory)
{
    struct disk_file *file = arena_alloc(disk->arena, 1, sizeof *file);
    file->is_directory = is_directory;
    disk_content_init(&file->content, disk->arena);
    file->next = disk->files;
    if (file->next != NULL) {
        file->next->previous = file;
    }
    disk->files = file;
    return file;
}

struct disk_file *disk_tree_hold(struct disk_file *file)
{
    if (file != NULL) {
        file->reference_count++;
    }
    return file;
}

void disk_tree_update(struct disk *disk, struct disk_file *file)
{
    bool is_dirty = file->content.write_count > 0 || file->change_count > 0;
    if (is_dirty == file->is_dirty) {
        return;
    }
    file->is_dirty = is_dirty;
    if (is_dirty) {
        file->dirty_previous = disk->dirty_last;
        file->dirty_next = NULL;
        *(disk->dirty_last != NULL ? &disk->dirty_last->dirty_next : &disk->dirty_first) = file;
        disk->dirty_last = file;
        disk->dirty_count++;
        return;
    }
    CHECK(disk->dirty_count > 0);
    *(file->dirty_previous != NULL ? &file->dirty_previous->dirty_next : &disk->dirty_first) =
        file->dirty_next;
    *(file->dirty_next != NULL ? &file->dirty_next->dirty_previous : &disk->dirty_last) =
        file->dirty_previous;
    disk->dirty_count--;
}

/* Takes the change out of the world, but not out of its directory's list. */
static void change_free(struct disk *disk, struct name_change *change)
{
    if (change->twin != NULL) {
        CHECK(change->twin->twin == change);
        change->twin->twin = NULL;
    }
    disk_tree_release(disk, change->before);
    disk_tree_release(disk, change->after);
    arena_free(disk->arena, change);
}

/* Forgets the oldest `count` changes: nothing undoes them any more. */
static void forget_changes(struct disk *disk, struct disk_file *directory, size_t count)
{
    CHECK(count <= directory->change_count);
    for (size_t i = 0; i < count; i++) {
        change_free(disk, directory->changes[i]);
    }
    directory->change_count -= count;
    if (directory->change_count == 0) {
        arena_free(disk->arena, directory->changes);
        directory->changes = NULL;
        directory->change_capacity = 0;
    } else if (count > 0) {
        memmove(directory->changes, directory->changes + count,
                directory->change_count * sizeof *directory->changes);
    }
    disk_tree_update(disk, directory);
}

static void file_destroy(struct disk *disk, struct disk_file *file)
{
    CHECK(file->reference_count == 0);
    CHECK(file != disk->root);
    for (size_t i = 0; i < file->entry_count; i++) {
        disk_tree_release(disk, file->entries[i]->file);
        arena_free(disk->arena, file->entries[i]);
    }
    arena_free(disk->arena, file->entries);
    forget_changes(disk, file, file->change_count);
    disk_content_free(&file->content);
    disk_tree_update(disk, file);
    *(file->previous != NULL ? &file->previous->next : &disk->files) = file->next;
    if (file->next != NULL) {
        file->next->previous = file->previous;
    }
    arena_free(disk->arena, file);
}

void disk_tree_release(struct disk *disk, struct disk_file *file)
{
    if (file != NULL) {
        CHECK(file->reference_count > 0);
        file->reference_count--;
        if (file->reference_count == 0) {
            file_destroy(disk, file);
        }
    }
}

static int compare_names(struct bytes a, const char *b)
{
    size_t b_size = strlen(b);
    size_t size = a.size < b_size ? a.size : b_size;
    int order = memcmp(a.data, b, size);
    return order != 0 ? order : (a.size > b_size) - (a.size < b_size);
}

/* The index of the first entry not before `name`; `*is_found` says whether it is `name`. */
static size_t entry_index(const struct disk_file *directory, struct bytes name, bool *is_found)
{
    size_t low = 0;
    size_t high = directory->entry_count;
    *is_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(name, directory->entries[middle]->name);
        if (order == 0) {
            *is_found = true;
            return middle;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

struct disk_file *disk_tree_lookup(const struct disk_file *directory, struct bytes name)
{
    CHECK(directory->is_directory);
    bool is_found;
    size_t index = entry_index(directory, name, &is_found);
    return is_found ? directory->entries[index]->file : NULL;
}

static void insert_entry(struct disk *disk, struct disk_file *directory, size_t index,
                         struct bytes name, struct disk_file *file)
{
    struct disk_entry *entry = arena_alloc_raw(disk->arena, sizeof *entry + name.size + 1);
    entry->file = file;
    memcpy(entry->name, name.data, name.size);
    entry->name[name.size] = '\0';
    directory->entries = arena_grow(disk->arena, directory->entries, &directory->entry_capacity,
                                    directory->entry_count + 1, sizeof(struct disk_entry *));
    memmove(directory->entries + index + 1, directory->entries + index,
            (directory->entry_count - index) * sizeof(struct disk_entry *));
    directory->entries[index] = entry;
    directory->entry_count++;
}

static void delete_entry(struct disk *disk, struct disk_file *directory, size_t index)
{
    CHECK(index < directory->entry_count);
    arena_free(disk->arena, directory->entries[index]);
    directory->entry_count--;
    memmove(directory->entries + index, directory->entries + index + 1,
            (directory->entry_count - index) * sizeof(struct disk_entry *));
}

/* Lets `name` lead to `file`, or to nothing if that is NULL. */
static void set_name(struct disk *disk, struct disk_file *directory, struct bytes name,
                     struct disk_file *file)
{
    bool is_found;
    size_t index = entry_index(directory, name, &is_found);
    struct disk_file *before = is_found ? directory->entries[index]->file : NULL;
    (void)disk_tree_hold(file);
    if (is_found && file != NULL) {
        directory->entries[index]->file = file;
    } else if (is_found) {
        delete_entry(disk, directory, index);
    } else if (file != NULL) {
        insert_entry(disk, directory, index, name, file);
    }
    disk_tree_release(disk, before);
}

struct name_change *disk_tree_change(struct disk *disk, uint32_t client,
                                     struct disk_file *directory, struct bytes name,
                                     struct disk_file *file)
{
    if (client == DISK_NOBODY && directory->change_count == 0) {
        set_name(disk, directory, name, file);
        return NULL;
    }
    struct name_change *change = arena_alloc_raw(disk->arena, sizeof *change + name.size + 1);
    *change = (struct name_change){ .directory = directory,
                                    .client = client,
                                    .before = disk_tree_hold(disk_tree_lookup(directory, name)),
                                    .after = disk_tree_hold(file) };
    memcpy(change->name, name.data, name.size);
    change->name[name.size] = '\0';
    directory->changes = arena_grow(disk->arena, directory->changes, &directory->change_capacity,
                                    directory->change_count + 1, sizeof(struct name_change *));
    directory->changes[directory->change_count++] = change;
    set_name(disk, directory, name, file);
    disk_tree_update(disk, directory);
    return change;
}

/* Forgets the oldest changes as far as nothing can undo them. */
static void settle_changes(struct disk *disk, struct disk_file *directory)
{
    size_t count = 0;
    while (count < directory->change_count && directory->changes[count]->client == DISK_NOBODY) {
        count++;
    }
    forget_changes(disk, directory, count);
}

static bool is_removal_by_rename(const struct name_change *change)
{
    return change->after == NULL && change->twin != NULL;
}

void disk_tree_sync(struct disk *disk, struct disk_file *directory)
{
    CHECK(directory->is_directory);
    for (size_t i = 0; i < directory->change_count; i++) {
        struct name_change *change = directory->changes[i];
        /* The old name must not go durably before the new one is durable. */
        if (is_removal_by_rename(change) && change->twin->directory != directory) {
            struct disk_file *other = change->twin->directory;
            change->twin->client = DISK_NOBODY;
            settle_changes(disk, other);
        }
    }
    forget_changes(disk, directory, directory->change_count);
}

static bool draw_loss(enum disk_survival survival, struct prng *prng)
{
    CHECK(survival != DISK_RANDOM);
    return survival == DISK_LOSE || (survival == DISK_TEAR && prng_below(prng, 2) == 0);
}

static void judge_changes(struct disk_file *directory, uint32_t client, enum disk_survival survival,
                          struct prng *prng)
{
    for (size_t i = 0; i < directory->change_count; i++) {
        struct name_change *change = directory->changes[i];
        change->is_lost =
            change->client == client && !is_removal_by_rename(change) && draw_loss(survival, prng);
    }
}

/* Judges the old names of renames: in one directory both changes share a fate; between two, the
 * old name can go only if the new one came. */
static void judge_removals(struct disk_file *directory, uint32_t client,
                           enum disk_survival survival, struct prng *prng)
{
    for (size_t i = 0; i < directory->change_count; i++) {
        struct name_change *change = directory->changes[i];
        if (change->client != client || !is_removal_by_rename(change)) {
            continue;
        }
        change->is_lost = change->twin->is_lost;
        if (!change->is_lost && change->twin->directory != directory) {
            change->is_lost = draw_loss(survival, prng);
        }
    }
}

/* Undoes all unsynced changes and does those again that are not lost. */
static void redo_changes(struct disk *disk, struct disk_file *directory)
{
    for (size_t i = directory->change_count; i > 0; i--) {
        struct name_change *change = directory->changes[i - 1];
        struct bytes name = bytes_of_text(change->name);
        CHECK(disk_tree_lookup(directory, name) == change->after);
        set_name(disk, directory, name, change->before);
    }
    size_t kept = 0;
    for (size_t i = 0; i < directory->change_count; i++) {
        struct name_change *change = directory->changes[i];
        struct bytes name = bytes_of_text(change->name);
        if (change->is_lost) {
            change_free(disk, change);
            continue;
        }
        struct disk_file *before = disk_tree_hold(disk_tree_lookup(directory, name));
        disk_tree_release(disk, change->before);
        change->before = before;
        set_name(disk, directory, name, change->after);
        directory->changes[kept++] = change;
    }
    directory->change_count = kept;
}

static void cut_names(struct disk *disk, struct disk_file *directory, uint32_t client)
{
    bool is_any_lost = false;
    for (size_t i = 0; i < directory->change_count; i++) {
        is_any_lost |= directory->changes[i]->is_lost;
    }
    if (is_any_lost) {
        redo_changes(disk, directory);
    }
    for (size_t i = 0; i < directory->change_count; i++) {
        struct name_change *change = directory->changes[i];
        change->client = change->client == client ? DISK_NOBODY : change->client;
    }
    settle_changes(disk, directory);
}

void disk_tree_cut(struct disk *disk, uint32_t client, enum disk_survival survival,
                   struct prng *prng)
{
    CHECK(client != DISK_NOBODY);
    /* Undone names may end files: all that are looked at are held until the end. */
    size_t count = disk->dirty_count;
    struct disk_file **files = arena_alloc_raw(disk->arena, (count + 1) * sizeof *files);
    size_t filled = 0;
    for (struct disk_file *file = disk->dirty_first; file != NULL; file = file->dirty_next) {
        files[filled++] = disk_tree_hold(file);
    }
    CHECK(filled == count);
    for (size_t i = 0; i < count; i++) {
        judge_changes(files[i], client, survival, prng);
    }
    for (size_t i = 0; i < count; i++) {
        judge_removals(files[i], client, survival, prng);
    }
    for (size_t i = 0; i < count; i++) {
        disk_content_cut(&files[i]->content, client, survival, prng);
        cut_names(disk, files[i], client);
        disk_tree_update(disk, files[i]);
    }
    for (size_t i = 0; i < count; i++) {
        disk_tree_release(disk, files[i]);
    }
    arena_free(disk->arena, files);
}

void disk_tree_destroy(struct disk *disk)
{
    struct disk_file *file = disk->files;
    while (file != NULL) {
        struct disk_file *next = file->next;
        for (size_t i = 0; i < file->entry_count; i++) {
            arena_free(disk->arena, file->entries[i]);
        }
        for (size_t i = 0; i < file->change_count; i++) {
            arena_free(disk->arena, file->changes[i]);
        }
        arena_free(disk->arena, file->entries);
        arena_free(disk->arena, file->changes);
        disk_content_free(&file->content);
        arena_free(disk->arena, file);
        file = next;
    }
    arena_free(disk->arena, disk);
}

static uint64_t check_file(const struct disk_file *file)
{
    CHECK(file->reference_count > 0);
    CHECK(file->reference_count >= file->open_count);
    CHECK(file->is_dirty == (file->content.write_count > 0 || file->change_count > 0));
    CHECK(file->is_directory || file->entry_count == 0);
    CHECK(file->is_directory || file->change_count == 0);
    CHECK(!file->is_directory || file->content.size == 0);
    disk_content_check(&file->content);
    for (size_t i = 1; i < file->entry_count; i++) {
        CHECK(compare_names(bytes_of_text(file->entries[i - 1]->name), file->entries[i]->name) < 0);
    }
    uint64_t reference_count = file->open_count + file->entry_count;
    for (size_t i = 0; i < file->change_count; i++) {
        const struct name_change *change = file->changes[i];
        CHECK(change->directory == file);
        CHECK(change->twin == NULL || change->twin->twin == change);
        CHECK(i > 0 || change->client != DISK_NOBODY);
        reference_count += change->before != NULL ? 1 : 0;
        reference_count += change->after != NULL ? 1 : 0;
    }
    return reference_count;
}

void disk_tree_check(const struct disk *disk)
{
    CHECK(disk->root->is_directory);
    uint64_t given = 1; /* the disk's own, to its root */
    uint64_t held = 0;
    size_t dirty_count = 0;
    for (const struct disk_file *file = disk->files; file != NULL; file = file->next) {
        given += check_file(file);
        held += file->reference_count;
        dirty_count += file->is_dirty;
    }
    CHECK(given == held);
    CHECK(dirty_count == disk->dirty_count);
}
