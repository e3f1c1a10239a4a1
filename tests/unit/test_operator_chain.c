#include "model/runtime/operator_chain.h"

#include <signal.h>

#include "model/stream/watermark.h"
#include "tests/support/message_host.h"
#include "tests/support/runner.h"

static struct message_host host;
static struct pipeline pipeline;
static struct operator_context context;
static struct operator_chain chain;
static struct buffer seen;   /* "NAME=NUMBER@TIMESTAMP " for each record that left the chain */
static struct buffer passed; /* "OPERATOR:MS " or "OPERATOR:idle " for each watermark */

static void setup(void)
{
    message_host_init(&host);
    pipeline_init(&pipeline);
    context = (struct operator_context){ .host = &host.host,
                                         .timestamp_ms = NO_TIMESTAMP,
                                         .watermark_ms = WATERMARK_MIN };
    buffer_init(&context.failure, &host.arena);
    buffer_init(&seen, &host.arena);
    buffer_init(&passed, &host.arena);
}

static void teardown(void)
{
    message_host_free(&host);
}

static void note_record(void *target, const struct record *record)
{
    buffer_append_format(&seen, "%s=%lld@%lld ", (const char *)target,
                         (long long)record_to_i64(record), (long long)context.timestamp_ms);
}

static void note_watermark(void *target, uint32_t operator, struct watermark watermark)
{
    (void)target;
    if (watermark.is_idle) {
        buffer_append_format(&passed, "%u:idle ", operator);
    } else if (watermark.ms == WATERMARK_MAX) {
        buffer_append_format(&passed, "%u:max ", operator);
    } else {
        buffer_append_format(&passed, "%u:%lld ", operator,(long long) watermark.ms);
    }
}

static const char *take(struct buffer *buffer)
{
    *buffer_extend(buffer, 1) = '\0';
    buffer->size = 0;
    return (const char *)buffer->data;
}

static void open_chain(const struct chain_exit *exits, uint32_t exit_count)
{
    operator_chain_open(
        &chain, &(struct operator_chain_options){ .vertex = &pipeline.vertices[0],
                                                  .context = &context,
                                                  .exits = exits,
                                                  .exit_count = exit_count,
                                                  .watermarks = { .emit = note_watermark } });
}

static void process(int64_t number)
{
    uint8_t room[8];
    struct record record = record_i64(room, number);
    operator_chain_process(&chain, &record);
}

/* The head of the chain in these tests: what comes in goes out; negative numbers to a side. */
struct head {
    struct collector *out;
    struct collector *negative;
    struct collector *unread;
};

static void *head_open(struct operator_context *of, const void *parameters, struct collector *out)
{
    (void)parameters;
    struct head *head = arena_alloc(of->host->arena, 1, sizeof *head);
    head->out = out;
    head->negative = operator_side(of, "negative");
    head->unread = operator_side(of, "unread");
    return head;
}

static void head_process(void *self, const struct record *record)
{
    struct head *head = self;
    collector_emit(record_to_i64(record) < 0 ? head->negative : head->out, record);
    collector_emit(head->unread, record);
}

static const struct operator_ops head_operator = { .open = head_open, .process = head_process };

static struct stream begin(void)
{
    struct stream stream = pipeline_source(&pipeline, "head");
    pipeline.vertices[0].chain[0].ops = &head_operator; /* in place of the source */
    return stream;
}

static void twice(struct operator_context *of, const struct record *record, struct collector *out)
{
    (void)of;
    uint8_t room[8];
    struct record doubled = record_i64(room, 2 * record_to_i64(record));
    collector_emit(out, &doubled);
}

static bool is_small(struct operator_context *of, const struct record *record)
{
    (void)of;
    return record_to_i64(record) < 10;
}

static const struct map_parameters doubling = { .map = twice };
static const struct filter_parameters small = { .keep = is_small };

static struct chain_exit exit_at(uint32_t operator, const char * tag, const char *name)
{
    return (struct chain_exit){ .operator= operator,
                                .tag = tag,
                                .out = { .emit = note_record, .target = (void *)(uintptr_t)name } };
}

START_TEST(a_record_goes_to_everybody_who_reads_it_in_the_chain_and_outside)
{
    struct stream stream = begin();
    (void)stream_map(stream, "double", &doubling);
    (void)stream_filter(stream, "small", &small);
    struct chain_exit exits[] = { exit_at(0, NULL, "head"), exit_at(1, NULL, "double"),
                                  exit_at(2, NULL, "small") };
    open_chain(exits, 3);
    context.timestamp_ms = 1;
    process(7);
    process(20);
    ck_assert_str_eq(take(&seen), "double=14@1 small=7@1 head=7@1 double=40@1 head=20@1 ");
}
END_TEST

START_TEST(a_side_output_is_read_apart_and_one_that_nobody_reads_goes_nowhere)
{
    struct stream stream = begin();
    (void)stream_map(stream_side(stream, "negative"), "double", &doubling);
    struct chain_exit exits[] = { exit_at(0, NULL, "main"), exit_at(1, NULL, "double"),
                                  exit_at(0, "negative", "side") };
    open_chain(exits, 3);
    context.timestamp_ms = 1;
    process(3);
    process(-4);
    ck_assert_str_eq(take(&seen), "main=3@1 double=-8@1 side=-4@1 ");
}
END_TEST

static int64_t time_of(struct operator_context *of, const struct record *record)
{
    (void)of;
    return record_to_i64(record) * 100;
}

static const struct watermark_parameters strategy = { .timestamp_ms = time_of,
                                                      .disorder_ms = 10,
                                                      .idle_after_ns = 1000 };

START_TEST(timestamps_given_in_one_branch_are_not_seen_in_another)
{
    struct stream stream = begin();
    (void)stream_watermarks(stream, "time", &strategy);
    (void)stream_map(stream, "double", &doubling);
    struct chain_exit exits[] = { exit_at(1, NULL, "time"), exit_at(2, NULL, "double") };
    open_chain(exits, 2);
    context.timestamp_ms = 4;
    process(3);
    ck_assert_str_eq(take(&seen), "time=3@300 double=6@4 ");
}
END_TEST

START_TEST(watermarks_go_through_the_chain_but_end_where_others_are_made)
{
    struct stream stream = begin();
    struct stream timed = stream_watermarks(stream, "time", &strategy);
    (void)stream_map(timed, "double", &doubling);
    (void)stream_map(stream, "plain", &doubling);
    open_chain(NULL, 0);
    operator_chain_watermark(&chain, (struct watermark){ .ms = 5 });
    ck_assert_str_eq(take(&passed), "3:5 0:5 ");
    operator_chain_make_watermarks(&chain, 1);
    ck_assert_str_eq(take(&passed), "");
    process(3);
    process(2);
    operator_chain_make_watermarks(&chain, 2);
    ck_assert_str_eq(take(&passed), "2:289 1:289 ");
    operator_chain_make_watermarks(&chain, 3);
    ck_assert_str_eq(take(&passed), ""); /* nothing new */
    operator_chain_make_watermarks(&chain, 1100);
    ck_assert_str_eq(take(&passed), "2:idle 1:idle ");
    process(3);
    operator_chain_make_watermarks(&chain, 1200);
    ck_assert_str_eq(take(&passed), "2:289 1:289 "); /* active again */
    operator_chain_watermark(&chain, (struct watermark){ .ms = WATERMARK_MAX });
    ck_assert_str_eq(take(&passed), "2:max 1:max 3:max 0:max ");
}
END_TEST

static bool note_numbers(void *target, const int64_t *numbers, uint32_t count)
{
    buffer_append_format(&seen, "%s=%lld..%lld ", (const char *)target, (long long)numbers[0],
                         (long long)numbers[count - 1]);
    return true;
}

/* Offers two numbers at once to what stands behind the head. */
static bool emit_two(struct chain_exit *exits, uint32_t exit_count)
{
    static const int64_t numbers[] = { 3, 4 };
    for (uint32_t i = 0; i < exit_count; i++) {
        exits[i].out.emit_numbers = note_numbers;
    }
    open_chain(exits, exit_count);
    const struct head *head = chain.instances[0];
    return collector_emit_numbers(head->out, numbers, 2);
}

static const struct map_parameters keeping = { .map = twice, .keeps_numbers = true };

START_TEST(numbers_go_at_once_through_maps_that_keep_them_if_none_can_fail)
{
    (void)stream_map(begin(), "keep", &keeping);
    struct chain_exit exits[] = { exit_at(1, NULL, "keep"), exit_at(1, NULL, "again") };
    ck_assert(emit_two(exits, 1));
    ck_assert_str_eq(take(&seen), "keep=3..4 ");
    ck_assert(!emit_two(exits, 2)); /* each reader is to have the first before the second */
    host.host.throwing = 1u << HOST_CALL_MAP;
    ck_assert(!emit_two(exits, 1));
    host.host.throwing = 0;
    ck_assert(emit_two(exits, 1));
    ck_assert_str_eq(take(&seen), "keep=3..4 ");
}
END_TEST

START_TEST(numbers_do_not_go_at_once_through_a_map_that_changes_them)
{
    (void)stream_map(begin(), "double", &doubling);
    struct chain_exit exits[] = { exit_at(1, NULL, "double") };
    ck_assert(!emit_two(exits, 1));
    ck_assert_str_eq(take(&seen), "");
}
END_TEST

START_TEST(a_watermark_that_falls_trips_a_check)
{
    (void)begin();
    open_chain(NULL, 0);
    operator_chain_watermark(&chain, (struct watermark){ .ms = 5 });
    operator_chain_watermark(&chain, (struct watermark){ .ms = 4 });
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("operator_chain");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_record_goes_to_everybody_who_reads_it_in_the_chain_and_outside);
    tcase_add_test(tcase, a_side_output_is_read_apart_and_one_that_nobody_reads_goes_nowhere);
    tcase_add_test(tcase, timestamps_given_in_one_branch_are_not_seen_in_another);
    tcase_add_test(tcase, watermarks_go_through_the_chain_but_end_where_others_are_made);
    tcase_add_test(tcase, numbers_go_at_once_through_maps_that_keep_them_if_none_can_fail);
    tcase_add_test(tcase, numbers_do_not_go_at_once_through_a_map_that_changes_them);
    tcase_add_test_raise_signal(tcase, a_watermark_that_falls_trips_a_check, SIGABRT);
    Suite *suite = suite_create("operator_chain");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
