#include "sim/scenario/scenario_fields.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_nearest.h"

static const char *const bad_record_choices[] = { "fail", "skip", NULL };
static const char *const format_choices[] = { "auto", "lines", "csv", "json_lines", NULL };
static const char *const compression_choices[] = { "auto", "none", "gzip", "zstd", NULL };
static const char *const header_choices[] = { "auto", "present", "absent", NULL };
static const char *const backend_choices[] = { "heap", "sqlite", "rocksdb", NULL };
static const char *const mode_choices[] = { "exactly_once", "at_least_once", NULL };
static const char *const store_choices[] = { "files", "memory", "sqlite", NULL };
static const char *const strategy_choices[] = { "none", "fixed_delay", "exponential_delay",
                                                "failure_rate", NULL };
static const char *const result_choices[] = { "same",   "same_or_refused", "refused",
                                              "failed", "same_or_failed",  NULL };
static const char *const fired_choices[] = { "any", "all", NULL };

_Static_assert(MODE_EXACTLY_ONCE == 0 && MODE_AT_LEAST_ONCE == 1, "the order of mode_choices");
_Static_assert(RESTART_NONE == 0 && RESTART_FIXED_DELAY == 1 && RESTART_EXPONENTIAL_DELAY == 2 &&
                   RESTART_FAILURE_RATE == 3,
               "the order of strategy_choices");
_Static_assert(FORMAT_AUTO == 0 && FORMAT_LINES == 1 && FORMAT_CSV == 2 && FORMAT_JSON_LINES == 3,
               "the order of format_choices");
_Static_assert(COMPRESSION_AUTO == 0 && COMPRESSION_NONE == 1 && COMPRESSION_GZIP == 2 &&
                   COMPRESSION_ZSTD == 3,
               "the order of compression_choices");
_Static_assert(HEADER_AUTO == 0 && HEADER_PRESENT == 1 && HEADER_ABSENT == 2,
               "the order of header_choices");
_Static_assert(STATE_BACKEND_HEAP == 0 && STATE_BACKEND_SQLITE == 1 && STATE_BACKEND_ROCKSDB == 2,
               "the order of backend_choices");
_Static_assert(STORE_FILES == 0 && STORE_MEMORY == 1 && STORE_SQLITE == 2,
               "the order of store_choices");
_Static_assert(EXPECT_SAME == 0 && EXPECT_SAME_OR_REFUSED == 1 && EXPECT_REFUSED == 2 &&
                   EXPECT_FAILED == 3 && EXPECT_SAME_OR_FAILED == 4,
               "the order of result_choices");
_Static_assert(offsetof(struct cluster, network.latency_max_ns) ==
                   offsetof(struct cluster, network.latency_min_ns) + sizeof(uint64_t),
               "a range is two numbers, the lower one first");
_Static_assert(offsetof(struct random_options, for_max_ns) ==
                       offsetof(struct random_options, for_min_ns) + sizeof(uint64_t) &&
                   offsetof(struct random_options, by_max_ns) ==
                       offsetof(struct random_options, by_min_ns) + sizeof(uint64_t),
               "a range is two numbers, the lower one first");

/* Limits keep sums and products of a simulated run far from 64 bits. */
#define YEAR_NS (UINT64_C(8760) * 3600 * 1000000000)
#define MS_NS   UINT64_C(1000000)
#define GIB     (UINT64_C(1) << 30)
enum {
    PARALLELISM_MAX = 32768, /* as Flink: key groups are numbered with 15 bits */
    TASK_MANAGERS_MAX = 10000,
    BUFFER_BYTES_MIN = 256,
    BUFFER_BYTES_MAX = 1 << 20,
    RANDOM_FAULTS_MAX = 1000,
    MILLION = 1000000,
};

#define IN_SCENARIO(member)                                                                        \
    .base = BASE_SCENARIO, .offset = offsetof(struct scenario, member),                            \
    .size = sizeof(((struct scenario *)0)->member)
#define IN_RANDOM(member)                                                                          \
    .base = BASE_RANDOM, .offset = offsetof(struct random_options, member),                        \
    .size = sizeof(((struct random_options *)0)->member)
#define NOWHERE .base = BASE_NONE

/* The order is that of reading and writing: the seed comes before everything that may be drawn. */
const struct field scenario_fields[] = {
    { "$schema", FIELD_ELSEWHERE, NOWHERE },
    { "like", FIELD_ELSEWHERE, NOWHERE },
    { "name", FIELD_TEXT, IN_SCENARIO(name) },
    { "about", FIELD_TEXT, IN_SCENARIO(about) },
    { "seed", FIELD_SEED, IN_SCENARIO(seed), 0, UINT64_MAX },

    { "job.name", FIELD_TEXT, IN_SCENARIO(job.job) },
    { "job.library", FIELD_TEXT, IN_SCENARIO(library_path) },
    { "job.parallelism", FIELD_COUNT, IN_SCENARIO(job.parallelism), 1, PARALLELISM_MAX },
    { "job.max_parallelism", FIELD_COUNT, IN_SCENARIO(job.max_parallelism), 1, PARALLELISM_MAX },
    { "job.input.file", FIELD_TEXT, IN_SCENARIO(input_path) },
    { "job.input.label", FIELD_TEXT, IN_SCENARIO(job.input.label) },
    { "job.input.format", FIELD_CHOICE, IN_SCENARIO(input_shape.format),
      .choices = format_choices },
    { "job.input.compression", FIELD_CHOICE, IN_SCENARIO(input_shape.compression),
      .choices = compression_choices },
    { "job.input.column", FIELD_TEXT, IN_SCENARIO(input_shape.column) },
    { "job.input.header", FIELD_CHOICE, IN_SCENARIO(input_shape.header),
      .choices = header_choices },
    { "job.input.sqlite", FIELD_TEXT, IN_SCENARIO(input_path) },
    { "job.input.query", FIELD_TEXT, IN_SCENARIO(input_shape.query) },
    { "job.input.records", FIELD_COUNT, IN_SCENARIO(job.input.records), 0,
      UINT64_C(1000000000000) },
    { "job.input.keys", FIELD_COUNT, IN_SCENARIO(job.input.keys), 1, 100 * MILLION },
    { "job.input.skew", FIELD_PPM, IN_SCENARIO(job.input.skew_ppm), 0, 4 * MILLION },
    { "job.input.seed", FIELD_SEED, IN_SCENARIO(job.input.seed), 0, UINT64_MAX },
    { "job.input.nexmark.events", FIELD_COUNT, IN_SCENARIO(job.input.records), 0,
      UINT64_C(1000000000000) },
    { "job.input.nexmark.rate", FIELD_RATE, IN_SCENARIO(job.input.nexmark.rate_per_s), 1,
      1000 * MILLION },
    { "job.input.nexmark.out_of_order", FIELD_COUNT, IN_SCENARIO(job.input.nexmark.out_of_order), 1,
      MILLION },
    { "job.input.nexmark.hot_auctions", FIELD_PPM, IN_SCENARIO(job.input.nexmark.hot_auctions_ppm),
      0, MILLION },
    { "job.input.nexmark.hot_bidders", FIELD_PPM, IN_SCENARIO(job.input.nexmark.hot_bidders_ppm), 0,
      MILLION },
    { "job.input.nexmark.hot_sellers", FIELD_PPM, IN_SCENARIO(job.input.nexmark.hot_sellers_ppm), 0,
      MILLION },
    { "job.input.nexmark.padding", FIELD_FLAG, IN_SCENARIO(job.input.nexmark.padding) },
    { "job.input.nexmark.seed", FIELD_SEED, IN_SCENARIO(job.input.nexmark.seed), 0, UINT64_MAX },
    { "job.input.splits", FIELD_COUNT, IN_SCENARIO(job.input.splits), 1, PARALLELISM_MAX,
      .special = "parallelism", .special_value = 0 },
    { "job.input.rate", FIELD_RATE, IN_SCENARIO(job.input.rate_per_s), 1, 1000 * MILLION,
      .special = "unlimited", .special_value = 0 },
    { "job.bad_records", FIELD_CHOICE, IN_SCENARIO(job.input.skip_bad_records),
      .choices = bad_record_choices },
    { "job.watermark_interval", FIELD_DURATION, IN_SCENARIO(job.watermark_interval_ns), MS_NS,
      YEAR_NS },

    { "state.backend", FIELD_CHOICE, IN_SCENARIO(job.state.backend), .choices = backend_choices },
    { "state.cache", FIELD_SIZE, IN_SCENARIO(job.state.cache_bytes), 64 * 1024, 64 * GIB },
    { "state.incremental", FIELD_FLAG, IN_SCENARIO(job.state.incremental) },
    { "state.incremental_chain", FIELD_COUNT, IN_SCENARIO(job.state.parts_max), 1, 1000000 },
    { "state.changelog.enabled", FIELD_FLAG, IN_SCENARIO(job.state.changelog.enabled) },
    { "state.changelog.materialization", FIELD_DURATION,
      IN_SCENARIO(job.state.changelog.materialization_ns), MS_NS, YEAR_NS, .special = "off",
      .special_value = 0 },
    { "state.changelog.max_failures", FIELD_COUNT, IN_SCENARIO(job.state.changelog.failures_max), 0,
      INT32_MAX },
    { "state.changelog.persist_threshold", FIELD_SIZE,
      IN_SCENARIO(job.state.changelog.persist_bytes), 1, INT64_MAX, .special = "off",
      .special_value = 0 },
    { "state.changelog.chain", FIELD_COUNT, IN_SCENARIO(job.state.changelog.parts_max), 1,
      1000000 },

    { "checkpoint.interval", FIELD_DURATION, IN_SCENARIO(job.checkpoint.interval_ns), MS_NS,
      YEAR_NS, .special = "off", .special_value = 0 },
    { "checkpoint.timeout", FIELD_DURATION, IN_SCENARIO(job.checkpoint.timeout_ns), MS_NS,
      YEAR_NS },
    { "checkpoint.min_pause", FIELD_DURATION, IN_SCENARIO(job.checkpoint.min_pause_ns), 0,
      YEAR_NS },
    { "checkpoint.max_concurrent", FIELD_COUNT, IN_SCENARIO(job.checkpoint.max_concurrent), 1,
      1000 },
    { "checkpoint.tolerable_failures", FIELD_COUNT, IN_SCENARIO(job.checkpoint.tolerable_failures),
      0, INT32_MAX },
    { "checkpoint.mode", FIELD_CHOICE, IN_SCENARIO(job.checkpoint.mode), .choices = mode_choices },
    { "checkpoint.unaligned", FIELD_ONLY_FALSE, NOWHERE },
    { "checkpoint.retained", FIELD_COUNT, IN_SCENARIO(job.checkpoint.retained), 1, 1000 },
    { "checkpoint.store", FIELD_CHOICE, IN_SCENARIO(job.checkpoint.store),
      .choices = store_choices },
    { "checkpoint.store_state_max", FIELD_SIZE, IN_SCENARIO(job.checkpoint.store_state_max_bytes),
      1, STORE_CARRIED_MAX_BYTES },
    { "checkpoint.inline_threshold", FIELD_SIZE, IN_SCENARIO(job.checkpoint.inline_threshold_bytes),
      0, 1 << 20 },

    { "restart.strategy", FIELD_CHOICE, IN_SCENARIO(job.restart.strategy),
      .choices = strategy_choices },
    { "restart.attempts", FIELD_COUNT, IN_SCENARIO(job.restart.attempts), 0, INT32_MAX,
      .special = "unlimited", .special_value = UINT32_MAX },
    { "restart.delay", FIELD_DURATION, IN_SCENARIO(job.restart.delay_ns), 0, YEAR_NS },
    { "restart.initial_delay", FIELD_DURATION, IN_SCENARIO(job.restart.initial_delay_ns), MS_NS,
      YEAR_NS },
    { "restart.max_delay", FIELD_DURATION, IN_SCENARIO(job.restart.max_delay_ns), MS_NS, YEAR_NS },
    { "restart.multiplier", FIELD_PPM, IN_SCENARIO(job.restart.multiplier_ppm), MILLION,
      100 * MILLION },
    { "restart.reset_threshold", FIELD_DURATION, IN_SCENARIO(job.restart.reset_threshold_ns), MS_NS,
      YEAR_NS },
    { "restart.jitter", FIELD_PPM, IN_SCENARIO(job.restart.jitter_ppm), 0, MILLION },
    { "restart.max_failures", FIELD_COUNT, IN_SCENARIO(job.restart.max_failures), 1,
      RESTART_FAILURES_REMEMBERED },
    { "restart.failure_interval", FIELD_DURATION, IN_SCENARIO(job.restart.failure_interval_ns),
      MS_NS, YEAR_NS },
    { "restart.allow_older", FIELD_FLAG, IN_SCENARIO(job.allow_older) },
    { "restart.restore_tries", FIELD_COUNT, IN_SCENARIO(job.restore_tries), 1, 1000 },
    { "restart.restore_retry_delay", FIELD_DURATION, IN_SCENARIO(job.restore_retry_delay_ns), 0,
      YEAR_NS },

    { "cluster.task_managers", FIELD_COUNT, IN_SCENARIO(job.task_managers), 1, TASK_MANAGERS_MAX },
    { "cluster.slots", FIELD_COUNT, IN_SCENARIO(job.slots), 1, PARALLELISM_MAX },
    { "cluster.network.latency", FIELD_DURATION_RANGE, IN_SCENARIO(cluster.network.latency_min_ns),
      0, YEAR_NS },
    { "cluster.network.local_latency", FIELD_DURATION,
      IN_SCENARIO(cluster.network.local_latency_ns), 0, YEAR_NS },
    { "cluster.network.bandwidth", FIELD_BANDWIDTH,
      IN_SCENARIO(cluster.network.bandwidth_bytes_per_s), 1, 1024 * GIB },
    { "cluster.network.buffer", FIELD_SIZE, IN_SCENARIO(job.buffer_bytes), BUFFER_BYTES_MIN,
      BUFFER_BYTES_MAX },
    { "cluster.network.buffers_per_channel", FIELD_COUNT, IN_SCENARIO(job.buffers_per_channel), 1,
      100000 },
    { "cluster.network.buffer_timeout", FIELD_DURATION, IN_SCENARIO(job.buffer_timeout_ns), 0,
      YEAR_NS },
    { "cluster.disk.write", FIELD_BANDWIDTH, IN_SCENARIO(cluster.disk.write_bytes_per_s), 1,
      1024 * GIB },
    { "cluster.disk.read", FIELD_BANDWIDTH, IN_SCENARIO(cluster.disk.read_bytes_per_s), 1,
      1024 * GIB },
    { "cluster.disk.sync", FIELD_DURATION, IN_SCENARIO(cluster.disk.sync_ns), 0, YEAR_NS },
    { "cluster.store.write", FIELD_BANDWIDTH, IN_SCENARIO(cluster.store.write_bytes_per_s), 1,
      1024 * GIB, .special = "unlimited", .special_value = 0 },
    { "cluster.store.read", FIELD_BANDWIDTH, IN_SCENARIO(cluster.store.read_bytes_per_s), 1,
      1024 * GIB, .special = "unlimited", .special_value = 0 },
    { "cluster.store.client_write", FIELD_BANDWIDTH,
      IN_SCENARIO(cluster.store.client_write_bytes_per_s), 1, 1024 * GIB, .special = "unlimited",
      .special_value = 0 },
    { "cluster.store.client_read", FIELD_BANDWIDTH,
      IN_SCENARIO(cluster.store.client_read_bytes_per_s), 1, 1024 * GIB, .special = "unlimited",
      .special_value = 0 },
    { "cluster.store.writers", FIELD_COUNT, IN_SCENARIO(cluster.store.writers), 1, PARALLELISM_MAX,
      .special = "unlimited", .special_value = 0 },
    { "cluster.store.latency", FIELD_DURATION, IN_SCENARIO(cluster.store.latency_ns), 0, YEAR_NS },
    { "cluster.store.sync", FIELD_DURATION, IN_SCENARIO(cluster.store.sync_ns), 0, YEAR_NS },
    { "cluster.store.remove", FIELD_DURATION, IN_SCENARIO(cluster.store.remove_ns), 0, YEAR_NS },
    { "cluster.cpu.record", FIELD_DURATION, IN_SCENARIO(cluster.cpu.record_ns), 0, YEAR_NS },
    { "cluster.cpu.snapshot", FIELD_BANDWIDTH, IN_SCENARIO(cluster.cpu.snapshot_bytes_per_s), 1,
      1024 * GIB },
    { "cluster.cpu.state", FIELD_DURATION, IN_SCENARIO(cluster.cpu.state_ns), 0, YEAR_NS },
    { "cluster.cpu.message", FIELD_DURATION, IN_SCENARIO(cluster.cpu.message_ns), 0, YEAR_NS },
    { "cluster.heartbeat.interval", FIELD_DURATION, IN_SCENARIO(job.heartbeat_interval_ns), MS_NS,
      YEAR_NS },
    { "cluster.heartbeat.timeout", FIELD_DURATION, IN_SCENARIO(job.heartbeat_timeout_ns), MS_NS,
      YEAR_NS },

    { "faults", FIELD_ARRAY, NOWHERE },
    { "faults[].at", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].when", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].every", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].rate", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].after", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].times", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].spacing", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].rolling", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].p", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].do", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].on", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].for", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].by", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].jitter", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].factor", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].bandwidth", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].direction", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].calls", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].count", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].in", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].groups", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].unsynced", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].drift", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].size", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].parallelism", FIELD_ELSEWHERE, NOWHERE },
    { "faults[].max_parallelism", FIELD_ELSEWHERE, NOWHERE },

    { "random.faults", FIELD_COUNT, IN_RANDOM(fault_count), 0, RANDOM_FAULTS_MAX },
    { "random.during", FIELD_DURATION, IN_RANDOM(during_ns), 1, YEAR_NS },
    { "random.do", FIELD_ARRAY, NOWHERE },
    { "random.on", FIELD_ARRAY, NOWHERE },
    { "random.steps", FIELD_ARRAY, NOWHERE },
    { "random.step_share", FIELD_PPM, IN_RANDOM(step_share_ppm), 0, MILLION },
    { "random.for", FIELD_DURATION_RANGE, IN_RANDOM(for_min_ns), 1, YEAR_NS },
    { "random.by", FIELD_DURATION_RANGE, IN_RANDOM(by_min_ns), 1, YEAR_NS },

    { "expect.result", FIELD_CHOICE, IN_SCENARIO(expect.result), .choices = result_choices },
    { "expect.checkpoints", FIELD_COUNT_BOUND, IN_SCENARIO(expect.checkpoints) },
    { "expect.recoveries", FIELD_COUNT_BOUND, IN_SCENARIO(expect.recoveries) },
    { "expect.recovery_time", FIELD_DURATION_BOUND, IN_SCENARIO(expect.recovery_time_ns) },
    { "expect.fired", FIELD_CHOICE, IN_SCENARIO(expect.all_fired), .choices = fired_choices },
    { "expect.within", FIELD_DURATION, IN_SCENARIO(expect.within_ns), MS_NS, YEAR_NS },

    { "sweep", FIELD_OBJECT, NOWHERE },
    { "plot", FIELD_ARRAY, NOWHERE },
    { "plot[].y", FIELD_ELSEWHERE, NOWHERE },
    { "plot[].x", FIELD_ELSEWHERE, NOWHERE },
};
const uint32_t scenario_field_count = sizeof scenario_fields / sizeof scenario_fields[0];

char *path_pattern(struct arena *arena, const char *path)
{
    char *pattern = arena_text(arena, path);
    char *to = pattern;
    for (const char *from = path; *from != '\0'; from++) {
        *to++ = *from;
        if (*from == '[') {
            from += strspn(from + 1, "0123456789");
        }
    }
    *to = '\0';
    CHECK(strlen(pattern) <= strlen(path));
    return pattern;
}

const struct field *field_find(const char *pattern)
{
    CHECK(pattern != NULL);
    for (uint32_t i = 0; i < scenario_field_count; i++) {
        if (strcmp(scenario_fields[i].path, pattern) == 0) {
            return &scenario_fields[i];
        }
    }
    return NULL;
}

/* What `path` goes on with after the object `section` ("" is the root); NULL if it is not in it. */
static const char *rest_in_section(const char *path, const char *section)
{
    size_t size = strlen(section);
    if (size == 0) {
        return path;
    }
    return strncmp(path, section, size) == 0 && path[size] == '.' ? path + size + 1 : NULL;
}

bool field_is_section(const char *pattern)
{
    CHECK(pattern != NULL);
    for (uint32_t i = 0; i < scenario_field_count; i++) {
        if (rest_in_section(scenario_fields[i].path, pattern) != NULL) {
            return true;
        }
    }
    return false;
}

void scenario_each_key(void (*each)(void *context, const char *path), void *context)
{
    CHECK(each != NULL);
    const char *last = "";
    for (uint32_t i = 0; i < scenario_field_count; i++) {
        const char *path = scenario_fields[i].path;
        for (size_t size = strcspn(path, "."); path[size] != '\0';
             size += 1 + strcspn(path + size + 1, ".")) {
            bool is_new = strncmp(path, last, size + 1) != 0;
            if (is_new && path[size - 1] != ']') {
                char section[64];
                CHECK(size < sizeof section);
                memcpy(section, path, size);
                section[size] = '\0';
                each(context, section);
            }
        }
        each(context, path);
        last = path;
    }
}

static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot == NULL ? path : dot + 1;
}

struct suggestion {
    struct nearest nearest;
    struct arena *arena;
    bool by_last_name; /* compare the last names only */
};

static void suggest_key(void *context, const char *path)
{
    struct suggestion *suggestion = context;
    const char *candidate = suggestion->by_last_name ? last_name(path) : path;
    nearest_offer(&suggestion->nearest, bytes_of_text(candidate),
                  arena_text(suggestion->arena, path));
}

const char *field_suggestion(struct arena *arena, const char *path)
{
    CHECK(path != NULL);
    const char *name = last_name(path);
    struct suggestion suggestion = { .arena = arena };
    nearest_init(&suggestion.nearest, bytes_of_text(path_pattern(arena, path)));
    scenario_each_key(suggest_key, &suggestion);
    const char *meant = suggestion.nearest.answer;
    if (strlen(name) >= 3 && (meant == NULL || strcmp(last_name(meant), name) != 0)) {
        /* A key in the wrong object, or with the object's name left out. */
        suggestion.by_last_name = true;
        nearest_init(&suggestion.nearest, bytes_of_text(name));
        scenario_each_key(suggest_key, &suggestion);
        bool is_spelt_right = suggestion.nearest.distance == 0;
        meant = meant == NULL || is_spelt_right ? suggestion.nearest.answer : meant;
    }
    return meant;
}

/* The key of `section` that leads to `path`; the same as the one before is no new key. */
static const char *key_in_section(struct arena *arena, const char *path, const char *section)
{
    const char *rest = rest_in_section(path, section);
    return rest == NULL ? NULL : arena_format(arena, "%.*s", (int)strcspn(rest, ".["), rest);
}

static bool fail_unknown_key(struct reader *reader, const char *path, const char *section,
                             const char *key)
{
    CHECK(key != NULL);
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text(key));
    const char *list = "";
    const char *last = "";
    for (uint32_t i = 0; i < scenario_field_count; i++) {
        const char *known = key_in_section(reader->arena, scenario_fields[i].path, section);
        if (known != NULL && strcmp(known, last) != 0) {
            nearest_offer(&nearest, bytes_of_text(known), known);
            list = arena_format(reader->arena, "%s%s%s", list, *list == '\0' ? "" : ", ", known);
            last = known;
        }
    }
    CHECK(*list != '\0');
    if (nearest.answer != NULL) {
        const char *end = strrchr(path, '.');
        int prefix_size = end == NULL ? 0 : (int)(end + 1 - path);
        return reader_fail(reader, path, "unknown key; did you mean \"%.*s%s\"?", prefix_size, path,
                           nearest.answer);
    }
    const char *elsewhere = field_suggestion(reader->arena, path);
    if (elsewhere != NULL) {
        return reader_fail(reader, path, "unknown key; did you mean \"%s\"?", elsewhere);
    }
    return reader_fail(reader, path, "unknown key; the keys here are %s", list);
}

bool fields_check_keys(struct reader *reader, const char *path, json_t *object)
{
    CHECK(!reader->failed);
    if (!json_is_object(object)) {
        return reader_fail(reader, path, "must be an object");
    }
    const char *section = path_pattern(reader->arena, path);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        const char *joint = *path == '\0' ? "" : ".";
        const char *pattern = arena_format(reader->arena, "%s%s%s", section, joint, key);
        /* A key with a dot in it would look like a path that is known. */
        bool plain = strpbrk(key, ".[") == NULL;
        if (plain && field_find(pattern) != NULL) {
            continue;
        }
        const char *place = arena_format(reader->arena, "%s%s%s", path, joint, key);
        if (!plain && (field_find(pattern) != NULL || field_is_section(pattern))) {
            return reader_fail(reader, path, "\"%s\" must be written as an object in an object",
                               key);
        }
        if (!plain || *key == '\0' || !field_is_section(pattern)) {
            return fail_unknown_key(reader, place, section, key);
        }
        if (!fields_check_keys(reader, place, value)) {
            return false;
        }
    }
    return true;
}
