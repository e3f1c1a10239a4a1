/* Whole jobs on a simulated cluster, with every way that streams can be combined: what they commit
 * must be what a plain computation says, whether TaskManagers die meanwhile or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/text.h"
#include "model/state/state.h"
#include "model/stream/join.h"
#include "model/stream/operator_state.h"
#include "model/stream/timer_service.h"
#include "tests/support/cluster.h"
#include "tests/support/runner.h"

enum { RECORDS = 2000, KEYS = 50, PARALLELISM = 3, RULE_STEP = 10, JOINED_KEYS = 3 };

/* ---- functions ------------------------------------------------------------------------------- */

static void parse(struct operator_context *context, const struct record *line,
                  struct collector *out)
{
    (void)context;
    int64_t value;
    CHECK(text_parse_i64(line->value, &value));
    uint8_t room[8];
    struct record number = record_i64(room, value);
    collector_emit(out, &number);
}

static void pass_on(struct operator_context *context, const struct record *record,
                    struct collector *out)
{
    (void)context;
    collector_emit(out, record);
}

static bool is_even(struct operator_context *context, const struct record *number)
{
    (void)context;
    return record_to_i64(number) % 2 == 0;
}

static bool is_odd(struct operator_context *context, const struct record *number)
{
    return !is_even(context, number);
}

static bool is_rule(struct operator_context *context, const struct record *number)
{
    (void)context;
    return record_to_i64(number) % RULE_STEP == 0;
}

static bool is_joined(struct operator_context *context, const struct record *number)
{
    (void)context;
    return record_to_i64(number) < JOINED_KEYS;
}

static void by_value(const struct record *number, struct key *key)
{
    key_set_i64(key, record_to_i64(number));
}

static void emit_text(struct collector *out, const char *what, int64_t first, int64_t second)
{
    char line[80];
    int size =
        snprintf(line, sizeof line, "%s %lld %lld", what, (long long)first, (long long)second);
    collector_emit(out, &(struct record){ .value = { (const uint8_t *)line, (size_t)size } });
}

/* Counts each number, odd ones to a side output too; counts rules in broadcast state. */
struct checker {
    struct operator_context *context;
    struct value_state count;
    struct operator_state *rules;
    struct collector *odd;
    struct collector *seen;
};

static void checker_open(void *self, struct operator_context *context)
{
    struct checker *checker = self;
    checker->context = context;
    value_state_open(&checker->count, context->backend, "count");
    checker->rules = operator_states_declare(context->states, "rules", STATE_BROADCAST);
    checker->odd = operator_side(context, "odd");
    checker->seen = operator_side(context, "seen");
}

static void on_number(void *self, const struct record *number, struct collector *out)
{
    struct checker *checker = self;
    int64_t value = record_to_i64(number);
    int64_t count;
    (void)value_state_get(&checker->count, &count);
    value_state_put(&checker->count, ++count);
    emit_text(out, "count", value, count);
    if (value % 2 != 0) {
        emit_text(checker->odd, "odd", value, count);
    }
}

static void on_rule(void *self, const struct record *number, struct collector *out)
{
    (void)out;
    struct checker *checker = self;
    struct bytes before = operator_state_get(checker->rules, number->value);
    uint8_t count[8];
    store_u64(count, before.data == NULL ? 1 : load_u64(before.data) + 1);
    operator_state_put(checker->rules, number->value, (struct bytes){ count, sizeof count });
    char what[20];
    (void)snprintf(what, sizeof what, "rule%u", checker->context->subtask);
    emit_text(checker->seen, what, record_to_i64(number), (int64_t)load_u64(count));
}

/* Each key sets two timers when it is first seen; each must fire once. */
struct alarm {
    struct operator_context *context;
    struct value_state seen;
};

static void alarm_open(void *self, struct operator_context *context)
{
    struct alarm *alarm = self;
    alarm->context = context;
    value_state_open(&alarm->seen, context->backend, "seen");
}

static void alarm_process(void *self, const struct record *number, struct collector *out)
{
    (void)number;
    (void)out;
    struct alarm *alarm = self;
    int64_t seen;
    if (!value_state_get(&alarm->seen, &seen)) {
        struct operator_context *context = alarm->context;
        int64_t now_ms = timers_now_ms(context);
        value_state_put(&alarm->seen, 1);
        timers_register(context, TIMER_PROCESSING_TIME, now_ms + 400, (struct bytes){ 0 });
        timers_register(context, TIMER_PROCESSING_TIME, now_ms + 300, bytes_of_text("no"));
        timers_delete(context, TIMER_PROCESSING_TIME, now_ms + 300, bytes_of_text("no"));
        timers_register(context, TIMER_EVENT_TIME, 5, bytes_of_text("end"));
    }
}

static void alarm_on_timer(void *self, const struct timer *timer, struct collector *out)
{
    struct alarm *alarm = self;
    int64_t seen;
    ck_assert(value_state_get(&alarm->seen, &seen)); /* of the timer's key */
    ck_assert(timer->kind == TIMER_PROCESSING_TIME ||
              bytes_equal(timer->name_space, bytes_of_text("end")));
    emit_text(out, timer->kind == TIMER_EVENT_TIME ? "event" : "clock",
              (int64_t)load_u64(timer->key.bytes.data), seen);
}

static void emit_pair(struct operator_context *context, struct bytes first, struct bytes second,
                      struct collector *out)
{
    (void)context;
    emit_text(out, "pair", (int64_t)load_u64(first.data), (int64_t)load_u64(second.data));
}

/* ---- the job --------------------------------------------------------------------------------- */

static const struct map_parameters parsing = { .map = parse };
static const struct map_parameters passing = { .map = pass_on };
static const struct filter_parameters even = { .keep = is_even };
static const struct filter_parameters odd = { .keep = is_odd };
static const struct filter_parameters rules = { .keep = is_rule };
static const struct filter_parameters joined = { .keep = is_joined };
static const struct join_parameters joining = { .join = emit_pair };
static const struct process_parameters checking = { .self_bytes = sizeof(struct checker),
                                                    .open = checker_open,
                                                    .process = on_number,
                                                    .process2 = on_rule,
                                                    .has_operator_state = true };
static const struct process_parameters alarming = { .self_bytes = sizeof(struct alarm),
                                                    .open = alarm_open,
                                                    .process = alarm_process,
                                                    .on_timer = alarm_on_timer };

/* A union of a forwarded and a rebalanced stream, connected to a broadcast one; side outputs; a
 * stream joined with itself; five sinks. */
static void build(struct pipeline *pipeline)
{
    pipeline_init(pipeline);
    struct stream numbers = stream_map(pipeline_source(pipeline, "source"), "parse", &parsing);
    struct stream evens = stream_filter(numbers, "even", &even);
    struct stream odds = stream_rebalance(stream_filter(numbers, "odd", &odd));
    struct stream all = stream_map(stream_union(evens, odds), "all", &passing);
    struct stream rule = stream_broadcast(stream_filter(numbers, "rules", &rules));
    struct stream both = stream_connect(stream_key_by(all, by_value), rule);
    struct stream checked = stream_process(both, "check", &checking);
    stream_file_sink(checked, "counts");
    stream_file_sink(stream_side(checked, "odd"), "odds");
    stream_file_sink(stream_side(checked, "seen"), "rules");
    struct stream few = stream_key_by(stream_filter(numbers, "few", &joined), by_value);
    stream_file_sink(stream_join(few, few, "join", &joining), "pairs");
    struct stream alarms = stream_process(stream_key_by(all, by_value), "alarm", &alarming);
    stream_file_sink(alarms, "alarms");
}

/* ---- what it must commit --------------------------------------------------------------------- */

struct lines {
    char **texts;
    size_t count;
    size_t capacity;
    struct arena *arena;
};

static void add_line(struct lines *lines, char *text)
{
    lines->texts = arena_grow(lines->arena, lines->texts, &lines->capacity, lines->count + 1,
                              sizeof *lines->texts);
    lines->texts[lines->count++] = text;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void expect_lines(struct lines *lines, const struct generator *generator)
{
    int64_t counts[KEYS] = { 0 };
    for (uint64_t i = 0; i < RECORDS; i++) {
        counts[generator_key(generator, i)]++;
    }
    for (int64_t key = 0; key < KEYS; key++) {
        ck_assert_int_gt(counts[key], 0);
        for (int64_t n = 1; n <= counts[key]; n++) {
            add_line(lines, arena_format(lines->arena, "counts:count %lld %lld", (long long)key,
                                         (long long)n));
            if (key % 2 != 0) {
                add_line(lines, arena_format(lines->arena, "odds:odd %lld %lld", (long long)key,
                                             (long long)n));
            }
            for (int i = 0; key % RULE_STEP == 0 && i < PARALLELISM; i++) {
                add_line(lines, arena_format(lines->arena, "rules:rule%d %lld %lld", i,
                                             (long long)key, (long long)n));
            }
        }
        for (int64_t n = 0; key < JOINED_KEYS && n < counts[key] * counts[key]; n++) {
            add_line(lines, arena_format(lines->arena, "pairs:pair %lld %lld", (long long)key,
                                         (long long)key));
        }
        add_line(lines, arena_format(lines->arena, "alarms:clock %lld 1", (long long)key));
        add_line(lines, arena_format(lines->arena, "alarms:event %lld 1", (long long)key));
    }
    qsort(lines->texts, lines->count, sizeof *lines->texts, compare_lines);
}

struct reading {
    const struct disk *disk;
    struct lines lines;
};

/* output/SINK/SUBTASK/chk-ID: its lines, each behind "SINK:". */
static void read_output(void *context, const char *path)
{
    struct reading *reading = context;
    char sink[40];
    unsigned subtask;
    if (sscanf(path, "output/%39[^/]/%u/chk-", sink, &subtask) != 2 ||
        strstr(path, "/chk-") == NULL) {
        return;
    }
    struct bytes content;
    ck_assert(disk_peek(reading->disk, path, &content));
    const char *at = (const char *)content.data;
    const char *end = at + content.size;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        ck_assert_ptr_nonnull(feed);
        add_line(&reading->lines,
                 arena_format(reading->lines.arena, "%s:%.*s", sink, (int)(feed - at), at));
        at = feed + 1;
    }
}

/* ---- runs ------------------------------------------------------------------------------------ */

struct crash {
    uint64_t at_ns; /* 0: none */
    uint32_t process;
};
enum { CRASHES_MAX = 3 };

struct dataflow {
    struct test_cluster cluster;
    struct pipeline pipeline;
    struct crash crashes[CRASHES_MAX];
    struct world *world;
    uint64_t restores;
    uint64_t checkpoints;
    uint64_t aborts;
    uint64_t hash;
};

static void on_fact(void *context, const struct fact_event *event)
{
    struct dataflow *dataflow = context;
    dataflow->restores += event->fact.kind == FACT_RESTORE_CHOSEN && event->fact.checkpoint > 0;
    dataflow->checkpoints += event->fact.kind == FACT_CHECKPOINT_COMPLETED;
    dataflow->aborts += event->fact.kind == FACT_CHECKPOINT_ABORTED;
}

static void crash(void *context, uint32_t number)
{
    struct dataflow *dataflow = context;
    ck_assert(world_crash(dataflow->world, dataflow->crashes[number].process, 50 * CLUSTER_MS));
}

static void run(struct dataflow *dataflow, uint64_t seed)
{
    cluster_init(&dataflow->cluster);
    struct arena *arena = &dataflow->cluster.arena;
    struct scenario *scenario = &dataflow->cluster.scenario;
    scenario->seed = seed;
    scenario->job.parallelism = PARALLELISM;
    scenario->job.checkpoint.interval_ns = 150 * CLUSTER_MS;
    struct input_config *input = &scenario->job.input;
    CHECK(input->records == RECORDS && input->keys == KEYS);
    input->generator = generator_create(arena, input->keys, input->skew_ppm, input->seed);
    build(&dataflow->pipeline);
    dataflow->world = world_create(arena, scenario, &dataflow->pipeline, (struct bytes){ 0 });
    world_add_listener(dataflow->world,
                       (struct world_listener){ .on_fact = on_fact, .context = dataflow });
    for (uint32_t i = 0; i < CRASHES_MAX; i++) {
        if (dataflow->crashes[i].at_ns > 0) {
            world_call_at(dataflow->world, dataflow->crashes[i].at_ns, crash, dataflow, i);
        }
    }
    ck_assert_int_eq(world_run(dataflow->world), OUTCOME_FINISHED);
    dataflow->hash = world_trace_hash(dataflow->world);

    struct lines expected = { .arena = arena };
    expect_lines(&expected, input->generator);
    struct reading reading = { .disk = world_shared_disk(dataflow->world),
                               .lines = { .arena = arena } };
    disk_each_file(reading.disk, read_output, &reading);
    qsort(reading.lines.texts, reading.lines.count, sizeof *reading.lines.texts, compare_lines);
    for (size_t i = 0; i < expected.count && i < reading.lines.count; i++) {
        ck_assert_str_eq(reading.lines.texts[i], expected.texts[i]);
    }
    ck_assert_uint_eq(reading.lines.count, expected.count);
    world_destroy(dataflow->world);
    cluster_free(&dataflow->cluster);
}

START_TEST(a_job_with_every_exchange_commits_what_a_plain_computation_says)
{
    struct dataflow *dataflow = calloc(1, sizeof *dataflow);
    run(dataflow, 1);
    ck_assert_uint_eq(dataflow->restores, 0);
    ck_assert_uint_ge(dataflow->checkpoints, 5);
    free(dataflow);
}
END_TEST

START_TEST(crashes_of_task_managers_change_nothing)
{
    uint64_t restores = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct dataflow *dataflow = calloc(1, sizeof *dataflow);
        dataflow->crashes[0] = (struct crash){ (300 + 37 * seed) * CLUSTER_MS, 1 };
        dataflow->crashes[1] = (struct crash){ (1100 + 53 * seed) * CLUSTER_MS, 2 };
        dataflow->crashes[2] = (struct crash){ (1900 + 29 * seed) * CLUSTER_MS, 1 };
        run(dataflow, seed);
        restores += dataflow->restores;
        free(dataflow);
    }
    ck_assert_uint_ge(restores, 24);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_run)
{
    uint64_t hashes[2];
    for (int i = 0; i < 2; i++) {
        struct dataflow *dataflow = calloc(1, sizeof *dataflow);
        dataflow->crashes[0] = (struct crash){ 700 * CLUSTER_MS, 2 };
        run(dataflow, 5);
        hashes[i] = dataflow->hash;
        free(dataflow);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

/* ---- sources that end at different times ----------------------------------------------------- */

/* Subtasks that read from the subtask with their own number of two sources. */
static void build_forward(struct pipeline *pipeline)
{
    pipeline_init(pipeline);
    struct stream first = pipeline_source(pipeline, "first");
    struct stream second = pipeline_source(pipeline, "second");
    stream_file_sink(stream_map(stream_union(first, second), "all", &passing), "sink");
}

/* A few long lines, then many short ones: the first subtask has a third of the bytes, but reads
 * few records of a rate that is the same for all. */
static struct bytes lopsided_input(struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, arena);
    for (int i = 0; i < 20; i++) {
        buffer_append_format(&text, "%0150d\n", i);
    }
    for (int i = 0; i < 3000; i++) {
        buffer_append_format(&text, "%d\n", i % 10);
    }
    return buffer_bytes(&text);
}

/* With at_least_once the end of the second source comes between two barriers of one checkpoint, if
 * it is delayed: then the subtask behind both needs one checkpoint more than they do. */
START_TEST(a_subtask_whose_feeders_have_finished_does_not_hold_up_checkpoints)
{
    struct dataflow *dataflow = calloc(1, sizeof *dataflow);
    cluster_init(&dataflow->cluster);
    struct scenario *scenario = &dataflow->cluster.scenario;
    scenario->job.parallelism = PARALLELISM;
    scenario->job.checkpoint.interval_ns = 150 * CLUSTER_MS;
    scenario->job.checkpoint.timeout_ns = CLUSTER_S;
    scenario->job.checkpoint.mode = MODE_AT_LEAST_ONCE;
    scenario->job.input.kind = INPUT_FILE;
    struct bytes input = lopsided_input(&dataflow->cluster.arena);
    build_forward(&dataflow->pipeline);
    dataflow->world = world_create(&dataflow->cluster.arena, scenario, &dataflow->pipeline, input);
    world_add_listener(dataflow->world,
                       (struct world_listener){ .on_fact = on_fact, .context = dataflow });
    world_delay(dataflow->world, 1, CLUSTER_S, 200 * CLUSTER_MS);
    ck_assert_int_eq(world_run(dataflow->world), OUTCOME_FINISHED);
    ck_assert_uint_ge(dataflow->checkpoints, 8);
    ck_assert_uint_eq(dataflow->aborts, 0);
    world_destroy(dataflow->world);
    cluster_free(&dataflow->cluster);
    free(dataflow);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("dataflow");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_job_with_every_exchange_commits_what_a_plain_computation_says);
    tcase_add_test(tcase, crashes_of_task_managers_change_nothing);
    tcase_add_test(tcase, the_same_seed_gives_the_same_run);
    tcase_add_test(tcase, a_subtask_whose_feeders_have_finished_does_not_hold_up_checkpoints);
    Suite *suite = suite_create("dataflow");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
