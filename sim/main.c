#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "model/base/arena.h"
#include "model/base/check.h"
#include "sim/campaign/verdict.h"
#include "sim/command/calibrate.h"
#include "sim/command/compare.h"
#include "sim/command/help_command.h"
#include "sim/command/hunt_command.h"
#include "sim/command/list_command.h"
#include "sim/command/options.h"
#include "sim/command/predict_run.h"
#include "sim/command/report_command.h"
#include "sim/command/run_command.h"
#include "sim/command/sweep_command.h"

#ifndef FAULTLINE_BUILD_ID
#define FAULTLINE_BUILD_ID "unknown"
#endif

static enum verdict do_command(const struct options *options)
{
    switch (options->command) {
    case COMMAND_RUN:
    case COMMAND_LIVE: return run_command(options, FAULTLINE_BUILD_ID);
    case COMMAND_SWEEP: return sweep_command(options, FAULTLINE_BUILD_ID);
    case COMMAND_REPORT: return report_command(options, FAULTLINE_BUILD_ID);
    case COMMAND_PREDICT: return predict_command(options);
    case COMMAND_FUZZ: return fuzz_command(options);
    case COMMAND_ENUMERATE: return enumerate_command(options);
    case COMMAND_SHRINK: return shrink_command(options);
    case COMMAND_CALIBRATE: return calibrate_command(options);
    case COMMAND_COMPARE: return compare_command(options, FAULTLINE_BUILD_ID);
    case COMMAND_LIST: list_command(options->topic); return VERDICT_PASS;
    case COMMAND_HELP: help_command(options->about); return VERDICT_PASS;
    case COMMAND_VERSION: (void)puts("faultline " FAULTLINE_BUILD_ID); return VERDICT_PASS;
    }
    CHECK_UNREACHABLE("a command");
}

/* What is closed is opened, so that nothing can be read from it or written to it: else the first
 * file to be opened would be taken for standard input or output. */
static void open_standard_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
        if (fcntl(file, F_GETFD) < 0) {
            (void)open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

int main(int argc, char **argv)
{
    open_standard_streams();
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct options options;
    enum verdict verdict = VERDICT_BAD_USAGE;
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow on is a failed write */
    if (argc >= 1 && options_parse(&options, &arena, argc, (const char *const *)argv, &error)) {
        verdict = do_command(&options);
    } else {
        (void)fprintf(stderr, "faultline: %.*s\n", (int)error.size, (const char *)error.data);
    }
    arena_drop(&arena);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fputs("standard output: cannot be written to\n", stderr);
        verdict = verdict_worse(verdict, VERDICT_SURROUNDINGS);
    }
    return (int)verdict;
}
