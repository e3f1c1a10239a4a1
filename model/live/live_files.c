#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/live/live_actor.h"

enum {
    STALL_LOOK_NS = 5 * 1000 * 1000, /* so soon a dead process does not wait any more */
    WRITE_BEHIND_BYTES = 4 << 20,
};

static struct live_actor *actor_of(struct host *host)
{
    return (struct live_actor *)host;
}

static enum status status_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return STATUS_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY: return STATUS_EXISTS;
    case ENOSPC:
    case EDQUOT: return STATUS_NO_SPACE;
    default: return STATUS_IO;
    }
}

static int root_of(const struct live_actor *actor, enum host_volume volume)
{
    return actor->process->roots[volume];
}

/* The root of a volume is the directory "". */
static const char *name_of(const char *path)
{
    return *path == '\0' ? "." : path;
}

static struct live_file *file_of(struct live_actor *actor, file_id id)
{
    CHECK(id >= 1 && id <= actor->file_count);
    CHECK(actor->files[id - 1].descriptor >= 0);
    return &actor->files[id - 1];
}

static const struct live_storage_verdict halted = { .status = STATUS_HALTED };

/* Rules of storage are asked about a call. */
static struct live_storage_verdict ask_rules(struct live_actor *actor,
                                             const struct live_storage *storage)
{
    struct live_process *process = actor->process;
    (void)pthread_mutex_lock(&process->lock);
    struct live_storage_verdict verdict = live_rules_judge(&process->rules, storage);
    (void)pthread_mutex_unlock(&process->lock);
    for (uint32_t i = 0; i < verdict.struck_count; i++) {
        struct live_struck struck = { storage->now_ns, verdict.struck[i] };
        live_actor_report(actor, &(struct live_report){ .kind = LIVE_STRUCK, .struck = struck });
    }
    while (live_actor_now_ns(actor) < verdict.not_before_ns && !live_actor_is_dead(actor)) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = STALL_LOOK_NS }, NULL);
    }
    return live_actor_is_dead(actor) ? halted : verdict;
}

static bool may_strike(const struct live_actor *actor)
{
    return atomic_load_explicit(&actor->process->may_strike, memory_order_acquire);
}

static bool is_spared(const struct live_actor *actor, enum host_volume volume, const char *path)
{
    const char *spared = actor->process->options.spared;
    return spared != NULL && volume == HOST_SHARED && strcmp(path, spared) == 0;
}

/* Every call on a path begins so. */
static struct live_storage_verdict path_call(struct live_actor *actor, enum host_volume volume,
                                             const char *path, enum host_storage_call call,
                                             bool needs_space)
{
    if (live_actor_is_dead(actor)) {
        return halted;
    }
    if (!may_strike(actor) || is_spared(actor, volume, path)) {
        return (struct live_storage_verdict){ .status = STATUS_OK, .takes_effect = true };
    }
    return ask_rules(actor, &(struct live_storage){ .process = actor->process->options.number,
                                                    .volume = volume,
                                                    .path = path,
                                                    .call = call,
                                                    .needs_space = needs_space,
                                                    .now_ns = live_actor_now_ns(actor) });
}

/* Does a write up to `end_bytes` make the file longer? */
static bool grows(const struct live_file *file, uint64_t end_bytes)
{
    struct stat info;
    return fstat(file->descriptor, &info) != 0 || end_bytes > (uint64_t)info.st_size;
}

/* ... and every call on an open file; it writes up to `end_bytes`, if it does. `*file` is NULL if
 * the process is dead. */
static struct live_storage_verdict file_call(struct live_actor *actor, file_id id,
                                             enum host_storage_call call, uint64_t end_bytes,
                                             struct live_file **file)
{
    *file = NULL;
    if (live_actor_is_dead(actor)) {
        return halted;
    }
    *file = file_of(actor, id);
    bool needs_space = may_strike(actor) && call == HOST_STORAGE_WRITE && grows(*file, end_bytes);
    return path_call(actor, (*file)->volume, (*file)->path, call, needs_space);
}

/* What errno comes to; the supervisor hears of it if it is more than an answer. */
static enum status tell_refused(struct live_actor *actor, enum host_volume volume, const char *path)
{
    int error = errno;
    enum status status = status_of_errno();
    if (status == STATUS_NO_SPACE || status == STATUS_IO) {
        struct live_refused refused = { .time_ns = live_actor_now_ns(actor),
                                        .error = error,
                                        .volume = volume,
                                        .path = bytes_of_text(path) };
        live_actor_report(actor, &(struct live_report){ .kind = LIVE_REFUSED, .refused = refused });
    }
    return status;
}

/* What is answered when a call that took effect has come out with `result`, 0 or below it. Of a
 * call that a rule has struck nobody knows how it came out. */
static enum status answer(struct live_actor *actor, const struct live_storage_verdict *verdict,
                          enum host_volume volume, const char *path, int result)
{
    if (verdict->status != STATUS_OK) {
        return verdict->status;
    }
    return result == 0 ? STATUS_OK : tell_refused(actor, volume, path);
}

static bool exists(const struct live_actor *actor, enum host_volume volume, const char *path)
{
    return faccessat(root_of(actor, volume), name_of(path), F_OK, 0) == 0;
}

static file_id file_id_new(struct live_actor *actor)
{
    for (size_t i = 0; i < actor->file_count; i++) {
        if (actor->files[i].descriptor < 0) {
            return (file_id)i + 1;
        }
    }
    actor->files = arena_grow(&actor->arena, actor->files, &actor->file_capacity,
                              actor->file_count + 1, sizeof *actor->files);
    return (file_id)++actor->file_count;
}

enum status live_file_open(struct host *host, enum host_volume volume, const char *path,
                           enum host_open_mode mode, file_id *id)
{
    static const int flags[] = { [HOST_READ] = O_RDONLY,
                                 [HOST_CREATE] = O_RDWR | O_CREAT,
                                 [HOST_TRUNCATE] = O_RDWR | O_CREAT | O_TRUNC };
    struct live_actor *actor = actor_of(host);
    bool makes = mode != HOST_READ && may_strike(actor) && !exists(actor, volume, path);
    struct live_storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_OPEN, makes);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    int file = openat(root_of(actor, volume), name_of(path), flags[mode] | O_CLOEXEC, 0666);
    if (file < 0) {
        return answer(actor, &verdict, volume, path, file);
    }
    if (verdict.status != STATUS_OK) {
        (void)close(file); /* opened, perhaps made or emptied, but nobody knows */
        return verdict.status;
    }
    *id = file_id_new(actor);
    actor->files[*id - 1] = (struct live_file){ .descriptor = file,
                                                .volume = volume,
                                                .path = arena_text(&actor->arena, path) };
    return STATUS_OK;
}

void live_file_close(struct host *host, file_id id)
{
    struct live_actor *actor = actor_of(host);
    if (!live_actor_is_dead(actor)) {
        struct live_file *file = file_of(actor, id);
        (void)close(file->descriptor); /* what must be durable was synced before */
        arena_free(&actor->arena, file->path);
        file->descriptor = -1;
    }
}

void live_files_close(struct live_actor *actor)
{
    for (size_t i = 0; i < actor->file_count; i++) {
        if (actor->files[i].descriptor >= 0) {
            (void)close(actor->files[i].descriptor);
        }
    }
    actor->file_count = 0;
}

enum status live_file_size(struct host *host, file_id id, uint64_t *size_bytes)
{
    struct live_actor *actor = actor_of(host);
    if (live_actor_is_dead(actor)) {
        return STATUS_HALTED;
    }
    struct stat info;
    const struct live_file *file = file_of(actor, id);
    if (fstat(file->descriptor, &info) != 0) {
        return tell_refused(actor, file->volume, file->path);
    }
    *size_bytes = (uint64_t)info.st_size;
    return STATUS_OK;
}

enum status live_file_read(struct host *host, file_id id, uint64_t offset_bytes, void *data,
                           size_t size_bytes, size_t *got_bytes)
{
    struct live_actor *actor = actor_of(host);
    *got_bytes = 0;
    struct live_file *open_file;
    struct live_storage_verdict verdict = file_call(actor, id, HOST_STORAGE_READ, 0, &open_file);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    while (*got_bytes < size_bytes) {
        ssize_t got = pread(open_file->descriptor, (uint8_t *)data + *got_bytes,
                            size_bytes - *got_bytes, (off_t)(offset_bytes + *got_bytes));
        if (got < 0 && errno != EINTR) {
            return answer(actor, &verdict, open_file->volume, open_file->path, -1);
        }
        if (got == 0) {
            break;
        }
        *got_bytes += got > 0 ? (size_t)got : 0;
    }
    return verdict.status;
}

/* Has the system begin with what is written of a large file in the store: else most of it would
 * wait in memory for the sync, and that for the disk. What is not done then is done by the sync. */
static void begin_writing(struct live_file *file, uint64_t end_bytes)
{
    if (file->volume == HOST_SHARED && end_bytes >= file->begun_bytes + WRITE_BEHIND_BYTES) {
        (void)sync_file_range(file->descriptor, (off_t)file->begun_bytes,
                              (off_t)(end_bytes - file->begun_bytes), SYNC_FILE_RANGE_WRITE);
        file->begun_bytes = end_bytes;
    }
}

enum status live_file_write(struct host *host, file_id id, uint64_t offset_bytes,
                            struct bytes bytes)
{
    struct live_actor *actor = actor_of(host);
    struct live_file *open_file;
    struct live_storage_verdict verdict =
        file_call(actor, id, HOST_STORAGE_WRITE, offset_bytes + bytes.size, &open_file);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    int file = open_file->descriptor;
    for (size_t done = 0; done < bytes.size;) {
        ssize_t put =
            pwrite(file, bytes.data + done, bytes.size - done, (off_t)(offset_bytes + done));
        if (put < 0 && errno != EINTR) {
            return answer(actor, &verdict, open_file->volume, open_file->path, -1);
        }
        done += put > 0 ? (size_t)put : 0;
    }
    begin_writing(open_file, offset_bytes + bytes.size);
    return verdict.status;
}

/* The size is data, too: fdatasync makes it durable; times of access it leaves out. */
enum status live_file_sync(struct host *host, file_id id)
{
    struct live_actor *actor = actor_of(host);
    struct live_file *open_file;
    struct live_storage_verdict verdict = file_call(actor, id, HOST_STORAGE_SYNC, 0, &open_file);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    return answer(actor, &verdict, open_file->volume, open_file->path,
                  fdatasync(open_file->descriptor));
}

static bool is_directory(int root, const char *path)
{
    struct stat info;
    return fstatat(root, name_of(path), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/* A directory is no file: these do not find one. */
static int rename_file(int root, const char *from, const char *to)
{
    if (is_directory(root, from)) {
        errno = ENOENT;
        return -1;
    }
    return renameat(root, from, root, to);
}
static int remove_file(int root, const char *path)
{
    if (is_directory(root, path)) {
        errno = ENOENT;
        return -1;
    }
    return unlinkat(root, path, 0);
}

enum status live_rename(struct host *host, enum host_volume volume, const char *from,
                        const char *to)
{
    struct live_actor *actor = actor_of(host);
    struct live_storage_verdict verdict =
        path_call(actor, volume, from, HOST_STORAGE_RENAME, false);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    return answer(actor, &verdict, volume, from, rename_file(root_of(actor, volume), from, to));
}

enum status live_remove(struct host *host, enum host_volume volume, const char *path)
{
    struct live_actor *actor = actor_of(host);
    struct live_storage_verdict verdict =
        path_call(actor, volume, path, HOST_STORAGE_REMOVE, false);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    return answer(actor, &verdict, volume, path, remove_file(root_of(actor, volume), path));
}

enum status live_make_dir(struct host *host, enum host_volume volume, const char *path)
{
    struct live_actor *actor = actor_of(host);
    bool makes = may_strike(actor) && !exists(actor, volume, path);
    struct live_storage_verdict verdict =
        path_call(actor, volume, path, HOST_STORAGE_MAKE_DIR, makes);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    return answer(actor, &verdict, volume, path, mkdirat(root_of(actor, volume), path, 0777));
}

enum status live_remove_dir(struct host *host, enum host_volume volume, const char *path)
{
    struct live_actor *actor = actor_of(host);
    struct live_storage_verdict verdict =
        path_call(actor, volume, path, HOST_STORAGE_REMOVE, false);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    return answer(actor, &verdict, volume, path,
                  unlinkat(root_of(actor, volume), path, AT_REMOVEDIR));
}

enum status live_sync_dir(struct host *host, enum host_volume volume, const char *path)
{
    struct live_actor *actor = actor_of(host);
    struct live_storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_SYNC, false);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    int directory =
        openat(root_of(actor, volume), name_of(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return answer(actor, &verdict, volume, path, directory);
    }
    enum status status = answer(actor, &verdict, volume, path, fsync(directory));
    (void)close(directory);
    return status;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The names in a directory, sorted by bytes; memory from `arena`. 0, or -1 and errno. */
static int read_names(DIR *directory, struct arena *arena, char ***names, size_t *count)
{
    size_t capacity = 0;
    *names = NULL;
    *count = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            *names = arena_grow(arena, *names, &capacity, *count + 1, sizeof **names);
            (*names)[(*count)++] = arena_text(arena, entry->d_name);
        }
    }
    if (errno != 0) {
        return -1;
    }
    if (*count > 0) {
        qsort(*names, *count, sizeof **names, compare_names);
    }
    return 0;
}

enum status live_list(struct host *host, enum host_volume volume, const char *path,
                      host_list_function each, void *context)
{
    struct live_actor *actor = actor_of(host);
    struct live_storage_verdict verdict = path_call(actor, volume, path, HOST_STORAGE_LIST, false);
    if (!verdict.takes_effect) {
        return verdict.status;
    }
    int file = openat(root_of(actor, volume), name_of(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = file < 0 ? NULL : fdopendir(file);
    if (directory == NULL) {
        enum status status = answer(actor, &verdict, volume, path, -1);
        if (file >= 0) {
            (void)close(file);
        }
        return status;
    }
    struct arena arena; /* `each` may call the host, but the names are ours */
    arena_init(&arena);
    char **names;
    size_t count;
    enum status status =
        answer(actor, &verdict, volume, path, read_names(directory, &arena, &names, &count));
    (void)closedir(directory);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        each(context, names[i]);
    }
    arena_drop(&arena);
    return status;
}
