#include "sim/workers.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/check.h"

enum {
    PROCESSES_MAX = 256,
    TICK_MS = 100,
    READ_BYTES = 64 * 1024,
    ERROR_OUTPUT_BYTES_MAX = 4096, /* what is kept of a child's standard error */
};

struct child {
    pid_t pid; /* 0: this place is free */
    uint64_t job;
    int result_pipe; /* -1: closed */
    int error_pipe;  /* -1: closed */
    struct buffer result;
    struct buffer error_output;
};

struct pool {
    const struct worker_pool *given;
    struct arena arena;
    struct child children[PROCESSES_MAX];
    uint32_t process_count;
    uint32_t running_count;
    bool stopping;
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
            return; /* the parent is gone: so is the reason to run */
        }
        done += written > 0 ? (size_t)written : 0;
    }
}

_Noreturn static void be_child(struct pool *pool, uint64_t job, int result_fd, int error_fd)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no child outlives a killed campaign */
    (void)sigprocmask(SIG_SETMASK, &pool->old_mask, NULL);
    (void)dup2(error_fd, STDERR_FILENO);
    struct arena arena;
    arena_init(&arena);
    struct buffer result;
    buffer_init(&result, &arena);
    pool->given->run(pool->given->context, job, &result);
    write_all(result_fd, buffer_bytes(&result));
    _exit(EXIT_SUCCESS);
}

/* ---- the parent ------------------------------------------------------------------------------ */

static struct child *free_place(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->process_count; i++) {
        if (pool->children[i].pid == 0) {
            return &pool->children[i];
        }
    }
    CHECK_UNREACHABLE("a full pool");
}

static enum status start_child(struct pool *pool, uint64_t job)
{
    int result[2];
    int error[2];
    if (pipe(result) != 0) {
        return STATUS_IO;
    }
    if (pipe(error) != 0) {
        (void)close(result[0]);
        (void)close(result[1]);
        return STATUS_IO;
    }
    pid_t pid = fork();
    if (pid == 0) {
        be_child(pool, job, result[1], error[1]);
    }
    (void)close(result[1]);
    (void)close(error[1]);
    if (pid < 0) {
        (void)close(result[0]);
        (void)close(error[0]);
        return STATUS_IO;
    }
    struct child *child = free_place(pool);
    *child = (struct child){
        .pid = pid, .job = job, .result_pipe = result[0], .error_pipe = error[0]
    };
    buffer_init(&child->result, &pool->arena);
    buffer_init(&child->error_output, &pool->arena);
    pool->running_count++;
    return STATUS_OK;
}

static enum status fill(struct pool *pool)
{
    while (!pool->stopping && pool->running_count < pool->process_count) {
        uint64_t job;
        if (!pool->given->next(pool->given->context, &job)) {
            pool->stopping = true;
            break;
        }
        enum status status = start_child(pool, job);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* Reads what is there; closes at the end. */
static void drain(int *fd, struct buffer *into)
{
    uint8_t *at = buffer_extend(into, READ_BYTES);
    ssize_t got = read(*fd, at, READ_BYTES);
    into->size -= READ_BYTES - (got > 0 ? (size_t)got : 0);
    if (got == 0 || (got < 0 && errno != EINTR)) {
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

static void finish_child(struct pool *pool, struct child *child)
{
    int state = 0;
    while (waitpid(child->pid, &state, 0) < 0 && errno == EINTR) {
    }
    bool clean = WIFEXITED(state) && WEXITSTATUS(state) == EXIT_SUCCESS;
    struct worker_end end = { .job = child->job,
                              .crashed = !clean,
                              .signal = WIFSIGNALED(state) ? WTERMSIG(state) : 0,
                              .result = buffer_bytes(&child->result),
                              .error_output = buffer_bytes(&child->error_output) };
    if (!pool->given->ended(pool->given->context, &end)) {
        pool->stopping = true;
    }
    buffer_free(&child->result);
    buffer_free(&child->error_output);
    child->pid = 0;
    pool->running_count--;
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
            drain(&child->result_pipe, &child->result);
        } else {
            drain(&child->error_pipe, &child->error_output);
            trim(&child->error_output);
        }
    }
    return (fds[0].revents & POLLIN) != 0;
}

static void kill_all(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->process_count; i++) {
        struct child *child = &pool->children[i];
        if (child->pid != 0) {
            (void)kill(child->pid, SIGKILL);
            while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
            }
            (void)close(child->result_pipe);
            (void)close(child->error_pipe);
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

static enum status run_pool(struct pool *pool, bool *interrupted)
{
    enum status status = fill(pool);
    while (status == STATUS_OK && pool->running_count > 0) {
        if (wait_for_event(pool)) {
            *interrupted = true;
            break;
        }
        finish_ended(pool);
        if (pool->given->tick != NULL) {
            pool->given->tick(pool->given->context);
        }
        status = fill(pool);
    }
    kill_all(pool);
    return status;
}

enum status workers_run(const struct worker_pool *given, bool *interrupted)
{
    CHECK(given->next != NULL && given->run != NULL && given->ended != NULL);
    *interrupted = false;
    struct arena arena;
    arena_init(&arena);
    struct pool *pool = arena_alloc(&arena, 1, sizeof *pool);
    pool->given = given;
    arena_init(&pool->arena);
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
