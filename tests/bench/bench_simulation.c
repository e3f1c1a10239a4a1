/* How fast whole jobs are simulated: records, events, runs, and what a thousand subtasks take.
 *
 * Each line has its target and, so that a slow machine can be told from slow code, the number of
 * records that a bare loop of parse and count handles in the time of one unit of the line: one
 * record, event, run or simulated second. Usage: bench_simulation (in the project's root) */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "model/base/check.h"
#include "model/base/text.h"
#include "model/jobs/jobs.h"
#include "model/stream/generator.h"
#include "sim/campaign/run.h"
#include "sim/scenario/scenario_json.h"
#include "sim/world/world.h"

enum { ROUND_COUNT = 5, CRASH_SEEDS = 20 };

#define DEMO_PATH "scenarios/demo.json"

static const char many_records[] = "{ 'job': { 'name': 'count', 'parallelism': 4, 'input': { "
                                   "'records': 1000000, 'keys': 10000 } },"
                                   "  'checkpoint': { 'interval': '50ms' } }";

static const char three_crashes[] =
    "{ 'job': { 'name': 'count', 'parallelism': 2, 'input': { 'records': 10000, 'keys': 1000 } },"
    "  'checkpoint': { 'interval': '1ms' },"
    "  'restart': { 'strategy': 'fixed_delay', 'attempts': 'unlimited', 'delay': '100ms' },"
    "  'faults': ["
    "    { 'when': 'checkpoint 1 task.acked', 'do': 'crash', 'on': 'task_manager[0]' },"
    "    { 'when': 'checkpoint 2 manifest.written', 'do': 'crash', 'on': 'job_manager' },"
    "    { 'when': 'task.acked #7', 'do': 'crash', 'on': 'machine of task_manager[1]' } ] }";

static const char thousand_subtasks[] =
    "{ 'job': { 'name': 'count', 'parallelism': 1000,"
    "           'input': { 'records': 1000000, 'keys': 100000, 'rate': '300k/s' } },"
    "  'checkpoint': { 'interval': '1s' }, 'cluster': { 'task_managers': 20 } }";

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare_times(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double times[ROUND_COUNT])
{
    qsort(times, ROUND_COUNT, sizeof *times, compare_times);
    return times[ROUND_COUNT / 2];
}

static void must(enum status status, const struct buffer *error)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%.*s\n", (int)error->size, (const char *)error->data);
        exit(EXIT_FAILURE);
    }
}

/* A scenario written with ' for ", and one setting more or none (NULL). */
static struct scenario scenario_of(struct arena *arena, const char *text, uint64_t seed,
                                   const char *setting)
{
    struct scenario scenario;
    struct buffer error;
    buffer_init(&error, arena);
    char *json = arena_text(arena, text);
    for (char *at = json; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    struct scenario_overrides overrides = {
        .settings = &setting, .setting_count = setting != NULL, .has_seed = true, .seed = seed
    };
    must(scenario_parse(&scenario, arena, bytes_of_text(json), "bench", ".", &overrides, &error),
         &error);
    return scenario;
}

/* What one run took. */
struct cost {
    double seconds;
    double simulated_seconds;
    uint64_t events;
};

/* One run of the world alone: nobody listens to its facts. For generated input. */
static struct cost run_world(const char *text, const char *setting)
{
    struct arena arena;
    arena_init(&arena);
    double start_s = now_s();
    struct scenario scenario = scenario_of(&arena, text, 1, setting);
    struct input_config *config = &scenario.job.input;
    config->generator = generator_create(&arena, config->keys, config->skew_ppm, config->seed);
    struct pipeline pipeline;
    pipeline_init(&pipeline);
    job_find(scenario.job.job)->build(&pipeline);
    struct world *world = world_create(&arena, &scenario, &pipeline, (struct bytes){ 0 });
    CHECK(world_run(world) == OUTCOME_FINISHED);
    struct cost cost = { .simulated_seconds = (double)world_now_ns(world) / 1e9,
                         .events = world_event_count(world) };
    world_destroy(world);
    arena_drop(&arena);
    cost.seconds = now_s() - start_s;
    return cost;
}

/* One run as the command line does it: with faults and the oracle, which must find nothing. */
static struct cost run_judged(struct arena *arena, struct scenario *scenario)
{
    struct buffer error;
    struct bytes input;
    struct run run;
    buffer_init(&error, arena);
    must(run_read_input(scenario, arena, &input, &error), &error);
    run_scenario(&run, arena, scenario, input, &(struct run_options){ 0 });
    CHECK(run.verdict == VERDICT_PASS);
    return (struct cost){ .simulated_seconds = (double)run.simulated_ns / 1e9,
                          .events = run.event_count };
}

static struct cost run_text(const char *text, uint64_t seed, const char *setting)
{
    struct arena arena;
    arena_init(&arena);
    double start_s = now_s();
    struct scenario scenario = scenario_of(&arena, text, seed, setting);
    struct cost cost = run_judged(&arena, &scenario);
    arena_drop(&arena);
    cost.seconds = now_s() - start_s;
    return cost;
}

static struct cost run_demo(void)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    struct scenario scenario;
    buffer_init(&error, &arena);
    double start_s = now_s();
    must(scenario_read(&scenario, &arena, DEMO_PATH, &(struct scenario_overrides){ 0 }, &error),
         &error);
    struct cost cost = run_judged(&arena, &scenario);
    arena_drop(&arena);
    cost.seconds = now_s() - start_s;
    return cost;
}

/* ---- the yardstick --------------------------------------------------------------------------- */

/* Counts the lines of `text` by their number, which is below `keys`; returns the highest count. */
static uint64_t count_lines(struct arena *arena, struct bytes text, uint64_t keys)
{
    uint64_t *counts = arena_alloc(arena, keys, sizeof *counts);
    uint64_t highest = 0;
    uint64_t number = 0;
    for (size_t at = 0; at < text.size; at++) {
        if (text.data[at] != '\n') {
            number = number * 10 + (uint64_t)text.data[at] - '0';
            continue;
        }
        CHECK(number < keys);
        highest = ++counts[number] > highest ? counts[number] : highest;
        number = 0;
    }
    return highest;
}

/* The seconds per record of a bare loop over the records of many_records. */
static double bare_record_s(const char *setting)
{
    struct arena arena;
    arena_init(&arena);
    struct scenario scenario = scenario_of(&arena, many_records, 1, setting);
    const struct input_config *config = &scenario.job.input;
    struct generator *generator =
        generator_create(&arena, config->keys, config->skew_ppm, config->seed);
    struct buffer text;
    buffer_init(&text, &arena);
    for (uint64_t i = 0; i < config->records; i++) {
        uint8_t digits[TEXT_INTEGER_SIZE_MAX + 1];
        size_t size = text_format_u64(digits, generator_key(generator, i));
        digits[size++] = '\n';
        buffer_append(&text, (struct bytes){ .data = digits, .size = size });
    }
    double times[ROUND_COUNT];
    for (int round = 0; round < ROUND_COUNT; round++) {
        double start_s = now_s();
        uint64_t highest = count_lines(&arena, buffer_bytes(&text), config->keys);
        times[round] = (now_s() - start_s) / (double)config->records;
        CHECK(highest > 0);
    }
    arena_drop(&arena);
    return median(times);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* `unit_s` is the time of one unit, `bare_s` that of one record in the bare loop. */
static void print_rate(const char *what, double rate, const char *unit, const char *target,
                       double unit_s, double bare_s)
{
    printf("%-44s %9.3g %-22s %-10s %9.3g\n", what, rate, unit, target, unit_s / bare_s);
    (void)fflush(stdout);
}

/* Records per second of many_records with `setting`, the world alone and judged. */
static void bench_records(const char *keys, const char *setting, const char *target)
{
    enum { RECORDS = 1000000 };
    double world_s[ROUND_COUNT];
    double judged_s[ROUND_COUNT];
    char what[64];
    double bare_s = bare_record_s(setting);
    for (int round = 0; round < ROUND_COUNT; round++) {
        world_s[round] = run_world(many_records, setting).seconds / RECORDS;
        judged_s[round] = run_text(many_records, 1, setting).seconds / RECORDS;
    }
    double world = median(world_s);
    double judged = median(judged_s);
    (void)snprintf(what, sizeof what, "bare loop, %s keys", keys);
    print_rate(what, 1e-6 / bare_s, "M records/s", "", bare_s, bare_s);
    (void)snprintf(what, sizeof what, "count job, 4 subtasks, %s keys", keys);
    print_rate(what, 1e-6 / world, "M records/s", target, world, bare_s);
    (void)snprintf(what, sizeof what, "count job, 4 subtasks, %s keys, judged", keys);
    print_rate(what, 1e-6 / judged, "M records/s", "", judged, bare_s);
}

/* Many subtasks with few records each: the time goes into events. */
static void bench_events(double bare_s)
{
    static const char setting[] = "job.parallelism=100";
    double event_s[ROUND_COUNT];
    for (int round = 0; round < ROUND_COUNT; round++) {
        struct cost cost = run_world(thousand_subtasks, setting);
        event_s[round] = cost.seconds / (double)cost.events;
    }
    double event = median(event_s);
    print_rate("events of the world, 200 subtasks", 1e-6 / event, "M events/s", "", event, bare_s);
}

static void bench_demo(double bare_s)
{
    double second_s[ROUND_COUNT];
    for (int round = 0; round < ROUND_COUNT; round++) {
        struct cost cost = run_demo();
        second_s[round] = cost.seconds / cost.simulated_seconds;
    }
    double second = median(second_s);
    print_rate(DEMO_PATH, 1 / second, "simulated s/s", "", second, bare_s);
}

static void bench_crashes(double bare_s)
{
    double run_s[ROUND_COUNT];
    for (int round = 0; round < ROUND_COUNT; round++) {
        run_s[round] = 0;
        for (uint64_t seed = 1; seed <= CRASH_SEEDS; seed++) {
            run_s[round] += run_text(three_crashes, seed, NULL).seconds / CRASH_SEEDS;
        }
    }
    double run = median(run_s);
    print_rate("4 tasks, 10,000 records, 3 crashes, judged", 1 / run, "runs/s", ">= 200", run,
               bare_s);
}

/* First of all, because the memory of a process is known only at its highest. */
static void bench_thousand(double bare_s)
{
    struct rusage usage;
    double run_s = run_text(thousand_subtasks, 1, NULL).seconds;
    (void)getrusage(RUSAGE_SELF, &usage);
    print_rate("2 x 1,000 subtasks, all-to-all, judged", run_s, "s", "< 60", run_s, bare_s);
    printf("%-44s %9.3g %-22s %-10s\n", "", (double)usage.ru_maxrss / 1024, "MiB at most",
           "< 4096");
}

int main(void)
{
    double bare_s = bare_record_s(NULL);
    printf("%-44s %9s %-22s %-10s %9s\n", "", "measured", "", "target", "bare");
    bench_thousand(bare_s);
    bench_records("10 k", NULL, ">= 10");
    bench_records("1 M", "job.input.keys=1000000", "");
    bench_events(bare_s);
    bench_demo(bare_s);
    bench_crashes(bare_s);
    return 0;
}
