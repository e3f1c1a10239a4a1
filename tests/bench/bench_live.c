/* The count job for real, every output line committed, at parallelism 1 and 2, with checkpoints and
 * without: records a second while the job ran, and what its processes took of the processors for
 * each record, which tells more on a machine that has other work. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/live/live_run.h"
#include "sim/scenario/scenario_json.h"

#define RECORDS "10000000"

static const char text[] = "{ \"job\": { \"name\": \"count\", \"input\": { \"records\": " RECORDS
                           ", \"keys\": 10000 } },\n"
                           "  \"cluster\": { \"task_managers\": 1, \"slots\": 2 } }\n";

/* Of the processes that have ended so far. */
static uint64_t used_ns(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    uint64_t us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return us * 1000;
}

static bool measure(const char *folder, const char *const *settings, uint32_t setting_count)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer message;
    buffer_init(&message, &arena);
    struct scenario scenario;
    struct scenario_overrides overrides = { .settings = settings, .setting_count = setting_count };
    struct live_run_options options = { .folder = arena_format(&arena, "%s/volumes", folder) };
    struct run run;
    uint64_t before_ns = used_ns();
    bool ran = scenario_parse(&scenario, &arena, bytes_of_text(text), "bench_live", folder,
                              &overrides, &message) == STATUS_OK &&
               live_run(&run, &arena, &scenario, (struct bytes){ 0 }, &options, &message,
                        &message) == STATUS_OK;
    bool passed = ran && run.verdict == VERDICT_PASS;
    if (passed) {
        uint64_t records = run.totals.records;
        (void)printf("  live: %s, %s: %" PRIu64 " records/s, %" PRIu64
                     " ns of processor a record\n",
                     settings[0], settings[1], records * 1000 / (run.simulated_ns / 1000000),
                     (used_ns() - before_ns) / records);
    } else {
        (void)fprintf(stderr, "bench_live: %.*s\n", (int)message.size, (const char *)message.data);
    }
    arena_drop(&arena);
    return passed;
}

int main(void)
{
    static const char *const cells[][2] = {
        { "job.parallelism=1", "checkpoint.interval=off" },
        { "job.parallelism=1", "checkpoint.interval=1s" },
        { "job.parallelism=2", "checkpoint.interval=off" },
        { "job.parallelism=2", "checkpoint.interval=1s" },
    };
    char folder[] = "/tmp/bench_live.XXXXXX";
    bool passed = mkdtemp(folder) != NULL;
    for (size_t i = 0; i < sizeof cells / sizeof *cells && passed; i++) {
        passed = measure(folder, cells[i], 2);
    }
    (void)rmdir(folder);
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
