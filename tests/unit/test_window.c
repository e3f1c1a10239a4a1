#include "model/stream/window.h"

#include <string.h>

#include "model/base/codec.h"
#include "tests/support/operator_bed.h"
#include "tests/support/runner.h"

static struct operator_bed bed;

/* The accumulator is the text of all values, in the order they came. */
static void create(struct buffer *accumulator)
{
    (void)accumulator;
}

static void add(struct buffer *accumulator, const struct record *record)
{
    buffer_append(accumulator, record->value);
}

static void merge(struct buffer *accumulator, struct bytes other)
{
    buffer_append_text(accumulator, "+");
    buffer_append(accumulator, other);
}

/* "KEY[START,END)VALUES" */
static void result(const struct aggregate_result *of, struct collector *out)
{
    struct buffer text;
    buffer_init(&text, &bed.arena);
    buffer_append_format(&text, "%lld[%lld,%lld)", (long long)load_u64(of->key->bytes.data),
                         (long long)of->window.start_ms, (long long)of->window.end_ms);
    buffer_append(&text, of->accumulator);
    collector_emit(out, &(struct record){ .value = buffer_bytes(&text) });
}

static const struct aggregate_function texts = {
    .create = create, .add = add, .merge = merge, .result = result
};

static void teardown(void)
{
    operator_bed_free(&bed);
}

static void begin(const struct window_parameters *parameters)
{
    operator_bed_open(&bed, &window_operator, parameters);
}

static void emits(const char *expected)
{
    ck_assert_str_eq(operator_bed_take(&bed), expected);
}

static const struct window_parameters tumbling = { .kind = WINDOW_TUMBLING,
                                                   .size_ms = 10,
                                                   .function = &texts };
static const struct window_parameters late_tumbling = { .kind = WINDOW_TUMBLING,
                                                        .size_ms = 10,
                                                        .lateness_ms = 20,
                                                        .late_tag = "late",
                                                        .function = &texts };
static const struct window_parameters sliding = {
    .kind = WINDOW_SLIDING, .size_ms = 10, .slide_ms = 5, .late_tag = "late", .function = &texts
};
static const struct window_parameters sessions = {
    .kind = WINDOW_SESSION, .gap_ms = 10, .late_tag = "late", .function = &texts
};

START_TEST(windows_begin_at_multiples_of_their_size)
{
    ck_assert_int_eq(window_start_ms(0, 0, 10), 0);
    ck_assert_int_eq(window_start_ms(9, 0, 10), 0);
    ck_assert_int_eq(window_start_ms(10, 0, 10), 10);
    ck_assert_int_eq(window_start_ms(-1, 0, 10), -10);
    ck_assert_int_eq(window_start_ms(-10, 0, 10), -10);
    ck_assert_int_eq(window_start_ms(13, 3, 10), 13);
    ck_assert_int_eq(window_start_ms(12, 3, 10), 3);
    ck_assert_int_eq(window_start_ms(0, 3, 10), -7);
    operator_bed_open(&bed, &window_operator, &tumbling);
}
END_TEST

/* N1 */
START_TEST(a_window_fires_when_the_watermark_passes_its_last_millisecond)
{
    begin(&tumbling);
    operator_bed_record(&bed, 1, "a", 3);
    operator_bed_record(&bed, 1, "b", 9);
    operator_bed_record(&bed, 1, "c", 10);
    operator_bed_watermark(&bed, 8);
    emits("");
    operator_bed_watermark(&bed, 9);
    emits("1[0,10)ab@9 ");
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("1[10,20)c@19 ");
    ck_assert_uint_eq(backend_entry_count(bed.context.backend), 0); /* nothing stays */
}
END_TEST

START_TEST(windows_fire_in_the_order_of_time_and_keys_have_their_own)
{
    begin(&tumbling);
    operator_bed_record(&bed, 2, "x", 15);
    operator_bed_record(&bed, 1, "a", 5);
    operator_bed_record(&bed, 2, "y", 1);
    operator_bed_watermark(&bed, 30);
    const char *got = operator_bed_take(&bed);
    ck_assert(strcmp(got, "1[0,10)a@9 2[0,10)y@9 2[10,20)x@19 ") == 0 ||
              strcmp(got, "2[0,10)y@9 1[0,10)a@9 2[10,20)x@19 ") == 0);
}
END_TEST

/* N3 */
START_TEST(a_late_record_without_side_output_is_dropped)
{
    begin(&tumbling);
    operator_bed_watermark(&bed, 9);
    operator_bed_record(&bed, 1, "a", 9);
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("");
    ck_assert_str_eq(operator_bed_take_late(&bed), "");
}
END_TEST

/* N2, N3 */
START_TEST(a_record_within_the_lateness_fires_the_window_again_and_a_later_one_goes_aside)
{
    begin(&late_tumbling);
    operator_bed_record(&bed, 1, "a", 5);
    operator_bed_watermark(&bed, 9);
    emits("1[0,10)a@9 ");
    operator_bed_record(&bed, 1, "b", 6);
    emits("1[0,10)ab@9 ");
    operator_bed_watermark(&bed, 28);
    emits("");
    operator_bed_record(&bed, 1, "c", 7);
    emits("1[0,10)abc@9 ");
    operator_bed_watermark(&bed, 29);
    emits("");
    ck_assert_uint_eq(backend_entry_count(bed.context.backend), 0);
    operator_bed_record(&bed, 1, "d", 8);
    emits("");
    ck_assert_str_eq(operator_bed_take_late(&bed), "d@8 ");
}
END_TEST

START_TEST(a_first_record_within_the_lateness_fires_at_once)
{
    begin(&late_tumbling);
    operator_bed_watermark(&bed, 15);
    operator_bed_record(&bed, 1, "a", 5);
    emits("1[0,10)a@9 ");
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("");
}
END_TEST

START_TEST(a_record_lies_in_every_sliding_window_around_it)
{
    begin(&sliding);
    operator_bed_record(&bed, 1, "a", 7);
    operator_bed_record(&bed, 1, "b", 12);
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("1[0,10)a@9 1[5,15)ab@14 1[10,20)b@19 ");
}
END_TEST

START_TEST(a_record_is_late_only_if_all_its_sliding_windows_are_gone)
{
    begin(&sliding);
    operator_bed_watermark(&bed, 9);
    operator_bed_record(&bed, 1, "a", 7);
    ck_assert_str_eq(operator_bed_take_late(&bed), "");
    operator_bed_watermark(&bed, 14);
    emits("1[5,15)a@14 ");
    operator_bed_record(&bed, 1, "b", 7);
    ck_assert_str_eq(operator_bed_take_late(&bed), "b@7 ");
}
END_TEST

/* N4 */
START_TEST(records_close_together_are_one_session)
{
    begin(&sessions);
    operator_bed_record(&bed, 1, "a", 0);
    operator_bed_record(&bed, 1, "b", 9);
    operator_bed_record(&bed, 1, "c", 19); /* [9,19) touches [19,29) */
    operator_bed_record(&bed, 1, "d", 30); /* one millisecond too late */
    operator_bed_record(&bed, 2, "x", 15);
    operator_bed_watermark(&bed, 27);
    emits("2[15,25)x@24 ");
    operator_bed_watermark(&bed, 28);
    emits("1[0,29)abc@28 ");
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("1[30,40)d@39 ");
    ck_assert_uint_eq(backend_entry_count(bed.context.backend), 0);
}
END_TEST

/* N4 */
START_TEST(a_record_between_two_sessions_makes_them_one)
{
    begin(&sessions);
    operator_bed_record(&bed, 1, "a", 0);
    operator_bed_record(&bed, 1, "b", 15);
    operator_bed_record(&bed, 1, "z", 40);
    operator_bed_record(&bed, 1, "c", 8);
    operator_bed_watermark(&bed, 24);
    emits("1[0,25)a+bc@24 "); /* merged, then the record */
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("1[40,50)z@49 ");
}
END_TEST

START_TEST(a_record_inside_a_session_does_not_prolong_it)
{
    begin(&sessions);
    operator_bed_record(&bed, 1, "a", 0);
    operator_bed_record(&bed, 1, "b", 8);
    operator_bed_record(&bed, 1, "c", 4);
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("1[0,18)abc@17 ");
}
END_TEST

START_TEST(a_late_record_that_touches_a_living_session_joins_it)
{
    begin(&sessions);
    operator_bed_record(&bed, 1, "b", 15);
    operator_bed_watermark(&bed, 19);
    operator_bed_record(&bed, 1, "a", 6); /* alone it would be late */
    ck_assert_str_eq(operator_bed_take_late(&bed), "");
    operator_bed_record(&bed, 2, "x", 6);
    ck_assert_str_eq(operator_bed_take_late(&bed), "x@6 ");
    operator_bed_watermark(&bed, WATERMARK_MAX);
    emits("1[6,25)ba@24 ");
}
END_TEST

START_TEST(windows_and_their_timers_survive_a_restart)
{
    begin(&sessions);
    operator_bed_record(&bed, 1, "a", 0);
    operator_bed_record(&bed, 2, "x", 3);
    operator_bed_watermark(&bed, 5);
    operator_bed_restart(&bed, &sessions);
    ck_assert_int_eq(bed.context.watermark_ms, WATERMARK_MIN);
    operator_bed_record(&bed, 1, "b", 5);
    operator_bed_watermark(&bed, 13);
    emits("2[3,13)x@12 ");
    operator_bed_watermark(&bed, 14);
    emits("1[0,15)ab@14 ");
}
END_TEST

START_TEST(a_record_without_timestamp_fails_the_job_for_good)
{
    begin(&tumbling);
    operator_bed_record(&bed, 1, "a", NO_TIMESTAMP);
    ck_assert_uint_gt(bed.context.failure.size, 0);
    ck_assert(bed.context.failure_is_final);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("window");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, windows_begin_at_multiples_of_their_size);
    tcase_add_test(tcase, a_window_fires_when_the_watermark_passes_its_last_millisecond);
    tcase_add_test(tcase, windows_fire_in_the_order_of_time_and_keys_have_their_own);
    tcase_add_test(tcase, a_late_record_without_side_output_is_dropped);
    tcase_add_test(tcase,
                   a_record_within_the_lateness_fires_the_window_again_and_a_later_one_goes_aside);
    tcase_add_test(tcase, a_first_record_within_the_lateness_fires_at_once);
    tcase_add_test(tcase, a_record_lies_in_every_sliding_window_around_it);
    tcase_add_test(tcase, a_record_is_late_only_if_all_its_sliding_windows_are_gone);
    tcase_add_test(tcase, records_close_together_are_one_session);
    tcase_add_test(tcase, a_record_between_two_sessions_makes_them_one);
    tcase_add_test(tcase, a_record_inside_a_session_does_not_prolong_it);
    tcase_add_test(tcase, a_late_record_that_touches_a_living_session_joins_it);
    tcase_add_test(tcase, windows_and_their_timers_survive_a_restart);
    tcase_add_test(tcase, a_record_without_timestamp_fails_the_job_for_good);
    Suite *suite = suite_create("window");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
