#include "model/runtime/task_snapshot.h"

#include <string.h>

#include "model/base/codec.h"
#include "model/runtime/uploader.h"
#include "model/state/changelog_backend.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/message_host.h"
#include "tests/support/runner.h"

/* What a subtask with a changelog writes ahead, as its uploader sees it: a message is told as
 * KIND checkpoint/part. */

enum { UPLOADER = 77, JOB_MANAGER = 5, KEYS = 100, PERSIST_BYTES = 1000, THRESHOLD = 500 };

#define INTERVAL_NS UINT64_C(1000)

static struct message_host machine;
static struct host_ops ops;
static struct task_snapshots snapshots;
static struct buffer failure;
static state_id state;
static uint64_t time_ns;
static uint32_t facts[FACT_KIND_COUNT];

static uint64_t now_ns(struct host *host)
{
    (void)host;
    return time_ns;
}

static void charge(struct host *host, enum host_work work, uint64_t amount)
{
    (void)host;
    (void)work;
    (void)amount;
}

static void trace(struct host *host, const struct fact *fact)
{
    (void)host;
    facts[fact->kind]++;
}

static actor_id spawn(struct host *host, uint32_t index, const struct actor_ops *actor,
                      struct bytes argument)
{
    (void)host;
    (void)index;
    (void)argument;
    ck_assert(actor == &uploader_actor);
    return UPLOADER;
}

static void put_all(uint64_t value)
{
    for (uint64_t key = 0; key < KEYS; key++) {
        put_number(snapshots.backend, state, key, value);
    }
}

static void answer(uint64_t checkpoint, uint32_t part, enum status status, uint64_t size_bytes)
{
    const struct upload_result result = {
        .checkpoint = checkpoint, .part = part, .status = status, .size_bytes = size_bytes
    };
    struct message *message = upload_result_encode(&machine.host, 1, &result);
    task_snapshots_on_upload(&snapshots, message);
    host_message_free(&machine.host, message);
}

/* Tells the message, and accepts it if it is a chunk. */
static void tell(struct message *message, struct buffer *text, uint64_t *bytes)
{
    static const char *const kinds[] = { [MESSAGE_UPLOAD_CHUNK] = "chunk",
                                         [MESSAGE_UPLOAD_END] = "end",
                                         [MESSAGE_UPLOAD_ADOPT] = "adopt",
                                         [MESSAGE_UPLOAD_ABANDON] = "abandon",
                                         [MESSAGE_ACK] = "ack",
                                         [MESSAGE_DECLINE] = "decline" };
    ck_assert_uint_le(message->kind, MESSAGE_UPLOAD_ABANDON);
    bool is_to_uploader = message->to == UPLOADER;
    buffer_append_format(text, "%s %llu/%u ", kinds[message->kind],
                         is_to_uploader ? (unsigned long long)message_number(message) : 0,
                         is_to_uploader ? message->channel : 0);
    if (message->kind == MESSAGE_UPLOAD_CHUNK) {
        *bytes += message->size - sizeof(uint64_t);
        message->kind = MESSAGE_UPLOAD_ACCEPTED;
        task_snapshots_on_upload(&snapshots, message);
    }
    host_message_free(&machine.host, message);
}

/* Does all work; returns the bytes that went to the uploader. What was sent is as `expected`. */
static uint64_t work(const char *expected)
{
    struct buffer text;
    uint64_t bytes = 0;
    buffer_init(&text, &machine.arena);
    do {
        if (task_snapshots_has_work(&snapshots)) {
            task_snapshots_step(&snapshots);
        }
        for (struct message *sent = message_host_take(&machine); sent != NULL;
             sent = message_host_take(&machine)) {
            tell(sent, &text, &bytes);
        }
    } while (task_snapshots_has_work(&snapshots));
    *buffer_extend(&text, 1) = '\0';
    ck_assert_str_eq((const char *)text.data, expected);
    return bytes;
}

static void take(uint64_t checkpoint, uint64_t base)
{
    struct buffer operators;
    buffer_init(&operators, &machine.arena);
    task_snapshots_begin(&snapshots, checkpoint, base, &operators, false);
}

/* Checkpoint 1 is a whole one. */
static void setup(void)
{
    message_host_init(&machine);
    ops = *machine.host.ops;
    ops.now_ns = now_ns;
    ops.charge = charge;
    ops.trace = trace;
    ops.spawn = spawn;
    machine.host.ops = &ops;
    time_ns = 0;
    memset(facts, 0, sizeof facts);
    buffer_init(&failure, &machine.arena);
    struct changelog_options options = { .parts_max = 100,
                                         .interval_ns = INTERVAL_NS,
                                         .persist_bytes = PERSIST_BYTES };
    snapshots = (struct task_snapshots){
        .host = &machine.host,
        .backend = changelog_backend_create(
            &machine.arena, backend_heap_create(&machine.arena, all_groups, 1), &options),
        .job_manager = JOB_MANAGER,
        .vertex_name = "count",
        .inline_threshold_bytes = THRESHOLD,
        .carried_max_bytes = UINT64_MAX,
        .incremental = true,
        .draft_failures_max = 1,
        .failure = &failure,
    };
    task_snapshots_init(&snapshots);
    state = backend_declare_value(snapshots.backend, "n");
    put_all(1);
    take(1, 0);
    uint64_t bytes = work("chunk 1/0 end 1/0 ");
    answer(1, 0, STATUS_OK, bytes);
    (void)work("ack 0/0 ");
}

static void teardown(void)
{
    message_host_free(&machine);
}

START_TEST(the_log_is_handed_over_and_its_rest_written_behind_it)
{
    put_all(2);
    uint64_t bytes = work("chunk 0/1 end 0/1 ");
    answer(0, 1, STATUS_OK, bytes);
    ck_assert_uint_eq(facts[FACT_LOG_APPENDED], 1);
    put_number(snapshots.backend, state, 1, 3);
    take(2, 1);
    uint64_t rest = work("adopt 2/0 chunk 2/0 end 2/0 ");
    ck_assert_uint_lt(rest, 100);
    answer(2, 0, STATUS_OK, bytes + rest);
    (void)work("ack 0/0 ");
    put_all(3);
    (void)work("chunk 0/2 end 0/2 "); /* the one before is none any more */
}
END_TEST

START_TEST(a_log_that_the_store_does_not_take_fails_no_checkpoint)
{
    put_all(2);
    (void)work("chunk 0/1 end 0/1 ");
    answer(0, 1, STATUS_IO, 0);
    (void)work("abandon 0/1 ");
    take(2, 1);
    uint64_t bytes = work("chunk 2/0 end 2/0 ");
    ck_assert_uint_gt(bytes, PERSIST_BYTES);
    answer(2, 0, STATUS_OK, bytes);
    (void)work("ack 0/0 ");
}
END_TEST

START_TEST(a_materialised_state_is_the_first_new_part)
{
    put_number(snapshots.backend, state, 1, 2);
    time_ns = INTERVAL_NS;
    uint64_t bytes = work("chunk 0/1 end 0/1 ");
    ck_assert_uint_eq(facts[FACT_MATERIALIZATION_BEGUN], 1);
    ck_assert_uint_eq(facts[FACT_MATERIALIZATION_COMPLETED], 0);
    answer(0, 1, STATUS_OK, bytes);
    ck_assert_uint_eq(facts[FACT_MATERIALIZATION_COMPLETED], 1);
    put_all(3);
    uint64_t log_bytes = work("chunk 0/2 end 0/2 ");
    answer(0, 2, STATUS_OK, log_bytes);
    take(2, 1);
    uint64_t rest = work("adopt 2/0 end 2/0 adopt 2/1 chunk 2/1 end 2/1 ");
    ck_assert_uint_lt(rest, 100);
    answer(2, 1, STATUS_OK, log_bytes + rest);
    (void)work("");
    answer(2, 0, STATUS_OK, bytes);
    (void)work("ack 0/0 ");
}
END_TEST

/* A materialisation is due, and the store does not take it. */
static void fail_to_materialise(const char *written, const char *abandoned, uint32_t draft)
{
    time_ns += INTERVAL_NS;
    (void)work(written);
    ck_assert_uint_eq(failure.size, 0);
    answer(0, draft, STATUS_IO, 0);
    (void)work(abandoned);
    ck_assert_uint_eq(facts[FACT_MATERIALIZATION_FAILED], draft);
}

START_TEST(a_materialisation_may_fail_but_not_too_often_in_a_row)
{
    put_number(snapshots.backend, state, 1, 2);
    fail_to_materialise("chunk 0/1 end 0/1 ", "abandon 0/1 ", 1);
    fail_to_materialise("chunk 0/2 end 0/2 ", "abandon 0/2 ", 2);
    ck_assert_uint_gt(failure.size, 0); /* one more than draft_failures_max */
}
END_TEST

START_TEST(a_small_materialised_state_stays_until_the_acknowledgement)
{
    for (uint64_t key = 5; key < KEYS; key++) {
        remove_number(snapshots.backend, state, key);
    }
    uint64_t log_bytes = work("chunk 0/1 end 0/1 ");
    answer(0, 1, STATUS_OK, log_bytes);
    time_ns = INTERVAL_NS;
    (void)work("");
    ck_assert_uint_eq(facts[FACT_MATERIALIZATION_COMPLETED], 1);
    take(2, 1);
    (void)work("ack 0/0 ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("task_drafts");
    TCase *tests = tcase_create("drafts");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_log_is_handed_over_and_its_rest_written_behind_it);
    tcase_add_test(tests, a_log_that_the_store_does_not_take_fails_no_checkpoint);
    tcase_add_test(tests, a_materialised_state_is_the_first_new_part);
    tcase_add_test(tests, a_materialisation_may_fail_but_not_too_often_in_a_row);
    tcase_add_test(tests, a_small_materialised_state_stays_until_the_acknowledgement);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
