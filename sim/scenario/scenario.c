#include "sim/scenario/scenario.h"

#include "model/base/check.h"
#include "model/jobs/jobs.h"
#include "sim/scenario/scenario_values.h"

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    GIB = 1024 * MIB,
    MICROSECOND_NS = 1000,
    MILLISECOND_NS = 1000000,
    SECOND_NS = 1000000000,
};
static const uint64_t hour_ns = UINT64_C(3600) * SECOND_NS;

bool bound_holds(struct bound bound, uint64_t value)
{
    switch (bound.kind) {
    case BOUND_NONE: return true;
    case BOUND_LESS: return value < bound.value;
    case BOUND_AT_MOST: return value <= bound.value;
    case BOUND_EQUAL: return value == bound.value;
    case BOUND_AT_LEAST: return value >= bound.value;
    case BOUND_MORE: return value > bound.value;
    }
    CHECK(false);
}

void scenario_drop_bounds(struct scenario *scenario)
{
    scenario->expect.checkpoints = (struct bound){ .kind = BOUND_NONE };
    scenario->expect.recoveries = (struct bound){ .kind = BOUND_NONE };
    scenario->expect.recovery_time_ns = (struct bound){ .kind = BOUND_NONE };
}

static struct job_config default_job(void)
{
    return (struct job_config){
        .job = "count",
        .parallelism = 1,
        .max_parallelism = 128,
        .input = { .kind = INPUT_GENERATOR,
                   .records = 100000,
                   .keys = 1000,
                   .skew_ppm = 0,
                   .seed = 1,
                   .nexmark = nexmark_default_config() },
        .state = { .backend = STATE_BACKEND_HEAP,
                   .cache_bytes = 64 * MIB,
                   .incremental = false,
                   .parts_max = 8,
                   .changelog = { .materialization_ns = UINT64_C(600) * SECOND_NS,
                                  .failures_max = 3,
                                  .parts_max = 100,
                                  .persist_bytes = 5 * MIB } },
        .checkpoint = { .interval_ns = 0,
                        .timeout_ns = UINT64_C(600) * SECOND_NS,
                        .min_pause_ns = 0,
                        .max_concurrent = 1,
                        .tolerable_failures = 0,
                        .retained = 1,
                        .mode = MODE_EXACTLY_ONCE,
                        .inline_threshold_bytes = 20 * KIB,
                        .store = STORE_FILES,
                        .store_state_max_bytes = 5 * MIB },
        .restart = restart_default_options(),
        .allow_older = false,
        .restore_tries = 3,
        .restore_retry_delay_ns = SECOND_NS,
        .task_managers = 4,
        .slots = 1,
        .heartbeat_interval_ns = UINT64_C(10) * SECOND_NS,
        .heartbeat_timeout_ns = UINT64_C(50) * SECOND_NS,
        .buffer_bytes = 32 * KIB,
        .buffer_timeout_ns = 100 * MILLISECOND_NS,
        .buffers_per_channel = 2,
        .watermark_interval_ns = 200 * MILLISECOND_NS,
    };
}

void scenario_init(struct scenario *scenario)
{
    CHECK(scenario != NULL);
    *scenario = (struct scenario){
        .name = "scenario",
        .about = "",
        .path = "",
        .seed = 1,
        .job = default_job(),
        .input_path = "",
        .cluster = { .network = { .latency_min_ns = 100 * MICROSECOND_NS,
                                  .latency_max_ns = 300 * MICROSECOND_NS,
                                  .local_latency_ns = 20 * MICROSECOND_NS,
                                  .bandwidth_bytes_per_s = GIB },
                     .disk = { .write_bytes_per_s = 500 * MIB,
                               .read_bytes_per_s = 500 * MIB,
                               .sync_ns = 2 * MILLISECOND_NS },
                     .store = { .write_bytes_per_s = GIB,
                                .read_bytes_per_s = GIB,
                                .latency_ns = 5 * MILLISECOND_NS },
                     .cpu = { .record_ns = 200, .snapshot_bytes_per_s = GIB, .state_ns = 1000 } },
        .expect = { .result = EXPECT_SAME, .all_fired = true, .within_ns = 24 * hour_ns },
    };
}

struct verb_info {
    const char *name;
    const char *help;
};

static const struct verb_info verbs[FAULT_VERB_COUNT] = {
#define FAULT_VERB(identifier, name, help) [FAULT_##identifier] = { name, help },
    FAULT_VERB_LIST(FAULT_VERB)
#undef FAULT_VERB
};

const char *fault_verb_name(enum fault_verb verb)
{
    CHECK((unsigned)verb < FAULT_VERB_COUNT);
    return verbs[verb].name;
}

const char *fault_verb_help(enum fault_verb verb)
{
    CHECK((unsigned)verb < FAULT_VERB_COUNT);
    return verbs[verb].help;
}

const struct job_info *scenario_job(const struct scenario *scenario)
{
    const struct job_info *job =
        scenario->library != NULL ? scenario->library : job_find(scenario->job.job);
    CHECK(job != NULL);
    return job;
}

static void append_vertex_name(const struct scenario *scenario, uint32_t vertex, struct buffer *out)
{
    struct pipeline pipeline;
    job_build(scenario_job(scenario), &pipeline);
    CHECK(vertex < pipeline.vertex_count);
    buffer_append_text(out, pipeline.vertices[vertex].name);
}

static void append_process(const struct scenario *scenario, enum fault_object_kind kind,
                           uint32_t index, uint32_t vertex, struct buffer *out)
{
    switch (kind) {
    case OBJECT_JOB_MANAGER: buffer_append_text(out, "job_manager"); return;
    case OBJECT_TASK_MANAGER: buffer_append_format(out, "task_manager[%u]", index); return;
    case OBJECT_ALL_TASK_MANAGERS: buffer_append_text(out, "all task_managers"); return;
    case OBJECT_TASK:
        append_vertex_name(scenario, vertex, out);
        buffer_append_format(out, "[%u]", index);
        return;
    default: break;
    }
    CHECK_UNREACHABLE("a process");
}

uint32_t scenario_parallelism_max(const struct scenario *scenario)
{
    uint32_t most = scenario->job.parallelism;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        if (fault->verb == FAULT_RESCALE && fault->parallelism > most) {
            most = fault->parallelism;
        }
    }
    return most;
}

static void append_part(const struct fault_object *object, struct buffer *out)
{
    static const char *const words[] = { [PART_PROCESS] = "",
                                         [PART_NETWORK] = "network of ",
                                         [PART_DISK] = "disk of ",
                                         [PART_STORE] = "store of " };
    CHECK((size_t)object->part < sizeof words / sizeof *words);
    CHECK(!object->machine || object->part == PART_PROCESS);
    buffer_append_text(out, object->machine ? "machine of " : words[object->part]);
}

void fault_object_format(const struct scenario *scenario, const struct fault_object *object,
                         struct buffer *out)
{
    CHECK(scenario != NULL);
    append_part(object, out);
    switch (object->kind) {
    case OBJECT_JOB_MANAGER:
    case OBJECT_TASK_MANAGER:
    case OBJECT_ALL_TASK_MANAGERS:
    case OBJECT_TASK:
        append_process(scenario, object->kind, object->index, object->vertex, out);
        return;
    case OBJECT_LINK:
        CHECK(!object->machine);
        buffer_append_text(out, "link ");
        append_vertex_name(scenario, object->vertex, out);
        buffer_append_text(out, "->");
        append_vertex_name(scenario, object->vertex_to, out);
        return;
    case OBJECT_FILE:
        CHECK(!object->machine);
        CHECK(object->glob != NULL);
        buffer_append_format(out, "file %s", object->glob);
        return;
    case OBJECT_CONNECTION: {
        const struct fault_peer *first = &object->first;
        const struct fault_peer *other = &object->other;
        buffer_append_text(out, "connection ");
        append_process(scenario, first->kind, first->index, first->vertex, out);
        buffer_append_text(out, " - ");
        append_process(scenario, other->kind, other->index, other->vertex, out);
        return;
    }
    case OBJECT_NETWORK: buffer_append_text(out, "network"); return;
    case OBJECT_STORE: buffer_append_text(out, "store"); return;
    case OBJECT_INPUT: buffer_append_text(out, "input"); return;
    case OBJECT_JOB: buffer_append_text(out, "job"); return;
    }
    CHECK_UNREACHABLE("an object");
}

void fault_trigger_format(const struct scenario *scenario, const struct fault_trigger *trigger,
                          struct buffer *out)
{
    CHECK(scenario != NULL);
    if (trigger->kind == TRIGGER_AT) {
        value_format(trigger->at_ns, VALUE_DURATION, out);
        return;
    }
    CHECK(trigger->kind == TRIGGER_WHEN);
    CHECK(trigger->occurrence >= 1);
    if (trigger->checkpoint > 0) {
        buffer_append_format(out, "checkpoint %llu ", (unsigned long long)trigger->checkpoint);
    }
    buffer_append_text(out, fact_info(trigger->fact)->name);
    if (trigger->vertex != FACT_NO_TASK) {
        buffer_append_text(out, "(");
        append_vertex_name(scenario, trigger->vertex, out);
        if (trigger->subtask != FACT_NO_TASK) {
            buffer_append_format(out, "[%u]", trigger->subtask);
        }
        buffer_append_text(out, ")");
    } else {
        CHECK(trigger->subtask == FACT_NO_TASK);
    }
    if (trigger->occurrence > 1) {
        buffer_append_format(out, " #%u", trigger->occurrence);
    }
}

void fault_describe(const struct scenario *scenario, const struct fault *fault, struct buffer *out)
{
    CHECK(fault != NULL);
    buffer_append_format(out, "%s ", fault_verb_name(fault->verb));
    fault_object_format(scenario, &fault->object, out);
    fault_parameters_describe(fault, out);
    if (fault->trigger.after_ns > 0) {
        buffer_append_text(out, " ");
        value_format(fault->trigger.after_ns, VALUE_DURATION, out);
        buffer_append_text(out, " after ");
    } else {
        buffer_append_text(out, fault->trigger.kind == TRIGGER_AT ? " at " : " when ");
    }
    fault_trigger_format(scenario, &fault->trigger, out);
}
