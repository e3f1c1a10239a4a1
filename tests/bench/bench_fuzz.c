/* How many runs of a fuzz campaign a second, on all cores: a job of four subtasks and 10,000
 * records under up to five faults. Not a benchmark of one part but of all of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/campaign/fuzz.h"
#include "sim/campaign/progress.h"
#include "sim/campaign/workers.h"

enum { RUNS = 5000 };

static const char base[] =
    "{ \"job\": { \"name\": \"count\", \"parallelism\": 2,\n"
    "    \"input\": { \"records\": 10000, \"keys\": 1000, \"rate\": \"5k/s\" } },\n"
    "  \"checkpoint\": { \"interval\": \"500ms\" },\n"
    "  \"restart\": { \"strategy\": \"fixed_delay\", \"delay\": \"100ms\" },\n"
    "  \"cluster\": { \"task_managers\": 4, "
    "\"heartbeat\": { \"interval\": \"500ms\", \"timeout\": \"2s\" } },\n"
    "  \"expect\": { \"within\": \"10min\" } }\n";

int main(void)
{
    char path[] = "/tmp/bench_fuzz.XXXXXX.json";
    int file = mkstemps(path, (int)strlen(".json"));
    FILE *out = file < 0 ? NULL : fdopen(file, "w");
    if (out == NULL || fputs(base, out) < 0 || fclose(out) != 0) {
        (void)fprintf(stderr, "%s: cannot write\n", path);
        return EXIT_FAILURE;
    }
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct fuzz_options options = {
        .hunt = { .scenario = path, .out = "/tmp", .program = "faultline" },
        .seed_first = 1,
        .seed_last = RUNS,
        .fault_count = 5
    };
    struct fuzz_result result;
    uint64_t start_ns = real_now_ns();
    enum verdict verdict = fuzz(&options, &result, &error);
    uint64_t elapsed_ms = (real_now_ns() - start_ns) / 1000000 + 1;
    (void)remove(path);
    (void)printf("  fuzz: %" PRIu64 " runs in %" PRIu64 " ms on %u cores: %" PRIu64
                 " runs/s, %" PRIu64 " failures\n",
                 result.runs, elapsed_ms, workers_default_count(), result.runs * 1000 / elapsed_ms,
                 result.failures);
    arena_drop(&arena);
    return verdict == VERDICT_PASS ? EXIT_SUCCESS : EXIT_FAILURE;
}
