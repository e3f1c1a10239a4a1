#include "model/live/live_process.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/runner.h"

enum { KIND = 7 };

/* What the actor did, in its order: 0 for its start, then the kinds of its messages. */
struct heard {
    pthread_mutex_t lock;
    pthread_cond_t more;
    uint64_t items[4];
    size_t count;
};

static struct heard heard = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

static void hear(uint64_t item)
{
    (void)pthread_mutex_lock(&heard.lock);
    ck_assert_uint_lt(heard.count, 4);
    heard.items[heard.count++] = item;
    (void)pthread_cond_signal(&heard.more);
    (void)pthread_mutex_unlock(&heard.lock);
}

static void *on_start(struct host *host, struct bytes argument)
{
    (void)argument;
    hear(0);
    return host;
}

static void on_message(void *self, struct message *message)
{
    hear(message->kind);
    host_message_free(self, message);
}

static const struct actor_ops actor = { .name = "test",
                                        .on_start = on_start,
                                        .on_message = on_message };

START_TEST(a_message_that_comes_before_the_start_waits_for_it)
{
    char directory[] = "/tmp/faultline-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    struct live_process_options options = { .incarnation = 1,
                                            .process_count = 2,
                                            .slowness = 1,
                                            .main = &actor,
                                            .shared = directory,
                                            .local = directory };
    struct live_process *process = live_process_create(&options);
    ck_assert_ptr_nonnull(process);
    struct message *message = live_message_new(0);
    message->kind = KIND;
    message->from = actor_address(1, 1, HOST_MAIN_ACTOR);
    message->to = actor_address(0, HOST_INCARNATION_ANY, HOST_MAIN_ACTOR);
    live_process_deliver(process, message);
    live_process_start(process, live_clock_ns());
    (void)pthread_mutex_lock(&heard.lock);
    while (heard.count < 2) {
        (void)pthread_cond_wait(&heard.more, &heard.lock);
    }
    (void)pthread_mutex_unlock(&heard.lock);
    ck_assert_uint_eq(heard.items[0], 0);
    ck_assert_uint_eq(heard.items[1], KIND);
    live_process_destroy(process);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("live_process");
    TCase *tests = tcase_create("start");
    tcase_add_test(tests, a_message_that_comes_before_the_start_waits_for_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
