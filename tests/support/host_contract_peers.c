/* The part of the host contract about peers that are gone, and connections that broke. */
#include "tests/support/contract_actor.h"

/* ---- lost peers ------------------------------------------------------------------------------ */

/* Process 0 watches process 1, and writes to it every 10 ms. */
static void watch_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        actor->other = actor_address(1, 1, HOST_MAIN_ACTOR);
        host_watch(actor->host, actor->other);
        (void)host_timer_set(actor->host, 10 * MS, 0);
    }
}

START_TEST(the_crash_of_a_watched_process_is_told_once)
{
    contract_start(
        2, (struct contract_script){ watch_start, contract_note_message, contract_ticking_timer });
    contract_run(25 * MS);
    ck_assert_uint_eq(contract_count(LOST), 0);
    contract.host->crash(contract.cluster, 1, 10 * MS);
    contract_run(29 * MS);
    contract_assert(LOST, 1, (uint64_t[]){ actor_address(1, 1, HOST_MAIN_ACTOR) });
    contract_run(50 * MS);
    contract.host->crash(contract.cluster, 1, 10 * MS); /* another incarnation: nobody watches it */
    contract_run(100 * MS);
    ck_assert_uint_eq(contract_count(LOST), 1);
}
END_TEST

START_TEST(a_machine_without_power_is_silent_until_it_is_back)
{
    contract_start(
        2, (struct contract_script){ watch_start, contract_note_message, contract_ticking_timer });
    contract_run(25 * MS);
    contract.host->cut(contract.cluster, 1, 100 * MS, DISK_KEEP);
    contract_run(124 * MS);
    ck_assert_uint_eq(contract_count(LOST), 0);
    ck_assert_uint_eq(contract_count(ARRIVED), 2);
    contract_run(145 * MS); /* it is up: the next message is answered by its kernel */
    contract_assert(LOST, 1, (uint64_t[]){ actor_address(1, 1, HOST_MAIN_ACTOR) });
    contract_run(200 * MS);
    ck_assert_uint_eq(contract_count(LOST), 1);
}
END_TEST

/* From 50 ms on process 0 watches the first incarnation of process 1, and writes to it. */
static void late_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        (void)host_timer_set(actor->host, 50 * MS, 0);
    }
}

static void late_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    if (tag == 0) {
        actor->other = actor_address(1, 1, HOST_MAIN_ACTOR);
        host_watch(actor->host, actor->other);
    }
    contract_send(actor, actor->other, 0, tag);
    (void)host_timer_set(actor->host, (50 + 10 * (tag + 1)) * MS, tag + 1);
}

START_TEST(a_peer_that_was_gone_before_it_was_watched_is_found_by_writing_to_it)
{
    contract_start(2, (struct contract_script){ late_start, contract_note_message, late_timer });
    contract_run(25 * MS);
    contract.host->crash(contract.cluster, 1, 10 * MS);
    contract_run(100 * MS);
    contract_assert(LOST, 1, (uint64_t[]){ actor_address(1, 1, HOST_MAIN_ACTOR) });
}
END_TEST

START_TEST(a_peer_that_has_not_come_back_is_found_by_writing_to_it)
{
    contract_start(2, (struct contract_script){ late_start, contract_note_message, late_timer });
    contract_run(25 * MS);
    contract.host->crash(contract.cluster, 1, FOR_EVER); /* its machine is up */
    contract_run(100 * MS);
    contract_assert(LOST, 1, (uint64_t[]){ actor_address(1, 1, HOST_MAIN_ACTOR) });
}
END_TEST

START_TEST(a_machine_without_power_does_not_answer_for_those_who_died_before)
{
    contract_start(2, (struct contract_script){ late_start, contract_note_message, late_timer });
    contract_run(25 * MS);
    contract.host->crash(contract.cluster, 1, 10 * MS);
    contract_run(45 * MS);
    contract.host->cut(contract.cluster, 1, 100 * MS, DISK_KEEP);
    contract_run(144 * MS);
    ck_assert_uint_eq(contract_count(LOST), 0);
    contract_run(160 * MS);
    ck_assert_uint_eq(contract_count(LOST), 1);
}
END_TEST

START_TEST(a_process_that_nobody_watches_dies_quietly)
{
    contract_start(2, (struct contract_script){ contract_ticking_start, contract_note_message,
                                                contract_ticking_timer });
    contract_run(25 * MS);
    contract.host->crash(contract.cluster, 1, 10 * MS);
    contract_run(100 * MS);
    ck_assert_uint_eq(contract_count(LOST), 0);
}
END_TEST

/* ---- broken connections ---------------------------------------------------------------------- */

enum { OF_CONTROL = 10, OF_RECORDS, CHANNELS_LOST, OF_A_CHILD = 100 };

/* Process 1 watches process 2, and sends it a number of each stream every 10 ms; at 40 ms a child
 * sends one, too. */
static void broken_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    actor->other = actor_address(2, 1, HOST_MAIN_ACTOR);
    if (contract_process(actor) != 1) {
        return;
    }
    if (!contract_is_main(actor)) {
        contract_send(actor, actor->other, 1, OF_A_CHILD);
        return;
    }
    host_watch(actor->host, actor->other);
    (void)host_timer_set(actor->host, 10 * MS, 0);
}

static void broken_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    actor->count++;
    contract_send(actor, actor->other, 0, actor->count);
    contract_send(actor, actor->other, 1, actor->count);
    if (actor->count == 4) {
        (void)host_spawn(actor->host, CHILD, &contract_actor_ops, (struct bytes){ 0 });
    }
    (void)host_timer_set(actor->host, (actor->count + 1) * 10 * MS, tag);
}

static void broken_message(struct contract_actor *actor, const struct message *message)
{
    if (message->kind == HOST_PEER_LOST) {
        contract_report(actor, LOST, message->from);
    } else if (message->kind == HOST_CHANNELS_LOST) {
        contract_report(actor, CHANNELS_LOST, message->from);
    } else {
        contract_report(actor, OF_CONTROL + message->stream, message->attempt);
    }
}

START_TEST(a_broken_connection_is_told_and_carries_no_records_between_those_who_had_it)
{
    contract_start(3, (struct contract_script){ broken_start, broken_message, broken_timer });
    contract_run(15 * MS);
    contract.host->reset(contract.cluster, 0, 2); /* nobody watches, and records do not go there */
    contract_run(25 * MS);
    ck_assert_uint_eq(contract_count(CHANNELS_LOST) + contract_count(LOST), 0);
    contract.host->reset(contract.cluster, 1, 2);
    contract_run(55 * MS);
    contract_assert(OF_CONTROL, 5, (uint64_t[]){ 1, 2, 3, 4, 5 });
    contract_assert(OF_RECORDS, 3, (uint64_t[]){ 1, 2, OF_A_CHILD });
    contract_assert(LOST, 1, (uint64_t[]){ actor_address(2, 1, HOST_MAIN_ACTOR) });
    ck_assert_uint_eq(contract_count(CHANNELS_LOST), 2);
    uint64_t told = contract_entry(CHANNELS_LOST, 0)->value;
    ck_assert_uint_eq(actor_process(told) + actor_process(contract_entry(CHANNELS_LOST, 1)->value),
                      1 + 2);
}
END_TEST

void contract_add_peer_tests(Suite *suite, const struct contract_host *host)
{
    contract_add_timed(suite, the_crash_of_a_watched_process_is_told_once);
    contract_add_timed(suite, a_peer_that_was_gone_before_it_was_watched_is_found_by_writing_to_it);
    contract_add_timed(suite, a_peer_that_has_not_come_back_is_found_by_writing_to_it);
    contract_add_timed(suite, a_process_that_nobody_watches_dies_quietly);
    contract_add_timed(suite,
                       a_broken_connection_is_told_and_carries_no_records_between_those_who_had_it);
    if (host->simulated) {
        contract_add_timed(suite, a_machine_without_power_is_silent_until_it_is_back);
        contract_add_timed(suite,
                           a_machine_without_power_does_not_answer_for_those_who_died_before);
    }
}
