#include "sim/campaign/workers.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/codec.h"
#include "tests/support/runner.h"

enum { JOBS_MAX = 256 };

/* A campaign whose job n does what `what` says with n. */
struct campaign {
    uint64_t job_count;
    uint64_t next;
    void (*what)(uint64_t job);
    uint64_t stop_after; /* ends; 0: never */
    uint32_t ended[JOBS_MAX];
    uint64_t answers[JOBS_MAX];
    bool crashed[JOBS_MAX];
    int signals[JOBS_MAX];
    char words[JOBS_MAX][64];
    uint64_t end_count;
};

static bool next(void *context, uint64_t *job)
{
    struct campaign *campaign = context;
    *job = campaign->next;
    return campaign->next++ < campaign->job_count;
}

static void run(void *context, uint64_t job, struct buffer *result)
{
    const struct campaign *campaign = context;
    if (campaign->what != NULL) {
        campaign->what(job);
    }
    encode_u64(result, job * job);
}

static bool ended(void *context, const struct worker_end *end)
{
    struct campaign *campaign = context;
    ck_assert_uint_lt(end->job, JOBS_MAX);
    campaign->ended[end->job]++;
    campaign->crashed[end->job] = end->crashed;
    campaign->signals[end->job] = end->signal;
    if (end->crashed) {
        ck_assert_uint_eq(end->result.size, 0);
        size_t size = end->error_output.size < 63 ? end->error_output.size : 63;
        memcpy(campaign->words[end->job], end->error_output.data + (end->error_output.size - size),
               size);
    } else {
        struct decoder decoder;
        decoder_init(&decoder, end->result);
        campaign->answers[end->job] = decode_u64(&decoder);
        ck_assert_int_eq(decoder_finish(&decoder), STATUS_OK);
    }
    campaign->end_count++;
    return campaign->stop_after == 0 || campaign->end_count < campaign->stop_after;
}

static struct worker_pool pool_of(struct campaign *campaign, uint32_t processes, uint32_t batch)
{
    return (struct worker_pool){ .processes = processes,
                                 .batch = batch,
                                 .next = next,
                                 .run = run,
                                 .ended = ended,
                                 .context = campaign };
}

static void run_pool(const struct worker_pool *pool)
{
    bool interrupted = true;
    ck_assert_int_eq(workers_run(pool, &interrupted), STATUS_OK);
    ck_assert(!interrupted);
}

static void expect_each_ended_once(const struct campaign *campaign)
{
    for (uint64_t i = 0; i < campaign->job_count; i++) {
        ck_assert_uint_eq(campaign->ended[i], 1);
        if (!campaign->crashed[i]) {
            ck_assert_uint_eq(campaign->answers[i], i * i);
        }
    }
    ck_assert_uint_eq(campaign->end_count, campaign->job_count);
}

START_TEST(every_job_is_done_once)
{
    static const uint32_t batches[] = { 1, 7, 64 };
    struct campaign campaign = { .job_count = 100 };
    struct worker_pool pool = pool_of(&campaign, 3, batches[_i]);
    run_pool(&pool);
    expect_each_ended_once(&campaign);
}
END_TEST

static void die_at_13(uint64_t job)
{
    if (job == 13) {
        (void)fprintf(stderr, "unlucky\n");
        abort();
    }
}

/* The answer is who did the job. */
static void run_and_sign(void *context, uint64_t job, struct buffer *result)
{
    (void)context;
    (void)job;
    encode_u64(result, (uint64_t)getpid());
}

/* How many jobs, from `first` on, the same child did. */
static uint32_t batch_from(const struct campaign *campaign, uint32_t first)
{
    uint32_t count = 0;
    while (first + count < campaign->job_count &&
           campaign->answers[first + count] == campaign->answers[first]) {
        count++;
    }
    return count;
}

START_TEST(batches_get_smaller_towards_an_end_that_is_known)
{
    for (int is_known = 0; is_known < 2; is_known++) {
        struct campaign campaign = { .job_count = 100 };
        struct worker_pool pool = pool_of(&campaign, 2, 20);
        pool.run = run_and_sign;
        pool.job_count = is_known ? campaign.job_count : 0;
        run_pool(&pool);
        ck_assert_uint_eq(campaign.end_count, campaign.job_count);
        ck_assert_uint_eq(batch_from(&campaign, 0), 20);
        ck_assert_uint_eq(batch_from(&campaign, 20), 20);
        ck_assert_uint_eq(batch_from(&campaign, 40), is_known ? 60 / 4 : 20);
        ck_assert_uint_eq(batch_from(&campaign, 55), is_known ? 45 / 4 : 5);
        ck_assert_uint_eq(batch_from(&campaign, 90), is_known ? 8 : 10);
    }
}
END_TEST

START_TEST(a_crash_names_its_job_and_the_others_of_the_batch_are_done)
{
    struct campaign campaign = { .job_count = 40, .what = die_at_13 };
    struct worker_pool pool = pool_of(&campaign, 2, 16);
    run_pool(&pool);
    expect_each_ended_once(&campaign);
    for (uint64_t i = 0; i < campaign.job_count; i++) {
        ck_assert(campaign.crashed[i] == (i == 13));
    }
    ck_assert_int_eq(campaign.signals[13], SIGABRT);
    ck_assert_str_eq(campaign.words[13], "unlucky\n");
}
END_TEST

static void leave(uint64_t job)
{
    if (job % 2 == 1) {
        _exit(EXIT_SUCCESS);
    }
}

START_TEST(a_process_that_ends_without_a_word_has_crashed)
{
    struct campaign campaign = { .job_count = 6, .what = leave };
    struct worker_pool pool = pool_of(&campaign, 1, 6);
    run_pool(&pool);
    expect_each_ended_once(&campaign);
    for (uint64_t i = 0; i < campaign.job_count; i++) {
        ck_assert(campaign.crashed[i] == (i % 2 == 1));
        ck_assert_int_eq(campaign.signals[i], 0);
    }
}
END_TEST

static void hang_at_2(uint64_t job)
{
    while (job == 2) {
        (void)pause();
    }
}

START_TEST(a_job_that_takes_too_long_is_killed)
{
    struct campaign campaign = { .job_count = 5, .what = hang_at_2 };
    struct worker_pool pool = pool_of(&campaign, 2, 4);
    pool.job_seconds = 1;
    run_pool(&pool);
    expect_each_ended_once(&campaign);
    ck_assert(campaign.crashed[2]);
    ck_assert_int_eq(campaign.signals[2], SIGALRM);
    ck_assert(!campaign.crashed[3]);
}
END_TEST

static void shout(uint64_t job)
{
    for (int i = 0; i < 4000; i++) {
        (void)fprintf(stderr, "line %d of job %d, and much more that nobody needs\n", i, (int)job);
    }
    (void)fprintf(stderr, "the end\n");
    abort();
}

START_TEST(of_a_flood_on_standard_error_the_end_is_kept)
{
    struct campaign campaign = { .job_count = 2, .what = shout };
    struct worker_pool pool = pool_of(&campaign, 2, 1);
    run_pool(&pool);
    for (uint64_t i = 0; i < 2; i++) {
        ck_assert(campaign.crashed[i]);
        const char *end = strstr(campaign.words[i], "the end\n");
        ck_assert_ptr_nonnull(end);
        ck_assert_uint_eq(strlen(end), strlen("the end\n"));
    }
}
END_TEST

START_TEST(nothing_begins_after_ended_said_stop)
{
    struct campaign campaign = { .job_count = 100, .stop_after = 3 };
    struct worker_pool pool = pool_of(&campaign, 1, 1);
    run_pool(&pool);
    ck_assert_uint_eq(campaign.end_count, 3);
}
END_TEST

static bool interrupt(void *context)
{
    (void)context;
    (void)raise(SIGINT);
    return true;
}

static void hang(uint64_t job)
{
    (void)job;
    for (;;) {
        (void)pause();
    }
}

START_TEST(an_interruption_ends_everything_cleanly)
{
    struct campaign campaign = { .job_count = 10, .what = hang };
    struct worker_pool pool = pool_of(&campaign, 2, 2);
    pool.tick = interrupt;
    bool interrupted = false;
    ck_assert_int_eq(workers_run(&pool, &interrupted), STATUS_OK);
    ck_assert(interrupted);
    ck_assert_uint_eq(campaign.end_count, 0);
}
END_TEST

static bool stop_now(void *context)
{
    (void)context;
    return false;
}

START_TEST(a_tick_can_stop_at_once)
{
    struct campaign campaign = { .job_count = 10, .what = hang };
    struct worker_pool pool = pool_of(&campaign, 2, 2);
    pool.tick = stop_now;
    run_pool(&pool);
    ck_assert_uint_eq(campaign.end_count, 0);
}
END_TEST

START_TEST(there_is_at_least_one_processor)
{
    ck_assert_uint_ge(workers_default_count(), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("workers");
    TCase *tc = tcase_create("workers");
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, every_job_is_done_once, 0, 3);
    tcase_add_test(tc, batches_get_smaller_towards_an_end_that_is_known);
    tcase_add_test(tc, a_crash_names_its_job_and_the_others_of_the_batch_are_done);
    tcase_add_test(tc, a_process_that_ends_without_a_word_has_crashed);
    tcase_add_test(tc, a_job_that_takes_too_long_is_killed);
    tcase_add_test(tc, of_a_flood_on_standard_error_the_end_is_kept);
    tcase_add_test(tc, nothing_begins_after_ended_said_stop);
    tcase_add_test(tc, an_interruption_ends_everything_cleanly);
    tcase_add_test(tc, a_tick_can_stop_at_once);
    tcase_add_test(tc, there_is_at_least_one_processor);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
