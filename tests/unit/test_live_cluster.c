#include "model/live/live_cluster.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/runner.h"

enum { MS = 1000000, ARRIVALS_MAX = 8, CALLS_MAX = 16 };

/* What process 1 got, and when. */
struct heard {
    uint64_t numbers[ARRIVALS_MAX];
    uint64_t times_ns[ARRIVALS_MAX];
    size_t count;
    char death[64];
    enum live_call_kind calls[CALLS_MAX];
    size_t call_count;
    uint32_t struck_count;
    uint32_t refused_count;
};

static void on_fact(void *context, const struct fact_event *event)
{
    struct heard *heard = context;
    ck_assert_uint_lt(heard->count, ARRIVALS_MAX);
    heard->numbers[heard->count] = event->fact.values[0];
    heard->times_ns[heard->count++] = event->time_ns;
}

static void on_death(void *context, uint32_t process, int how)
{
    struct heard *heard = context;
    (void)snprintf(heard->death, sizeof heard->death, "%u: %s %d", process,
                   WIFSIGNALED(how) ? "signal" : "exit status",
                   WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

static void *start(struct host *host, struct bytes argument)
{
    (void)argument;
    if (actor_process(host->self) == 0) {
        (void)host_timer_set(host, 100 * MS, 1);
        (void)host_timer_set(host, 200 * MS, 3);
    }
    return host;
}

static void send(struct host *host, uint32_t stream, uint64_t number)
{
    struct message *message = host_message_new(host, 0);
    message->kind = 1;
    message->stream = stream;
    message->attempt = number;
    host_send(host, actor_address(1, HOST_INCARNATION_ANY, HOST_MAIN_ACTOR), message);
}

/* At 100 ms number 1 over the stream that is delayed and 2 over the other, at 200 ms number 3. */
static void on_timer(void *self, timer_id timer, uint64_t tag)
{
    (void)timer;
    send(self, 1, tag);
    if (tag == 1) {
        send(self, 0, 2);
    }
}

static void report(void *self, struct message *message)
{
    host_trace(self, &(struct fact){ .kind = FACT_SOURCE_PROGRESS,
                                     .vertex = FACT_NO_TASK,
                                     .subtask = FACT_NO_TASK,
                                     .values = { message->attempt } });
    host_message_free(self, message);
}

static const struct actor_ops actor = {
    .name = "test", .on_start = start, .on_message = report, .on_timer = on_timer
};

static void abort_on_message(void *self, struct message *message)
{
    (void)self;
    (void)message;
    abort();
}

static const struct actor_ops mortal = {
    .name = "mortal", .on_start = start, .on_message = abort_on_message, .on_timer = on_timer
};

static void must(enum status status)
{
    ck_assert_int_eq(status, STATUS_OK);
}

/* Calls of every kind in process 0, and a fact when they are over. */
static void *call_start(struct host *host, struct bytes argument)
{
    (void)argument;
    if (actor_process(host->self) != 0) {
        return host;
    }
    file_id file;
    must(host_file_open(host, HOST_LOCAL, "a", HOST_CREATE, &file)); /* nobody asks for it */
    must(host_file_open(host, HOST_SHARED, "a", HOST_CREATE, &file));
    must(host_file_sync(host, file));
    must(host_sync_dir(host, HOST_SHARED, ""));
    must(host_rename(host, HOST_SHARED, "a", "b"));
    must(host_file_open(host, HOST_SHARED, "a", HOST_TRUNCATE, &file));
    must(host_rename(host, HOST_SHARED, "a", "b"));
    must(host_file_open(host, HOST_SHARED, "b", HOST_READ, &file));
    must(host_remove(host, HOST_SHARED, "b"));
    must(host_make_dir(host, HOST_SHARED, "c"));
    must(host_remove_dir(host, HOST_SHARED, "c"));
    ck_assert_int_eq(host_remove(host, HOST_SHARED, "b"), STATUS_NOT_FOUND);
    host_trace(host, &(struct fact){ .kind = FACT_SOURCE_PROGRESS, .values = { 1 } });
    return host;
}

static void on_call(void *context, const struct live_call *call)
{
    struct heard *heard = context;
    ck_assert_uint_lt(heard->call_count, CALLS_MAX);
    ck_assert_uint_eq(call->process, 0);
    heard->calls[heard->call_count++] = call->kind;
}

static const struct actor_ops caller = {
    .name = "caller", .on_start = call_start, .on_message = report, .on_timer = on_timer
};

/* When told so: calls that strike a rule for files called "a..." have happened all the same. */
static void doubt(void *self, struct message *message)
{
    struct host *host = self;
    struct bytes letter = { .data = (const uint8_t *)"x", .size = 1 };
    file_id file;
    uint64_t size_bytes = 0;
    must(host_file_open(host, HOST_SHARED, "b", HOST_CREATE, &file));
    must(host_file_write(host, file, 0, letter));
    must(host_file_open(host, HOST_SHARED, "a", HOST_CREATE, &file));
    ck_assert_int_eq(host_file_write(host, file, 0, letter), STATUS_IO);
    must(host_file_size(host, file, &size_bytes));
    ck_assert_uint_eq(size_bytes, letter.size);
    ck_assert_int_eq(host_rename(host, HOST_SHARED, "a", "b"), STATUS_IO);
    ck_assert_int_eq(host_file_open(host, HOST_SHARED, "a", HOST_READ, &file), STATUS_NOT_FOUND);
    report(self, message);
}

static const struct actor_ops doubter = {
    .name = "doubter", .on_start = start, .on_message = doubt, .on_timer = on_timer
};

static void on_struck(void *context, const struct live_struck *struck)
{
    struct heard *heard = context;
    heard->struck_count++;
    ck_assert_uint_eq(struck->number, 7);
}

/* When told so: makes a file where a rule allows none, one that is spared, and one whose name no
 * file system takes. */
static void overreach(void *self, struct message *message)
{
    struct host *host = self;
    char name[NAME_MAX + 2];
    file_id file;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(host_file_open(host, HOST_SHARED, "a", HOST_CREATE, &file), STATUS_NO_SPACE);
    must(host_file_open(host, HOST_SHARED, "spared", HOST_CREATE, &file));
    ck_assert_int_eq(host_file_open(host, HOST_LOCAL, "a", HOST_READ, &file), STATUS_NOT_FOUND);
    ck_assert_int_eq(host_file_open(host, HOST_LOCAL, name, HOST_CREATE, &file), STATUS_IO);
    report(self, message);
}

static const struct actor_ops overreacher = {
    .name = "overreacher", .on_start = start, .on_message = overreach, .on_timer = on_timer
};

/* When told so: reports a content that all take, then one that is too large for a packet. */
static void show_contents(void *self, struct message *message)
{
    static const uint8_t bytes[65 * 1024] = { [9] = 'x' };
    struct fact fact = { .kind = FACT_SOURCE_PROGRESS,
                         .vertex = FACT_NO_TASK,
                         .subtask = FACT_NO_TASK,
                         .text = bytes_of_text("text"),
                         .content = { .data = bytes, .size = 10 } };
    host_trace(self, &fact);
    fact.content.size = sizeof bytes;
    host_trace(self, &fact);
    host_message_free(self, message);
}

static const struct actor_ops shower = {
    .name = "shower", .on_start = start, .on_message = show_contents, .on_timer = on_timer
};

/* Its size, and the last byte of the first. */
static void on_content(void *context, const struct fact_event *event)
{
    struct heard *heard = context;
    const struct bytes *content = &event->fact.content;
    ck_assert(bytes_equal(event->fact.text, bytes_of_text("text")));
    ck_assert(heard->count > 0 || content->data[9] == 'x');
    heard->numbers[heard->count++] = content->size;
}

static void on_refused(void *context, uint32_t process, const struct live_refused *refused)
{
    struct heard *heard = context;
    heard->refused_count++;
    ck_assert_uint_eq(process, 0);
    ck_assert_int_eq(refused->error, ENAMETOOLONG);
    ck_assert_int_eq(refused->volume, HOST_LOCAL);
    ck_assert_uint_eq(refused->path.size, NAME_MAX + 1);
    ck_assert_uint_eq(refused->path.data[NAME_MAX], 'x');
}

static uint64_t clock_slowness; /* of all tests of the suite */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static void run(bool threads, const struct actor_ops *ops, uint64_t until_ns, struct heard *heard)
{
    char folder[] = "/tmp/faultline-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct live_cluster_options options = {
        .threads = threads,
        .process_count = 2,
        .first = ops,
        .others = ops,
        .directory = folder,
        .slowness = clock_slowness,
        .listener = { .on_fact = on_fact, .on_death = on_death, .context = heard },
    };
    struct live_cluster *cluster = live_cluster_create(&options);
    ck_assert_ptr_nonnull(cluster);
    ck_assert(live_cluster_begin(cluster));
    live_cluster_add_rule(cluster, &(struct live_rule){ .kind = LIVE_DELAY,
                                                        .until_ns = 150 * MS,
                                                        .to_last = 1,
                                                        .from_last = 1,
                                                        .stream = 1,
                                                        .by_ns = 300 * MS });
    while (live_cluster_now_ns(cluster) < until_ns && heard->death[0] == '\0') {
        live_cluster_poll(cluster, until_ns);
    }
    live_cluster_destroy(cluster);
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* With processes (0) and with threads (1). */
START_TEST(a_stream_is_delayed_in_its_order_and_others_are_not)
{
    struct heard heard = { .count = 0 };
    run(_i == 1, &actor, 1000 * (uint64_t)MS, &heard);
    ck_assert_uint_eq(heard.count, 3);
    ck_assert_uint_eq(heard.numbers[0], 2);
    ck_assert_uint_eq(heard.numbers[1], 1);
    ck_assert_uint_eq(heard.numbers[2], 3);
    ck_assert_uint_ge(heard.times_ns[1], 400 * (uint64_t)MS);
    ck_assert_uint_ge(heard.times_ns[2], heard.times_ns[1]);
}
END_TEST

START_TEST(a_process_that_ends_by_itself_is_told)
{
    struct heard heard = { .count = 0 };
    run(false, &mortal, 5000 * (uint64_t)MS, &heard);
    ck_assert_str_eq(heard.death, "1: signal 6");
}
END_TEST

/* With processes (0) and with threads (1). */
START_TEST(calls_are_timed_by_what_they_did_to_the_shared_volume)
{
    char folder[] = "/tmp/faultline-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct heard heard = { .count = 0 };
    struct live_cluster_options options = { .threads = _i == 1,
                                            .process_count = 2,
                                            .first = &caller,
                                            .others = &caller,
                                            .directory = folder,
                                            .slowness = clock_slowness,
                                            .listener = { .on_fact = on_fact,
                                                          .on_death = on_death,
                                                          .on_call = on_call,
                                                          .context = &heard } };
    struct live_cluster *cluster = live_cluster_create(&options);
    ck_assert_ptr_nonnull(cluster);
    ck_assert(live_cluster_begin(cluster));
    while (heard.count == 0 && heard.death[0] == '\0') {
        live_cluster_poll(cluster, 1000 * (uint64_t)MS);
    }
    live_cluster_destroy(cluster);
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    static const enum live_call_kind expected[] = {
        LIVE_CALL_NAME,   LIVE_CALL_SYNC,   LIVE_CALL_SYNC, LIVE_CALL_NAME,   LIVE_CALL_NAME,
        LIVE_CALL_REMOVE, LIVE_CALL_REMOVE, LIVE_CALL_NAME, LIVE_CALL_REMOVE,
    };
    ck_assert_uint_eq(heard.call_count, sizeof expected / sizeof *expected);
    ck_assert_mem_eq(heard.calls, expected, sizeof expected);
}
END_TEST

/* Process 1 reports and tells process 0, which reports because of that, and says that it has. */
static void *cause_start(struct host *host, struct bytes argument)
{
    (void)argument;
    if (actor_process(host->self) == 1) {
        struct message *message = host_message_new(host, 0);
        message->kind = 1;
        message->attempt = 2;
        host_trace(host, &(struct fact){ .kind = FACT_SOURCE_PROGRESS, .values = { 1 } });
        host_send(host, actor_address(0, HOST_INCARNATION_ANY, HOST_MAIN_ACTOR), message);
    }
    return host;
}

static void effect(void *self, struct message *message)
{
    report(self, message);
    must(host_make_dir(self, HOST_SHARED, "reported"));
}

static const struct actor_ops causes = {
    .name = "causes", .on_start = cause_start, .on_message = effect, .on_timer = on_timer
};

/* With processes (0) and with threads (1), to a supervisor that listens when all is said. */
START_TEST(what_is_reported_because_of_another_report_is_told_behind_it)
{
    char folder[] = "/tmp/faultline-XXXXXX";
    char reported[sizeof folder + sizeof "/shared/reported"];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(reported, sizeof reported, "%s/shared/reported", folder);
    struct heard heard = { .count = 0 };
    struct live_cluster_options options = {
        .threads = _i == 1,
        .process_count = 2,
        .first = &causes,
        .others = &causes,
        .directory = folder,
        .slowness = clock_slowness,
        .listener = { .on_fact = on_fact, .on_death = on_death, .context = &heard }
    };
    struct live_cluster *cluster = live_cluster_create(&options);
    ck_assert_ptr_nonnull(cluster);
    ck_assert(live_cluster_begin(cluster));
    while (access(reported, F_OK) != 0) {
        (void)usleep(1000);
    }
    while (heard.count < 2) {
        live_cluster_poll(cluster, 1000 * (uint64_t)MS);
    }
    live_cluster_destroy(cluster);
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    ck_assert_uint_eq(heard.numbers[0], 1);
    ck_assert_uint_eq(heard.numbers[1], 2);
}
END_TEST

/* With processes (0), where it is whole or left out, and with threads (1). */
START_TEST(the_content_of_a_fact_is_told)
{
    char folder[] = "/tmp/faultline-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct heard heard = { .count = 0 };
    struct live_cluster_options options = {
        .threads = _i == 1,
        .process_count = 1,
        .first = &shower,
        .others = &shower,
        .directory = folder,
        .slowness = clock_slowness,
        .listener = { .on_fact = on_content, .on_death = on_death, .context = &heard }
    };
    struct live_cluster *cluster = live_cluster_create(&options);
    ck_assert_ptr_nonnull(cluster);
    ck_assert(live_cluster_begin(cluster));
    ck_assert(live_cluster_tell(cluster, 0, 1, bytes_of_text("go")));
    while (heard.count < 2 && heard.death[0] == '\0') {
        live_cluster_poll(cluster, 1000 * (uint64_t)MS);
    }
    live_cluster_destroy(cluster);
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    ck_assert_str_eq(heard.death, "");
    ck_assert_uint_eq(heard.numbers[0], 10);
    ck_assert_uint_eq(heard.numbers[1], _i == 1 ? 65 * 1024 : 0);
}
END_TEST

/* What the machine refuses, a name that is too long, is told; what a rule strikes is not. With
 * processes (0) and with threads (1). */
START_TEST(a_call_that_the_machine_refuses_is_told_and_one_that_a_rule_strikes_is_not)
{
    char folder[] = "/tmp/faultline-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct heard heard = { .count = 0 };
    struct live_cluster_options options = { .threads = _i == 1,
                                            .process_count = 1,
                                            .first = &overreacher,
                                            .others = &overreacher,
                                            .spared = "spared",
                                            .directory = folder,
                                            .slowness = clock_slowness,
                                            .listener = { .on_fact = on_fact,
                                                          .on_death = on_death,
                                                          .on_struck = on_struck,
                                                          .on_refused = on_refused,
                                                          .context = &heard } };
    struct live_cluster *cluster = live_cluster_create(&options);
    ck_assert_ptr_nonnull(cluster);
    ck_assert(live_cluster_begin(cluster));
    live_cluster_add_rule(cluster, &(struct live_rule){ .kind = LIVE_FULL,
                                                        .until_ns = LIVE_FOR_GOOD,
                                                        .volume = HOST_SHARED,
                                                        .number = 7 });
    ck_assert(live_cluster_tell(cluster, 0, 1, bytes_of_text("go")));
    while (heard.count == 0 && heard.death[0] == '\0') {
        live_cluster_poll(cluster, 1000 * (uint64_t)MS);
    }
    live_cluster_destroy(cluster);
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    ck_assert_str_eq(heard.death, "");
    ck_assert_uint_eq(heard.struck_count, 1);
    ck_assert_uint_eq(heard.refused_count, 1);
}
END_TEST

/* With processes (0) and with threads (1). */
START_TEST(an_ambiguous_call_has_happened_though_it_says_that_it_failed)
{
    char folder[] = "/tmp/faultline-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct heard heard = { .count = 0 };
    struct live_cluster_options options = { .threads = _i == 1,
                                            .process_count = 1,
                                            .first = &doubter,
                                            .others = &doubter,
                                            .directory = folder,
                                            .slowness = clock_slowness,
                                            .listener = { .on_fact = on_fact,
                                                          .on_death = on_death,
                                                          .on_struck = on_struck,
                                                          .context = &heard } };
    struct live_cluster *cluster = live_cluster_create(&options);
    ck_assert_ptr_nonnull(cluster);
    ck_assert(live_cluster_begin(cluster));
    live_cluster_add_rule(cluster,
                          &(struct live_rule){ .kind = LIVE_AMBIGUOUS,
                                               .until_ns = LIVE_FOR_GOOD,
                                               .volume = HOST_SHARED,
                                               .glob = "a*",
                                               .calls = HOST_STORAGE_WRITE | HOST_STORAGE_RENAME,
                                               .number = 7 });
    ck_assert(live_cluster_tell(cluster, 0, 1, bytes_of_text("go")));
    while (heard.count == 0 && heard.death[0] == '\0') {
        live_cluster_poll(cluster, 1000 * (uint64_t)MS);
    }
    live_cluster_destroy(cluster);
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    ck_assert_str_eq(heard.death, "");
    ck_assert_uint_eq(heard.struck_count, 1);
}
END_TEST

static Suite *make(uint64_t slowness)
{
    clock_slowness = slowness;
    Suite *suite = suite_create("live cluster");
    TCase *tcase = tcase_create("live cluster");
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, a_stream_is_delayed_in_its_order_and_others_are_not, 0, 2);
    tcase_add_loop_test(tcase, calls_are_timed_by_what_they_did_to_the_shared_volume, 0, 2);
    tcase_add_loop_test(tcase, what_is_reported_because_of_another_report_is_told_behind_it, 0, 2);
    tcase_add_loop_test(tcase, the_content_of_a_fact_is_told, 0, 2);
    tcase_add_loop_test(tcase, an_ambiguous_call_has_happened_though_it_says_that_it_failed, 0, 2);
    tcase_add_loop_test(
        tcase, a_call_that_the_machine_refuses_is_told_and_one_that_a_rule_strikes_is_not, 0, 2);
    tcase_add_test(tcase, a_process_that_ends_by_itself_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite_on_a_clock(make);
}
