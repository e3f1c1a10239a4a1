#include "model/state/sqlite_vfs.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"

enum {
    JOURNAL_SUFFIX_SIZE = 16, /* room for "-journal" and "-wal" behind a path */
    FULL_PATH_SIZE = SQLITE_VFS_PATH_SIZE + JOURNAL_SUFFIX_SIZE,
    SECTOR_BYTES = 512, /* the least that a device may tear; read by SQLite only for journals */
};

static const char *const suffixes[] = { "", "-journal", "-wal" };

struct vfs_file {
    sqlite3_file base; /* first: what SQLite sees */
    struct sqlite_vfs *vfs;
    file_id id;
    bool is_name_unsynced;
    char path[FULL_PATH_SIZE];
};

static struct vfs_file *file_of(sqlite3_file *file)
{
    return (struct vfs_file *)file;
}

static struct sqlite_vfs *vfs_of(sqlite3_vfs *vfs)
{
    return (struct sqlite_vfs *)vfs;
}

static bool is_halted(const struct sqlite_vfs *vfs)
{
    return vfs->status == STATUS_HALTED;
}

/* Remembers why a call failed. Not to find a file is no failure: SQLite asks for many. */
static enum status note(struct sqlite_vfs *vfs, enum status status)
{
    bool is_failure = status != STATUS_OK && status != STATUS_NOT_FOUND;
    if (status == STATUS_HALTED || (is_failure && vfs->status == STATUS_OK)) {
        vfs->status = status;
    }
    return status;
}

/* SQLite's code for an answer of the host to a call whose failure is called `code`. */
static int code_of(struct sqlite_vfs *vfs, enum status status, int code)
{
    switch (note(vfs, status)) {
    case STATUS_OK: return SQLITE_OK;
    case STATUS_NO_SPACE: return SQLITE_FULL;
    default: return code;
    }
}

static enum status sync_directory_of(struct sqlite_vfs *vfs, const char *path)
{
    char directory[FULL_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t size = slash != NULL ? (size_t)(slash - path) : 0;
    CHECK(size < sizeof directory);
    memcpy(directory, path, size);
    directory[size] = '\0';
    return host_sync_dir(vfs->host, vfs->volume, directory);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int on_close(sqlite3_file *base)
{
    const struct vfs_file *file = file_of(base);
    if (!is_halted(file->vfs)) {
        host_file_close(file->vfs->host, file->id);
    }
    return SQLITE_OK;
}

static int on_read(sqlite3_file *base, void *data, int size, sqlite3_int64 offset)
{
    const struct vfs_file *file = file_of(base);
    size_t got = 0;
    CHECK(size > 0 && offset >= 0);
    if (is_halted(file->vfs)) {
        return SQLITE_IOERR_READ;
    }
    enum status status =
        host_file_read(file->vfs->host, file->id, (uint64_t)offset, data, (size_t)size, &got);
    if (status != STATUS_OK) {
        (void)note(file->vfs, status);
        return SQLITE_IOERR_READ;
    }
    CHECK(got <= (size_t)size);
    if (got < (size_t)size) {
        memset((uint8_t *)data + got, 0, (size_t)size - got);
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static int on_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset)
{
    const struct vfs_file *file = file_of(base);
    CHECK(size > 0 && offset >= 0);
    if (is_halted(file->vfs)) {
        return SQLITE_IOERR_WRITE;
    }
    enum status status = host_file_write(file->vfs->host, file->id, (uint64_t)offset,
                                         (struct bytes){ .data = data, .size = (size_t)size });
    return code_of(file->vfs, status, SQLITE_IOERR_WRITE);
}

/* The host can empty a file but not shorten it otherwise, and SQLite does not need that: the first
 * page says how many pages count. Only a database that had none yet must become empty again when
 * its first transaction is rolled back. */
static int on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    const struct vfs_file *file = file_of(base);
    file_id again;
    CHECK(size >= 0);
    if (is_halted(file->vfs)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    if (size > 0) {
        return SQLITE_OK;
    }
    enum status status =
        host_file_open(file->vfs->host, file->vfs->volume, file->path, HOST_TRUNCATE, &again);
    if (status == STATUS_OK) {
        host_file_close(file->vfs->host, again);
    }
    return code_of(file->vfs, status, SQLITE_IOERR_TRUNCATE);
}

static int on_sync(sqlite3_file *base, int flags)
{
    struct vfs_file *file = file_of(base);
    (void)flags; /* no difference: the host's sync is a full one */
    if (is_halted(file->vfs)) {
        return SQLITE_IOERR_FSYNC;
    }
    enum status status = host_file_sync(file->vfs->host, file->id);
    if (status == STATUS_OK && file->is_name_unsynced) {
        status = sync_directory_of(file->vfs, file->path);
        file->is_name_unsynced = status != STATUS_OK;
    }
    return code_of(file->vfs, status, SQLITE_IOERR_FSYNC);
}

static int on_file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    const struct vfs_file *file = file_of(base);
    uint64_t size_bytes = 0;
    if (is_halted(file->vfs)) {
        return SQLITE_IOERR_FSTAT;
    }
    enum status status = host_file_size(file->vfs->host, file->id, &size_bytes);
    CHECK(size_bytes <= INT64_MAX);
    *size = (sqlite3_int64)size_bytes;
    return code_of(file->vfs, status, SQLITE_IOERR_FSTAT);
}

static int on_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int on_check_reserved_lock(sqlite3_file *base, int *is_locked)
{
    (void)base;
    *is_locked = 0;
    return SQLITE_OK;
}

static int on_file_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int on_sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR_BYTES;
}

static int on_device_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1: without shared memory and memory mapping. */
static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_lock,
    .xCheckReservedLock = on_check_reserved_lock,
    .xFileControl = on_file_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_device_characteristics,
};

/* ---- names ----------------------------------------------------------------------------------- */

/* Opens for writing a file that may or must not be made. */
static enum status open_for_writing(struct sqlite_vfs *vfs, const char *path, bool may_create,
                                    file_id *id)
{
    if (!may_create) {
        enum status status = host_file_open(vfs->host, vfs->volume, path, HOST_READ, id);
        if (status != STATUS_OK) {
            return status;
        }
        host_file_close(vfs->host, *id);
    }
    return host_file_open(vfs->host, vfs->volume, path, HOST_CREATE, id);
}

static int on_open(sqlite3_vfs *base, const char *path, sqlite3_file *opened, int flags,
                   int *flags_granted)
{
    struct sqlite_vfs *vfs = vfs_of(base);
    struct vfs_file *file = file_of(opened);
    enum status status;
    opened->pMethods = NULL; /* SQLite closes only what has methods */
    if (is_halted(vfs) || path == NULL || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) {
        return SQLITE_CANTOPEN; /* a file without a name would be a temporary one (V1) */
    }
    *file = (struct vfs_file){ .vfs = vfs, .is_name_unsynced = true };
    int length = snprintf(file->path, sizeof file->path, "%s", path);
    CHECK(length > 0 && (size_t)length < sizeof file->path);
    if ((flags & SQLITE_OPEN_READWRITE) != 0) {
        status = open_for_writing(vfs, path, (flags & SQLITE_OPEN_CREATE) != 0, &file->id);
    } else {
        status = host_file_open(vfs->host, vfs->volume, path, HOST_READ, &file->id);
    }
    if (status == STATUS_OK) {
        opened->pMethods = &file_methods;
        if (flags_granted != NULL) {
            *flags_granted = flags;
        }
    }
    return code_of(vfs, status, SQLITE_CANTOPEN);
}

static int on_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
    struct sqlite_vfs *vfs = vfs_of(base);
    if (is_halted(vfs)) {
        return SQLITE_IOERR_DELETE;
    }
    enum status status = host_remove(vfs->host, vfs->volume, path);
    if (status == STATUS_NOT_FOUND) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    if (status == STATUS_OK && sync_directory != 0) {
        status = sync_directory_of(vfs, path);
    }
    return code_of(vfs, status, SQLITE_IOERR_DELETE);
}

/* As in SQLite's own VFS an empty file counts as none: it is a journal that was never begun. */
static int on_access(sqlite3_vfs *base, const char *path, int flags, int *is_there)
{
    struct sqlite_vfs *vfs = vfs_of(base);
    file_id id;
    uint64_t size_bytes = 0;
    (void)flags;
    *is_there = 0;
    if (is_halted(vfs)) {
        return SQLITE_IOERR_ACCESS;
    }
    enum status status = host_file_open(vfs->host, vfs->volume, path, HOST_READ, &id);
    if (status == STATUS_NOT_FOUND) {
        return SQLITE_OK;
    }
    if (status == STATUS_OK) {
        status = host_file_size(vfs->host, id, &size_bytes);
        host_file_close(vfs->host, id);
    }
    *is_there = status == STATUS_OK && size_bytes > 0;
    return code_of(vfs, status, SQLITE_IOERR_ACCESS);
}

static int on_full_pathname(sqlite3_vfs *base, const char *path, int size, char *full)
{
    (void)base;
    int length = snprintf(full, (size_t)size, "%s", path);
    return length >= 0 && length < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* ---- chance and time ------------------------------------------------------------------------- */

static int on_randomness(sqlite3_vfs *base, int size, char *data)
{
    struct sqlite_vfs *vfs = vfs_of(base);
    memset(data, 0, (size_t)size);
    for (int i = 0; i < size && !is_halted(vfs); i += (int)sizeof(uint64_t)) {
        uint64_t random = host_random(vfs->host);
        size_t rest = (size_t)(size - i);
        memcpy(data + i, &random, rest < sizeof random ? rest : sizeof random);
    }
    return size;
}

static int on_sleep(sqlite3_vfs *base, int time_us)
{
    (void)base;
    return time_us;
}

/* The world starts at 1970-01-01, in Julian milliseconds. */
static int on_current_time(sqlite3_vfs *base, sqlite3_int64 *time_ms)
{
    const sqlite3_int64 start_ms = INT64_C(210866760000000);
    struct sqlite_vfs *vfs = vfs_of(base);
    uint64_t now_ns = is_halted(vfs) ? 0 : host_now_ns(vfs->host);
    *time_ms = start_ms + (sqlite3_int64)(now_ns / 1000000);
    return SQLITE_OK;
}

/* ---- for the caller -------------------------------------------------------------------------- */

void sqlite_vfs_init(struct sqlite_vfs *vfs, struct host *host, enum host_volume volume)
{
    CHECK(host != NULL);
    *vfs = (struct sqlite_vfs){ .base = { .iVersion = 2,
                                          .szOsFile = sizeof(struct vfs_file),
                                          .mxPathname = FULL_PATH_SIZE - 1,
                                          .xOpen = on_open,
                                          .xDelete = on_delete,
                                          .xAccess = on_access,
                                          .xFullPathname = on_full_pathname,
                                          .xRandomness = on_randomness,
                                          .xSleep = on_sleep,
                                          .xCurrentTimeInt64 = on_current_time },
                                .host = host,
                                .volume = volume };
}

static void path_with(char full[FULL_PATH_SIZE], const char *path, const char *suffix)
{
    CHECK(strlen(path) < SQLITE_VFS_PATH_SIZE);
    (void)snprintf(full, FULL_PATH_SIZE, "%s%s", path, suffix);
}

enum status sqlite_vfs_settle(struct sqlite_vfs *vfs, const char *path)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char full[FULL_PATH_SIZE];
        file_id id;
        path_with(full, path, suffixes[i]);
        enum status status = host_file_open(vfs->host, vfs->volume, full, HOST_READ, &id);
        if (status == STATUS_OK) {
            status = host_file_sync(vfs->host, id);
            host_file_close(vfs->host, id);
        }
        if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
            return note(vfs, status);
        }
    }
    return note(vfs, sync_directory_of(vfs, path));
}

enum status sqlite_vfs_remove(struct sqlite_vfs *vfs, const char *path)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char full[FULL_PATH_SIZE];
        path_with(full, path, suffixes[i]);
        enum status status = host_remove(vfs->host, vfs->volume, full);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
            return note(vfs, status);
        }
    }
    return STATUS_OK;
}

/* SQLite draws the numbers in its journals from one generator for the whole program, which it fills
 * from the operating system. Started from the host they are the same in every run of a simulation,
 * for each database that is used in it was also opened in it. */
static void start_library_randomness(struct host *host)
{
    int seed = (int)(host_random(host) >> 33) | 1; /* 0 would mean: from the operating system */
    (void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed, (sqlite3 *)NULL);
}

/* A VFS can be named to SQLite only through its list for the whole program. It stands there while
 * the connection is opened, under a name that no other has, and never as the default. */
int sqlite_vfs_connect(struct sqlite_vfs *vfs, const char *path, sqlite3 **db)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    char name[32];
    CHECK(strlen(path) < SQLITE_VFS_PATH_SIZE);
    (void)snprintf(name, sizeof name, "host-%p", (void *)vfs);
    vfs->base.zName = name;
    *db = NULL;
    start_library_randomness(vfs->host);
    int code = sqlite3_vfs_register(&vfs->base, 0);
    if (code == SQLITE_OK) {
        code = sqlite3_open_v2(path, db, flags, name);
        int unregistered = sqlite3_vfs_unregister(&vfs->base);
        CHECK(unregistered == SQLITE_OK);
    }
    vfs->base.zName = "host";
    if (code != SQLITE_OK) {
        (void)sqlite3_close(*db);
        *db = NULL;
    }
    return code;
}

void sqlite_vfs_forget(struct sqlite_vfs *vfs)
{
    if (!is_halted(vfs)) {
        vfs->status = STATUS_OK;
    }
}

void sqlite_vfs_abandon(struct sqlite_vfs *vfs)
{
    vfs->status = STATUS_HALTED;
}
