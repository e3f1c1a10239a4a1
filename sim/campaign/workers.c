#include "sim/campaign/workers.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/base/codec.h"

enum {
    PROCESSES_MAX = 256,
    BATCH_MAX = 1024,
    BATCH_LEAST = 8,  /* of batches that get smaller: to begin a child takes time, too */
    BATCHES_LEFT = 2, /* for each process: what is left is worth so many batches at least */
    TICK_MS = 100,
    READ_BYTES = 64 * 1024,
    REPORT_HEAD_BYTES = 4,         /* the size of the result that follows */
    ERROR_OUTPUT_BYTES_MAX = 4096, /* what is kept of a child's standard error */
};

struct child {
    pid_t pid; /* 0: this place is free */
    uint64_t jobs[BATCH_MAX];
    uint32_t job_count;
    uint32_t reported; /* the first so many jobs are done */
    int result_pipe;   /* -1: closed */
    int error_pipe;    /* -1: closed */
    struct buffer reports;
    struct buffer error_output;
};

struct pool {
    const struct worker_pool *given;
    struct arena arena;
    struct child children[PROCESSES_MAX];
    uint32_t process_count;
    uint32_t running_count;
    uint64_t *orphans; /* jobs of a dead child that it did not come to */
    size_t orphan_count;
    size_t orphan_capacity;
    uint32_t batch;
    uint64_t taken_count; /* of `next` */
    bool no_more_jobs;
    bool stopping; /* begin nothing new */
    bool killing;  /* tick said so */
    uint64_t tick_ns;
    int signals; /* a signalfd: interruptions are events, not handlers */
    sigset_t old_mask;
};

uint32_t workers_default_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > PROCESSES_MAX ? PROCESSES_MAX : (uint32_t)count;
}

/* ---- the child ------------------------------------------------------------------------------- */

static void write_all(int fd, struct bytes bytes)
{
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t written = write(fd, bytes.data + done, bytes.size - done);
        if (written < 0 && errno != EINTR) {
            _exit(EXIT_FAILURE); /* the parent is gone: so is the reason to run */
        }
        done += written > 0 ? (size_t)written : 0;
    }
}

_Noreturn static void be_child(struct pool *pool, const struct child *child, int result_fd,
                               int error_fd)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no child outlives a killed campaign */
    /* A crash is told by its signal; a core file a finding would fill the disk. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
    (void)signal(SIGALRM, SIG_DFL); /* whatever the parent does with it: here it ends a hang */
    /* Interruptions stay blocked: a Ctrl-C reaches the whole process group, and it is the parent
     * that ends its children. */
    (void)dup2(error_fd, STDERR_FILENO);
    struct arena arena;
    arena_init(&arena);
    struct buffer result;
    buffer_init(&result, &arena);
    struct buffer report;
    buffer_init(&report, &arena);
    for (uint32_t i = 0; i < child->job_count; i++) {
        (void)alarm(pool->given->job_seconds);
        buffer_reset(&result);
        pool->given->run(pool->given->context, child->jobs[i], &result);
        buffer_reset(&report);
        encode_bytes(&report, buffer_bytes(&result));
        write_all(result_fd, buffer_bytes(&report));
    }
    _exit(EXIT_SUCCESS);
}

/* ---- the parent: beginning ------------------------------------------------------------------- */

static struct child *free_place(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->process_count; i++) {
        if (pool->children[i].pid == 0) {
            return &pool->children[i];
        }
    }
    CHECK_UNREACHABLE("a full pool");
}

static bool next_job(struct pool *pool, uint64_t *job)
{
    if (pool->orphan_count > 0) {
        *job = pool->orphans[--pool->orphan_count];
        return true;
    }
    if (!pool->no_more_jobs && !pool->given->next(pool->given->context, job)) {
        pool->no_more_jobs = true;
    }
    pool->taken_count += !pool->no_more_jobs;
    return !pool->no_more_jobs;
}

/* How many jobs the next child is given. */
static uint32_t next_batch(const struct pool *pool)
{
    uint64_t known = pool->given->job_count;
    uint64_t left = known > pool->taken_count ? known - pool->taken_count : 0;
    uint64_t share = left / (BATCHES_LEFT * pool->process_count);
    share = share < BATCH_LEAST ? BATCH_LEAST : share;
    return known > 0 && share < pool->batch ? (uint32_t)share : pool->batch;
}

/* False if a pipe cannot be made. */
static bool make_pipes(int result[2], int error[2])
{
    if (pipe(result) != 0) {
        return false;
    }
    if (pipe(error) != 0) {
        (void)close(result[0]);
        (void)close(result[1]);
        return false;
    }
    return true;
}

/* Begins the jobs that are in `child`. */
static enum status start_child(struct pool *pool, struct child *child)
{
    CHECK(child->job_count > 0);
    int result[2];
    int error[2];
    if (!make_pipes(result, error)) {
        return STATUS_IO;
    }
    pid_t pid = fork();
    if (pid == 0) {
        be_child(pool, child, result[1], error[1]);
    }
    (void)close(result[1]);
    (void)close(error[1]);
    if (pid < 0) {
        (void)close(result[0]);
        (void)close(error[0]);
        return STATUS_IO;
    }
    child->pid = pid;
    child->reported = 0;
    child->result_pipe = result[0];
    child->error_pipe = error[0];
    buffer_init(&child->reports, &pool->arena);
    buffer_init(&child->error_output, &pool->arena);
    pool->running_count++;
    return STATUS_OK;
}

static enum status fill(struct pool *pool)
{
    while (!pool->stopping && pool->running_count < pool->process_count) {
        struct child *child = free_place(pool);
        uint32_t batch = next_batch(pool);
        child->job_count = 0;
        while (child->job_count < batch && next_job(pool, &child->jobs[child->job_count])) {
            child->job_count++;
        }
        if (child->job_count == 0) {
            return STATUS_OK;
        }
        enum status status = start_child(pool, child);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- the parent: listening ------------------------------------------------------------------- */

static void tell(struct pool *pool, const struct worker_end *end)
{
    if (!pool->given->ended(pool->given->context, end)) {
        pool->stopping = true;
    }
}

/* Takes whole reports from the front of what has come. */
static void take_reports(struct pool *pool, struct child *child)
{
    size_t at = 0;
    struct bytes all = buffer_bytes(&child->reports);
    while (all.size - at >= REPORT_HEAD_BYTES) {
        size_t size = load_u32(all.data + at);
        if (all.size - at - REPORT_HEAD_BYTES < size) {
            break;
        }
        CHECK(child->reported < child->job_count);
        struct worker_end end = {
            .job = child->jobs[child->reported++],
            .result = { .data = all.data + at + REPORT_HEAD_BYTES, .size = size },
        };
        at += REPORT_HEAD_BYTES + size;
        tell(pool, &end);
    }
    memmove(child->reports.data, child->reports.data + at, all.size - at);
    child->reports.size = all.size - at;
}

/* Reads what is there; closes at the end. */
static void drain(int *fd, struct buffer *into)
{
    uint8_t *at = buffer_extend(into, READ_BYTES);
    ssize_t got = read(*fd, at, READ_BYTES);
    int error_number = errno;
    into->size -= READ_BYTES - (got > 0 ? (size_t)got : 0);
    if (got == 0 || (got < 0 && error_number != EINTR)) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* Of a flood on standard error only the end is kept. */
static void trim(struct buffer *output)
{
    if (output->size > ERROR_OUTPUT_BYTES_MAX) {
        size_t surplus = output->size - ERROR_OUTPUT_BYTES_MAX;
        memmove(output->data, output->data + surplus, ERROR_OUTPUT_BYTES_MAX);
        output->size = ERROR_OUTPUT_BYTES_MAX;
    }
}

static void keep_orphans(struct pool *pool, const struct child *child)
{
    size_t count = child->job_count - child->reported;
    pool->orphans = arena_grow(&pool->arena, pool->orphans, &pool->orphan_capacity,
                               pool->orphan_count + count, sizeof *pool->orphans);
    /* Taken from the end: the first job last, so that it comes first. */
    for (uint32_t i = child->job_count; i > child->reported; i--) {
        pool->orphans[pool->orphan_count++] = child->jobs[i - 1];
    }
}

static void finish_child(struct pool *pool, struct child *child)
{
    int state = 0;
    while (waitpid(child->pid, &state, 0) < 0 && errno == EINTR) {
    }
    child->pid = 0;
    pool->running_count--;
    if (child->reported < child->job_count) {
        struct worker_end end = { .job = child->jobs[child->reported++],
                                  .crashed = true,
                                  .signal = WIFSIGNALED(state) ? WTERMSIG(state) : 0,
                                  .error_output = buffer_bytes(&child->error_output) };
        tell(pool, &end);
        keep_orphans(pool, child);
    }
    buffer_free(&child->reports);
    buffer_free(&child->error_output);
}

/* Waits for something to happen, at most a tick. True if the process was interrupted. */
static bool wait_for_event(struct pool *pool)
{
    struct pollfd fds[2 * PROCESSES_MAX + 1];
    struct child *owners[2 * PROCESSES_MAX + 1];
    nfds_t count = 0;
    fds[count] = (struct pollfd){ .fd = pool->signals, .events = POLLIN };
    owners[count++] = NULL;
    for (uint32_t i = 0; i < pool->process_count; i++) {
        struct child *child = &pool->children[i];
        if (child->pid == 0) {
            continue;
        }
        if (child->result_pipe >= 0) {
            fds[count] = (struct pollfd){ .fd = child->result_pipe, .events = POLLIN };
            owners[count++] = child;
        }
        if (child->error_pipe >= 0) {
            fds[count] = (struct pollfd){ .fd = child->error_pipe, .events = POLLIN };
            owners[count++] = child;
        }
    }
    (void)poll(fds, count, TICK_MS);
    for (nfds_t i = 1; i < count; i++) {
        struct child *child = owners[i];
        if (fds[i].revents == 0) {
            continue;
        }
        if (fds[i].fd == child->result_pipe) {
            drain(&child->result_pipe, &child->reports);
            take_reports(pool, child);
        } else {
            drain(&child->error_pipe, &child->error_output);
            trim(&child->error_output);
        }
    }
    /* Taken, or it would strike as soon as it is unblocked. */
    struct signalfd_siginfo interruption;
    return (fds[0].revents & POLLIN) != 0 &&
           read(pool->signals, &interruption, sizeof interruption) > 0;
}

static void close_pipe(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void kill_all(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->process_count; i++) {
        struct child *child = &pool->children[i];
        if (child->pid != 0) {
            (void)kill(child->pid, SIGKILL);
            while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
            }
            close_pipe(child->result_pipe);
            close_pipe(child->error_pipe);
            child->pid = 0;
        }
    }
    pool->running_count = 0;
}

static void finish_ended(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->process_count; i++) {
        struct child *child = &pool->children[i];
        if (child->pid != 0 && child->result_pipe < 0 && child->error_pipe < 0) {
            finish_child(pool, child);
        }
    }
}

static void tick(struct pool *pool)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (pool->given->tick != NULL && now_ns - pool->tick_ns >= TICK_MS * UINT64_C(1000000)) {
        pool->tick_ns = now_ns;
        pool->killing = !pool->given->tick(pool->given->context);
    }
}

static enum status run_pool(struct pool *pool, bool *interrupted)
{
    enum status status = fill(pool);
    while (status == STATUS_OK && pool->running_count > 0) {
        if (wait_for_event(pool)) {
            *interrupted = true;
            break;
        }
        finish_ended(pool);
        tick(pool);
        if (pool->killing) {
            break;
        }
        status = fill(pool);
    }
    kill_all(pool);
    return status;
}

enum status workers_run(const struct worker_pool *given, bool *interrupted)
{
    CHECK(given->next != NULL && given->run != NULL && given->ended != NULL);
    CHECK(given->batch <= BATCH_MAX);
    *interrupted = false;
    struct arena arena;
    arena_init(&arena);
    struct pool *pool = arena_alloc(&arena, 1, sizeof *pool);
    pool->given = given;
    arena_init(&pool->arena);
    pool->batch = given->batch == 0 ? 1 : given->batch;
    pool->process_count = given->processes == 0 ? workers_default_count() : given->processes;
    if (pool->process_count > PROCESSES_MAX) {
        pool->process_count = PROCESSES_MAX;
    }
    sigset_t mask;
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGINT);
    (void)sigaddset(&mask, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &mask, &pool->old_mask);
    pool->signals = signalfd(-1, &mask, SFD_CLOEXEC);
    enum status status = pool->signals < 0 ? STATUS_IO : run_pool(pool, interrupted);
    if (pool->signals >= 0) {
        (void)close(pool->signals);
    }
    (void)sigprocmask(SIG_SETMASK, &pool->old_mask, NULL);
    arena_drop(&pool->arena);
    arena_drop(&arena);
    return status;
}
