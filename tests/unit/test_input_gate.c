#include "model/runtime/input_gate.h"

#include "model/base/prng.h"
#include "tests/support/message_host.h"
#include "tests/support/runner.h"

enum { CHANNELS = 5, CHANNELS_MAX = 8 };

static struct message_host host;
static struct aligner aligner;
static struct input_gate gate;
static uint64_t next_number[CHANNELS_MAX];

static void setup(void)
{
    message_host_init(&host);
    aligner_init(&aligner, &host.arena, ALIGNER_EXACTLY_ONCE, CHANNELS);
    gate = (struct input_gate){ 0 };
    for (uint32_t i = 0; i < CHANNELS_MAX; i++) {
        next_number[i] = 0;
    }
}

static void teardown(void)
{
    message_host_free(&host);
}

/* The next message of `channel`: its attempt is its number within the channel. */
static void arrive(uint32_t channel)
{
    struct message *message = host_message_new(&host.host, 0);
    message->channel = channel;
    message->attempt = next_number[channel]++;
    input_gate_push(&gate, message);
}

static void assert_next(uint32_t channel, uint64_t number)
{
    struct message *message = input_gate_pop(&gate, &aligner);
    ck_assert_ptr_nonnull(message);
    ck_assert_uint_eq(message->channel, channel);
    ck_assert_uint_eq(message->attempt, number);
    host_message_free(&host.host, message);
}

static void assert_none(void)
{
    ck_assert_ptr_null(input_gate_pop(&gate, &aligner));
}

START_TEST(messages_come_out_in_the_order_of_their_arrival)
{
    assert_none();
    arrive(2);
    arrive(0);
    arrive(2);
    assert_next(2, 0);
    assert_next(0, 0);
    arrive(1);
    assert_next(2, 1);
    assert_next(1, 0);
    assert_none();
}
END_TEST

START_TEST(a_blocked_channel_is_held_back_and_the_others_are_not)
{
    arrive(0);
    arrive(1);
    arrive(0);
    arrive(2);
    ck_assert(aligner_on_barrier(&aligner, 0, 1, 0).blocked);
    assert_next(1, 0);
    assert_next(2, 0);
    assert_none();
    arrive(1);
    assert_next(1, 1);
    assert_none();
}
END_TEST

START_TEST(what_was_held_comes_before_what_arrived_later)
{
    arrive(0);
    arrive(1);
    (void)aligner_on_barrier(&aligner, 0, 1, 0);
    assert_next(1, 0); /* holds channel 0 back */
    arrive(0);
    arrive(1);
    ck_assert(aligner_on_aborted(&aligner, 1).unblocked);
    input_gate_unblock(&gate);
    assert_next(0, 0);
    assert_next(0, 1);
    assert_next(1, 1);
    assert_none();
}
END_TEST

START_TEST(unblocking_without_anything_held_changes_nothing)
{
    input_gate_unblock(&gate);
    assert_none();
    arrive(3);
    input_gate_unblock(&gate);
    assert_next(3, 0);
    assert_none();
}
END_TEST

START_TEST(a_queue_counts_what_it_holds)
{
    struct message_queue queue = { 0 };
    ck_assert_ptr_null(message_queue_pop(&queue));
    for (uint32_t i = 1; i <= 3; i++) {
        struct message *message = host_message_new(&host.host, 0);
        message->attempt = i;
        message_queue_push(&queue, message);
        ck_assert_uint_eq(queue.count, i);
    }
    for (uint32_t i = 1; i <= 3; i++) {
        ck_assert_uint_eq(message_queue_pop(&queue)->attempt, i);
        ck_assert_uint_eq(queue.count, 3 - i);
    }
    ck_assert_ptr_null(message_queue_pop(&queue));
}
END_TEST

/* Arrivals, reads, barriers and aborts in any order, while the gate must keep its promise. */
struct mix {
    struct prng prng;
    uint64_t read[CHANNELS]; /* numbers come out in order */
    uint64_t waiting;        /* in the gate */
    uint64_t checkpoint;
    uint64_t reads_while_blocked;
};

static void mix_read(struct mix *mix)
{
    bool any = false;
    for (uint32_t i = 0; i < CHANNELS; i++) {
        any = any || (!aligner_is_blocked(&aligner, i) && mix->read[i] < next_number[i]);
    }
    struct message *message = input_gate_pop(&gate, &aligner);
    ck_assert_int_eq(message != NULL, any); /* something may be read: then something is */
    if (message == NULL) {
        return;
    }
    ck_assert(!aligner_is_blocked(&aligner, message->channel));
    ck_assert_uint_eq(message->attempt, mix->read[message->channel]);
    mix->read[message->channel]++;
    mix->waiting--;
    mix->reads_while_blocked += aligner.pending_count > 0;
    host_message_free(&host.host, message);
}

/* A barrier of the pending checkpoint, or of a new one, on a channel that is not blocked. */
static void mix_barrier(struct mix *mix)
{
    uint32_t channel = (uint32_t)prng_below(&mix->prng, CHANNELS);
    if (aligner_is_blocked(&aligner, channel)) {
        return;
    }
    if (aligner.pending_count == 0) {
        mix->checkpoint++;
    }
    struct aligner_answer answer = aligner_on_barrier(&aligner, channel, mix->checkpoint, 0);
    if (answer.unblocked) {
        input_gate_unblock(&gate);
    }
}

START_TEST(channels_stay_first_in_first_out_whatever_is_blocked)
{
    struct mix mix = { .prng = { .state = 1 } };
    for (int i = 0; i < 200000; i++) {
        switch (prng_below(&mix.prng, 8)) {
        case 0: mix_barrier(&mix); break;
        case 1:
            if (prng_chance(&mix.prng, 100000) &&
                aligner_on_aborted(&aligner, mix.checkpoint).unblocked) {
                input_gate_unblock(&gate);
            }
            break;
        case 2:
        case 3:
        case 4:
            if (mix.waiting < 100) {
                arrive((uint32_t)prng_below(&mix.prng, CHANNELS));
                mix.waiting++;
            }
            break;
        default: mix_read(&mix); break;
        }
    }
    ck_assert_uint_gt(mix.checkpoint, 1000);
    ck_assert_uint_gt(mix.reads_while_blocked, 1000);
    ck_assert_uint_eq(host.live, mix.waiting);
    ck_assert_uint_eq(gate.ready.count + gate.held.count, mix.waiting);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("input_gate");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, messages_come_out_in_the_order_of_their_arrival);
    tcase_add_test(tcase, a_blocked_channel_is_held_back_and_the_others_are_not);
    tcase_add_test(tcase, what_was_held_comes_before_what_arrived_later);
    tcase_add_test(tcase, unblocking_without_anything_held_changes_nothing);
    tcase_add_test(tcase, a_queue_counts_what_it_holds);
    tcase_add_test(tcase, channels_stay_first_in_first_out_whatever_is_blocked);
    Suite *suite = suite_create("input_gate");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
