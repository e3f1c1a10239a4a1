#include "sim/campaign/output_files.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/check.h"

static const char *path_in(const struct output_folder *folder, const char *name)
{
    return arena_format(folder->arena, "%s/%s", folder->path, name);
}

static enum status fail(const struct output_folder *folder, const char *path, const char *doing,
                        int error_number)
{
    CHECK(error_number != 0);
    buffer_append_format(folder->error, "%s: cannot %s: %s", path, doing, strerror(error_number));
    return error_number == ENOSPC || error_number == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
}

enum status output_folder_make(const struct output_folder *folder)
{
    char *path = arena_text(folder->arena, folder->path);
    char *at = path;
    do {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char end = *at;
        *at = '\0';
        struct stat info;
        int error_number = mkdir(path, 0777) == 0 ? 0 : errno;
        if (error_number == EEXIST) {
            error_number = stat(path, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
        }
        if (error_number != 0) {
            return fail(folder, path, "make the folder", error_number);
        }
        *at = end;
    } while (*at != '\0');
    arena_free(folder->arena, path);
    return STATUS_OK;
}

/* 0, or the number of the error. */
static int write_all(int file, struct bytes content)
{
    CHECK(content.size == 0 || content.data != NULL);
    for (size_t done = 0; done < content.size;) {
        ssize_t count = write(file, content.data + done, content.size - done);
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return fsync(file) == 0 ? 0 : errno;
}

/* 0, or the number of the error. */
static int write_named(const char *path, struct bytes content)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        return errno;
    }
    int error_number = write_all(file, content);
    if (close(file) != 0 && error_number == 0) {
        error_number = errno;
    }
    if (error_number != 0) {
        (void)unlink(path);
    }
    return error_number;
}

/* The file gets its name when it is whole. Not every file system can do that. */
static bool write_unnamed(const struct output_folder *folder, const char *path,
                          struct bytes content)
{
    int file = open(folder->path, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
    if (file < 0) {
        return false;
    }
    const char *number = arena_format(folder->arena, "/proc/self/fd/%d", file);
    bool written = write_all(file, content) == 0 &&
                   linkat(AT_FDCWD, number, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
    (void)close(file); /* what it holds is synced */
    return written;
}

enum status output_file_write(const struct output_folder *folder, const char *name,
                              struct bytes content)
{
    const char *path = path_in(folder, name);
    /* Two processes may write to the same folder; each whole file is then of one of them. */
    const char *temporary = arena_format(folder->arena, "%s.%ld.tmp", path, (long)getpid());
    int error_number =
        write_unnamed(folder, temporary, content) ? 0 : write_named(temporary, content);
    if (error_number == 0 && rename(temporary, path) != 0) {
        error_number = errno;
        (void)unlink(temporary);
    }
    return error_number == 0 ? STATUS_OK : fail(folder, path, "write", error_number);
}

/* The folder that the file at `path` is in. */
static struct output_folder parent_of(struct arena *arena, const char *path, struct buffer *error)
{
    const char *slash = strrchr(path, '/');
    struct output_folder folder = { .arena = arena, .path = ".", .error = error };
    if (slash != NULL) {
        folder.path = slash == path ? "/" : arena_format(arena, "%.*s", (int)(slash - path), path);
    }
    CHECK(folder.path[0] != '\0');
    return folder;
}

enum status output_parent_make(struct arena *arena, const char *path, struct buffer *error)
{
    struct output_folder folder = parent_of(arena, path, error);
    return output_folder_make(&folder);
}

enum status output_path_write(struct arena *arena, const char *path, struct bytes content,
                              struct buffer *error)
{
    const char *slash = strrchr(path, '/');
    struct output_folder folder = parent_of(arena, path, error);
    enum status status = output_folder_make(&folder);
    return status == STATUS_OK
               ? output_file_write(&folder, slash == NULL ? path : slash + 1, content)
               : status;
}

enum status output_file_remove(const struct output_folder *folder, const char *name)
{
    const char *path = path_in(folder, name);
    return unlink(path) == 0 || errno == ENOENT ? STATUS_OK : fail(folder, path, "delete", errno);
}

/* The caller's environment in a locale that every system has and that knows UTF-8, in which the
 * scripts are written. */
static char **environment_with_utf8(struct arena *arena)
{
    static const char locale[] = "LC_ALL=";
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **copy = arena_alloc(arena, count + 2, sizeof *copy);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], locale, strlen(locale)) != 0) {
            copy[kept++] = environ[i];
        }
    }
    CHECK(kept <= count);
    copy[kept] = arena_format(arena, "%sC.UTF-8", locale);
    return copy; /* arena_alloc cleared what follows */
}

enum status output_file_draw(const struct output_folder *folder, const char *script)
{
    posix_spawn_file_actions_t actions;
    int error_number = posix_spawn_file_actions_init(&actions);
    CHECK(error_number == 0);
    error_number = posix_spawn_file_actions_addchdir_np(&actions, folder->path);
    CHECK(error_number == 0);
    char *const arguments[] = { (char[]){ "gnuplot" }, arena_text(folder->arena, script), NULL };
    pid_t child;
    error_number = posix_spawnp(&child, "gnuplot", &actions, NULL, arguments,
                                environment_with_utf8(folder->arena));
    (void)posix_spawn_file_actions_destroy(&actions);
    if (error_number != 0) {
        return error_number == ENOENT ? STATUS_OK : fail(folder, "gnuplot", "start", error_number);
    }
    int how = 0;
    while (waitpid(child, &how, 0) < 0) {
        CHECK(errno == EINTR);
    }
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
        buffer_append_format(folder->error, "%s: gnuplot cannot draw it", path_in(folder, script));
        return STATUS_IO;
    }
    return STATUS_OK;
}
