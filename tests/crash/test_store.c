/* Cuts the power at every storage call of a JobManager and a TaskManager that take, commit, abort
 * and discard checkpoints, and of the JobManager that then recovers. */
#include "tests/support/runner.h"
#include "tests/support/store_trial.h"

static const enum store_kind durable_kinds[] = { STORE_FILES, STORE_SQLITE };
enum { DURABLE_KINDS = sizeof durable_kinds / sizeof durable_kinds[0] };

START_TEST(no_cut_breaks_the_store)
{
    struct cut cut;
    const char *wrong = trial_everything(durable_kinds[_i], &right_calls, &cut);
    ck_assert_msg(wrong == NULL, "%s: scene %d, call %u, effect %d, survival %d, seed %u", wrong,
                  (int)cut.scene, (unsigned)cut.call, cut.has_effect, (int)cut.survival,
                  (unsigned)cut.seed);
}
END_TEST

/* Cuts the first life at `call`, and the recovery from it at `again`. False if there was nothing
 * to cut; `*is_cut` tells that of the second. */
static bool try_two_cuts(enum store_kind kind, uint64_t call, uint64_t again, bool *is_cut)
{
    struct trial trial;
    struct disk_host job_manager, task_manager, next;
    enum status status;
    struct cut cut = {
        .scene = CUT_BOTH, .call = call, .has_effect = again % 2 == 0, .survival = DISK_TEAR
    };
    trial_init(&trial, kind, &right_calls, call * CALLS_MAX + again);
    bool is_cut_first = trial_live_until(&trial, &cut, &job_manager, &task_manager);
    disk_host_init(&next, trial.disk, 2);
    disk_host_halt_at(&next, again, call % 2 == 0);
    const char *wrong = trial_recover(&trial, &next.host, &status);
    *is_cut = next.is_halted;
    if (wrong == NULL) {
        disk_host_cut(&next, DISK_TEAR, &trial.prng);
        disk_host_init(&next, trial.disk, 3);
        wrong = trial_recover(&trial, &next.host, &status);
    }
    ck_assert_msg(wrong == NULL, "%s: calls %u and %u", wrong, (unsigned)call, (unsigned)again);
    disk_host_free(&next);
    disk_destroy(trial.disk);
    return is_cut_first;
}

START_TEST(no_cut_of_a_recovery_breaks_the_store)
{
    bool is_cut_first = true;
    bool is_small = durable_kinds[_i] == STORE_FILES;
    for (uint64_t call = 1; is_cut_first; call += is_small ? 3 : 31) {
        bool is_cut = true;
        for (uint64_t again = 1; is_cut; again += is_small ? 1 : 7) {
            is_cut_first = try_two_cuts(durable_kinds[_i], call, again, &is_cut);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("store crashes");
    TCase *tests = tcase_create("cuts");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, no_cut_breaks_the_store, 0, DURABLE_KINDS);
    tcase_add_loop_test(tests, no_cut_of_a_recovery_breaks_the_store, 0, DURABLE_KINDS);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
