#include "sim/live/live_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "sim/campaign/mapped_file.h"

enum {
    AHEAD_LINES = 1 << 20, /* of the job */
    AHEAD_PAUSE_NS = 2 * 1000 * 1000,
    TAIL_BYTES = 4096,
    SENTENCE_BYTES = 4096,
};

/* What the two processes share. */
struct shared_counts {
    _Atomic uint64_t lines;
    _Atomic uint64_t lines_max;
    enum status status; /* these two when the reader has ended by itself */
    char sentence[SENTENCE_BYTES];
};

struct live_spool {
    const char *kept;
    struct shared_counts *counts;
    pid_t reader; /* 0: it has ended, and ... */
    int how;      /* ... so */
};

/* ---- the reader ------------------------------------------------------------------------------ */

static uint64_t count_feeds(struct bytes bytes)
{
    uint64_t count = 0;
    const uint8_t *at = bytes.data;
    const uint8_t *end = bytes.data + bytes.size;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static void wait_for_the_job(const struct shared_counts *counts)
{
    while (counts->lines > counts->lines_max) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = AHEAD_PAUSE_NS }, NULL);
    }
}

static enum status copy(struct shared_counts *counts, struct arena *arena,
                        const struct input_shape *shape, int file, const char *kept,
                        struct buffer *error)
{
    struct input *input;
    struct buffer step;
    buffer_init(&step, arena);
    enum status status = input_open(&input, arena, "-", shape, error);
    for (bool more = true; status == STATUS_OK && more;) {
        step.size = 0;
        status = input_read(input, &step, &more, error);
        if (status == STATUS_OK) {
            status = file_append(file, kept, buffer_bytes(&step), error);
            counts->lines += count_feeds(buffer_bytes(&step));
            wait_for_the_job(counts);
        }
    }
    return status;
}

static _Noreturn void be_reader(const struct live_spool *spool, const struct input_shape *shape,
                                pid_t parent, int file)
{
    struct shared_counts *counts = spool->counts;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(0); /* it died in between */
    }
    /* The parent hears of these, and says when it is over. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)close_range(STDERR_FILENO + 1, (unsigned)file - 1, 0);
    (void)close_range((unsigned)file + 1, ~0u, 0);
    struct arena arena;
    struct buffer error;
    arena_init(&arena);
    buffer_init(&error, &arena);
    counts->status = copy(counts, &arena, shape, file, spool->kept, &error);
    size_t size = error.size < SENTENCE_BYTES ? error.size : SENTENCE_BYTES - 1;
    memcpy(counts->sentence, size > 0 ? error.data : (const uint8_t *)"", size);
    _exit(0);
}

/* ---- its parent ------------------------------------------------------------------------------ */

static bool start(struct live_spool *spool, const struct input_shape *shape)
{
    (void)unlink(spool->kept); /* not cut: what an earlier run kept may be standard input now */
    int file = open(spool->kept, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    void *shared = mmap(NULL, sizeof *spool->counts, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t parent = getpid();
    bool started = false;
    if (file >= 0 && shared != MAP_FAILED) {
        spool->counts = shared;
        spool->counts->lines_max = AHEAD_LINES;
        spool->reader = fork();
        if (spool->reader == 0) {
            be_reader(spool, shape, parent, file);
        }
        started = spool->reader > 0;
    }
    if (file >= 0) {
        (void)close(file);
    }
    return started;
}

struct live_spool *live_spool_start(struct arena *arena, const struct input_shape *shape,
                                    const char *kept, struct buffer *error)
{
    struct live_spool *spool = arena_alloc(arena, 1, sizeof *spool);
    *spool = (struct live_spool){ .kept = kept };
    if (!start(spool, shape)) {
        buffer_append_format(error, "%s: standard input cannot be read into it: %s", kept,
                             strerror(errno));
        return NULL;
    }
    return spool;
}

static void reap(struct live_spool *spool, int flags)
{
    pid_t ended;
    do {
        ended = waitpid(spool->reader, &spool->how, flags);
    } while (ended < 0 && errno == EINTR);
    CHECK(ended >= 0);
    spool->reader = ended > 0 ? 0 : spool->reader;
}

bool live_spool_is_open(struct live_spool *spool, uint64_t used_lines)
{
    spool->counts->lines_max = used_lines + AHEAD_LINES;
    if (spool->reader != 0) {
        reap(spool, WNOHANG);
    }
    return spool->reader != 0;
}

uint64_t live_spool_lines(const struct live_spool *spool)
{
    return spool->counts->lines;
}

/* Cuts the file behind its last line feed. */
static bool cut_last_line(int file, uint64_t size)
{
    uint8_t tail[TAIL_BYTES];
    while (size > 0) {
        size_t part = size < TAIL_BYTES ? (size_t)size : TAIL_BYTES;
        if (pread(file, tail, part, (off_t)(size - part)) != (ssize_t)part) {
            return false;
        }
        const uint8_t *feed = memrchr(tail, '\n', part);
        size -= feed != NULL ? part - (size_t)(feed - tail) - 1 : part;
        if (feed != NULL) {
            break;
        }
    }
    return ftruncate(file, (off_t)size) == 0;
}

/* After an error of the reading, or a death of the reader, there is no result to be had. */
static enum status check_end(const struct live_spool *spool, bool was_ended, struct buffer *error)
{
    const struct shared_counts *counts = spool->counts;
    if (!was_ended && counts->status != STATUS_OK) {
        buffer_append_text(error, counts->sentence);
        return counts->status;
    }
    if (!was_ended && (!WIFEXITED(spool->how) || WEXITSTATUS(spool->how) != 0)) {
        buffer_append_text(error, "the process that reads standard input ended by itself");
        return STATUS_IO;
    }
    struct stat info = { 0 };
    int file = open(spool->kept, O_RDWR | O_CLOEXEC);
    bool is_sound = file >= 0 && fstat(file, &info) == 0 &&
                    (!was_ended || cut_last_line(file, (uint64_t)info.st_size)) &&
                    fstat(file, &info) == 0;
    int reason = errno;
    if (file >= 0) {
        (void)close(file);
    }
    if (!is_sound) {
        buffer_append_format(error, "%s: %s", spool->kept, strerror(reason));
        return STATUS_IO;
    }
    if (info.st_size == 0 && was_ended) {
        buffer_append_text(error, "interrupted; nothing had come from standard input");
        return STATUS_IO;
    }
    if (info.st_size == 0) {
        buffer_append_text(error, "nothing came from standard input, which can be read once only");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status live_spool_end(struct live_spool *spool, struct buffer *error)
{
    bool was_ended = live_spool_is_open(spool, 0);
    if (was_ended) {
        (void)kill(spool->reader, SIGKILL);
        reap(spool, 0);
    }
    enum status status = check_end(spool, was_ended, error);
    (void)munmap(spool->counts, sizeof *spool->counts);
    spool->counts = NULL;
    return status;
}
