#include "sim/campaign/swarm_knobs.h"

#include <stddef.h>
#include <string.h>

#include "model/base/check.h"

#define MS_NS                      UINT64_C(1000000)
#define S_NS                       UINT64_C(1000000000)
#define HEARTBEAT_TIMEOUT_MIN_NS   (2 * S_NS)
#define TABLE_TIMEOUT_MIN_NS       (10 * S_NS)
#define TIMEOUT_MIN_NS             (500 * MS_NS)
#define TIMEOUT_LONG_NS            (600 * S_NS)
#define RECORD_COST_MAX_NS         UINT64_C(2000000)
#define INLINE_THRESHOLD_MAX_BYTES (64 * KIB)
enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    GIB = 1024 * MIB,
    MILLION = 1000000,
    PARALLELISM_MAX = 4,
    SLOTS_SPARE_MAX = 2,
    ATTEMPTS_FEW = 3,
    TOLERABLE_FAILURES_MAX = 100,
    FEW_RESTARTS_PPM = 60000, /* their runs end early and see little else */
};

/* A number that may stand anywhere from `low` to `high`; every value in between can be survived,
 * those that slow checkpoints down only if the timeout leaves the time. */
struct knob {
    const char *path;
    size_t offset;
    size_t size;
    uint64_t low;
    uint64_t high;
    bool slows;
};

#define AT(member) offsetof(struct scenario, member), sizeof(((struct scenario *)0)->member)

static const struct knob knobs[] = {
    { "checkpoint.min_pause", AT(job.checkpoint.min_pause_ns), 0, 500 * MS_NS, false },
    { "checkpoint.max_concurrent", AT(job.checkpoint.max_concurrent), 1, 4, false },
    { "checkpoint.retained", AT(job.checkpoint.retained), 1, 4, false },
    { "state.incremental", AT(job.state.incremental), false, true, false },
    { "state.incremental_chain", AT(job.state.parts_max), 1, 20, false },
    { "checkpoint.mode", AT(job.checkpoint.mode), MODE_EXACTLY_ONCE, MODE_AT_LEAST_ONCE, false },
    { "restart.restore_tries", AT(job.restore_tries), 1, 6, false },
    { "restart.restore_retry_delay", AT(job.restore_retry_delay_ns), MS_NS, 500 * MS_NS, false },
    { "cluster.heartbeat.interval", AT(job.heartbeat_interval_ns), 100 * MS_NS, S_NS, false },
    { "cluster.network.buffer", AT(job.buffer_bytes), 256, 64 * KIB, false },
    { "cluster.network.buffers_per_channel", AT(job.buffers_per_channel), 1, 8, false },
    { "cluster.network.buffer_timeout", AT(job.buffer_timeout_ns), 4 * MS_NS, 200 * MS_NS, true },
    { "cluster.network.local_latency", AT(cluster.network.local_latency_ns), 0, MS_NS, true },
    { "cluster.network.bandwidth", AT(cluster.network.bandwidth_bytes_per_s), 4 * MIB, GIB, true },
    { "cluster.disk.sync", AT(cluster.disk.sync_ns), 0, 20 * MS_NS, true },
    { "cluster.store.latency", AT(cluster.store.latency_ns), 0, 20 * MS_NS, true },
    { "cluster.store.write", AT(cluster.store.write_bytes_per_s), MIB, GIB, true },
    { "cluster.store.read", AT(cluster.store.read_bytes_per_s), MIB, GIB, true },
    { "cluster.store.client_write", AT(cluster.store.client_write_bytes_per_s), MIB, GIB, true },
    { "cluster.store.client_read", AT(cluster.store.client_read_bytes_per_s), MIB, GIB, true },
    { "cluster.store.writers", AT(cluster.store.writers), 0, 8, true }, /* 0: as many as come */
    { "state.changelog.enabled", AT(job.state.changelog.enabled), false, true, false },
    { "state.changelog.materialization", AT(job.state.changelog.materialization_ns), 10 * MS_NS,
      10 * S_NS, false },
    { "state.changelog.persist_threshold", AT(job.state.changelog.persist_bytes), 256, 64 * KIB,
      true },
    { "state.changelog.chain", AT(job.state.changelog.parts_max), 1, 20, false },
    { "cluster.cpu.snapshot", AT(cluster.cpu.snapshot_bytes_per_s), 4 * MIB, GIB, true },
};

enum { KNOB_COUNT = sizeof knobs / sizeof knobs[0] };

uint64_t swarm_draw_scaled(struct prng *prng, uint64_t low, uint64_t high)
{
    CHECK(low <= high);
    CHECK(high < UINT64_MAX);
    /* Zero has no order of magnitude: one more, and one less again. */
    uint32_t low_bits = 63 - (uint32_t)__builtin_clzll(low + 1);
    uint32_t high_bits = 63 - (uint32_t)__builtin_clzll(high + 1);
    uint32_t bits = (uint32_t)prng_between(prng, low_bits, high_bits);
    uint64_t from = (UINT64_C(1) << bits) - 1;
    uint64_t to = (from << 1) + 1;
    return prng_between(prng, from < low ? low : from, to > high ? high : to);
}

/* What is being turned, and how eagerly. */
struct turning {
    struct scenario *scenario;
    const struct swarm_base *base;
    struct prng *prng;
    uint32_t share_ppm;
    bool is_hurried; /* the checkpoint timeout leaves no time for slow machines */
};

/* Does the override `setting` ("PATH=VALUE") set `path`, or an object around it, or within it? */
static bool sets(const char *setting, const char *path)
{
    size_t size = strcspn(setting, "=");
    size_t path_size = strlen(path);
    size_t common = size < path_size ? size : path_size;
    char behind = size < path_size ? path[size] : size > path_size ? setting[path_size] : '.';
    return strncmp(setting, path, common) == 0 && behind == '.';
}

static bool is_set(const struct turning *turning, const char *path)
{
    const struct scenario_overrides *overrides = turning->base->overrides;
    for (uint32_t i = 0; overrides != NULL && i < overrides->setting_count; i++) {
        if (sets(overrides->settings[i], path)) {
            return true;
        }
    }
    return false;
}

static bool may_turn(const struct turning *turning, const char *path)
{
    return !is_set(turning, path) && prng_chance(turning->prng, turning->share_ppm);
}

/* An extreme two times out of three. */
static uint64_t draw_setting(struct prng *prng, uint64_t low, uint64_t high)
{
    switch (prng_below(prng, 3)) {
    case 0: return low;
    case 1: return high;
    default: return swarm_draw_scaled(prng, low, high);
    }
}

static void store_knob(struct scenario *scenario, const struct knob *knob, uint64_t value)
{
    uint8_t *at = (uint8_t *)scenario + knob->offset;
    if (knob->size == sizeof value) {
        memcpy(at, &value, sizeof value);
    } else if (knob->size == sizeof(bool)) {
        bool flag = value != 0;
        memcpy(at, &flag, sizeof flag);
    } else {
        CHECK(knob->size == sizeof(uint32_t));
        uint32_t narrow = (uint32_t)value;
        memcpy(at, &narrow, sizeof narrow);
    }
}

/* Around what the base asks for: far shorter intervals would only take longer to simulate. */
static void turn_interval(struct turning *turning)
{
    uint64_t *interval_ns = &turning->scenario->job.checkpoint.interval_ns;
    uint64_t given_ns = *interval_ns;
    if (may_turn(turning, "checkpoint.interval") && given_ns >= 8 * MS_NS) {
        *interval_ns = draw_setting(turning->prng, given_ns / 4, given_ns * 4);
    }
    if (!is_set(turning, "checkpoint.interval") && prng_chance(turning->prng, MILLION / 12)) {
        *interval_ns = 0; /* off: there is only the final one */
    }
}

/* Either so long that a checkpoint that hangs is not hidden by it, or as short as an undisturbed
 * one allows. */
static void turn_timeout(struct turning *turning)
{
    uint64_t *timeout_ns = &turning->scenario->job.checkpoint.timeout_ns;
    uint64_t least_ns = TIMEOUT_MIN_NS + 10 * turning->base->checkpoint_ns;
    if (!is_set(turning, "checkpoint.timeout")) {
        *timeout_ns = prng_chance(turning->prng, MILLION / 6)
                          ? swarm_draw_scaled(turning->prng, least_ns, 4 * least_ns)
                          : TIMEOUT_LONG_NS;
    }
    turning->is_hurried = *timeout_ns < 8 * least_ns;
}

/* What a record may cost so that the sources still keep up with their rate. */
static uint64_t record_cost_limit_ns(const struct turning *turning)
{
    const struct job_config *job = &turning->scenario->job;
    uint64_t most_ns = RECORD_COST_MAX_NS;
    if (job->input.kind != INPUT_FILE && job->input.records > 0) {
        uint64_t room_ns = turning->base->horizon_ns * job->parallelism / job->input.records;
        most_ns = room_ns < most_ns ? room_ns : most_ns;
    }
    return most_ns;
}

/* Back-pressure: slow readers, small buffers, barriers behind and between them, those of several
 * checkpoints at once. */
static void turn_pressure(struct turning *turning)
{
    struct scenario *scenario = turning->scenario;
    struct prng *prng = turning->prng;
    uint64_t most_ns = record_cost_limit_ns(turning);
    if (turning->is_hurried || !prng_chance(prng, MILLION / 6)) {
        return;
    }
    if (!is_set(turning, "cluster.cpu.record")) {
        scenario->cluster.cpu.record_ns = prng_between(prng, most_ns / 2, most_ns);
    }
    if (!is_set(turning, "cluster.network.buffer")) {
        scenario->job.buffer_bytes = (uint32_t)swarm_draw_scaled(prng, 256, 2 * KIB);
    }
    if (!is_set(turning, "cluster.network.buffers_per_channel")) {
        scenario->job.buffers_per_channel = (uint32_t)prng_between(prng, 1, 8);
    }
    if (!is_set(turning, "cluster.network.latency")) {
        uint64_t most_latency_ns = swarm_draw_scaled(prng, MS_NS, 40 * MS_NS);
        scenario->cluster.network.latency_max_ns = most_latency_ns;
        if (scenario->cluster.network.latency_min_ns > most_latency_ns) {
            scenario->cluster.network.latency_min_ns = most_latency_ns;
        }
    }
    if (!is_set(turning, "checkpoint.max_concurrent")) {
        scenario->job.checkpoint.max_concurrent = (uint32_t)prng_between(prng, 1, 4);
    }
    if (!is_set(turning, "checkpoint.interval")) {
        scenario->job.checkpoint.interval_ns /= prng_between(prng, 1, 4);
    }
}

/* Generated records are all good: that bad ones are skipped matters only if a fault makes some. */
static void turn_tolerance(struct turning *turning)
{
    struct job_config *job = &turning->scenario->job;
    if (job->input.kind == INPUT_GENERATOR && may_turn(turning, "job.bad_records")) {
        job->input.skip_bad_records = prng_chance(turning->prng, MILLION / 2);
    }
    /* State in files of its own goes wrong in more ways. */
    if (!is_set(turning, "checkpoint.inline_threshold") &&
        prng_chance(turning->prng, MILLION / 2)) {
        job->checkpoint.inline_threshold_bytes =
            prng_chance(turning->prng, MILLION / 2)
                ? 0
                : swarm_draw_scaled(turning->prng, 0, INLINE_THRESHOLD_MAX_BYTES);
    }
    if (!is_set(turning, "restart.allow_older") && prng_chance(turning->prng, MILLION / 3)) {
        job->allow_older = true;
        bool has_older = job->checkpoint.retained > 1 || is_set(turning, "checkpoint.retained");
        job->checkpoint.retained += !has_older;
    }
    if (!is_set(turning, "checkpoint.max_concurrent") && prng_chance(turning->prng, MILLION / 4)) {
        job->checkpoint.max_concurrent = (uint32_t)prng_between(turning->prng, 2, 4);
    }
    /* The only checkpoint there is may fail more often than not. */
    uint32_t share_ppm = job->checkpoint.interval_ns == 0 ? MILLION / 4 * 3 : MILLION / 3;
    if (!is_set(turning, "checkpoint.tolerable_failures") &&
        prng_chance(turning->prng, share_ppm)) {
        job->checkpoint.tolerable_failures =
            (uint32_t)swarm_draw_scaled(turning->prng, 0, TOLERABLE_FAILURES_MAX);
    }
}

static void turn_latency(struct turning *turning)
{
    struct cluster *cluster = &turning->scenario->cluster;
    if (!turning->is_hurried && may_turn(turning, "cluster.network.latency")) {
        cluster->network.latency_max_ns = draw_setting(turning->prng, 1000, 40 * MS_NS);
        cluster->network.latency_min_ns =
            draw_setting(turning->prng, 0, cluster->network.latency_max_ns);
    }
}

/* So few restarts that the job may run out of them, which is right then; the oracle counts. */
static void make_restarts_few(struct turning *turning)
{
    struct restart_options *restart = &turning->scenario->job.restart;
    restart->strategy =
        prng_chance(turning->prng, MILLION / 2) ? RESTART_FIXED_DELAY : RESTART_FAILURE_RATE;
    restart->attempts = (uint32_t)prng_between(turning->prng, 0, ATTEMPTS_FEW);
    restart->max_failures = 1 + restart->attempts;
    restart->failure_interval_ns = draw_setting(turning->prng, MS_NS, 3600 * S_NS);
    turning->scenario->expect.result = EXPECT_SAME_OR_FAILED;
}

/* Most often generous: whatever is drawn later, the job may restart. */
static void turn_restart(struct turning *turning)
{
    struct restart_options *restart = &turning->scenario->job.restart;
    struct prng *prng = turning->prng;
    restart->attempts = UINT32_MAX;
    restart->max_failures = RESTART_FAILURES_REMEMBERED;
    if (restart->strategy == RESTART_NONE && turning->scenario->expect.result == EXPECT_SAME) {
        turning->scenario->expect.result = EXPECT_SAME_OR_FAILED;
    }
    if (!may_turn(turning, "restart")) {
        return;
    }
    restart->strategy =
        (enum restart_strategy)prng_between(prng, RESTART_FIXED_DELAY, RESTART_FAILURE_RATE);
    restart->delay_ns = draw_setting(prng, 5 * MS_NS, S_NS);
    restart->initial_delay_ns = draw_setting(prng, MS_NS, 500 * MS_NS);
    restart->max_delay_ns = restart->initial_delay_ns + draw_setting(prng, 0, 2 * S_NS);
    restart->multiplier_ppm = (uint32_t)draw_setting(prng, 1000000, 4000000);
    restart->reset_threshold_ns = draw_setting(prng, MS_NS, 3600 * S_NS);
    restart->jitter_ppm = (uint32_t)draw_setting(prng, 0, 1000000);
    restart->max_failures = RESTART_FAILURES_REMEMBERED;
    restart->failure_interval_ns = draw_setting(prng, MS_NS, 100 * MS_NS);
}

/* The base's own faults may name subtasks and TaskManagers: then there are as many as it says. */
static void turn_size(struct turning *turning)
{
    struct job_config *job = &turning->scenario->job;
    if (turning->base->scenario->fault_count > 0) {
        return;
    }
    uint32_t most = job->parallelism > PARALLELISM_MAX ? job->parallelism : PARALLELISM_MAX;
    if (may_turn(turning, "job.parallelism")) {
        job->parallelism = (uint32_t)prng_between(turning->prng, 1, most);
    }
    if (may_turn(turning, "cluster.task_managers")) {
        job->task_managers = (uint32_t)prng_between(turning->prng, 1, job->parallelism + 1);
    }
    if (may_turn(turning, "job.max_parallelism")) {
        job->max_parallelism = (uint32_t)draw_setting(turning->prng, job->parallelism, 512);
    }
    if (job->max_parallelism < job->parallelism) {
        job->max_parallelism = job->parallelism;
    }
    bool has_more = !is_set(turning, "cluster.slots") && prng_chance(turning->prng, MILLION / 2);
    if (has_more || (uint64_t)job->slots * job->task_managers < job->parallelism) {
        uint32_t fewest = (job->parallelism + job->task_managers - 1) / job->task_managers;
        job->slots = fewest + (uint32_t)prng_between(turning->prng, 0, SLOTS_SPARE_MAX);
    }
}

/* Longer than the longest handler of an actor that has to do with a slow store: with a table in it
 * the JobManager itself reads and writes the whole state. */
static void turn_heartbeat_timeout(struct turning *turning)
{
    struct job_config *job = &turning->scenario->job;
    uint64_t least_ns = 4 * job->heartbeat_interval_ns;
    least_ns = least_ns < HEARTBEAT_TIMEOUT_MIN_NS ? HEARTBEAT_TIMEOUT_MIN_NS : least_ns;
    uint64_t most_ns = 4 * least_ns;
    if (job->checkpoint.store == STORE_SQLITE && least_ns < TABLE_TIMEOUT_MIN_NS) {
        least_ns = TABLE_TIMEOUT_MIN_NS;
        most_ns = most_ns < least_ns ? least_ns : most_ns;
    }
    if (may_turn(turning, "cluster.heartbeat.timeout") || job->heartbeat_timeout_ns < least_ns) {
        job->heartbeat_timeout_ns = draw_setting(turning->prng, least_ns, most_ns);
    }
}

/* Disk faults of the base's own mean its backend. */
static bool has_disk_fault(const struct scenario *scenario)
{
    bool has = false;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        has = has || scenario->faults[i].object.part == PART_DISK;
    }
    return has;
}

/* Seldom: a run with SQLite takes 18 times as long as one with the heap, and one with RocksDB
 * nearly 60 times, so that they get four and three hundredths of a campaign's time. */
static void turn_backend(struct turning *turning)
{
    struct job_config *job = &turning->scenario->job;
    enum { SQLITE_SHARE_PPM = 2500, ROCKSDB_SHARE_PPM = 500, CACHE_BYTES_MIN = 64 * KIB };
    uint64_t draw = prng_below(turning->prng, MILLION);
    uint64_t cache_bytes = draw_setting(turning->prng, CACHE_BYTES_MIN, MIB);
    if (is_set(turning, "state.backend") || draw >= SQLITE_SHARE_PPM + ROCKSDB_SHARE_PPM ||
        has_disk_fault(turning->scenario)) {
        return;
    }
    bool is_rocksdb =
        draw >= SQLITE_SHARE_PPM && state_backend_is_built_in(STATE_BACKEND_ROCKSDB);
    job->state.backend = is_rocksdb ? STATE_BACKEND_ROCKSDB : STATE_BACKEND_SQLITE;
    if (!is_set(turning, "state.cache")) {
        job->state.cache_bytes = cache_bytes;
    }
}

/* Most runs keep files, in which the most can go wrong; one with SQLite takes twice as long. */
static void turn_store(struct turning *turning)
{
    enum { SQLITE_SHARE_PPM = 30000, MEMORY_SHARE_PPM = 30000 };
    uint64_t draw = prng_below(turning->prng, MILLION);
    if (is_set(turning, "checkpoint.store") || draw >= SQLITE_SHARE_PPM + MEMORY_SHARE_PPM) {
        return;
    }
    turning->scenario->job.checkpoint.store = draw < SQLITE_SHARE_PPM ? STORE_SQLITE : STORE_MEMORY;
}

void swarm_turn_knobs(struct scenario *scenario, const struct swarm_base *base, struct prng *prng)
{
    CHECK(scenario->job.parallelism > 0);
    static const uint32_t shares_ppm[] = { 0, 100000, 300000, 600000 };
    enum { SHARE_COUNT = sizeof shares_ppm / sizeof shares_ppm[0] };
    struct turning turning = { .scenario = scenario,
                               .base = base,
                               .prng = prng,
                               .share_ppm = shares_ppm[prng_below(prng, SHARE_COUNT)] };
    turn_timeout(&turning);
    for (uint32_t i = 0; i < KNOB_COUNT; i++) {
        const struct knob *knob = &knobs[i];
        CHECK(knob->low <= knob->high);
        bool too_slow = knob->slows && turning.is_hurried;
        if (may_turn(&turning, knob->path) && !too_slow) {
            store_knob(scenario, knob, draw_setting(prng, knob->low, knob->high));
        }
    }
    turn_interval(&turning);
    turn_latency(&turning);
    turn_pressure(&turning);
    turn_tolerance(&turning);
    turn_restart(&turning);
    bool may_give_up = scenario->expect.result == EXPECT_SAME && !is_set(&turning, "restart");
    if (may_give_up && prng_chance(prng, FEW_RESTARTS_PPM)) {
        make_restarts_few(&turning);
    }
    turn_size(&turning);
    turn_backend(&turning);
    turn_store(&turning);
    turn_heartbeat_timeout(&turning);
    CHECK(scenario->job.max_parallelism >= scenario->job.parallelism);
    CHECK((uint64_t)scenario->job.slots * scenario->job.task_managers >= scenario->job.parallelism);
}
