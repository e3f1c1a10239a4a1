#include "sim/campaign/progress.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"

#define TERMINAL_PERIOD_NS UINT64_C(200000000)
#define PLAIN_PERIOD_NS    UINT64_C(5000000000)

uint64_t real_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void progress_init(struct progress *progress, FILE *out)
{
    uint64_t now_ns = real_now_ns();
    *progress = (struct progress){ .out = out,
                                   .terminal = out != NULL && isatty(fileno(out)) == 1,
                                   .start_ns = now_ns,
                                   .last_ns = now_ns };
}

uint64_t progress_elapsed_ns(const struct progress *progress)
{
    uint64_t now_ns = real_now_ns();
    CHECK(now_ns >= progress->start_ns);
    return now_ns - progress->start_ns;
}

bool progress_is_due(const struct progress *progress)
{
    uint64_t period_ns = progress->terminal ? TERMINAL_PERIOD_NS : PLAIN_PERIOD_NS;
    return progress->out != NULL && !progress->quiet &&
           real_now_ns() - progress->last_ns >= period_ns;
}

static void clear(struct progress *progress)
{
    if (progress->shown) {
        CHECK(progress->terminal);
        (void)fputs("\r\033[K", progress->out);
        progress->shown = false;
    }
}

void progress_show(struct progress *progress, const char *format, ...)
{
    if (progress->out == NULL || progress->quiet) {
        return;
    }
    clear(progress);
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(progress->out, format, arguments);
    va_end(arguments);
    if (progress->terminal) {
        progress->shown = true;
    } else {
        (void)fputc('\n', progress->out);
    }
    (void)fflush(progress->out);
    progress->last_ns = real_now_ns();
}

void progress_say(struct progress *progress, const char *format, ...)
{
    if (progress->out == NULL || progress->quiet) {
        return;
    }
    clear(progress);
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(progress->out, format, arguments);
    va_end(arguments);
    (void)fputc('\n', progress->out);
    (void)fflush(progress->out);
}

void progress_end(struct progress *progress)
{
    progress->quiet = false;
    if (progress->out != NULL) {
        clear(progress);
        (void)fflush(progress->out);
    }
}
