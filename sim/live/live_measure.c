#include "sim/live/live_measure.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/check.h"
#include "sim/campaign/progress.h"
#include "sim/live/live_folder.h"

enum {
    BLOCK_BYTES = 1 << 20,
    LARGE_ROUNDS = 3,
    SMALL_BYTES = 4096,
    SMALL_ROUNDS = 15,
    START_ROUNDS = 9,
    NS_PER_S = 1000000000,
};

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

uint64_t live_median(uint64_t *values, size_t count)
{
    CHECK(count > 0);
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* ---- files ----------------------------------------------------------------------------------- */

struct probe {
    struct arena *arena;
    const char *folder;
    uint64_t file_bytes;
    uint8_t *block; /* BLOCK_BYTES, of no use to a file system that compresses */
};

static const char *path_of(const struct probe *probe, const char *name)
{
    return arena_format(probe->arena, "%s/%s", probe->folder, name);
}

static bool write_whole(int file, const uint8_t *data, size_t size)
{
    ssize_t put = 0;
    for (size_t done = 0; done < size && put >= 0; done += (size_t)put) {
        put = write(file, data + done, size - done);
    }
    return put >= 0;
}

static uint64_t rate_of(uint64_t bytes, uint64_t took_ns)
{
    CHECK(bytes <= UINT64_MAX / NS_PER_S);
    return bytes * NS_PER_S / (took_ns > 0 ? took_ns : 1);
}

/* Small changes of one file, each synced. */
static bool measure_sync(const struct probe *probe, uint64_t *sync_ns)
{
    uint64_t took_ns[SMALL_ROUNDS];
    int file = open(path_of(probe, "sync"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool ok = file >= 0;
    for (int i = 0; ok && i < SMALL_ROUNDS; i++) {
        ok = write_whole(file, probe->block, SMALL_BYTES);
        uint64_t start_ns = real_now_ns();
        ok = ok && fdatasync(file) == 0;
        took_ns[i] = real_now_ns() - start_ns;
    }
    ok = (file < 0 || close(file) == 0) && ok;
    if (ok) {
        *sync_ns = live_median(took_ns, SMALL_ROUNDS);
    }
    return ok;
}

/* Nanoseconds that it takes to read all of the file. */
static bool read_whole(int file, const struct probe *probe, uint64_t *took_ns)
{
    uint64_t start_ns = real_now_ns();
    ssize_t got = lseek(file, 0, SEEK_SET) == 0 ? 1 : -1;
    while (got > 0) {
        got = read(file, probe->block, BLOCK_BYTES);
    }
    *took_ns = real_now_ns() - start_ns;
    return got == 0;
}

struct round {
    uint64_t write_ns;
    uint64_t read_ns;
    uint64_t cold_read_ns;
};

/* Writes a new file, syncs it, and reads it back: from the cache, then from the disk. */
static bool measure_large_once(const struct probe *probe, int number, struct round *round)
{
    const char *path = arena_format(probe->arena, "%s/large-%d", probe->folder, number);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = file >= 0;
    uint64_t start_ns = real_now_ns();
    for (uint64_t done = 0; ok && done < probe->file_bytes; done += BLOCK_BYTES) {
        ok = write_whole(file, probe->block, BLOCK_BYTES);
    }
    ok = ok && fdatasync(file) == 0;
    round->write_ns = real_now_ns() - start_ns;
    ok = ok && read_whole(file, probe, &round->read_ns) &&
         posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 &&
         read_whole(file, probe, &round->cold_read_ns);
    return (file < 0 || close(file) == 0) && ok && unlink(path) == 0;
}

static bool measure_large(const struct probe *probe, struct live_disk_speed *speed)
{
    uint64_t write_ns[LARGE_ROUNDS];
    uint64_t read_ns[LARGE_ROUNDS];
    uint64_t cold_read_ns[LARGE_ROUNDS];
    struct round round;
    bool ok = true;
    for (int i = 0; ok && i < LARGE_ROUNDS; i++) {
        ok = measure_large_once(probe, i, &round);
        write_ns[i] = round.write_ns;
        read_ns[i] = round.read_ns;
        cold_read_ns[i] = round.cold_read_ns;
    }
    if (ok) {
        uint64_t took_ns = live_median(write_ns, LARGE_ROUNDS);
        took_ns -= took_ns > speed->sync_ns ? speed->sync_ns : 0;
        speed->write_bytes_per_s = rate_of(probe->file_bytes, took_ns);
        speed->read_bytes_per_s = rate_of(probe->file_bytes, live_median(read_ns, LARGE_ROUNDS));
        speed->cold_read_bytes_per_s =
            rate_of(probe->file_bytes, live_median(cold_read_ns, LARGE_ROUNDS));
    }
    return ok;
}

enum status live_measure_disk(struct arena *arena, const char *folder, uint64_t file_bytes,
                              struct live_disk_speed *speed, struct buffer *error)
{
    CHECK(file_bytes > 0 && file_bytes % BLOCK_BYTES == 0);
    *speed = (struct live_disk_speed){ 0 };
    struct probe probe = { .arena = arena, .folder = folder, .file_bytes = file_bytes };
    probe.block = arena_alloc(arena, BLOCK_BYTES, sizeof *probe.block);
    for (uint32_t i = 0; i < BLOCK_BYTES; i++) {
        probe.block[i] = (uint8_t)((i * UINT32_C(2654435761)) >> 24);
    }
    struct live_folder *opened = live_folder_open(arena, folder, error);
    if (opened == NULL) {
        return STATUS_IO;
    }
    bool ok = measure_sync(&probe, &speed->sync_ns) && measure_large(&probe, speed);
    if (!ok) {
        buffer_append_format(error, "%s: cannot be measured: %s", folder, strerror(errno));
    }
    live_folder_close(opened);
    return ok ? STATUS_OK : STATUS_IO;
}

/* ---- processes ------------------------------------------------------------------------------- */

/* Of a program that says nothing. */
static int start_once(const posix_spawn_file_actions_t *silent)
{
    char name[] = "faultline";
    char word[] = "--version";
    char *arguments[] = { name, word, NULL };
    pid_t process;
    int failure = posix_spawn(&process, "/proc/self/exe", silent, NULL, arguments, environ);
    if (failure == 0 && waitpid(process, NULL, 0) < 0) {
        failure = errno;
    }
    return failure;
}

enum status live_measure_start(uint64_t *start_ns, struct buffer *error)
{
    uint64_t took_ns[START_ROUNDS];
    posix_spawn_file_actions_t silent;
    (void)posix_spawn_file_actions_init(&silent);
    int failure =
        posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int i = 0; failure == 0 && i < START_ROUNDS; i++) {
        uint64_t begin_ns = real_now_ns();
        failure = start_once(&silent);
        took_ns[i] = real_now_ns() - begin_ns;
    }
    (void)posix_spawn_file_actions_destroy(&silent);
    if (failure != 0) {
        buffer_append_format(error, "this program cannot be started: %s", strerror(failure));
        return STATUS_IO;
    }
    *start_ns = live_median(took_ns, START_ROUNDS);
    return STATUS_OK;
}

void live_tell_load(FILE *out)
{
    struct sysinfo info;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    bool is_known = sysinfo(&info) == 0 && processors > 0;
    if (is_known && info.loads[0] >> SI_LOAD_SHIFT >= (unsigned long)processors) {
        (void)fprintf(out,
                      "the machine is busy: a load of %lu for %ld processors, which changes what "
                      "is measured\n",
                      info.loads[0] >> SI_LOAD_SHIFT, processors);
    }
}
