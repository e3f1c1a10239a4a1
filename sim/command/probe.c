#include "sim/command/probe.h"

#include <inttypes.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_values.h"

/* A while with a checkpoint now and then: when they come faster, each one takes less time, because
 * processors and the disk's journal are still awake from the one before. */
#define OFTEN                                                                                      \
    "job.input.records=20000", "job.input.keys=1000", "job.input.rate=20k/s",                      \
        "checkpoint.interval=100ms", "cluster.slots=4"
#define STORE_SETTINGS OFTEN, "checkpoint.inline_threshold=0B"

/* Without an uploader that waits for a disk. */
#define PASSING_SETTINGS OFTEN, "checkpoint.store=memory", "job.parallelism=4"

static const char *const in_memory[] = { PASSING_SETTINGS, NULL };
static const char *const alone[] = { STORE_SETTINGS, "job.parallelism=1", NULL };
static const char *const together[] = { STORE_SETTINGS, "job.parallelism=4", NULL };

void probe_init(struct probe *probe, struct arena *arena)
{
    probe->passing_ns = sample_in(arena);
    call_times_init(&probe->calls, arena);
}

void probe_join(struct probe *probe, const struct probe *more)
{
    sample_join(&probe->passing_ns, &more->passing_ns);
    call_times_join(&probe->calls, &more->calls);
}

enum status probe_messages(struct probe *probe, const struct trial_place *place, bool processes)
{
    struct trial trial = { .processes = processes, .passing_ns = &probe->passing_ns };
    return trial_run_live(place, in_memory, &trial);
}

enum status probe_store(struct probe *probe, const struct trial_place *place,
                        enum probe_subtasks subtasks, bool processes)
{
    struct trial trial = { .processes = processes, .calls = &probe->calls };
    return trial_run_live(place, subtasks == PROBE_ONE ? alone : together, &trial);
}

/* `key`=`value`, as a setting. */
static const char *setting(struct arena *arena, const char *key, uint64_t low_ns, uint64_t high_ns)
{
    struct buffer text;
    buffer_init(&text, arena);
    buffer_append_format(&text, "%s=", key);
    value_format_range(low_ns, high_ns, VALUE_DURATION, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static enum status simulate_passing(const struct trial_place *place, struct arena *arena,
                                    const struct cluster *cluster, uint64_t message_ns,
                                    uint64_t *passing_ns)
{
    uint64_t local_ns = cluster->network.local_latency_ns;
    const char *const settings[] = {
        PASSING_SETTINGS,
        setting(arena, "cluster.network.latency", cluster->network.latency_min_ns,
                cluster->network.latency_max_ns),
        setting(arena, "cluster.network.local_latency", local_ns, local_ns),
        setting(arena, "cluster.cpu.message", message_ns, message_ns),
        NULL,
    };
    struct sample sample = sample_in(arena);
    struct trial trial = { .passing_ns = &sample };
    enum status status = trial_run_simulated(place, settings, &trial);
    *passing_ns = sample_median(&sample);
    return status;
}

enum status probe_simulate(struct probe_passing *passing, const struct trial_place *place,
                           const struct cluster *cluster)
{
    struct arena arena;
    arena_init(&arena);
    enum status status = simulate_passing(place, &arena, cluster, 0, &passing->free_ns);
    if (status == STATUS_OK) {
        status = simulate_passing(place, &arena, cluster, PROBE_MESSAGE_NS, &passing->costly_ns);
    }
    arena_drop(&arena);
    return status;
}

/* What is left of `whole`. */
static uint64_t above(uint64_t whole, uint64_t part)
{
    return whole > part ? whole - part : 0;
}

/* The simulator knows how many messages are one behind the other. */
static uint64_t message_ns(const struct probe *probe, const struct probe_passing *passing)
{
    uint64_t live_ns = sample_median(&probe->passing_ns);
    uint64_t span_ns = above(passing->costly_ns, passing->free_ns);
    CHECK(live_ns < UINT64_MAX / PROBE_MESSAGE_NS);
    return span_ns == 0 ? 0 : above(live_ns, passing->free_ns) * PROBE_MESSAGE_NS / span_ns;
}

/* A checkpoint has to wait for about as many calls of the JobManager as of a task. */
static uint64_t mean_ns(const struct call_times *calls, enum live_call_kind kind)
{
    return (call_times_mean(calls, kind, true) + call_times_mean(calls, kind, false)) / 2;
}

void probe_apply(const struct probe *probe, const struct probe_passing *passing,
                 struct cluster *cluster)
{
    const struct call_times *calls = &probe->calls;
    uint64_t call_ns = mean_ns(calls, LIVE_CALL_NAME);
    cluster->store.latency_ns = call_ns;
    cluster->store.sync_ns = above(mean_ns(calls, LIVE_CALL_SYNC), call_ns);
    cluster->store.remove_ns = above(call_times_mean(calls, LIVE_CALL_REMOVE, true), call_ns);
    cluster->cpu.message_ns = message_ns(probe, passing);
}
