#include "model/runtime/task_snapshot.h"

#include <string.h>

#include "model/base/hash.h"
#include "model/checkpoint/carried.h"
#include "model/runtime/uploader.h"
#include "tests/support/keyed.h"
#include "tests/support/message_host.h"
#include "tests/support/runner.h"

/* A subtask's snapshots over a backend that says which parts it keeps and writes as many new ones
 * as the test wants: the general case of backend.h, which the heap does not use in full. */

enum { NEW_PARTS_MAX = 4, PART_BYTES = 700000, THRESHOLD = 1000, UPLOADER = 77, JOB_MANAGER = 5 };

struct script {
    struct backend backend;
    struct backend_snapshot snapshot;
    uint64_t base; /* of the last snapshot_begin */
    uint32_t kept; /* bit n: part n of the base */
    uint32_t sizes[NEW_PARTS_MAX];
    uint32_t new_count;
    uint32_t part; /* being written */
    uint32_t at;   /* bytes of it so far */
    bool is_open;
};

static struct message_host machine;
static struct host_ops ops;
static struct script script;
static struct task_snapshots snapshots;

static struct backend_snapshot *begin(struct backend *backend, uint64_t id, uint64_t base)
{
    (void)backend;
    ck_assert_uint_lt(base, id);
    script.base = base;
    script.part = 0;
    script.at = 0;
    script.is_open = true;
    script.snapshot.backend = &script.backend;
    return &script.snapshot;
}

static bool keeps(const struct backend_snapshot *snapshot, uint32_t part)
{
    (void)snapshot;
    return (script.kept >> part & 1u) != 0;
}

/* A few bytes more than are asked for, as where entries end, of the part's number. */
static enum backend_step step(struct backend_snapshot *snapshot, struct buffer *out,
                              size_t limit_bytes)
{
    (void)snapshot;
    if (script.part == script.new_count) {
        return BACKEND_DONE;
    }
    uint32_t size = script.sizes[script.part] - script.at;
    size = size < limit_bytes + 5 ? size : (uint32_t)limit_bytes + 5;
    memset(buffer_extend(out, size), 'a' + (int)script.part, size);
    script.at += size;
    if (script.at < script.sizes[script.part]) {
        return BACKEND_MORE;
    }
    script.at = 0;
    return ++script.part == script.new_count ? BACKEND_DONE : BACKEND_NEXT;
}

static void end(struct backend_snapshot *snapshot)
{
    (void)snapshot;
    ck_assert(script.is_open);
    script.is_open = false;
}

static uint64_t now_ns(struct host *host)
{
    (void)host;
    return 1000;
}

static void charge(struct host *host, enum host_work work, uint64_t amount)
{
    (void)host;
    (void)amount;
    ck_assert_int_eq(work, HOST_WORK_SNAPSHOT_BYTES);
}

static void trace(struct host *host, const struct fact *fact)
{
    (void)host;
    (void)fact;
}

static actor_id spawn(struct host *host, uint32_t index, const struct actor_ops *actor,
                      struct bytes argument)
{
    (void)host;
    (void)index;
    ck_assert(actor == &uploader_actor);
    ck_assert_uint_eq(argument.size, sizeof(struct uploader_argument));
    return UPLOADER;
}

static const struct backend_ops script_ops = {
    .snapshot_begin = begin, .snapshot_keeps = keeps, .snapshot_step = step, .snapshot_end = end
};

static void setup(void)
{
    message_host_init(&machine);
    ops = *machine.host.ops;
    ops.now_ns = now_ns;
    ops.charge = charge;
    ops.trace = trace;
    ops.spawn = spawn;
    machine.host.ops = &ops;
    script = (struct script){ .backend = { .ops = &script_ops } };
    snapshots = (struct task_snapshots){ .host = &machine.host,
                                         .backend = &script.backend,
                                         .job_manager = JOB_MANAGER,
                                         .vertex_name = "count",
                                         .inline_threshold_bytes = THRESHOLD,
                                         .carried_max_bytes = UINT64_MAX,
                                         .incremental = true };
    task_snapshots_init(&snapshots);
}

static void teardown(void)
{
    message_host_free(&machine);
}

static void take(uint64_t checkpoint, uint64_t base, uint32_t kept, uint32_t new_count,
                 const uint32_t *sizes)
{
    struct buffer operators;
    buffer_init(&operators, &machine.arena);
    script.kept = kept;
    script.new_count = new_count;
    if (new_count > 0) {
        memcpy(script.sizes, sizes, new_count * sizeof *sizes);
    }
    task_snapshots_begin(&snapshots, checkpoint, base, &operators, false);
}

/* What the uploader has of the parts, by number. */
struct uploads {
    uint64_t sizes[NEW_PARTS_MAX];
    uint64_t ends;
};

static void answer(uint64_t checkpoint, uint32_t part, enum status status, uint64_t size_bytes)
{
    const struct upload_result result = { .checkpoint = checkpoint,
                                          .part = part,
                                          .status = status,
                                          .size_bytes = size_bytes,
                                          .checksum = 100 + part };
    struct message *message = upload_result_encode(&machine.host, 1, &result);
    task_snapshots_on_upload(&snapshots, message);
    host_message_free(&machine.host, message);
}

/* Does all work; the uploader accepts each piece at once, and answers no end. */
static struct uploads work(uint64_t checkpoint)
{
    struct uploads uploads = { .ends = 0 };
    while (task_snapshots_has_work(&snapshots)) {
        task_snapshots_step(&snapshots);
        struct message *message = machine.sent_head;
        while (message != NULL && message->to == UPLOADER) {
            message = message_host_take(&machine);
            ck_assert_uint_eq(message_number(message), checkpoint);
            if (message->kind == MESSAGE_UPLOAD_CHUNK) {
                size_t piece = upload_chunk_bytes(message).size;
                uploads.sizes[message->channel] += piece;
                ck_assert(piece == TASK_SNAPSHOT_PIECE_BYTES ||
                          uploads.sizes[message->channel] == script.sizes[message->channel]);
                ck_assert_uint_eq(message->data[message->size - 1], 'a' + message->channel);
                message->kind = MESSAGE_UPLOAD_ACCEPTED;
                task_snapshots_on_upload(&snapshots, message);
            }
            uploads.ends += message->kind == MESSAGE_UPLOAD_END;
            host_message_free(&machine.host, message);
            message = machine.sent_head;
        }
    }
    return uploads;
}

/* The acknowledgement that was sent, of `part_count` parts; "a200 f3000": inline or file, size. */
static void assert_acked(uint64_t checkpoint, uint64_t written_bytes, const char *parts)
{
    struct message *message = message_host_take(&machine);
    struct acknowledgement got;
    struct buffer text;
    buffer_init(&text, &machine.arena);
    ck_assert_ptr_nonnull(message);
    ck_assert_uint_eq(message->to, JOB_MANAGER);
    ck_assert_int_eq(acknowledgement_decode(message, &got), STATUS_OK);
    ck_assert_uint_eq(got.checkpoint, checkpoint);
    ck_assert_uint_eq(got.written_bytes, written_bytes);
    for (uint32_t i = 0; i < got.state.keyed.part_count; i++) {
        struct state_handle part = part_of(&got.state.keyed, i);
        if (part.kind == HANDLE_INLINE) {
            buffer_append_format(&text, "%c%llu ", part.location.data[0],
                                 (unsigned long long)part.size_bytes);
            ck_assert_uint_eq(part.checksum, hash_bytes(part.location));
        } else {
            buffer_append_format(&text, "%.*s ", (int)part.location.size,
                                 (const char *)part.location.data);
            ck_assert_uint_ge(part.checksum, 100);
        }
    }
    *buffer_extend(&text, 1) = '\0';
    ck_assert_str_eq((const char *)text.data, parts);
    host_message_free(&machine.host, message);
    ck_assert_ptr_null(message_host_take(&machine));
}

static void take_three_parts(void)
{
    take(1, 0, 0, 3, (const uint32_t[]){ 200, PART_BYTES, 300 });
    struct uploads uploads = work(1);
    ck_assert_uint_eq(uploads.sizes[1], PART_BYTES);
    ck_assert_uint_eq(uploads.ends, 1);
    ck_assert(!script.is_open);
    answer(1, 1, STATUS_OK, PART_BYTES);
    assert_acked(1, PART_BYTES + 500, "a200 checkpoints/shared/chk-1/count-0.1 c300 ");
}

START_TEST(small_parts_are_inline_and_large_ones_files_in_their_order)
{
    take_three_parts();
}
END_TEST

START_TEST(nothing_is_acked_before_every_file_is_durable)
{
    take(1, 0, 0, 3, (const uint32_t[]){ PART_BYTES, 100, PART_BYTES + 1 });
    struct uploads uploads = work(1);
    ck_assert_uint_eq(uploads.ends, 2);
    ck_assert_ptr_null(message_host_take(&machine));
    answer(1, 0, STATUS_OK, PART_BYTES);
    ck_assert_ptr_null(message_host_take(&machine));
    answer(1, 2, STATUS_OK, PART_BYTES + 1);
    assert_acked(1, 2 * PART_BYTES + 101,
                 "checkpoints/shared/chk-1/count-0 b100 checkpoints/shared/chk-1/count-0.2 ");
    ck_assert_ptr_null(snapshots.oldest);
}
END_TEST

START_TEST(what_is_kept_of_the_base_is_acked_again_before_what_is_new)
{
    take_three_parts();
    take(2, 1, 0x6, 1, (const uint32_t[]){ 50 });
    ck_assert_uint_eq(script.base, 1);
    (void)work(2);
    assert_acked(2, 50, "checkpoints/shared/chk-1/count-0.1 c300 a50 ");
    take(3, 2, 0x7, 0, NULL); /* nothing is new */
    (void)work(3);
    assert_acked(3, 0, "checkpoints/shared/chk-1/count-0.1 c300 a50 ");
}
END_TEST

START_TEST(what_was_restored_is_a_base)
{
    static const uint8_t bytes[] = "xyz";
    const struct state_handle parts[] = { file_part("checkpoints/shared/chk-4/count-0",
                                                    (struct bytes){ bytes, 3 }),
                                          inline_part((struct bytes){ bytes, 3 }) };
    struct keyed_state keyed = keyed_of(&machine.arena, parts, 2);
    task_snapshots_restored(&snapshots, 6, &keyed);
    take(9, 6, 0x3, 0, NULL);
    ck_assert_uint_eq(script.base, 6);
    (void)work(9);
    assert_acked(9, 0, "checkpoints/shared/chk-4/count-0 x3 ");
}
END_TEST

START_TEST(i1_a_base_that_is_not_known_is_not_built_on)
{
    take_three_parts();
    take(2, 1, 0x7, 0, NULL);
    (void)work(2);
    assert_acked(2, 0, "a200 checkpoints/shared/chk-1/count-0.1 c300 ");
    take(3, 2, 0x7, 1, (const uint32_t[]){ 9 }); /* the base before 2 is forgotten */
    (void)work(3);
    assert_acked(3, 9, "a200 checkpoints/shared/chk-1/count-0.1 c300 a9 ");
    task_snapshots_abandon(&snapshots, 3); /* acked, and aborted nevertheless */
    take(5, 3, 0x7, 1, (const uint32_t[]){ 8 });
    ck_assert_uint_eq(script.base, 0);
    (void)work(5);
    assert_acked(5, 8, "a8 ");
    take(6, 1, 0, 1, (const uint32_t[]){ 7 });
    ck_assert_uint_eq(script.base, 0);
    (void)work(6);
    assert_acked(6, 7, "a7 ");
}
END_TEST

START_TEST(one_failed_upload_declines_the_checkpoint_once)
{
    take(1, 0, 0, 2, (const uint32_t[]){ PART_BYTES, PART_BYTES });
    (void)work(1);
    answer(1, 0, STATUS_NO_SPACE, 0);
    struct message *message = message_host_take(&machine);
    ck_assert_uint_eq(message->kind, MESSAGE_DECLINE);
    host_message_free(&machine.host, message);
    answer(1, 1, STATUS_OK, PART_BYTES); /* nobody waits for it any more */
    ck_assert_ptr_null(message_host_take(&machine));
    ck_assert_ptr_null(snapshots.oldest);
}
END_TEST

START_TEST(an_abandoned_snapshot_stops_its_uploads)
{
    take(1, 0, 0, 1, (const uint32_t[]){ PART_BYTES });
    while (machine.sent_head == NULL) {
        ck_assert(task_snapshots_has_work(&snapshots));
        task_snapshots_step(&snapshots);
    }
    host_message_free(&machine.host, message_host_take(&machine));
    task_snapshots_abandon(&snapshots, 1);
    struct message *message = message_host_take(&machine);
    ck_assert_uint_eq(message->kind, MESSAGE_UPLOAD_ABANDON);
    ck_assert_uint_eq(message_number(message), 1);
    host_message_free(&machine.host, message);
    ck_assert(!script.is_open);
}
END_TEST

START_TEST(whole_snapshots_lie_in_the_folder_of_their_checkpoint)
{
    snapshots.incremental = false;
    take(4, 0, 0, 1, (const uint32_t[]){ PART_BYTES });
    (void)work(4);
    answer(4, 0, STATUS_OK, PART_BYTES);
    assert_acked(4, PART_BYTES, "checkpoints/chk-4/count-0 ");
    ck_assert_ptr_null(snapshots.known);
}
END_TEST

START_TEST(parts_are_carried_to_a_store_that_only_the_job_manager_reaches)
{
    snapshots.store = STORE_MEMORY;
    take(1, 0, 0, 2, (const uint32_t[]){ PART_BYTES, 200 });
    while (task_snapshots_has_work(&snapshots)) {
        task_snapshots_step(&snapshots);
    }
    struct message *message = message_host_take(&machine);
    struct acknowledgement got;
    struct bytes part;
    ck_assert_ptr_nonnull(message);
    ck_assert_uint_eq(message->to, JOB_MANAGER);
    ck_assert_int_eq(acknowledgement_decode(message, &got), STATUS_OK);
    ck_assert_uint_eq(got.written_bytes, PART_BYTES + 200);
    struct state_handle handle = part_of(&got.state.keyed, 0);
    ck_assert_int_eq(handle.kind, HANDLE_FILE);
    ck_assert(bytes_equal(handle.location, bytes_of_text("checkpoints/shared/chk-1/count-0")));
    ck_assert(carried_find(got.carried, handle.location, &part));
    ck_assert_uint_eq(part.size, PART_BYTES);
    ck_assert_uint_eq(handle.checksum, hash_bytes(part));
    ck_assert_uint_eq(part_of(&got.state.keyed, 1).kind, HANDLE_INLINE);
    host_message_free(&machine.host, message);
    ck_assert_ptr_null(message_host_take(&machine));

    /* What is kept of the base is named, not carried again. */
    take(2, 1, 3, 0, NULL);
    task_snapshots_step(&snapshots);
    message = message_host_take(&machine);
    ck_assert_int_eq(acknowledgement_decode(message, &got), STATUS_OK);
    ck_assert_uint_eq(got.state.keyed.part_count, 2);
    ck_assert_uint_eq(got.carried.size, 0);
    host_message_free(&machine.host, message);
}
END_TEST

START_TEST(a_state_larger_than_what_is_carried_is_declined_once)
{
    snapshots.store = STORE_MEMORY;
    snapshots.carried_max_bytes = PART_BYTES;
    for (uint32_t checkpoint = 1; checkpoint <= 2; checkpoint++) {
        take(checkpoint, 0, 0, checkpoint, (const uint32_t[]){ PART_BYTES, 1 });
        while (task_snapshots_has_work(&snapshots)) {
            task_snapshots_step(&snapshots);
        }
    }
    struct message *message = message_host_take(&machine);
    uint32_t declined = 0;
    for (; message != NULL; message = message_host_take(&machine)) {
        struct failure failure;
        if (message->kind == MESSAGE_DECLINE) {
            ck_assert_int_eq(failure_decode(message, &failure), STATUS_OK);
            ck_assert_ptr_nonnull(
                memmem(failure.why.data, failure.why.size, "takes 700000 of", 15));
            declined++;
        }
        host_message_free(&machine.host, message);
    }
    ck_assert_uint_eq(declined, 1);
    ck_assert(!script.is_open);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("task_snapshot");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, small_parts_are_inline_and_large_ones_files_in_their_order);
    tcase_add_test(tcase, nothing_is_acked_before_every_file_is_durable);
    tcase_add_test(tcase, what_is_kept_of_the_base_is_acked_again_before_what_is_new);
    tcase_add_test(tcase, what_was_restored_is_a_base);
    tcase_add_test(tcase, i1_a_base_that_is_not_known_is_not_built_on);
    tcase_add_test(tcase, one_failed_upload_declines_the_checkpoint_once);
    tcase_add_test(tcase, an_abandoned_snapshot_stops_its_uploads);
    tcase_add_test(tcase, whole_snapshots_lie_in_the_folder_of_their_checkpoint);
    tcase_add_test(tcase, parts_are_carried_to_a_store_that_only_the_job_manager_reaches);
    tcase_add_test(tcase, a_state_larger_than_what_is_carried_is_declined_once);
    Suite *suite = suite_create("task_snapshot");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
