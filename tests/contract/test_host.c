/* The simulated host against the contract of model/host.h, and what only it promises. */
#include "sim/world/sim_host.h"

#include <stdlib.h>

#include "model/jobs/jobs.h"
#include "tests/support/host_contract.h"
#include "tests/support/runner.h"

struct simulated {
    struct arena arena;
    struct scenario scenario;
    struct pipeline pipeline;
    struct world *world;
    void (*listen)(const struct fact_event *event);
    bool time_is_up;
};

static void on_fact(void *context, const struct fact_event *event)
{
    const struct simulated *simulated = context;
    simulated->listen(event);
}

static struct simulated *create(uint32_t process_count, const struct actor_ops *main,
                                void (*listen)(const struct fact_event *event), uint64_t seed)
{
    struct simulated *simulated = calloc(1, sizeof *simulated);
    ck_assert_ptr_nonnull(simulated);
    arena_init(&simulated->arena);
    scenario_init(&simulated->scenario);
    simulated->scenario.seed = seed;
    simulated->scenario.job.task_managers = process_count - 1;
    simulated->listen = listen;
    pipeline_init(&simulated->pipeline);
    job_find("count")->build(&simulated->pipeline);
    simulated->world = world_create_with(&simulated->arena, &simulated->scenario,
                                         &simulated->pipeline, (struct bytes){ 0 }, main, main);
    world_add_listener(simulated->world,
                       (struct world_listener){ .on_fact = on_fact, .context = simulated });
    return simulated;
}

static void *start(uint32_t process_count, const struct actor_ops *main,
                   void (*listen)(const struct fact_event *event))
{
    return create(process_count, main, listen, 1);
}

static void on_time(void *context, uint32_t number)
{
    (void)number;
    ((struct simulated *)context)->time_is_up = true;
}

static void run(void *cluster, uint64_t until_ns)
{
    struct simulated *simulated = cluster;
    simulated->time_is_up = false;
    world_call_at(simulated->world, until_ns, on_time, simulated, 0);
    while (!simulated->time_is_up) {
        ck_assert(world_step(simulated->world));
    }
}

static void crash(void *cluster, uint32_t process, uint64_t for_ns)
{
    ck_assert(world_crash(((struct simulated *)cluster)->world, process, for_ns));
}

static void on_hit(void *context, uint32_t number, uint64_t now_ns)
{
    (void)context;
    (void)number;
    (void)now_ns;
}

static void reset(void *cluster, uint32_t one, uint32_t other)
{
    struct world *world = ((struct simulated *)cluster)->world;
    (void)world_faults(world, on_hit, NULL);
    world_reset(world, (struct process_range){ one, one }, (struct process_range){ other, other },
                NETWORK_ALL_STREAMS);
}

static void cut(void *cluster, uint32_t process, uint64_t for_ns, enum disk_survival survival)
{
    ck_assert(world_cut(((struct simulated *)cluster)->world, process, for_ns, survival));
}

static void cut_at_call(void *cluster, uint32_t process, uint64_t call, uint64_t for_ns)
{
    struct world *world = ((struct simulated *)cluster)->world;
    world_cut_at_call(world, process, world_storage_calls(world, process) + call, for_ns,
                      DISK_LOSE);
}

static void end(void *cluster)
{
    struct simulated *simulated = cluster;
    world_destroy(simulated->world);
    arena_drop(&simulated->arena);
    free(simulated);
}

static const struct contract_host simulated_host = { .name = "simulated host",
                                                     .simulated = true,
                                                     .start = start,
                                                     .run = run,
                                                     .crash = crash,
                                                     .reset = reset,
                                                     .cut = cut,
                                                     .cut_at_call = cut_at_call,
                                                     .end = end };

/* ---- what only simulated time promises ------------------------------------------------------- */

enum { CLOCKS_MAX = 16 };
static uint64_t clocks[CLOCKS_MAX];
static size_t clock_count;

static void note_value(const struct fact_event *event)
{
    ck_assert_uint_lt(clock_count, CLOCKS_MAX);
    clocks[clock_count++] = event->fact.values[0];
}

static void report(struct host *host, uint64_t value)
{
    host_trace(host, &(struct fact){ .kind = FACT_SOURCE_PROGRESS,
                                     .vertex = FACT_NO_TASK,
                                     .subtask = FACT_NO_TASK,
                                     .values = { value } });
}

enum { CHARGED_STEPS = 13 };

/* Reports how long each call took, with round costs. */
static void *charged_start(struct host *host, struct bytes argument)
{
    (void)argument;
    file_id file;
    uint64_t last_ns = host_now_ns(host);
    for (int step = 0; step < CHARGED_STEPS; step++) {
        enum status status = STATUS_OK;
        switch (step) {
        case 0: host_charge(host, HOST_WORK_RECORDS, 10); break;
        case 1: host_charge(host, HOST_WORK_SNAPSHOT_BYTES, 1000); break;
        case 2: status = host_file_open(host, HOST_SHARED, "a", HOST_CREATE, &file); break;
        case 3: status = host_file_write(host, file, 0, bytes_of_text("0123456789")); break;
        case 4: status = host_file_sync(host, file); break;
        case 5: (void)host_timer_set(host, 0, 0); break;
        case 6: (void)host_random(host); break;
        case 7: status = host_rename(host, HOST_SHARED, "a", "b"); break;
        case 8: status = host_file_open(host, HOST_SHARED, "a", HOST_CREATE, &file); break;
        case 9: status = host_rename(host, HOST_SHARED, "a", "b"); break;
        case 10: status = host_remove(host, HOST_SHARED, "b"); break;
        case 11: status = host_make_dir(host, HOST_SHARED, "c"); break;
        default: status = host_remove_dir(host, HOST_SHARED, "c"); break;
        }
        ck_assert_int_eq(status, STATUS_OK);
        report(host, host_now_ns(host) - last_ns);
        last_ns = host_now_ns(host);
    }
    return NULL;
}

static void ignore_message(void *self, struct message *message)
{
    (void)self;
    (void)message; /* dropped with the actor */
}

static void ignore_timer(void *self, timer_id timer, uint64_t tag)
{
    (void)self;
    (void)timer;
    (void)tag;
}

static const struct actor_ops charged_actor = { .name = "charged",
                                                .on_start = charged_start,
                                                .on_message = ignore_message,
                                                .on_timer = ignore_timer };

START_TEST(every_call_takes_what_the_scenario_says)
{
    struct simulated *simulated = create(1, &charged_actor, note_value, 1);
    struct cluster *costs = &simulated->scenario.cluster;
    costs->cpu.record_ns = 300;
    costs->cpu.snapshot_bytes_per_s = 1000000000;
    costs->store.latency_ns = 7000;
    costs->store.sync_ns = 900;
    costs->store.remove_ns = 50;
    costs->store.write_bytes_per_s = 1000000;
    clock_count = 0;
    run(simulated, 1000000);
    static const uint64_t expected[CHARGED_STEPS] = { 3000, 1000, 7000, 10000, 7900, 0,   0,
                                                      7000, 7000, 7050, 7050,  7000, 7050 };
    ck_assert_uint_eq(clock_count, CHARGED_STEPS);
    for (size_t i = 0; i < CHARGED_STEPS; i++) {
        ck_assert_uint_eq(clocks[i], expected[i]);
    }
    end(simulated);
}
END_TEST

/* Reports how late it is when it takes a message that it sent to itself. */
static void *waiting_start(struct host *host, struct bytes argument)
{
    (void)argument;
    struct message *message = host_message_new(host, 0);
    message->kind = 1;
    host_send(host, host->self, message);
    return host;
}

static void report_time(void *self, struct message *message)
{
    report(self, host_now_ns(self));
    host_message_free(self, message);
}

static const struct actor_ops waiting_actor = { .name = "waiting",
                                                .on_start = waiting_start,
                                                .on_message = report_time,
                                                .on_timer = ignore_timer };

START_TEST(who_takes_a_message_is_so_much_later)
{
    uint64_t taken_ns[2];
    for (uint64_t i = 0; i < 2; i++) {
        struct simulated *simulated = create(1, &waiting_actor, note_value, 1);
        simulated->scenario.cluster.cpu.message_ns = 450 * i;
        clock_count = 0;
        run(simulated, 100000000);
        ck_assert_uint_eq(clock_count, 1);
        taken_ns[i] = clocks[0];
        end(simulated);
    }
    ck_assert_uint_eq(taken_ns[1], taken_ns[0] + 450);
}
END_TEST

static void *random_start(struct host *host, struct bytes argument)
{
    (void)argument;
    report(host, host_random(host));
    return NULL;
}

static const struct actor_ops random_actor = { .name = "random",
                                               .on_start = random_start,
                                               .on_message = ignore_message,
                                               .on_timer = ignore_timer };

START_TEST(the_seed_decides_what_actors_draw)
{
    uint64_t drawn[3][2];
    static const uint64_t seeds[] = { 1, 1, 2 };
    for (size_t i = 0; i < 3; i++) {
        clock_count = 0;
        struct simulated *simulated = create(2, &random_actor, note_value, seeds[i]);
        run(simulated, 1000000);
        ck_assert_uint_eq(clock_count, 2);
        drawn[i][0] = clocks[0];
        drawn[i][1] = clocks[1];
        end(simulated);
    }
    ck_assert_mem_eq(drawn[0], drawn[1], sizeof drawn[0]);
    ck_assert_uint_ne(drawn[0][0], drawn[2][0]);
    ck_assert_uint_ne(drawn[0][1], drawn[2][1]);
}
END_TEST

int main(void)
{
    Suite *suite = contract_suite(&simulated_host, 1);
    TCase *tcase = tcase_create("simulated time");
    tcase_add_test(tcase, every_call_takes_what_the_scenario_says);
    tcase_add_test(tcase, who_takes_a_message_is_so_much_later);
    tcase_add_test(tcase, the_seed_decides_what_actors_draw);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
