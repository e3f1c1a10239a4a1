#include "model/runtime/messages.h"

#include <signal.h>
#include <string.h>

#include "model/checkpoint/carried.h"
#include "tests/support/keyed.h"
#include "tests/support/message_host.h"
#include "tests/support/runner.h"

static struct message_host host;

static void setup(void)
{
    message_host_init(&host);
}

static void teardown(void)
{
    message_host_free(&host);
}

/* A copy of `message` with `size` bytes of data and nothing behind them. */
static struct message *cut(const struct message *message, uint32_t size)
{
    struct message *copy = host_message_new(&host.host, size);
    copy->kind = message->kind;
    copy->attempt = message->attempt;
    copy->size = size;
    memcpy(copy->data, message->data, size);
    return copy;
}

/* `decode` refuses the message cut anywhere, and the message with a byte too many. */
static void assert_only_whole(const struct message *message,
                              enum status (*decode)(const struct message *))
{
    ck_assert_int_eq(decode(message), STATUS_OK);
    for (uint32_t size = 0; size < message->size; size++) {
        ck_assert_int_eq(decode(cut(message, size)), STATUS_CORRUPT);
    }
    struct message *longer = host_message_new(&host.host, message->size + 1);
    longer->kind = message->kind;
    longer->size = message->size + 1;
    memcpy(longer->data, message->data, message->size);
    longer->data[message->size] = 0;
    ck_assert_int_eq(decode(longer), STATUS_CORRUPT);
}

static void assert_states_equal(const struct subtask_state *a, const struct subtask_state *b)
{
    ck_assert_int_eq(a->finished, b->finished);
    ck_assert(bytes_equal(a->operators, b->operators));
    ck_assert_uint_eq(a->keyed.part_count, b->keyed.part_count);
    ck_assert_uint_eq(a->keyed.size_bytes, b->keyed.size_bytes);
    ck_assert(bytes_equal(a->keyed.parts, b->keyed.parts));
}

/* Of `part_count` parts, at most two. */
static struct subtask_state some_state(uint64_t number, uint32_t part_count)
{
    const struct state_handle parts[] = { { .kind = HANDLE_FILE,
                                            .size_bytes = 1000 + number,
                                            .checksum = UINT64_MAX - number,
                                            .location = bytes_of_text("checkpoints/chk-1/c") },
                                          { .kind = HANDLE_INLINE,
                                            .size_bytes = 10,
                                            .location = bytes_of_text("0123456789") } };
    return (struct subtask_state){ .operators = bytes_of_text("operators"),
                                   .keyed = keyed_of(&host.arena, parts, part_count) };
}

START_TEST(a_plain_message_has_a_kind_and_an_attempt)
{
    const struct message *message = message_of_kind(&host.host, MESSAGE_RUN, 5);
    ck_assert_uint_eq(message->kind, MESSAGE_RUN);
    ck_assert_uint_eq(message->attempt, 5);
    ck_assert_uint_eq(message->size, 0);
    ck_assert_uint_eq(message->channel, 0);
    ck_assert_uint_eq(message->stream, 0);
}
END_TEST

START_TEST(a_number_travels_in_the_data)
{
    static const uint64_t numbers[] = { 0, 1, UINT32_MAX, UINT64_MAX };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct message *message =
            message_of_number(&host.host, MESSAGE_NOTIFY_COMPLETE, 5, numbers[i]);
        ck_assert_uint_eq(message->kind, MESSAGE_NOTIFY_COMPLETE);
        ck_assert_uint_eq(message->attempt, 5);
        ck_assert_uint_eq(message_number(message), numbers[i]);
    }
}
END_TEST

START_TEST(a_buffer_becomes_the_data)
{
    struct buffer data;
    buffer_init(&data, &host.arena);
    ck_assert_uint_eq(message_of_buffer(&host.host, MESSAGE_DATA, 1, &data)->size, 0);
    buffer_append_text(&data, "content");
    const struct message *message = message_of_buffer(&host.host, MESSAGE_DATA, 1, &data);
    ck_assert(bytes_equal(message_bytes(message), bytes_of_text("content")));
}
END_TEST

static enum status decode_registration(const struct message *message)
{
    struct registration registration;
    return registration_decode(message, &registration);
}

START_TEST(a_registration_is_read_back)
{
    const struct registration sent = { .slots = 2, .session = UINT32_MAX };
    const struct message *message = registration_encode(&host.host, &sent);
    struct registration got;
    ck_assert_uint_eq(message->kind, MESSAGE_REGISTER);
    ck_assert_int_eq(registration_decode(message, &got), STATUS_OK);
    ck_assert_uint_eq(got.slots, 2);
    ck_assert_uint_eq(got.session, UINT32_MAX);
    assert_only_whole(message, decode_registration);
}
END_TEST

START_TEST(a_trigger_is_read_back)
{
    const struct trigger sent = { .checkpoint = UINT64_MAX,
                                  .triggered_ns = 12345678901,
                                  .base = UINT64_MAX - 1 };
    const struct message *message = trigger_encode(&host.host, MESSAGE_BARRIER, 4, &sent);
    struct trigger got = trigger_decode(message);
    ck_assert_uint_eq(message->kind, MESSAGE_BARRIER);
    ck_assert_uint_eq(message->attempt, 4);
    ck_assert_uint_eq(got.checkpoint, sent.checkpoint);
    ck_assert_uint_eq(got.triggered_ns, sent.triggered_ns);
    ck_assert_uint_eq(got.base, sent.base);
}
END_TEST

static enum status decode_acknowledgement(const struct message *message)
{
    struct acknowledgement acknowledgement;
    return acknowledgement_decode(message, &acknowledgement);
}

START_TEST(an_acknowledgement_is_read_back)
{
    for (uint32_t part_count = 0; part_count <= 2; part_count++) {
        struct acknowledgement sent = { .checkpoint = 17,
                                        .after_end = part_count == 2,
                                        .written_bytes = 18,
                                        .state = some_state(1, part_count) };
        struct buffer carried;
        buffer_init(&carried, &host.arena);
        for (uint32_t i = 0; i < part_count; i++) {
            carried_add(&carried, bytes_of_text("checkpoints/chk-17/count-0"),
                        bytes_of_text("state"));
        }
        sent.carried = buffer_bytes(&carried);
        const struct message *message = acknowledgement_encode(&host.host, 6, 21, &sent);
        struct acknowledgement got;
        ck_assert_uint_eq(message->kind, MESSAGE_ACK);
        ck_assert_uint_eq(message->attempt, 6);
        ck_assert_uint_eq(message->channel, 21); /* which subtask */
        ck_assert_int_eq(acknowledgement_decode(message, &got), STATUS_OK);
        ck_assert_uint_eq(got.checkpoint, 17);
        ck_assert_int_eq(got.after_end, sent.after_end);
        ck_assert_uint_eq(got.written_bytes, 18);
        assert_states_equal(&got.state, &sent.state);
        ck_assert(bytes_equal(got.carried, sent.carried));
        if (part_count == 0) {
            assert_only_whole(message, decode_acknowledgement);
        }
    }
}
END_TEST

static enum status decode_failure(const struct message *message)
{
    struct failure failure;
    return failure_decode(message, &failure);
}

START_TEST(a_failure_is_read_back)
{
    for (int flags = 0; flags < 4; flags++) {
        const struct failure sent = { .checkpoint = 8,
                                      .is_final = (flags & 1) != 0,
                                      .superseded = (flags & 2) != 0,
                                      .why = bytes_of_text("in.txt:3: not a number") };
        const struct message *message = failure_encode(&host.host, MESSAGE_DECLINE, 2, 5, &sent);
        struct failure got;
        ck_assert_uint_eq(message->kind, MESSAGE_DECLINE);
        ck_assert_uint_eq(message->channel, 5);
        ck_assert_int_eq(failure_decode(message, &got), STATUS_OK);
        ck_assert_uint_eq(got.checkpoint, 8);
        ck_assert_int_eq(got.is_final, sent.is_final);
        ck_assert_int_eq(got.superseded, sent.superseded);
        ck_assert(bytes_equal(got.why, sent.why));
        assert_only_whole(message, decode_failure);
    }
}
END_TEST

START_TEST(an_upload_result_is_read_back)
{
    const struct upload_result sent = { .checkpoint = 3,
                                        .part = 4,
                                        .status = STATUS_NO_SPACE,
                                        .size_bytes = UINT64_MAX,
                                        .checksum = UINT64_C(0x0123456789abcdef),
                                        .wait_ns = UINT64_MAX - 1 };
    const struct message *message = upload_result_encode(&host.host, 7, &sent);
    struct upload_result got = upload_result_decode(message);
    ck_assert_uint_eq(message->kind, MESSAGE_UPLOAD_DONE);
    ck_assert_uint_eq(message->attempt, 7);
    ck_assert_uint_eq(got.checkpoint, 3);
    ck_assert_uint_eq(got.part, 4);
    ck_assert_int_eq(got.status, STATUS_NO_SPACE);
    ck_assert_uint_eq(got.size_bytes, UINT64_MAX);
    ck_assert_uint_eq(got.checksum, sent.checksum);
    ck_assert_uint_eq(got.wait_ns, UINT64_MAX - 1);
}
END_TEST

static enum status decode_deployment(const struct message *message)
{
    struct deployment deployment;
    return deployment_decode(message, &host.arena, &deployment);
}

/* The operators of the first of the states, and the keyed state of `count` of them. */
static struct assigned_state assigned(const struct subtask_state *states, uint32_t count)
{
    struct assigned_state state = { .operators = states[0].operators, .keyed_count = count };
    state.keyed = arena_alloc(&host.arena, count, sizeof *state.keyed);
    for (uint32_t i = 0; i < count; i++) {
        state.keyed[i] = states[i].keyed;
    }
    return state;
}

static void assert_assigned_equal(const struct assigned_state *got,
                                  const struct assigned_state *expected)
{
    ck_assert_int_eq(got->finished, expected->finished);
    ck_assert(bytes_equal(got->operators, expected->operators));
    ck_assert_uint_eq(got->keyed_count, expected->keyed_count);
    ck_assert_uint_eq(assigned_state_bytes(got), assigned_state_bytes(expected));
    for (uint32_t i = 0; i < got->keyed_count; i++) {
        ck_assert_uint_eq(got->keyed[i].part_count, expected->keyed[i].part_count);
        ck_assert(bytes_equal(got->keyed[i].parts, expected->keyed[i].parts));
    }
}

START_TEST(a_rescale_request_is_read_back)
{
    const struct rescale_request sent = { .parallelism = 5, .max_parallelism = 32768 };
    struct buffer data;
    struct rescale_request got;
    buffer_init(&data, &host.arena);
    rescale_request_encode(&data, &sent);
    const struct message *message = message_of_buffer(&host.host, MESSAGE_RESCALE, 0, &data);
    ck_assert_int_eq(rescale_request_decode(message, &got), STATUS_OK);
    ck_assert_uint_eq(got.parallelism, 5);
    ck_assert_uint_eq(got.max_parallelism, 32768);
}
END_TEST

START_TEST(a_deployment_is_read_back)
{
    actor_id addresses[] = { 1, UINT64_MAX, 3, 4 };
    const struct subtask_state states[] = { some_state(1, 1), some_state(2, 2), some_state(3, 1) };
    struct deployed_subtask subtasks[] = {
        { .vertex = 0, .subtask = 1, .actor_index = 100, .state = assigned(&states[0], 1) },
        { .vertex = 1, .subtask = 0, .actor_index = 102, .state = assigned(&states[1], 2) },
        { .vertex = 1, .subtask = 1, .actor_index = 104, .state = { .finished = true } },
    };
    const struct deployment sent = { .attempt = 12,
                                     .parallelism = 2,
                                     .max_parallelism = 32768,
                                     .checkpoint = 34,
                                     .job_manager = actor_address(0, 3, 0),
                                     .task_count = 4,
                                     .addresses = addresses,
                                     .subtask_count = 3,
                                     .subtasks = subtasks };
    const struct message *message = deployment_encode(&host.host, &sent);
    struct deployment got;
    ck_assert_uint_eq(message->kind, MESSAGE_DEPLOY);
    ck_assert_int_eq(deployment_decode(message, &host.arena, &got), STATUS_OK);
    ck_assert_uint_eq(got.attempt, 12);
    ck_assert_uint_eq(got.checkpoint, 34);
    ck_assert_uint_eq(got.parallelism, 2);
    ck_assert_uint_eq(got.max_parallelism, 32768);
    ck_assert_uint_eq(got.job_manager, sent.job_manager);
    ck_assert_uint_eq(got.task_count, 4);
    ck_assert_mem_eq(got.addresses, addresses, sizeof addresses);
    ck_assert_uint_eq(got.subtask_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(got.subtasks[i].vertex, subtasks[i].vertex);
        ck_assert_uint_eq(got.subtasks[i].subtask, subtasks[i].subtask);
        ck_assert_uint_eq(got.subtasks[i].actor_index, subtasks[i].actor_index);
        assert_assigned_equal(&got.subtasks[i].state, &subtasks[i].state);
    }
    assert_only_whole(message, decode_deployment);
}
END_TEST

START_TEST(a_deployment_of_nothing_is_read_back)
{
    const struct deployment sent = { .attempt = 1 };
    struct deployment got;
    ck_assert_int_eq(deployment_decode(deployment_encode(&host.host, &sent), &host.arena, &got),
                     STATUS_OK);
    ck_assert_uint_eq(got.task_count, 0);
    ck_assert_uint_eq(got.subtask_count, 0);
}
END_TEST

START_TEST(a_deployment_of_more_than_it_holds_allocates_nothing)
{
    const struct deployment sent = { .attempt = 1 };
    struct message *message = deployment_encode(&host.host, &sent);
    store_u32(message->data + 24, UINT32_MAX); /* task_count */
    ck_assert_int_eq(decode_deployment(message), STATUS_CORRUPT);
    store_u32(message->data + 24, 0);
    store_u32(message->data + 28, UINT32_MAX); /* subtask_count */
    ck_assert_int_eq(decode_deployment(message), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_number_that_is_not_there_trips_a_check)
{
    (void)message_number(message_of_kind(&host.host, MESSAGE_RUN, 1));
}
END_TEST

START_TEST(a_trigger_of_the_wrong_size_trips_a_check)
{
    (void)trigger_decode(message_of_number(&host.host, MESSAGE_BARRIER, 1, 1));
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("messages");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_plain_message_has_a_kind_and_an_attempt);
    tcase_add_test(tcase, a_number_travels_in_the_data);
    tcase_add_test(tcase, a_buffer_becomes_the_data);
    tcase_add_test(tcase, a_registration_is_read_back);
    tcase_add_test(tcase, a_trigger_is_read_back);
    tcase_add_test(tcase, an_acknowledgement_is_read_back);
    tcase_add_test(tcase, a_failure_is_read_back);
    tcase_add_test(tcase, an_upload_result_is_read_back);
    tcase_add_test(tcase, a_rescale_request_is_read_back);
    tcase_add_test(tcase, a_deployment_is_read_back);
    tcase_add_test(tcase, a_deployment_of_nothing_is_read_back);
    tcase_add_test(tcase, a_deployment_of_more_than_it_holds_allocates_nothing);
    tcase_add_test_raise_signal(tcase, a_number_that_is_not_there_trips_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_trigger_of_the_wrong_size_trips_a_check, SIGABRT);
    Suite *suite = suite_create("messages");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
