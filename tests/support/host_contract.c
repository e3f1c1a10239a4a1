#include "tests/support/host_contract.h"

#include <string.h>

#include "tests/support/contract_actor.h"

/* ---- H1: messages ---------------------------------------------------------------------------- */

enum { STREAM_MESSAGES = 600 };

static void stream_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0 && contract_is_main(actor)) {
        actor->other = host_spawn(actor->host, CHILD, &contract_actor_ops, (struct bytes){ 0 });
        (void)host_timer_set(actor->host, MS, 0);
    }
}

/* A message of random size to process 1 and one to the child, every now and then. */
static void stream_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    for (int i = 0; i < 10; i++) {
        uint64_t number = actor->count++;
        uint32_t size = (uint32_t)(host_random(actor->host) % 5000);
        struct message *message = host_message_new(actor->host, size);
        message->kind = KIND;
        message->size = size;
        memset(message->data, 1, size);
        message->stream = number % 2;
        message->attempt = number;
        host_send(actor->host, contract_main_of(1), message);
        contract_send(actor, actor->other, number % 2, number);
    }
    if (actor->count < STREAM_MESSAGES) {
        (void)host_timer_set(actor->host,
                             host_now_ns(actor->host) + host_random(actor->host) % 50000, tag);
    }
}

static void stream_message(struct contract_actor *actor, const struct message *message)
{
    contract_report(actor, (contract_is_main(actor) ? 10u : 20u) + message->stream,
                    message->attempt);
}

START_TEST(messages_of_a_stream_arrive_in_the_order_sent)
{
    contract_start(2, (struct contract_script){ stream_start, stream_message, stream_timer });
    contract_run(1000 * (uint64_t)MS);
    for (uint64_t receiver = 1; receiver <= 2; receiver++) {
        for (uint64_t stream = 0; stream < 2; stream++) {
            ck_assert_uint_eq(contract_count(10 * receiver + stream), STREAM_MESSAGES / 2);
            for (size_t i = 0; i < STREAM_MESSAGES / 2; i++) {
                ck_assert_uint_eq(contract_entry(10 * receiver + stream, i)->value, 2 * i + stream);
            }
        }
    }
}
END_TEST

static void whole_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        struct message *message = host_message_new(actor->host, 1000);
        ck_assert_uint_ge(message->capacity, 1000);
        ck_assert_uint_eq(message->kind + message->stream + message->channel + message->size, 0);
        ck_assert_uint_eq(message->attempt, 0);
        message->kind = KIND;
        message->stream = 1;
        message->attempt = UINT64_MAX;
        message->channel = 3;
        message->size = 1000;
        for (uint32_t i = 0; i < 1000; i++) {
            message->data[i] = (uint8_t)(i * 7);
        }
        host_send(actor->host, contract_main_of(1), message);
    }
}

static void whole_message(struct contract_actor *actor, const struct message *message)
{
    bool whole = message->kind == KIND && message->stream == 1 && message->attempt == UINT64_MAX &&
                 message->channel == 3 && message->size == 1000 &&
                 message->from == actor_address(0, 1, HOST_MAIN_ACTOR) &&
                 message->to == contract_main_of(1);
    for (uint32_t i = 0; i < message->size; i++) {
        whole = whole && message->data[i] == (uint8_t)(i * 7);
    }
    contract_report(actor, ARRIVED, whole);
}

START_TEST(a_message_arrives_as_it_was_sent)
{
    contract_start(2, (struct contract_script){ whole_start, whole_message, NULL });
    contract_run(100 * MS);
    contract_assert(ARRIVED, 1, (uint64_t[]){ true });
}
END_TEST

START_TEST(messages_to_an_incarnation_that_is_gone_are_lost)
{
    contract_start(2, (struct contract_script){ contract_ticking_start, contract_note_message,
                                                contract_ticking_timer });
    contract_run(25 * MS);
    contract.host->crash(contract.cluster, 1,
                         10 * MS); /* returns at 35 ms as another incarnation */
    contract_run(95 * MS);
    contract_assert(ARRIVED, 2, (uint64_t[]){ 1, 2 });
    ck_assert_uint_eq(contract_count(SENT), 9);
}
END_TEST

static void any_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        (void)host_timer_set(actor->host, 10 * MS, 1);
    }
}

START_TEST(whichever_incarnation_lives_can_be_addressed)
{
    contract_start(
        2, (struct contract_script){ any_start, contract_note_message, contract_ticking_timer });
    contract_run(25 * MS);
    contract.host->crash(contract.cluster, 1, 10 * MS); /* number 3 finds nobody */
    contract_run(65 * MS);
    contract_assert(ARRIVED, 5, (uint64_t[]){ 1, 2, 4, 5, 6 });
}
END_TEST

START_TEST(a_message_on_its_way_is_lost_when_its_sender_dies)
{
    contract_start(2, (struct contract_script){ contract_ticking_start, contract_note_message,
                                                contract_ticking_timer });
    contract_run(20 * MS + MS / 20); /* number 2 has left */
    ck_assert_uint_eq(contract_count(SENT), 2);
    contract.host->crash(contract.cluster, 0, FOR_EVER);
    contract_run(100 * MS);
    contract_assert(ARRIVED, 1, (uint64_t[]){ 1 });
}
END_TEST

START_TEST(a_message_on_its_way_is_lost_when_its_receiver_dies)
{
    contract_start(2, (struct contract_script){ contract_ticking_start, contract_note_message,
                                                contract_ticking_timer });
    contract_run(20 * MS + MS / 20);
    contract.host->crash(contract.cluster, 1, 10 * MS);
    contract_run(100 * MS);
    contract_assert(ARRIVED, 1, (uint64_t[]){ 1 });
}
END_TEST

/* ---- one at a time --------------------------------------------------------------------------- */

/* Process 1 works 50 ms at its first message; the others come meanwhile, and a timer falls due. */
static void busy_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        for (uint64_t i = 0; i < 5; i++) {
            (void)host_timer_set(actor->host, (10 + i) * MS, i);
        }
    } else {
        (void)host_timer_set(actor->host, 12 * MS + MS / 2, 100);
    }
}

static void busy_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    if (contract_process(actor) == 0) {
        contract_send(actor, contract_main_of(1), 0, tag);
    } else {
        contract_report(actor, ARRIVED, tag);
        contract_report(actor, CLOCK, host_now_ns(actor->host));
    }
}

static void busy_message(struct contract_actor *actor, const struct message *message)
{
    contract_report(actor, CLOCK, host_now_ns(actor->host));
    contract_report(actor, ARRIVED, message->attempt);
    if (message->attempt == 0) {
        host_charge(actor->host, HOST_WORK_RECORDS, 250000);
    }
    contract_report(actor, CLOCK, host_now_ns(actor->host));
}

START_TEST(what_comes_to_a_busy_actor_waits_its_turn)
{
    contract_start(2, (struct contract_script){ busy_start, busy_message, busy_timer });
    contract_run(200 * MS);
    /* The timer fell due behind message 2 and before message 3. */
    contract_assert(ARRIVED, 6, (uint64_t[]){ 0, 1, 2, 100, 3, 4 });
    uint64_t last_ns = 0;
    for (size_t i = 0; i < contract_count(CLOCK); i++) {
        uint64_t now_ns = contract_entry(CLOCK, i)->value;
        ck_assert_uint_ge(now_ns, last_ns); /* the clock never falls */
        last_ns = now_ns;
    }
}
END_TEST

/* A child of process 0 works 50 ms from 10 ms on, and speaks at their end; main does meanwhile. */
static void neighbours_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0 && contract_is_main(actor)) {
        (void)host_spawn(actor->host, CHILD, &contract_actor_ops, bytes_of_text("child"));
    }
    if (contract_process(actor) == 0) {
        (void)host_timer_set(actor->host, (contract_is_main(actor) ? 20 : 10) * MS, 0);
    }
}

static void neighbours_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer, (void)tag;
    if (!contract_is_main(actor)) {
        host_charge(actor->host, HOST_WORK_RECORDS, 250000);
    }
    contract_send(actor, contract_main_of(1), 0, contract_is_main(actor) ? 1 : 2);
}

START_TEST(a_busy_actor_does_not_hold_up_what_its_neighbours_send)
{
    contract_start(2, (struct contract_script){ neighbours_start, contract_note_message,
                                                neighbours_timer });
    contract_run(200 * MS);
    contract_assert(ARRIVED, 2, (uint64_t[]){ 1, 2 });
}
END_TEST

/* ---- timers ---------------------------------------------------------------------------------- */

static void note_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    ck_assert_uint_ne(timer, 0);
    contract_report(actor, TIMER, tag);
}

static void timers_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    (void)host_timer_set(actor->host, 30 * MS, 4);
    (void)host_timer_set(actor->host, 20 * MS, 2);
    (void)host_timer_set(actor->host, 20 * MS, 3);
    (void)host_timer_set(actor->host, 10 * MS, 1);
    (void)host_timer_set(actor->host, 0, 0); /* long past */
    (void)host_timer_set(actor->host, 500 * MS, 5);
}

START_TEST(timers_fire_once_in_the_order_of_their_times)
{
    contract_start(1, (struct contract_script){ timers_start, NULL, note_timer });
    contract_run(400 * MS);
    contract_assert(TIMER, 5, (uint64_t[]){ 0, 1, 2, 3, 4 });
    for (size_t i = 1; i < 5; i++) {
        static const uint64_t due_ns[] = { 0, 10 * MS, 20 * MS, 20 * MS, 30 * MS };
        ck_assert_uint_ge(contract_entry(TIMER, i)->time_ns, due_ns[i]);
    }
    contract_run(1000 * (uint64_t)MS);
    ck_assert_uint_eq(contract_count(TIMER), 6);
}
END_TEST

static void cancel_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    actor->timers[0] = host_timer_set(actor->host, 10 * MS, 10);
    actor->timers[1] = host_timer_set(actor->host, 20 * MS, 20);
    actor->timers[2] = host_timer_set(actor->host, 30 * MS, 30);
    ck_assert(actor->timers[0] != 0 && actor->timers[1] != 0);
    ck_assert(actor->timers[0] != actor->timers[1]);
    host_timer_cancel(actor->host, 0);
    timer_id fourth = host_timer_set(actor->host, 5 * MS, 5);
    host_timer_cancel(actor->host, fourth);
    host_timer_cancel(actor->host, fourth);
}

/* At 10: the timer of 20 falls due while the handler works, and is cancelled at its end. */
static void cancel_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    contract_report(actor, TIMER, tag);
    if (tag == 10) {
        ck_assert_uint_eq(timer, actor->timers[0]);
        host_timer_cancel(actor->host, timer); /* has fired: ignored */
        host_charge(actor->host, HOST_WORK_RECORDS, 75000);
        host_timer_cancel(actor->host, actor->timers[1]);
        (void)host_timer_set(actor->host, 40 * MS, 40);
    } else if (tag == 30) {
        host_timer_cancel(actor->host, actor->timers[0]); /* its number may live on */
        host_timer_cancel(actor->host, actor->timers[1]);
    }
}

START_TEST(a_cancelled_timer_does_not_fire)
{
    contract_start(1, (struct contract_script){ cancel_start, NULL, cancel_timer });
    contract_run(200 * MS);
    contract_assert(TIMER, 3, (uint64_t[]){ 10, 30, 40 });
}
END_TEST

static void waiting_message(struct contract_actor *actor, const struct message *message)
{
    contract_report(actor, ARRIVED, message->attempt);
    if (message->attempt == 1) { /* the timer falls due meanwhile, and waits behind message 2 */
        host_charge(actor->host, HOST_WORK_RECORDS, 100000);
    } else {
        host_timer_cancel(actor->host, actor->timers[0]);
    }
}

static void waiting_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        contract_send(actor, contract_main_of(1), 0, 1);
        contract_send(actor, contract_main_of(1), 0, 2);
    } else {
        actor->timers[0] = host_timer_set(actor->host, 10 * MS, 1);
        (void)host_timer_set(actor->host, 15 * MS, 2);
    }
}

START_TEST(a_timer_that_waits_for_its_busy_actor_can_still_be_cancelled)
{
    contract_start(2, (struct contract_script){ waiting_start, waiting_message, note_timer });
    contract_run(200 * MS);
    contract_assert(ARRIVED, 2, (uint64_t[]){ 1, 2 });
    contract_assert(TIMER, 1, (uint64_t[]){ 2 });
}
END_TEST

/* ---- actors ---------------------------------------------------------------------------------- */

static void spawn_start(struct contract_actor *actor, struct bytes argument)
{
    if (contract_is_main(actor)) {
        char text[] = "argument";
        actor->other = host_spawn(actor->host, CHILD, &contract_actor_ops, bytes_of_text(text));
        contract_report(actor, ANSWER, actor->other);
        memset(text, 'x', sizeof text); /* the host has a copy */
        contract_send(actor, actor->other, 0, 1);
    } else {
        contract_report(actor, STARTED, bytes_equal(argument, bytes_of_text("argument")));
    }
}

START_TEST(a_spawned_actor_starts_after_the_handler_with_a_copy_of_its_argument)
{
    contract_start(1, (struct contract_script){ spawn_start, contract_note_message, NULL });
    contract_run(50 * MS);
    ck_assert_uint_eq(contract.entries[0].what, ANSWER);
    ck_assert_uint_eq(contract.entries[0].value, actor_address(0, 1, CHILD));
    ck_assert_uint_eq(contract.entries[1].what, STARTED);
    ck_assert_uint_eq(contract.entries[1].actor, actor_address(0, 1, CHILD));
    contract_assert(STARTED, 1, (uint64_t[]){ true });
    contract_assert(ARRIVED, 1, (uint64_t[]){ 1 });
}
END_TEST

/* The main actor sends a number to its child every 10 ms, and ends it before the fourth. */
static void stop_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_is_main(actor)) {
        actor->other = host_spawn(actor->host, CHILD, &contract_actor_ops, (struct bytes){ 0 });
        (void)host_timer_set(actor->host, 10 * MS, 0);
    } else {
        (void)host_timer_set(actor->host, 25 * MS, 25);
        (void)host_timer_set(actor->host, 45 * MS, 45);
    }
}

static void stop_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    if (!contract_is_main(actor)) {
        contract_report(actor, TIMER, tag);
        return;
    }
    if (++actor->count == 4) {
        host_stop(actor->host, actor->other);
        host_stop(actor->host, actor->other);                   /* has ended */
        host_stop(actor->host, actor_address(0, 1, CHILD + 1)); /* unknown */
    }
    contract_send(actor, actor->other, 0, actor->count);
    (void)host_timer_set(actor->host, (actor->count + 1) * 10 * MS, 0);
}

START_TEST(a_stopped_actor_gets_no_messages_and_no_timers)
{
    contract_start(1, (struct contract_script){ stop_start, contract_note_message, stop_timer });
    contract_run(100 * MS);
    contract_assert(ARRIVED, 3, (uint64_t[]){ 1, 2, 3 });
    contract_assert(TIMER, 1, (uint64_t[]){ 25 });
}
END_TEST

static void suicide_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    contract_report(actor, TIMER, tag);
    if (!contract_is_main(actor)) {
        (void)host_timer_set(actor->host, 30 * MS, 30);
        host_stop(actor->host, actor->host->self);
        memset(actor->timers, 1, sizeof actor->timers); /* its memory lasts until it returns */
        contract_send(actor, contract_main_of(0), 0, 1);
    }
}

static void suicide_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_is_main(actor)) {
        (void)host_spawn(actor->host, CHILD, &contract_actor_ops, (struct bytes){ 0 });
    } else {
        (void)host_timer_set(actor->host, 10 * MS, 10);
        (void)host_timer_set(actor->host, 20 * MS, 20);
    }
}

START_TEST(an_actor_can_end_itself)
{
    contract_start(1, (struct contract_script){ suicide_start, NULL, suicide_timer });
    contract_run(100 * MS);
    contract_assert(TIMER, 1, (uint64_t[]){ 10 });
}
END_TEST

/* H5 */
START_TEST(no_address_is_used_twice)
{
    enum { LIVES = 5 };
    contract_start(2, (struct contract_script){ contract_ticking_start, NULL, NULL });
    for (uint64_t i = 1; i < LIVES; i++) {
        contract_run(i * 10 * MS);
        contract.host->crash(contract.cluster, 1, 5 * MS);
    }
    contract_run(100 * MS);
    uint64_t seen[LIVES + 1];
    ck_assert_uint_eq(contract_count(STARTED), LIVES + 1); /* process 0, and five lives */
    for (size_t i = 0; i <= LIVES; i++) {
        seen[i] = contract_entry(STARTED, i)->value;
        ck_assert_uint_ne(actor_incarnation(seen[i]), HOST_INCARNATION_ANY);
        for (size_t j = 0; j < i; j++) {
            ck_assert_uint_ne(seen[i], seen[j]);
        }
    }
}
END_TEST

static void random_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    for (int i = 0; i < 4; i++) {
        contract_report(actor, ANSWER, host_random(actor->host));
    }
}

START_TEST(every_actor_draws_other_numbers)
{
    contract_start(3, (struct contract_script){ random_start, NULL, NULL });
    contract_run(10 * MS);
    ck_assert_uint_eq(contract_count(ANSWER), 12);
    for (size_t i = 0; i < 12; i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert_uint_ne(contract_entry(ANSWER, i)->value, contract_entry(ANSWER, j)->value);
        }
    }
}
END_TEST

static void add_actor_tests(Suite *suite, const struct contract_host *host)
{
    contract_add_timed(suite, messages_of_a_stream_arrive_in_the_order_sent);
    contract_add_timed(suite, a_message_arrives_as_it_was_sent);
    contract_add_timed(suite, messages_to_an_incarnation_that_is_gone_are_lost);
    contract_add_timed(suite, whichever_incarnation_lives_can_be_addressed);
    contract_add_timed(suite, what_comes_to_a_busy_actor_waits_its_turn);
    contract_add_timed(suite, timers_fire_once_in_the_order_of_their_times);
    contract_add_timed(suite, a_cancelled_timer_does_not_fire);
    contract_add_timed(suite, a_timer_that_waits_for_its_busy_actor_can_still_be_cancelled);
    contract_add_timed(suite, a_spawned_actor_starts_after_the_handler_with_a_copy_of_its_argument);
    contract_add_timed(suite, a_stopped_actor_gets_no_messages_and_no_timers);
    contract_add_timed(suite, an_actor_can_end_itself);
    contract_add_timed(suite, no_address_is_used_twice);
    contract_add_timed(suite, every_actor_draws_other_numbers);
    if (host->simulated) {
        contract_add_timed(suite, a_busy_actor_does_not_hold_up_what_its_neighbours_send);
        contract_add_timed(suite, a_message_on_its_way_is_lost_when_its_sender_dies);
        contract_add_timed(suite, a_message_on_its_way_is_lost_when_its_receiver_dies);
    }
}

Suite *contract_suite(const struct contract_host *host, uint64_t slowness)
{
    contract.host = host;
    contract.slowness = slowness;
    Suite *suite = suite_create(host->name);
    add_actor_tests(suite, host);
    contract_add_peer_tests(suite, host);
    suite_add_tcase(suite, contract_storage_tests(host));
    return suite;
}
