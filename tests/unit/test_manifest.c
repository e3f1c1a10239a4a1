#include "model/checkpoint/manifest.h"

#include <signal.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/base/prng.h"
#include "tests/support/keyed.h"
#include "tests/support/runner.h"

enum { CHECKSUM_BYTES = 8 };

static struct arena arena;
static struct buffer encoded;

static void setup(void)
{
    arena_init(&arena);
    buffer_init(&encoded, &arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static struct bytes text(const char *value)
{
    return bytes_of_text(value);
}

/* A source that is finished in part, and a count with every kind of handle. */
static void encode_example(void)
{
    const struct state_handle parts[] = {
        { .kind = HANDLE_INLINE, .size_bytes = 5, .checksum = 1, .location = text("a=1,b") },
        { .kind = HANDLE_FILE,
          .size_bytes = 1u << 30,
          .checksum = UINT64_MAX,
          .location = text("checkpoints/chk-9/count-1") },
    };
    struct subtask_state sources[2] = { { .operators = text("position 17") },
                                        { .finished = true } };
    struct subtask_state counts[3] = {
        { .operators = text("sink"),
          .keyed = keyed_of(&arena, parts, 1) },
        { .keyed = keyed_of(&arena, parts, 2) },
        { .keyed = { .part_count = 0 } },
    };
    struct manifest_vertex vertices[2] = {
        { .name = text("source"), .parallelism = 2, .subtasks = sources },
        { .name = text("count"), .parallelism = 3, .subtasks = counts },
    };
    struct manifest manifest = { .job = text("count"),
                                 .checkpoint = 9,
                                 .attempt = 3,
                                 .triggered_ns = UINT64_C(123456789012),
                                 .max_parallelism = 128,
                                 .vertex_count = 2,
                                 .vertices = vertices };
    buffer_reset(&encoded);
    manifest_encode(&encoded, &manifest);
}

static enum status decode(struct manifest *manifest)
{
    return manifest_decode(manifest, &arena, buffer_bytes(&encoded));
}

/* Makes the checksum agree with damaged content. */
static void seal(void)
{
    struct bytes body = { .data = encoded.data, .size = encoded.size - CHECKSUM_BYTES };
    store_u64(encoded.data + body.size, hash_bytes(body));
}

START_TEST(what_is_encoded_is_decoded)
{
    struct manifest manifest;
    encode_example();
    ck_assert_int_eq(decode(&manifest), STATUS_OK);
    ck_assert(bytes_equal(manifest.job, text("count")));
    ck_assert_uint_eq(manifest.checkpoint, 9);
    ck_assert_uint_eq(manifest.attempt, 3);
    ck_assert_uint_eq(manifest.triggered_ns, UINT64_C(123456789012));
    ck_assert_uint_eq(manifest.max_parallelism, 128);
    ck_assert_uint_eq(manifest.vertex_count, 2);
    const struct manifest_vertex *source = &manifest.vertices[0];
    ck_assert(bytes_equal(source->name, text("source")));
    ck_assert_uint_eq(source->parallelism, 2);
    ck_assert(bytes_equal(source->subtasks[0].operators, text("position 17")));
    ck_assert(!source->subtasks[0].finished);
    ck_assert(source->subtasks[1].finished);
    const struct manifest_vertex *count = &manifest.vertices[1];
    ck_assert_uint_eq(count->parallelism, 3);
    ck_assert_uint_eq(count->subtasks[0].keyed.part_count, 1);
    ck_assert_uint_eq(count->subtasks[1].keyed.part_count, 2);
    ck_assert_uint_eq(count->subtasks[1].keyed.size_bytes, (1u << 30) + 5);
    struct state_handle part = part_of(&count->subtasks[1].keyed, 0);
    ck_assert_int_eq(part.kind, HANDLE_INLINE);
    ck_assert(bytes_equal(part.location, text("a=1,b")));
    part = part_of(&count->subtasks[1].keyed, 1);
    ck_assert_int_eq(part.kind, HANDLE_FILE);
    ck_assert_uint_eq(part.size_bytes, 1u << 30);
    ck_assert_uint_eq(part.checksum, UINT64_MAX);
    ck_assert(bytes_equal(part.location, text("checkpoints/chk-9/count-1")));
    ck_assert_uint_eq(count->subtasks[2].keyed.part_count, 0);
}
END_TEST

START_TEST(decoding_and_encoding_again_gives_the_same_bytes)
{
    struct manifest manifest;
    struct buffer again;
    buffer_init(&again, &arena);
    encode_example();
    ck_assert_int_eq(decode(&manifest), STATUS_OK);
    manifest_encode(&again, &manifest);
    ck_assert(bytes_equal(buffer_bytes(&again), buffer_bytes(&encoded)));
}
END_TEST

START_TEST(the_encoding_is_fixed)
{
    static const uint8_t head[] = { 'F', 'L', 'K', 'M', 2, 0, 5, 0, 0, 0, 'c', 'o',
                                    'u', 'n', 't', 9,   0, 0, 0, 0, 0, 0, 0 };
    encode_example();
    ck_assert_mem_eq(encoded.data, head, sizeof head);
    ck_assert_uint_eq(encoded.size, 240);
}
END_TEST

START_TEST(a_manifest_may_follow_other_bytes_in_the_buffer)
{
    struct manifest manifest;
    struct manifest empty = { .job = text("j"), .checkpoint = 1 };
    buffer_append_text(&encoded, "before");
    manifest_encode(&encoded, &empty);
    struct bytes input = { .data = encoded.data + 6, .size = encoded.size - 6 };
    ck_assert_int_eq(manifest_decode(&manifest, &arena, input), STATUS_OK);
    ck_assert_uint_eq(manifest.vertex_count, 0);
}
END_TEST

START_TEST(every_flipped_bit_is_found)
{
    struct manifest manifest;
    encode_example();
    for (size_t bit = 0; bit < encoded.size * 8; bit++) {
        encoded.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(decode(&manifest), STATUS_CORRUPT);
        encoded.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(decode(&manifest), STATUS_OK);
}
END_TEST

START_TEST(every_shorter_manifest_is_damaged)
{
    struct manifest manifest;
    encode_example();
    for (size_t size = 0; size < encoded.size; size++) {
        struct bytes input = { .data = encoded.data, .size = size };
        ck_assert_int_eq(manifest_decode(&manifest, &arena, input), STATUS_CORRUPT);
    }
}
END_TEST

START_TEST(every_shorter_body_is_damaged_even_with_its_own_checksum)
{
    struct manifest manifest;
    encode_example();
    while (encoded.size > CHECKSUM_BYTES) {
        encoded.size--;
        seal();
        ck_assert_int_eq(decode(&manifest), STATUS_CORRUPT);
    }
}
END_TEST

START_TEST(bytes_behind_the_end_are_damage)
{
    struct manifest manifest;
    encode_example();
    buffer_append_text(&encoded, "x");
    seal();
    ck_assert_int_eq(decode(&manifest), STATUS_CORRUPT);
}
END_TEST

START_TEST(another_magic_or_version_is_refused)
{
    struct manifest manifest;
    encode_example();
    encoded.data[0]++;
    seal();
    ck_assert_int_eq(decode(&manifest), STATUS_CORRUPT);
    encode_example();
    encoded.data[4]++;
    seal();
    ck_assert_int_eq(decode(&manifest), STATUS_CORRUPT);
}
END_TEST

START_TEST(random_damage_under_a_right_checksum_never_crashes_the_decoder)
{
    struct prng prng = { .state = 3 };
    unsigned corrupt_count = 0;
    for (unsigned i = 0; i < 20000; i++) {
        struct manifest manifest;
        encode_example();
        size_t at = prng_below(&prng, encoded.size - CHECKSUM_BYTES);
        encoded.data[at] = (uint8_t)prng_next(&prng);
        seal();
        enum status status = decode(&manifest);
        ck_assert(status == STATUS_OK || status == STATUS_CORRUPT);
        corrupt_count += status == STATUS_CORRUPT;
    }
    ck_assert_uint_gt(corrupt_count, 1000);
}
END_TEST

START_TEST(a_huge_count_is_damage_and_no_allocation)
{
    struct manifest manifest;
    struct manifest empty = { .job = text("j"), .checkpoint = 1 };
    manifest_encode(&encoded, &empty);
    memset(encoded.data + encoded.size - CHECKSUM_BYTES - 4, 0xff, 4);
    seal();
    ck_assert_int_eq(decode(&manifest), STATUS_CORRUPT);
}
END_TEST

static bool handle_decodes(uint8_t kind, uint64_t size_bytes, struct bytes location)
{
    struct state_handle handle;
    struct decoder decoder;
    buffer_reset(&encoded);
    encode_u8(&encoded, kind);
    encode_u64(&encoded, size_bytes);
    encode_u64(&encoded, 0);
    encode_bytes(&encoded, location);
    decoder_init(&decoder, buffer_bytes(&encoded));
    state_handle_decode(&decoder, &handle);
    return decoder_finish(&decoder) == STATUS_OK;
}

START_TEST(a_handle_that_contradicts_itself_is_damage)
{
    ck_assert(!handle_decodes(0, 0, text("")));
    ck_assert(handle_decodes(HANDLE_INLINE, 3, text("abc")));
    ck_assert(!handle_decodes(HANDLE_INLINE, 2, text("abc")));
    ck_assert(handle_decodes(HANDLE_FILE, 100, text("path")));
    ck_assert(!handle_decodes(HANDLE_FILE, 100, text("")));
    ck_assert(!handle_decodes(HANDLE_FILE, 100, (struct bytes){ (const uint8_t *)"a\0b", 3 }));
    ck_assert(!handle_decodes(HANDLE_FILE + 1, 0, text("")));
}
END_TEST

START_TEST(parts_whose_sizes_do_not_add_up_to_a_number_are_damage)
{
    struct keyed_state keyed;
    struct decoder decoder;
    buffer_reset(&encoded);
    encode_u32(&encoded, 2);
    for (uint64_t i = 0; i < 2; i++) {
        state_handle_encode(&encoded, &(struct state_handle){ .kind = HANDLE_FILE,
                                                              .size_bytes = UINT64_MAX - i,
                                                              .location = text("path") });
    }
    decoder_init(&decoder, buffer_bytes(&encoded));
    keyed_state_decode(&decoder, &keyed);
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_CORRUPT);
    ck_assert_uint_eq(keyed.part_count, 0);
}
END_TEST

START_TEST(a_subtask_is_finished_or_not)
{
    for (uint8_t finished = 0; finished < 3; finished++) {
        struct subtask_state subtask = { .finished = false };
        struct decoder decoder;
        buffer_reset(&encoded);
        subtask_state_encode(&encoded, &subtask);
        encoded.data[0] = finished;
        decoder_init(&decoder, buffer_bytes(&encoded));
        subtask_state_decode(&decoder, &subtask);
        ck_assert_int_eq(decoder_finish(&decoder), finished < 2 ? STATUS_OK : STATUS_CORRUPT);
        ck_assert(finished > 1 || subtask.finished == (finished == 1));
    }
}
END_TEST

START_TEST(a_manifest_of_checkpoint_zero_is_damage)
{
    struct manifest manifest;
    encode_example();
    memset(encoded.data + 15, 0, 8);
    seal();
    ck_assert_int_eq(decode(&manifest), STATUS_CORRUPT);
}
END_TEST

START_TEST(checkpoint_zero_cannot_be_encoded)
{
    struct manifest manifest = { .job = text("j") };
    manifest_encode(&encoded, &manifest);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("manifest");
    TCase *tests = tcase_create("manifest");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_encoded_is_decoded);
    tcase_add_test(tests, decoding_and_encoding_again_gives_the_same_bytes);
    tcase_add_test(tests, the_encoding_is_fixed);
    tcase_add_test(tests, a_manifest_may_follow_other_bytes_in_the_buffer);
    tcase_add_test(tests, every_flipped_bit_is_found);
    tcase_add_test(tests, every_shorter_manifest_is_damaged);
    tcase_add_test(tests, every_shorter_body_is_damaged_even_with_its_own_checksum);
    tcase_add_test(tests, bytes_behind_the_end_are_damage);
    tcase_add_test(tests, another_magic_or_version_is_refused);
    tcase_add_test(tests, random_damage_under_a_right_checksum_never_crashes_the_decoder);
    tcase_add_test(tests, a_huge_count_is_damage_and_no_allocation);
    tcase_add_test(tests, a_handle_that_contradicts_itself_is_damage);
    tcase_add_test(tests, parts_whose_sizes_do_not_add_up_to_a_number_are_damage);
    tcase_add_test(tests, a_subtask_is_finished_or_not);
    tcase_add_test(tests, a_manifest_of_checkpoint_zero_is_damage);
    tcase_add_test_raise_signal(tests, checkpoint_zero_cannot_be_encoded, SIGABRT);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
