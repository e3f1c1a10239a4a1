#include "model/base/codec.h"

#include <string.h>

#include "tests/support/runner.h"

static struct arena arena;
static struct buffer buffer;

static void setup(void)
{
    arena_init(&arena);
    buffer_init(&buffer, &arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static void encode_one_of_each(void)
{
    encode_u8(&buffer, 0xfe);
    encode_u16(&buffer, 0xfedc);
    encode_u32(&buffer, 0xfedcba98);
    encode_u64(&buffer, UINT64_C(0xfedcba9876543210));
    encode_bytes(&buffer, bytes_of_text("bytes"));
    encode_bytes(&buffer, (struct bytes){ 0 });
}

START_TEST(numbers_are_written_little_endian)
{
    encode_u16(&buffer, 0x0102);
    encode_u32(&buffer, 0x03040506);
    encode_u64(&buffer, UINT64_C(0x0708090a0b0c0d0e));
    static const uint8_t expected[] = { 2, 1, 6, 5, 4, 3, 14, 13, 12, 11, 10, 9, 8, 7 };
    ck_assert_uint_eq(buffer.size, sizeof expected);
    ck_assert_mem_eq(buffer.data, expected, sizeof expected);
}
END_TEST

START_TEST(a_run_of_bytes_is_its_length_and_the_bytes)
{
    encode_bytes(&buffer, bytes_of_text("abc"));
    ck_assert_uint_eq(buffer.size, 7);
    ck_assert_mem_eq(buffer.data, "\3\0\0\0abc", 7);
}
END_TEST

START_TEST(what_was_written_is_read_back)
{
    encode_one_of_each();
    struct decoder decoder;
    decoder_init(&decoder, buffer_bytes(&buffer));
    ck_assert_uint_eq(decode_u8(&decoder), 0xfe);
    ck_assert_uint_eq(decode_u16(&decoder), 0xfedc);
    ck_assert_uint_eq(decode_u32(&decoder), 0xfedcba98);
    ck_assert_uint_eq(decode_u64(&decoder), UINT64_C(0xfedcba9876543210));
    ck_assert(bytes_equal(decode_bytes(&decoder), bytes_of_text("bytes")));
    ck_assert_uint_eq(decode_bytes(&decoder).size, 0);
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_OK);
}
END_TEST

/* An input cut anywhere is corrupt, and nothing behind its end is looked at: the address sanitizer
 * would tell. */
START_TEST(an_input_cut_anywhere_is_corrupt)
{
    encode_one_of_each();
    for (size_t size = 0; size < buffer.size; size++) {
        struct bytes cut = bytes_copy(&arena, (struct bytes){ buffer.data, size });
        struct decoder decoder;
        decoder_init(&decoder, cut);
        (void)decode_u8(&decoder);
        (void)decode_u16(&decoder);
        (void)decode_u32(&decoder);
        (void)decode_u64(&decoder);
        (void)decode_bytes(&decoder);
        (void)decode_bytes(&decoder);
        ck_assert_int_eq(decoder_finish(&decoder), STATUS_CORRUPT);
    }
}
END_TEST

START_TEST(after_an_error_every_read_answers_zero)
{
    static const uint8_t input[] = { 1, 2, 3 };
    struct decoder decoder;
    decoder_init(&decoder, (struct bytes){ input, sizeof input });
    ck_assert_uint_eq(decode_u32(&decoder), 0);
    ck_assert(decoder.failed);
    ck_assert_uint_eq(decode_u8(&decoder), 0); /* although three bytes are left */
    ck_assert_uint_eq(decode_u16(&decoder), 0);
    ck_assert_uint_eq(decode_u64(&decoder), 0);
    ck_assert_ptr_null(decode_bytes(&decoder).data);
    ck_assert_uint_eq(decode_bytes(&decoder).size, 0);
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_length_beyond_the_end_is_an_error)
{
    encode_u32(&buffer, UINT32_MAX);
    encode_u8(&buffer, 'x');
    struct decoder decoder;
    decoder_init(&decoder, buffer_bytes(&buffer));
    ck_assert_uint_eq(decode_bytes(&decoder).size, 0);
    ck_assert(decoder.failed);
}
END_TEST

START_TEST(an_input_not_read_to_its_end_is_corrupt)
{
    encode_u16(&buffer, 7);
    struct decoder decoder;
    decoder_init(&decoder, buffer_bytes(&buffer));
    ck_assert_uint_eq(decode_u8(&decoder), 7);
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_CORRUPT);
    ck_assert_uint_eq(decode_u8(&decoder), 0);
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_OK);
}
END_TEST

START_TEST(an_empty_input_is_whole)
{
    struct decoder decoder;
    decoder_init(&decoder, (struct bytes){ 0 });
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_OK);
    ck_assert_uint_eq(decode_u8(&decoder), 0);
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_CORRUPT);
}
END_TEST

START_TEST(numbers_lie_in_memory_at_any_alignment)
{
    uint8_t memory[16];
    for (size_t at = 0; at < 8; at++) {
        memset(memory, 0xaa, sizeof memory);
        store_u64(memory + at, UINT64_C(0x1122334455667788));
        ck_assert_uint_eq(load_u64(memory + at), UINT64_C(0x1122334455667788));
        store_u32(memory + at, 0x99aabbcc);
        ck_assert_uint_eq(load_u32(memory + at), 0x99aabbcc);
        ck_assert_uint_eq(load_u32(memory + at + 4), 0x11223344);
    }
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("codec");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, numbers_are_written_little_endian);
    tcase_add_test(tcase, a_run_of_bytes_is_its_length_and_the_bytes);
    tcase_add_test(tcase, what_was_written_is_read_back);
    tcase_add_test(tcase, an_input_cut_anywhere_is_corrupt);
    tcase_add_test(tcase, after_an_error_every_read_answers_zero);
    tcase_add_test(tcase, a_length_beyond_the_end_is_an_error);
    tcase_add_test(tcase, an_input_not_read_to_its_end_is_corrupt);
    tcase_add_test(tcase, an_empty_input_is_whole);
    tcase_add_test(tcase, numbers_lie_in_memory_at_any_alignment);
    Suite *suite = suite_create("codec");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
