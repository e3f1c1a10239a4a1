#include "model/runtime/job_record.h"

#include <signal.h>

#include "model/base/prng.h"
#include "tests/support/disk_host.h"
#include "tests/support/runner.h"

static struct arena arena;
static struct disk *disk;
static struct disk_host machine;

static void setup(void)
{
    arena_init(&arena);
    disk = disk_create(&arena);
    disk_host_init(&machine, disk, 0);
}

static void teardown(void)
{
    disk_host_free(&machine);
    disk_destroy(disk);
    arena_drop(&arena);
}

static struct job_record numbered(uint64_t number)
{
    return (struct job_record){ .epoch = number,
                                .attempt = 10 * number,
                                .next_checkpoint = 100 * number,
                                .newest_completed = 100 * number - 1,
                                .state = JOB_STATE_FINISHED };
}

static bool equals(const struct job_record *record, uint64_t number)
{
    return record->epoch == number && record->attempt == 10 * number &&
           record->next_checkpoint == 100 * number &&
           record->newest_completed == 100 * number - 1 && record->state == JOB_STATE_FINISHED;
}

START_TEST(a_new_job_begins_at_checkpoint_one)
{
    struct job_record record;
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
    ck_assert_uint_eq(record.epoch, 0);
    ck_assert_uint_eq(record.attempt, 0);
    ck_assert_uint_eq(record.next_checkpoint, 1);
    ck_assert_uint_eq(record.newest_completed, 0);
    ck_assert_int_eq(record.state, JOB_STATE_ACTIVE);
}
END_TEST

START_TEST(what_was_stored_last_is_loaded)
{
    struct job_record record;
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
    for (uint64_t number = 1; number < 5; number++) {
        struct job_record stored = numbered(number);
        ck_assert_int_eq(job_record_store(&machine.host, &stored), STATUS_OK);
        ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
        ck_assert(equals(&record, number));
    }
}
END_TEST

START_TEST(large_numbers_and_every_state_are_kept)
{
    struct job_record record;
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
    for (int state = JOB_STATE_ACTIVE; state <= JOB_STATE_FAILED; state++) {
        struct job_record stored = { .epoch = UINT64_MAX,
                                     .attempt = UINT64_MAX - 1,
                                     .next_checkpoint = UINT64_MAX - 2,
                                     .state = (enum job_state)state };
        ck_assert_int_eq(job_record_store(&machine.host, &stored), STATUS_OK);
        ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
        ck_assert_uint_eq(record.epoch, UINT64_MAX);
        ck_assert_uint_eq(record.attempt, UINT64_MAX - 1);
        ck_assert_uint_eq(record.next_checkpoint, UINT64_MAX - 2);
        ck_assert_int_eq(record.state, state);
    }
}
END_TEST

static void assert_given_up(const struct job_record *record, size_t count, const uint64_t *ids)
{
    ck_assert_uint_eq(record->given_up.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(record->given_up.ids[i], ids[i]);
    }
}

/* R4 */
START_TEST(what_was_given_up_is_loaded_until_it_is_forgotten)
{
    struct job_record record;
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
    id_list_add(&record.given_up, machine.host.arena, 7);
    id_list_add(&record.given_up, machine.host.arena, 5);
    id_list_add(&record.given_up, machine.host.arena, 7);
    (void)id_list_remove(&record.given_up, 6);
    ck_assert_int_eq(job_record_store(&machine.host, &record), STATUS_OK);
    struct job_record loaded;
    ck_assert_int_eq(job_record_load(&machine.host, &loaded), STATUS_OK);
    assert_given_up(&loaded, 2, (uint64_t[]){ 5, 7 });
    (void)id_list_remove(&loaded.given_up, 5);
    ck_assert_int_eq(job_record_store(&machine.host, &loaded), STATUS_OK);
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
    assert_given_up(&record, 1, (uint64_t[]){ 7 });
}
END_TEST

/* Up to a record of many pieces. */
START_TEST(any_number_of_checkpoints_can_be_given_up)
{
    struct job_record record;
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
    for (uint64_t id = 1; id <= 100; id++) {
        id_list_add(&record.given_up, machine.host.arena, id);
        ck_assert_int_eq(job_record_store(&machine.host, &record), STATUS_OK);
        ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
        ck_assert_uint_eq(record.given_up.count, id);
        ck_assert_uint_eq(record.given_up.ids[id - 1], id);
    }
}
END_TEST

static void store_one(void)
{
    struct job_record record = numbered(1);
    struct job_record ignored;
    ck_assert_int_eq(job_record_load(&machine.host, &ignored), STATUS_OK);
    ck_assert_int_eq(job_record_store(&machine.host, &record), STATUS_OK);
}

START_TEST(every_flipped_bit_is_noticed)
{
    struct bytes content;
    struct job_record record;
    store_one();
    ck_assert(disk_peek(disk, "job/record", &content));
    size_t size = content.size;
    for (size_t i = 0; i < size; i++) {
        ck_assert(disk_corrupt(disk, "job/record", i));
        ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_CORRUPT);
        struct job_record again = numbered(1);
        ck_assert_int_eq(job_record_store(&machine.host, &again), STATUS_OK);
    }
}
END_TEST

START_TEST(a_record_of_the_wrong_length_is_corrupt)
{
    struct bytes content;
    struct job_record record;
    store_one();
    ck_assert(disk_peek(disk, "job/record", &content));
    size_t size = content.size;
    ck_assert(disk_truncate(disk, "job/record", size + 1));
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_CORRUPT);
    for (size_t left = size; left-- > 0;) {
        ck_assert(disk_truncate(disk, "job/record", left));
        ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_CORRUPT);
    }
}
END_TEST

/* Stores records 1, 2, 3 ... until call number `call` cuts the power; answers the newest one that
 * was stored and the newest one that was tried. */
static void store_until_cut(uint64_t call, bool has_effect, uint64_t *stored, uint64_t *tried)
{
    struct job_record record;
    *stored = 0;
    *tried = 0;
    disk_host_halt_at(&machine, call, has_effect);
    if (job_record_load(&machine.host, &record) != STATUS_OK) {
        return;
    }
    while (*tried < 3) {
        record = numbered(++*tried);
        if (job_record_store(&machine.host, &record) != STATUS_OK) {
            return;
        }
        *stored = *tried;
    }
}

/* False if nothing was cut. */
static bool assert_cut(uint64_t call, bool has_effect, enum disk_survival survival, uint64_t seed)
{
    struct prng prng = { .state = seed };
    struct job_record record;
    uint64_t stored;
    uint64_t tried;
    teardown();
    setup();
    store_until_cut(call, has_effect, &stored, &tried);
    bool was_cut = machine.is_halted;
    disk_host_cut(&machine, survival, &prng);
    disk_host_init(&machine, disk, 1);
    ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
    uint64_t found = record.epoch;
    ck_assert_msg(found == 0 || equals(&record, found), "a mixture of two records");
    ck_assert_msg(found >= stored && found <= tried, "call %llu: record %llu of %llu to %llu",
                  (unsigned long long)call, (unsigned long long)found, (unsigned long long)stored,
                  (unsigned long long)tried);
    return was_cut;
}

/* R1 */
START_TEST(no_power_cut_takes_back_a_record_or_damages_it)
{
    uint64_t call = 1;
    for (bool was_cut = true; was_cut; call++) {
        for (int effect = 0; effect < 2; effect++) {
            was_cut = assert_cut(call, effect, DISK_KEEP, 1);
            (void)assert_cut(call, effect, DISK_LOSE, 1);
            for (uint64_t seed = 1; seed <= 16; seed++) {
                (void)assert_cut(call, effect, DISK_TEAR, seed);
            }
        }
    }
    ck_assert_uint_gt(call, 15); /* three stores of five calls, at least */
}
END_TEST

START_TEST(an_error_is_answered_and_the_old_record_stays)
{
    struct job_record record;
    for (uint64_t call = 1; call <= 4; call++) {
        teardown();
        setup();
        store_one();
        disk_host_fail_at(&machine, call, STATUS_NO_SPACE);
        struct job_record second = numbered(2);
        ck_assert_int_eq(job_record_store(&machine.host, &second), STATUS_NO_SPACE);
        ck_assert_int_eq(job_record_load(&machine.host, &record), STATUS_OK);
        ck_assert(equals(&record, 1));
    }
}
END_TEST

START_TEST(checkpoint_zero_trips_a_check)
{
    struct job_record record = { .next_checkpoint = 0 };
    (void)!job_record_store(&machine.host, &record);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("job_record");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_new_job_begins_at_checkpoint_one);
    tcase_add_test(tcase, what_was_stored_last_is_loaded);
    tcase_add_test(tcase, large_numbers_and_every_state_are_kept);
    tcase_add_test(tcase, what_was_given_up_is_loaded_until_it_is_forgotten);
    tcase_add_test(tcase, any_number_of_checkpoints_can_be_given_up);
    tcase_add_test(tcase, every_flipped_bit_is_noticed);
    tcase_add_test(tcase, a_record_of_the_wrong_length_is_corrupt);
    tcase_add_test(tcase, no_power_cut_takes_back_a_record_or_damages_it);
    tcase_add_test(tcase, an_error_is_answered_and_the_old_record_stays);
    tcase_add_test_raise_signal(tcase, checkpoint_zero_trips_a_check, SIGABRT);
    Suite *suite = suite_create("job_record");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
