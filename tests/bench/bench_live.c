/* The count job for real: records a second while it ran, for each backend, with few keys and many,
 * at parallelism 1 and 2, with checkpoints and without, with its output and (on the heap) without;
 * and what its processes took of the processors for each record, which tells more on a machine that
 * has other work. Beside each rate stands its share of what a bare loop does that parses the same
 * numbers and counts them. Then what checkpoints cost, and how fast state is written and read
 * compared with the disk, measured in the same run: FAULTLINE_BENCH_STATE_BYTES in the environment
 * says how much the heap holds, at most 1 GiB, which takes minutes. A name as the argument measures
 * one part alone: bench_live [rates|overhead|state] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model/base/hash.h"
#include "model/base/text.h"
#include "model/jobs/jobs.h"
#include "model/jobs/numbers.h"
#include "model/state/backend_create.h"
#include "model/state/state.h"
#include "sim/campaign/progress.h"
#include "sim/live/live_measure.h"
#include "sim/live/live_run.h"
#include "sim/scenario/scenario_json.h"

enum {
    SETTINGS_MAX = 8,
    MIB = 1024 * 1024,
    PAIRS = 9,
    STATE_BYTES = 256 * MIB,
    STATE_BYTES_IN_ROWS = 4 * MIB,
};

static const char plain_text[] =
    "{ \"job\": { \"name\": \"count\" }, \"cluster\": { \"task_managers\": 1, \"slots\": 2 } }\n";

/* The only checkpoint is that at the end of the input, when nothing else is to be done: the input
 * is not to wait for the fault, which waits for that. */
static const char killed_text[] =
    "{ \"job\": { \"name\": \"count\", \"parallelism\": 2 },\n"
    "  \"checkpoint\": { \"interval\": \"1h\" },\n"
    "  \"restart\": { \"strategy\": \"fixed_delay\", \"attempts\": 9, \"delay\": \"10ms\" },\n"
    "  \"cluster\": { \"task_managers\": 1, \"slots\": 2 },\n"
    "  \"faults\": [ { \"when\": \"checkpoint.completed\", \"do\": \"crash\",\n"
    "                \"on\": \"task_manager[0]\", \"for\": \"10ms\" } ],\n"
    "  \"expect\": { \"fired\": \"any\" } }\n";

/* ---- the bare loop --------------------------------------------------------------------------- */

struct bare_row {
    int64_t key;
    uint64_t count; /* 0: free */
};

static struct bytes make_lines(struct arena *arena, uint64_t records, uint64_t keys)
{
    struct buffer lines;
    buffer_init(&lines, arena);
    for (uint64_t i = 0; i < records; i++) {
        uint8_t *at = buffer_extend(&lines, TEXT_INTEGER_SIZE_MAX + 1);
        size_t size = text_format_u64(at, hash_mix(i) % keys);
        at[size] = '\n';
        lines.size -= TEXT_INTEGER_SIZE_MAX - size;
    }
    return buffer_bytes(&lines);
}

static void count_key(struct bare_row *rows, size_t capacity, int64_t key)
{
    size_t index = (size_t)hash_mix((uint64_t)key) & (capacity - 1);
    while (rows[index].count != 0 && rows[index].key != key) {
        index = (index + 1) & (capacity - 1);
    }
    rows[index].key = key;
    rows[index].count++;
}

/* Nanoseconds that it takes to count all lines. */
static uint64_t count_lines(struct bytes lines, struct bare_row *rows, size_t capacity)
{
    memset(rows, 0, capacity * sizeof *rows);
    uint64_t start_ns = real_now_ns();
    for (const uint8_t *at = lines.data, *end = at + lines.size; at < end;) {
        const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
        int64_t key = 0;
        (void)text_parse_i64((struct bytes){ .data = at, .size = (size_t)(feed - at) }, &key);
        count_key(rows, capacity, key);
        at = feed + 1;
    }
    return real_now_ns() - start_ns;
}

/* Records a second of one thread that does nothing else, in the best of three tries. */
static uint64_t measure_bare(uint64_t keys)
{
    enum { RECORDS = 4000000, CAPACITY = 4 * MIB, TRIES = 3 };
    struct arena arena;
    arena_init(&arena);
    struct bytes lines = make_lines(&arena, RECORDS, keys);
    struct bare_row *rows = arena_alloc(&arena, CAPACITY, sizeof *rows);
    uint64_t least_ns = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t took_ns = count_lines(lines, rows, CAPACITY);
        least_ns = took_ns < least_ns ? took_ns : least_ns;
    }
    arena_drop(&arena);
    return RECORDS * UINT64_C(1000000) / (least_ns / 1000);
}

/* ---- a live run ------------------------------------------------------------------------------ */

static bool drop(struct operator_context *context, const struct record *record)
{
    (void)context;
    (void)record;
    return false;
}

struct silent_count {
    struct value_state count;
};

static void silent_open(void *self, struct operator_context *context)
{
    struct silent_count *count = self;
    value_state_open(&count->count, context->backend, "count");
}

static void silent_process(void *self, const struct record *number, struct collector *out)
{
    struct silent_count *count = self;
    (void)number;
    (void)out;
    (void)value_state_add(&count->count, 1);
}

/* The count job that says nothing: every job has a sink, but this one gets no record. */
static void silent_build(struct pipeline *pipeline)
{
    static const struct process_parameters counting = { .self_bytes = sizeof(struct silent_count),
                                                        .open = silent_open,
                                                        .process = silent_process };
    static const struct filter_parameters nothing = { .keep = drop };
    struct stream numbers = stream_key_by(numbers_source(pipeline), numbers_by_value);
    struct stream counts = stream_process(numbers, "count", &counting);
    stream_file_sink(stream_filter(counts, "drop", &nothing), "sink");
}

static const struct job_info silent_job = { .name = "count",
                                            .input = JOB_READS_INTEGERS,
                                            .build = silent_build };

struct cell {
    const char *text;
    const char *settings[SETTINGS_MAX];
    uint32_t setting_count;
    uint64_t records;
    bool is_silent;
};

struct result {
    uint64_t records_per_s;
    uint64_t processor_ns; /* a record */
    uint64_t stop_ppm;     /* of the time: a subtask stood still for a checkpoint */
    uint64_t snapshot_bytes_per_s;
    uint64_t restore_bytes_per_s;
    uint64_t state_bytes;
};

/* Of the processes that have ended so far. */
static uint64_t used_ns(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    uint64_t us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return us * 1000;
}

static uint64_t rate_of(uint64_t bytes, uint64_t took_ns)
{
    return took_ns < 1000 ? 0 : bytes * 1000000 / (took_ns / 1000);
}

/* What the recovery read, and how fast that was written when the checkpoint was taken. */
static void note_state(const struct summary *summary, struct result *result)
{
    if (summary->recovery_count == 0 || summary->recoveries[0].restored_from == 0) {
        return;
    }
    const struct recovery_summary *recovery = &summary->recoveries[0];
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < summary->task_count; i++) {
        const struct task_checkpoint_summary *task = &summary->tasks[i];
        if (task->checkpoint == recovery->restored_from) {
            uint64_t took_ns = task->sync_ns + task->async_ns;
            longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
            result->state_bytes += task->bytes;
        }
    }
    result->snapshot_bytes_per_s = rate_of(result->state_bytes, longest_ns);
    result->restore_bytes_per_s =
        rate_of(result->state_bytes, recovery->running_ns - recovery->chosen_ns);
}

/* How long subtasks stood still for checkpoints, each of which stops some at the same time. */
static uint64_t stop_ppm(const struct run *run)
{
    const struct summary *summary = &run->summary;
    uint64_t stop_ns = 0;
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        uint64_t longest_ns = 0;
        for (size_t j = 0; j < summary->task_count; j++) {
            const struct task_checkpoint_summary *task = &summary->tasks[j];
            bool is_longer = task->checkpoint == summary->checkpoints[i].id &&
                             task->alignment_ns + task->sync_ns > longest_ns;
            longest_ns = is_longer ? task->alignment_ns + task->sync_ns : longest_ns;
        }
        stop_ns += longest_ns;
    }
    return stop_ns * 1000 / (run->simulated_ns / 1000);
}

static bool run_cell(const char *folder, const struct cell *cell, struct result *result)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer message;
    buffer_init(&message, &arena);
    struct scenario scenario;
    struct scenario_overrides overrides = { .settings = cell->settings,
                                            .setting_count = cell->setting_count };
    struct live_run_options options = { .folder = arena_format(&arena, "%s/volumes", folder) };
    struct run run;
    bool ran = scenario_parse(&scenario, &arena, bytes_of_text(cell->text), "bench_live", folder,
                              &overrides, &message) == STATUS_OK;
    scenario.library = ran && cell->is_silent ? &silent_job : NULL;
    uint64_t before_ns = used_ns();
    ran = ran && live_run(&run, &arena, &scenario, (struct bytes){ 0 }, &options, &message,
                          &message) == STATUS_OK;
    bool passed = ran && run.verdict == VERDICT_PASS;
    *result = (struct result){ 0 };
    if (passed) {
        result->records_per_s = cell->records * 1000 / (run.simulated_ns / 1000000);
        result->processor_ns = (used_ns() - before_ns) / cell->records;
        result->stop_ppm = stop_ppm(&run);
        note_state(&run.summary, result);
    } else {
        (void)fprintf(stderr, "bench_live: %s%.*s\n", ran ? "the verdict is not PASS " : "",
                      (int)message.size, message.size > 0 ? (const char *)message.data : "");
    }
    arena_drop(&arena);
    return passed;
}

static void set(struct cell *cell, struct arena *arena, const char *key, const char *value)
{
    cell->settings[cell->setting_count++] = arena_format(arena, "%s=%s", key, value);
}

static struct cell make_cell(struct arena *arena, const char *text, const char *backend,
                             uint64_t records, uint64_t keys)
{
    struct cell cell = { .text = text, .records = records };
    set(&cell, arena, "state.backend", backend);
    set(&cell, arena, "job.input.records", arena_format(arena, "%" PRIu64, records));
    set(&cell, arena, "job.input.keys", arena_format(arena, "%" PRIu64, keys));
    return cell;
}

/* ---- tables ---------------------------------------------------------------------------------- */

struct bench {
    struct arena arena;
    const char *folder;
    uint64_t few; /* records a second of the bare loop, with few keys and many */
    uint64_t many;
};

enum { KEYS_FEW = 10000, KEYS_MANY = 1000000 };

static bool measure_rate(struct bench *bench, const char *backend, uint64_t records, uint64_t keys,
                         const char *parallelism, const char *interval, bool is_silent)
{
    struct cell cell = make_cell(&bench->arena, plain_text, backend, records, keys);
    struct result result;
    set(&cell, &bench->arena, "job.parallelism", parallelism);
    set(&cell, &bench->arena, "checkpoint.interval", interval);
    cell.is_silent = is_silent;
    if (!run_cell(bench->folder, &cell, &result)) {
        return false;
    }
    uint64_t bare = keys == KEYS_FEW ? bench->few : bench->many;
    (void)printf("  live: %s, %" PRIu64 " keys, parallelism %s, checkpoints %s, %s: %" PRIu64
                 " records/s, %" PRIu64 " %% of the bare loop, %" PRIu64
                 " ns of processor a record\n",
                 backend, keys, parallelism, interval, is_silent ? "no output" : "output",
                 result.records_per_s, result.records_per_s * 100 / bare, result.processor_ns);
    return true;
}

static bool measure_backend(struct bench *bench, const char *backend, uint64_t records)
{
    static const char *const intervals[] = { "off", "1s" };
    bool is_heap = strcmp(backend, "heap") == 0;
    bool passed = true;
    for (int i = 0; i < 8 && passed; i++) {
        uint64_t keys = i < 4 ? KEYS_FEW : KEYS_MANY;
        const char *parallelism = (i & 2) == 0 ? "1" : "2";
        const char *interval = intervals[i & 1];
        passed =
            measure_rate(bench, backend, records, keys, parallelism, interval, false) &&
            (!is_heap || measure_rate(bench, backend, records, keys, parallelism, interval, true));
    }
    return passed;
}

/* More than 1 in the middle of the pairs, and where half of them lie, in per cent. */
struct more {
    double lower_quartile;
    double median;
    double upper_quartile;
};

static struct more more_per_cent(uint64_t *promilles)
{
    struct more more = { .median = ((double)live_median(promilles, PAIRS) - 1000) / 10 };
    more.lower_quartile = ((double)promilles[PAIRS / 4] - 1000) / 10; /* they are sorted now */
    more.upper_quartile = ((double)promilles[PAIRS - 1 - PAIRS / 4] - 1000) / 10;
    return more;
}

/* Runs a job with checkpoints and without, as many times as there are pairs. A job takes
 * checkpoints at its beginning and its end, too: it must run for seconds, or these two are nearly
 * all that is measured. Which of a pair comes first alternates: the second often finds the
 * machine in another state than the first. */
static bool run_pairs(struct bench *bench, struct result results[2][PAIRS])
{
    enum { RECORDS = 30000000 };
    static const char *const intervals[] = { "off", "1s" };
    bool passed = true;
    for (size_t i = 0; i < 2 * (size_t)PAIRS && passed; i++) {
        size_t pair = i / 2;
        size_t with = (i ^ pair) & 1;
        struct cell cell = make_cell(&bench->arena, plain_text, "heap", RECORDS, KEYS_FEW);
        set(&cell, &bench->arena, "job.parallelism", "2");
        set(&cell, &bench->arena, "checkpoint.interval", intervals[with]);
        passed = run_cell(bench->folder, &cell, &results[with][pair]);
    }
    return passed;
}

/* By how much checkpoints slow the job down. One pair says little, as a machine's speed varies by
 * more than that; what the job took of the processors, and how long its subtasks stood still, say
 * more. */
static bool measure_overhead(struct bench *bench)
{
    struct result results[2][PAIRS];
    uint64_t time_promilles[PAIRS];
    uint64_t processor_promilles[PAIRS];
    uint64_t stops_ppm[PAIRS];
    if (!run_pairs(bench, results)) {
        return false;
    }
    for (size_t i = 0; i < PAIRS; i++) {
        const struct result *without = &results[0][i];
        const struct result *with = &results[1][i];
        time_promilles[i] = without->records_per_s * 1000 / with->records_per_s;
        processor_promilles[i] = with->processor_ns * 1000 / without->processor_ns;
        stops_ppm[i] = with->stop_ppm;
    }
    struct more time = more_per_cent(time_promilles);
    struct more processor = more_per_cent(processor_promilles);
    (void)printf("  live: a checkpoint every second, 10,000 keys on the heap, parallelism 2: the "
                 "job takes %.1f %% longer (half of %d pairs %.1f to %.1f) and %.1f %% more of the "
                 "processors (%.1f to %.1f); a subtask stands still for %.1f %% of the time\n",
                 time.median, PAIRS, time.lower_quartile, time.upper_quartile, processor.median,
                 processor.lower_quartile, processor.upper_quartile,
                 (double)live_median(stops_ppm, PAIRS) / 10000);
    return true;
}

/* About `state_bytes` of it. */
static bool measure_state(struct bench *bench, const char *backend, uint64_t state_bytes,
                          const struct live_disk_speed *disk)
{
    enum { ENTRY_BYTES = 28, KEYS_A_RECORD = 2 };
    uint64_t records = state_bytes / ENTRY_BYTES * 5 / 4; /* some keys come twice */
    struct cell cell =
        make_cell(&bench->arena, killed_text, backend, records, records * KEYS_A_RECORD);
    struct result result;
    cell.is_silent = true;
    if (!run_cell(bench->folder, &cell, &result)) {
        return false;
    }
    if (result.state_bytes == 0) {
        (void)fprintf(stderr, "bench_live: nothing was restored\n");
        return false;
    }
    (void)printf("  live: %s, %" PRIu64 " MiB of state: snapshot %" PRIu64 " MiB/s, %" PRIu64
                 " %% of what the disk writes; restore %" PRIu64 " MiB/s, %" PRIu64
                 " %% of what the disk reads, out of the system's cache\n",
                 backend, result.state_bytes / MIB, result.snapshot_bytes_per_s / MIB,
                 result.snapshot_bytes_per_s * 100 / disk->write_bytes_per_s,
                 result.restore_bytes_per_s / MIB,
                 result.restore_bytes_per_s * 100 / disk->cold_read_bytes_per_s);
    return true;
}

/* By files as large as the state: a smaller one may be written faster. */
static bool measure_disk(struct bench *bench, uint64_t file_bytes, struct live_disk_speed *disk)
{
    struct buffer error;
    buffer_init(&error, &bench->arena);
    const char *folder = arena_format(&bench->arena, "%s/disk", bench->folder);
    if (live_measure_disk(&bench->arena, folder, file_bytes, disk, &error) != STATUS_OK) {
        (void)fprintf(stderr, "bench_live: %.*s\n", (int)error.size, (const char *)error.data);
        return false;
    }
    (void)printf("  disk: writes %" PRIu64 " MiB/s in sequence, reads %" PRIu64
                 " MiB/s, and %" PRIu64 " MiB/s of what the system has in its cache, syncs in "
                 "%" PRIu64 " us\n",
                 disk->write_bytes_per_s / MIB, disk->cold_read_bytes_per_s / MIB,
                 disk->read_bytes_per_s / MIB, disk->sync_ns / 1000);
    return true;
}

static bool measure_states(struct bench *bench)
{
    const char *wanted_bytes = getenv("FAULTLINE_BENCH_STATE_BYTES");
    uint64_t heap_bytes = wanted_bytes == NULL ? STATE_BYTES : strtoull(wanted_bytes, NULL, 10);
    struct live_disk_speed disk;
    return measure_disk(bench, heap_bytes, &disk) &&
           measure_state(bench, "heap", heap_bytes, &disk) &&
           measure_state(bench, "sqlite", STATE_BYTES_IN_ROWS, &disk) &&
           (!state_backend_is_built_in(STATE_BACKEND_ROCKSDB) ||
            measure_state(bench, "rocksdb", STATE_BYTES_IN_ROWS, &disk));
}

static bool measure_rates(struct bench *bench)
{
    bench->few = measure_bare(KEYS_FEW);
    bench->many = measure_bare(KEYS_MANY);
    (void)printf("  bare loop: %" PRIu64 " records/s with 10,000 keys, %" PRIu64
                 " with a million\n",
                 bench->few, bench->many);
    return measure_backend(bench, "heap", 10000000) && measure_backend(bench, "sqlite", 50000) &&
           (!state_backend_is_built_in(STATE_BACKEND_ROCKSDB) ||
            measure_backend(bench, "rocksdb", 30000));
}

/* What an argument can name, in the order in which all of it is measured. */
static const struct part {
    const char *name;
    bool (*measure)(struct bench *bench);
} parts[] = { { "rates", measure_rates },
              { "overhead", measure_overhead },
              { "state", measure_states } };

int main(int argc, char **argv)
{
    char folder[] = "/tmp/bench_live.XXXXXX";
    struct bench bench = { .folder = folder };
    size_t measured = 0;
    arena_init(&bench.arena);
    bool passed = mkdtemp(folder) != NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && passed; i++) {
        if (argc == 1 || (argc == 2 && strcmp(argv[1], parts[i].name) == 0)) {
            passed = parts[i].measure(&bench);
            measured++;
        }
    }
    (void)rmdir(folder);
    arena_drop(&bench.arena);
    if (measured == 0) {
        (void)fprintf(stderr, "usage: bench_live [rates|overhead|state]\n");
    }
    return passed && measured > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
