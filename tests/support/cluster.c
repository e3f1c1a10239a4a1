#include "tests/support/cluster.h"

#include <stdio.h>

#include "model/base/check.h"

void cluster_init(struct test_cluster *cluster)
{
    *cluster = (struct test_cluster){ 0 };
    arena_init(&cluster->arena);
    struct scenario *scenario = &cluster->scenario;
    scenario_init(scenario);
    struct job_config *job = &scenario->job;
    job->parallelism = 2;
    job->task_managers = 2;
    job->slots = 2;
    job->input = (struct input_config){ .kind = INPUT_GENERATOR,
                                        .file = "input/test.txt",
                                        .label = "test.txt",
                                        .records = 2000,
                                        .keys = 50,
                                        .seed = 1,
                                        .rate_per_s = 1000 };
    job->checkpoint.interval_ns = 400 * CLUSTER_MS;
    job->checkpoint.timeout_ns = 10 * CLUSTER_S;
    job->checkpoint.inline_threshold_bytes = 0;
    job->heartbeat_interval_ns = 500 * CLUSTER_MS;
    job->heartbeat_timeout_ns = 2 * CLUSTER_S;
    job->restart = (struct restart_options){ .strategy = RESTART_FIXED_DELAY,
                                             .attempts = 100,
                                             .delay_ns = 100 * CLUSTER_MS };
    scenario->faults = cluster->faults;
    scenario->expect.within_ns = 300 * CLUSTER_S;
}

void cluster_free(struct test_cluster *cluster)
{
    arena_drop(&cluster->arena);
}

struct fault_trigger when(enum fact_kind kind, uint64_t checkpoint, uint32_t occurrence)
{
    CHECK(occurrence > 0);
    return (struct fault_trigger){ .kind = TRIGGER_WHEN,
                                   .fact = kind,
                                   .checkpoint = checkpoint,
                                   .vertex = FACT_NO_TASK,
                                   .subtask = FACT_NO_TASK,
                                   .occurrence = occurrence };
}

struct fault_trigger when_task(enum fact_kind kind, uint64_t checkpoint, uint32_t vertex,
                               uint32_t subtask)
{
    struct fault_trigger trigger = when(kind, checkpoint, 1);
    trigger.vertex = vertex;
    trigger.subtask = subtask;
    return trigger;
}

struct fault_trigger at(uint64_t time_ns)
{
    return (struct fault_trigger){ .kind = TRIGGER_AT, .at_ns = time_ns };
}

static struct fault *add_fault(struct test_cluster *cluster, struct fault_trigger trigger,
                               enum fault_verb verb, uint64_t for_ns)
{
    CHECK(cluster->scenario.fault_count < CLUSTER_FAULTS_MAX);
    struct fault *fault = &cluster->faults[cluster->scenario.fault_count++];
    *fault = (struct fault){ .trigger = trigger, .verb = verb, .for_ns = for_ns };
    return fault;
}

static struct fault_object process_object(uint32_t process)
{
    struct fault_object object = { .kind = OBJECT_JOB_MANAGER };
    if (process >= PROCESS_FIRST_TASK_MANAGER) {
        object.kind = OBJECT_TASK_MANAGER;
        object.index = process - PROCESS_FIRST_TASK_MANAGER;
    }
    return object;
}

void cluster_crash(struct test_cluster *cluster, struct fault_trigger trigger, uint32_t process,
                   uint64_t for_ns)
{
    add_fault(cluster, trigger, FAULT_CRASH, for_ns)->object = process_object(process);
}

void cluster_cut(struct test_cluster *cluster, struct fault_trigger trigger, uint32_t process,
                 uint64_t for_ns, enum disk_survival survival)
{
    struct fault *fault = add_fault(cluster, trigger, FAULT_CRASH, for_ns);
    fault->object = process_object(process);
    fault->object.machine = true;
    fault->unsynced = survival;
}

void cluster_pause(struct test_cluster *cluster, struct fault_trigger trigger, uint32_t process,
                   uint64_t for_ns)
{
    add_fault(cluster, trigger, FAULT_PAUSE, for_ns)->object = process_object(process);
}

void cluster_delay(struct test_cluster *cluster, struct fault_trigger trigger, uint64_t for_ns,
                   uint64_t by_ns)
{
    struct fault *fault = add_fault(cluster, trigger, FAULT_DELAY, for_ns);
    fault->object = (struct fault_object){ .kind = OBJECT_LINK, .vertex = 0, .vertex_to = 1 };
    fault->by_ns = by_ns;
}

static void on_fact(void *context, const struct fact_event *event)
{
    struct test_cluster *cluster = context;
    cluster->facts = arena_grow(&cluster->arena, cluster->facts, &cluster->fact_capacity,
                                cluster->fact_count + 1, sizeof *cluster->facts);
    struct fact_event *kept = &cluster->facts[cluster->fact_count++];
    *kept = *event;
    kept->fact.text = bytes_copy(&cluster->arena, event->fact.text);
}

static void arm(void *context, struct world *world)
{
    struct test_cluster *cluster = context;
    cluster->world = world;
    if (cluster->cut.call > 0) {
        world_cut_at_call(world, cluster->cut.process, cluster->cut.call, cluster->cut.for_ns,
                          cluster->cut.survival);
    }
}

void cluster_run(struct test_cluster *cluster)
{
    CHECK(cluster->world == NULL);
    struct run_options options = { .observer = { .on_fact = on_fact, .context = cluster },
                                   .arm = arm };
    struct bytes input = { 0 };
    if (cluster->input != NULL) {
        input = bytes_of_text(cluster->input);
        cluster->scenario.job.input.kind = INPUT_FILE;
    }
    run_scenario(&cluster->run, &cluster->arena, &cluster->scenario, input, &options);
    /* The world is over, but what it counted lies in the arena still. */
    uint32_t count = world_process_count(cluster->world);
    for (uint32_t i = 0; i < count && i < CLUSTER_PROCESSES_MAX; i++) {
        cluster->storage_calls[i] = world_storage_calls(cluster->world, i);
    }
}

bool cluster_passed(const struct test_cluster *cluster)
{
    const struct run *run = &cluster->run;
    if (run->verdict == VERDICT_PASS) {
        return true;
    }
    uint32_t count;
    const struct violation *violations = oracle_violations(run->oracle, &count);
    (void)fprintf(stderr, "verdict %s, seed %llu\n", verdict_name(run->verdict),
                  (unsigned long long)run->scenario->seed);
    for (uint32_t i = 0; i < count; i++) {
        (void)fprintf(stderr, "%s at %.6f s: %s\n", property_name(violations[i].property),
                      (double)violations[i].time_ns / 1e9, violations[i].message);
    }
    for (uint32_t i = 0; i < run->unmet_count; i++) {
        (void)fprintf(stderr, "%s\n", run->unmet[i].message);
    }
    return false;
}

size_t cluster_facts(const struct test_cluster *cluster, enum fact_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < cluster->fact_count; i++) {
        count += cluster->facts[i].fact.kind == kind;
    }
    return count;
}

const struct fact_event *cluster_first(const struct test_cluster *cluster, enum fact_kind kind,
                                       uint64_t checkpoint)
{
    for (size_t i = 0; i < cluster->fact_count; i++) {
        const struct fact *fact = &cluster->facts[i].fact;
        if (fact->kind == kind && (checkpoint == 0 || fact->checkpoint == checkpoint)) {
            return &cluster->facts[i];
        }
    }
    return NULL;
}
