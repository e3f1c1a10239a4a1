#include "sim/live/live_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "sim/campaign/mapped_file.h"

#define MARK ".faultline-live" /* a file in each such folder: what is in it may be removed */

enum { TRIES = 50, PAUSE_NS = 20 * 1000 * 1000, OPEN_FOLDERS_MAX = 16 };

struct live_folder {
    struct arena *arena;
    const char *path;
    pid_t keeper;
    int to_keeper; /* when this end is closed, by whatever reason, the keeper cleans up */
};

static void pause_between_tries(int tried)
{
    if (tried > 0) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
    }
}

static int remove_inner(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    return place->level == 0 ? 0 : remove(path);
}

static bool empty(const char *path)
{
    return nftw(path, remove_inner, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0;
}

/* Processes that die may still make a file while it is removed: it is tried again. */
static bool remove_all(const char *path)
{
    bool is_gone = false;
    for (int i = 0; i < TRIES && !is_gone; i++) {
        pause_between_tries(i);
        (void)empty(path); /* or nearly */
        is_gone = rmdir(path) == 0 || errno == ENOENT;
    }
    return is_gone;
}

/* ---- the keeper ------------------------------------------------------------------------------ */

/* The folder at `path`, made if it is not there, open and locked: it is in use. -1: errno says why
 * not; EBUSY, if another run has it or has just removed it. */
static int lock(const char *path)
{
    struct stat locked;
    struct stat named;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        return -1;
    }
    int file = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    bool is_named = flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &locked) == 0 &&
                    stat(path, &named) == 0 && named.st_ino == locked.st_ino;
    if (!is_named) {
        (void)close(file);
        errno = EBUSY;
    }
    return is_named ? file : -1;
}

/* Was the folder made for a live run, or is it empty? In any other all must stay. */
static bool is_ours(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool is_marked = false;
    bool is_empty = folder != NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        is_marked = is_marked || strcmp(entry->d_name, MARK) == 0;
        is_empty =
            is_empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    errno = ENOTEMPTY;
    return is_marked || is_empty;
}

/* It stays locked while the keeper lives. 0, or the number of an error. A run that was just killed
 * is given the time to clean up. */
static int make_anew(const char *path)
{
    int folder = -1;
    for (int i = 0; i < TRIES && folder < 0 && (i == 0 || errno == EBUSY); i++) {
        pause_between_tries(i);
        folder = lock(path);
    }
    if (folder < 0) {
        return errno;
    }
    bool is_made = is_ours(path) && empty(path) &&
                   openat(folder, MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) >= 0;
    int error = is_made ? 0 : errno;
    if (!is_made) {
        (void)rmdir(path); /* if it is empty */
    }
    return error;
}

/* Makes the folder and removes it, so that there is no moment at which it would be left. In a
 * process group of its own: whoever kills the run's group does not mean it. */
static _Noreturn void keep(const char *path, int to_run)
{
    static const int not_meant[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    char byte;
    ssize_t got;
    (void)setpgid(0, 0);
    for (size_t i = 0; i < sizeof not_meant / sizeof *not_meant; i++) {
        (void)signal(not_meant[i], SIG_IGN);
    }
    (void)dup2(to_run, STDIN_FILENO);
    (void)close_range(STDOUT_FILENO, ~0u, 0);
    int answer = make_anew(path);
    (void)!write(STDIN_FILENO, &answer, sizeof answer);
    do {
        got = read(STDIN_FILENO, &byte, 1);
    } while (got > 0 || (got < 0 && errno == EINTR));
    _exit(answer != 0 || remove_all(path) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Starts it and hears how it went: 0, or the number of an error. */
static int start_keeper(struct live_folder *folder)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return errno;
    }
    folder->to_keeper = ends[0];
    folder->keeper = fork();
    if (folder->keeper == 0) {
        keep(folder->path, ends[1]);
    }
    int answer = folder->keeper < 0 ? errno : 0;
    (void)close(ends[1]);
    if (answer == 0 && recv(ends[0], &answer, sizeof answer, MSG_WAITALL) != sizeof answer) {
        answer = ECHILD;
    }
    return answer;
}

/* ---- the folder ------------------------------------------------------------------------------ */

struct live_folder *live_folder_open(struct arena *arena, const char *path, struct buffer *error)
{
    struct live_folder *folder = arena_alloc(arena, 1, sizeof *folder);
    *folder = (struct live_folder){ .arena = arena, .path = path, .keeper = -1, .to_keeper = -1 };
    int answer = start_keeper(folder);
    if (answer == 0) {
        return folder;
    }
    live_folder_close(folder);
    if (answer == EBUSY) {
        buffer_append_format(error, "%s: another run is using it", path);
    } else if (answer == ENOTEMPTY) {
        buffer_append_format(error, "%s: holds what is not of a live run, and would be emptied",
                             path);
    } else {
        buffer_append_format(error, "%s: cannot be made anew: %s", path, strerror(answer));
    }
    return NULL;
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
    enum status status = file_append(file, full, content, error);
    return close(file) == 0 || status != STATUS_OK ? status : cannot_make(full, error);
}

enum status live_folder_link(struct live_folder *folder, const char *path, const char *other,
                             struct buffer *error)
{
    char *full = arena_format(folder->arena, "%s/%s", folder->path, path);
    bool made = make_parents(full, full + strlen(folder->path) + 1) && link(other, full) == 0;
    return made ? STATUS_OK : cannot_make(full, error);
}

/* The keeper does it; if somebody has killed that, this process. */
void live_folder_close(struct live_folder *folder)
{
    int how = 0;
    (void)close(folder->to_keeper); /* -1, like the keeper, if there is none */
    while (folder->keeper > 0 && waitpid(folder->keeper, &how, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(how)) {
        (void)remove_all(folder->path);
    }
}
