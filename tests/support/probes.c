#include "tests/support/probes.h"

#include <check.h>
#include <string.h>

#include "model/jobs/jobs.h"
#include "sim/scenario/scenario_json.h"

static struct probes *running;

static void *probe_start(struct host *host, struct bytes argument)
{
    (void)argument;
    for (uint64_t tick = 1; tick <= PROBES_TICKS; tick++) {
        (void)host_timer_set(host, tick * 10 * MS, tick);
    }
    return host;
}

static void probe_message(void *self, struct message *message)
{
    struct host *host = self;
    ck_assert_uint_lt(running->heard_count, PROBES_HEARD_MAX);
    running->heard[running->heard_count++] =
        (struct probes_heard){ .time_ns = world_now_ns(running->world),
                               .process = actor_process(host->self),
                               .kind = message->kind,
                               .stream = message->stream,
                               .number = message->attempt };
    host_message_free(host, message);
}

static void probe_timer(void *self, timer_id timer, uint64_t tag)
{
    (void)timer;
    struct host *host = self;
    uint32_t process = actor_process(host->self);
    running->tick_ns[process][tag] = world_now_ns(running->world);
    running->step(host, process, tag);
}

static const struct actor_ops probe = {
    .name = "probe", .on_start = probe_start, .on_message = probe_message, .on_timer = probe_timer
};

static void on_fired(void *context, const struct fault_record *record)
{
    (void)context;
    ck_assert(record->fired);
}

static void on_damage(void *context, const char *path)
{
    struct probes *probes = context;
    buffer_append_format(&probes->damaged, "%s;", path);
}

void probes_init(struct probes *probes)
{
    memset(probes, 0, sizeof *probes);
    arena_init(&probes->arena);
}

void probes_free(struct probes *probes)
{
    if (probes->world != NULL) {
        world_destroy(probes->world);
    }
    arena_drop(&probes->arena);
}

void probes_run(struct probes *probes, const char *faults, probes_step step)
{
    struct buffer error;
    buffer_init(&error, &probes->arena);
    const char *json = arena_format(
        &probes->arena,
        "{\"job\": {\"name\": \"count\", \"parallelism\": 2, \"input\": {\"rate\": \"1k/s\"}},"
        " \"cluster\": {\"task_managers\": 2, \"network\": {\"latency\": \"1ms\"},"
        " \"store\": {\"latency\": \"1ms\"}, \"disk\": {\"sync\": \"2ms\"}},"
        " \"faults\": [%s], \"expect\": {\"within\": \"1s\"}}",
        faults);
    enum status status = scenario_parse(&probes->scenario, &probes->arena, bytes_of_text(json),
                                        "test", ".", &(struct scenario_overrides){ 0 }, &error);
    ck_assert_msg(status == STATUS_OK, "%.*s", (int)error.size, (const char *)error.data);
    pipeline_init(&probes->pipeline);
    job_find("count")->build(&probes->pipeline);
    running = probes;
    probes->step = step;
    probes->world = world_create_with(&probes->arena, &probes->scenario, &probes->pipeline,
                                      (struct bytes){ 0 }, &probe, &probe);
    buffer_init(&probes->damaged, &probes->arena);
    probes->script = fault_script_create(
        &probes->arena, &probes->scenario, probes->world,
        (struct fault_hooks){ .on_fired = on_fired, .on_damage = on_damage, .context = probes });
    (void)world_run(probes->world);
}

bool probes_fired(const struct probes *probes, uint32_t number)
{
    return fault_script_records(probes->script)[number].fired;
}
