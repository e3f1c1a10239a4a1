#include "sim/live/live_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "sim/campaign/mapped_file.h"

enum { REMOVE_TRIES = 50, REMOVE_PAUSE_NS = 20 * 1000 * 1000, OPEN_FOLDERS_MAX = 16 };

struct live_folder {
    struct arena *arena;
    const char *path;
    int lock; /* the folder itself, open and locked: it is in use */
    pid_t keeper;
    int to_keeper; /* when this end is closed, by whatever reason, the keeper cleans up */
};

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

/* Processes that die may still make a file while it is removed: it is tried again. */
static bool remove_all(const char *path)
{
    for (int i = 0; i < REMOVE_TRIES; i++) {
        if (nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0 ||
            errno == ENOENT) {
            return true;
        }
        (void)nanosleep(&(struct timespec){ .tv_nsec = REMOVE_PAUSE_NS }, NULL);
    }
    return false;
}

/* In a process group of its own: whoever kills the run's group does not mean it. */
static _Noreturn void keep(const char *path, int from_run, int lock)
{
    char byte;
    ssize_t got;
    (void)setpgid(0, 0);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)dup2(from_run, STDIN_FILENO);
    (void)dup2(lock, STDOUT_FILENO); /* it is in use until it is gone */
    (void)close_range(STDERR_FILENO, ~0u, 0);
    do {
        got = read(STDIN_FILENO, &byte, 1);
    } while (got > 0 || (got < 0 && errno == EINTR));
    (void)remove_all(path);
    _exit(0);
}

static bool start_keeper(struct live_folder *folder)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    folder->keeper = fork();
    if (folder->keeper == 0) {
        (void)close(ends[1]);
        keep(folder->path, ends[0], folder->lock);
    }
    (void)close(ends[0]);
    folder->to_keeper = ends[1];
    if (folder->keeper < 0) {
        (void)close(ends[1]);
    }
    return folder->keeper > 0;
}

/* Does no other run use it? One that was just killed is given the time to clean up. */
static bool is_free(const char *path)
{
    bool is_free = false;
    for (int i = 0; i < REMOVE_TRIES && !is_free; i++) {
        if (i > 0) {
            (void)nanosleep(&(struct timespec){ .tv_nsec = REMOVE_PAUSE_NS }, NULL);
        }
        int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        is_free = file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0;
        if (file >= 0) {
            (void)close(file);
        }
    }
    return is_free;
}

static bool make_anew(struct live_folder *folder)
{
    if (!remove_all(folder->path) || mkdir(folder->path, 0777) != 0) {
        return false;
    }
    folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock < 0) {
        return false;
    }
    bool made = flock(folder->lock, LOCK_EX | LOCK_NB) == 0 && start_keeper(folder);
    if (!made) {
        (void)close(folder->lock);
    }
    return made;
}

struct live_folder *live_folder_open(struct arena *arena, const char *path, struct buffer *error)
{
    struct live_folder *folder = arena_alloc(arena, 1, sizeof *folder);
    *folder = (struct live_folder){ .arena = arena, .path = path };
    if (!is_free(path)) {
        buffer_append_format(error, "%s: another run is using it", path);
        return NULL;
    }
    if (!make_anew(folder)) {
        buffer_append_format(error, "%s: cannot be made anew: %s", path, strerror(errno));
        return NULL;
    }
    return folder;
}

/* The folders above `path`, a part of which stands before `at`. */
static bool make_parents(char *path, char *at)
{
    bool made = true;
    for (; made && (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        made = mkdir(path, 0777) == 0 || errno == EEXIST;
        *at = '/';
    }
    return made;
}

static enum status cannot_make(const char *path, struct buffer *error)
{
    buffer_append_format(error, "%s: cannot be written: %s", path, strerror(errno));
    return STATUS_IO;
}

enum status live_folder_write(struct live_folder *folder, const char *path, struct bytes content,
                              struct buffer *error)
{
    char *full = arena_format(folder->arena, "%s/%s", folder->path, path);
    bool made = make_parents(full, full + strlen(folder->path) + 1);
    int file = made ? open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    if (file < 0) {
        return cannot_make(full, error);
    }
    enum status status = file_append(file, content, error);
    return close(file) == 0 || status != STATUS_OK ? status : cannot_make(full, error);
}

enum status live_folder_link(struct live_folder *folder, const char *path, const char *other,
                             struct buffer *error)
{
    char *full = arena_format(folder->arena, "%s/%s", folder->path, path);
    bool made = make_parents(full, full + strlen(folder->path) + 1) && link(other, full) == 0;
    return made ? STATUS_OK : cannot_make(full, error);
}

void live_folder_close(struct live_folder *folder)
{
    (void)close(folder->to_keeper);
    (void)close(folder->lock);
    while (waitpid(folder->keeper, NULL, 0) < 0 && errno == EINTR) {
    }
}
