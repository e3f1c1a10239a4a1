/* The references of the jobs other than count, fed with right and with wrong output. */
#include "sim/oracle/job_reference.h"

#include <string.h>

#include "model/base/codec.h"
#include "sim/oracle/event_line.h"
#include "tests/support/runner.h"

enum { SPLITS = 2, LINES_MAX = 16 };

static struct arena arena;
static struct job_fold fold;

static void set_up(void)
{
    arena_init(&arena);
}

static void tear_down(void)
{
    arena_drop(&arena);
}

/* Folds the records, which end with NULL, all of them of split 0. */
static void fold_all(const char *job, const char *const *records)
{
    job_fold_init(&fold, job_reference_find(job), &arena, SPLITS);
    for (; *records != NULL; records++) {
        ck_assert_msg(fold.job->fold(&fold, 0, bytes_of_text(*records)), "%s", *records);
    }
    if (fold.job->finish != NULL) {
        fold.job->finish(&fold);
    }
}

/* How the output, which ends with NULL, is judged. "SINK|LINE" is of that sink. */
static struct line_judge judge_as(struct line_judge permissions, const char *const *lines)
{
    struct line_judge judge;
    line_judge_init(&judge, &arena);
    judge.path = "output/0/chk-1";
    judge.may_repeat = permissions.may_repeat;
    judge.may_exceed = permissions.may_exceed;
    judge.may_go_back = permissions.may_go_back;
    judge.finished = permissions.finished;
    for (; *lines != NULL; lines++) {
        const char *bar = strchr(*lines, '|');
        judge.sink = bar == NULL ? "" : arena_format(&arena, "%.*s", (int)(bar - *lines), *lines);
        judge.lines++;
        fold.job->line(&fold, &judge, bytes_of_text(bar == NULL ? *lines : bar + 1));
    }
    fold.job->end(&fold, &judge);
    return judge;
}

struct trial {
    const char *job;
    const char *records[LINES_MAX];
    struct line_judge permissions; /* the four flags */
    const char *lines[LINES_MAX];
    uint64_t wrong;
    uint64_t missing;
};

#define FINISHED      .permissions = { .finished = true }
#define AT_LEAST_ONCE .permissions = { .finished = true, .may_repeat = true, .may_exceed = true }
#define WENT_BACK     .permissions = { .finished = true, .may_repeat = true, .may_go_back = true }
#define UNFINISHED    .permissions = { .finished = false }

#define WORDS   .job = "wordcount", .records = { "the sea, The lamp", "", "a lamp" }
#define NUMBERS .job = "running", .records = { "7", "107", "-3", "7" }
#define VALUES  .job = "distinct", .records = { "7", "107", "7", "12" }
#define RULES   .job = "rules", .records = { "1203", "2200", "1200", "-7", "1203" }

static const struct trial numbers_and_words[] = {
    { WORDS, FINISHED,
      .lines = { "the : 1", "sea : 1", "lamp : 1", "the : 2", "a : 1", "lamp : 2" } },
    { WORDS, FINISHED, .lines = { "the : 1", "sea : 1", "lamp : 1", "the : 2", "lamp : 2" },
      .missing = 1 },
    { WORDS, FINISHED,
      .lines = { "the : 1", "sea : 1", "lamp : 1", "the : 2", "a : 1", "lamp : 3" }, .wrong = 1,
      .missing = 1 },
    { WORDS, FINISHED,
      .lines = { "the : 2", "sea : 1", "lamp : 1", "the : 1", "a : 1", "lamp : 2" }, .wrong = 2 },
    { WORDS, FINISHED,
      .lines = { "the : 1", "sea : 1", "sea : 1", "lamp : 1", "the : 2", "a : 1", "lamp : 2" },
      .wrong = 1 },
    { WORDS, FINISHED,
      .lines = { "the : 1", "sea : 1", "lamp : 1", "the : 2", "a : 1", "lamp : 2", "The : 1",
                 "tea : 1", "sea", "sea : x" },
      .wrong = 4 },
    { WORDS, UNFINISHED, .lines = { "the : 1", "lamp : 1" } },
    { WORDS, WENT_BACK,
      .lines = { "the : 2", "sea : 1", "lamp : 1", "the : 1", "a : 1", "the : 2", "lamp : 2" } },
    { WORDS, WENT_BACK, .lines = { "the : 2", "sea : 1", "lamp : 1", "a : 1", "lamp : 2" },
      .missing = 1 },
    { WORDS, AT_LEAST_ONCE,
      .lines = { "the : 1", "sea : 1", "lamp : 1", "the : 2", "a : 1", "lamp : 2", "lamp : 3" } },

    { NUMBERS, FINISHED, .lines = { "7 : 7 7 7", "97 : -3 -3 -3", "7 : 14 7 7", "7 : 121 7 107" } },
    { NUMBERS, FINISHED,
      .lines = { "7 : 107 107 107", "7 : 114 7 107", "97 : -3 -3 -3", "7 : 121 7 107" } },
    { NUMBERS, FINISHED, .lines = { "7 : 107 107 107", "97 : -3 -3 -3", "7 : 121 7 107" },
      .wrong = 1, .missing = 1 }, /* one line fewer, so one step too large */
    { NUMBERS, FINISHED, .lines = { "7 : 7 7 7", "97 : -3 -3 -3", "7 : 14 7 7", "7 : 121 7 121" },
      .wrong = 1 },
    { NUMBERS, FINISHED,
      .lines = { "7 : 7 7 7", "97 : -3 -3 -3", "7 : 14 7 7", "7 : 21 7 7", "7 : 128 7 107" },
      .wrong = 1 },
    { NUMBERS, AT_LEAST_ONCE,
      .lines = { "7 : 7 7 7", "97 : -3 -3 -3", "7 : 14 7 7", "7 : 21 7 7", "7 : 128 7 107" } },
    { NUMBERS, AT_LEAST_ONCE, .lines = { "7 : 7 7 7", "97 : -3 -3 -3", "7 : 14 7 7", "7 : 21 7 7" },
      .missing = 1 },
    { NUMBERS, UNFINISHED, .lines = { "7 : 107 107 107" } },
    { NUMBERS, WENT_BACK,
      .lines = { "7 : 7 7 7", "7 : 14 7 7", "97 : -3 -3 -3", "7 : 7 7 7", "7 : 114 7 107",
                 "7 : 121 7 107" } },
    { NUMBERS, WENT_BACK, .lines = { "7 : 7 7 7", "7 : 14 7 7", "97 : -3 -3 -3" }, .missing = 1 },
    { NUMBERS, FINISHED, .lines = { "8 : 7 7 7", "7 : 7 7", "7 : 7 7 7 7", "" }, .wrong = 4,
      .missing = 3 },

    { VALUES, FINISHED, .lines = { "7 : 1", "12 : 1", "7 : 2" } },
    { VALUES, FINISHED, .lines = { "7 : 1", "12 : 1", "7 : 2", "7 : 3" }, .wrong = 1 },
    { VALUES, FINISHED, .lines = { "7 : 1", "12 : 1" }, .missing = 1 },

    { RULES, FINISHED,
      .lines = { "1203 : 2 : 2200", "events : 1", "-7 : 1 : none", "events : 2" } },
    { RULES, FINISHED, .lines = { "1203 : 2 : 1200", "-7 : 1 : 2200", "events : 3" }, .wrong = 2,
      .missing = 2 },
    { RULES, FINISHED, .lines = { "1203 : 1 : 2200", "-7 : 1 : none", "events : 2" },
      .missing = 2 },
    { RULES, FINISHED,
      .lines = { "1203 : 3 : 2200", "1200 : 1 : 2200", "-7 : 1 : none", "events : 4", "events",
                 "" },
      .wrong = 5 },
    { RULES, AT_LEAST_ONCE, .lines = { "1203 : 3 : 2200", "-7 : 1 : none", "events : 4" } },
    { RULES, UNFINISHED, .lines = { 0 } },
};

#define PERSON(id, state, time) "person," id ",Ada Brook,Salem," state "," time
#define AUCTION(id, seller, category, time)                                                        \
    "auction," id "," seller "," category ",100,200,90000," time
#define HOUSE                                                                                      \
    PERSON("1", "OR", "10"), AUCTION("5", "1", "10", "20"), AUCTION("6", "1", "11", "9999"),       \
        AUCTION("7", "2", "10", "30"), PERSON("2", "AZ", "40"), AUCTION("8", "1", "10", "10000"),  \
        AUCTION("9", "3", "10", "50"), "bid,5,2,1999,60", "bid,5,1,100,12000", "bid,5,2,100,61"
#define QUERY(query) .job = query, .records = { HOUSE }
/* The auction comes when its window has ended, if the watermark is there already. */
#define LATE_AUCTION(newest)                                                                       \
    .job = "q8",                                                                                   \
    .records = { PERSON("1", "OR", "10"), "bid,5,2,9," newest, AUCTION("5", "1", "10", "20") }

static const struct trial queries[] = {
    { QUERY("q1"), FINISHED, .lines = { "5,1,90,12000", "5,2,1815,60", "5,2,90,61" } },
    { QUERY("q1"), FINISHED, .lines = { "5,1,90,12000", "5,2,1815,60" }, .missing = 1 },
    { QUERY("q1"), FINISHED, .lines = { "5,1,91,12000", "5,2,1815,60", "5,2,90,61", "5,2,90,61" },
      .wrong = 2, .missing = 1 },
    { QUERY("q1"), AT_LEAST_ONCE,
      .lines = { "5,1,90,12000", "5,2,1815,60", "5,2,90,61", "5,2,90,61" } },
    { QUERY("q1"), UNFINISHED, .lines = { "5,2,90,61" } },
    { QUERY("q3"), FINISHED, .lines = { "Ada Brook,Salem,OR,8", "Ada Brook,Salem,OR,5" } },
    { QUERY("q3"), FINISHED, .lines = { "Ada Brook,Salem,OR,5", "Ada Brook,Salem,AZ,7" },
      .wrong = 1, .missing = 1 },
    { QUERY("q3"), FINISHED,
      .lines = { "Ada Brook,Salem,OR,5", "Ada Brook,Salem,OR,8", "Ada Brook,Salem,OR,6" },
      .wrong = 1 },
    { QUERY("q8"), FINISHED, .lines = { "2,Ada Brook,0", "1,Ada Brook,0" } },
    { QUERY("q8"), FINISHED, .lines = { "1,Ada Brook,0", "1,Ada Brook,10000" }, .wrong = 1,
      .missing = 1 },
    { QUERY("q8"), FINISHED, .lines = { "2,Ada Brook,0", "1,Ada Brook,0", "1,Ada Brook,0" },
      .wrong = 1 },
    { LATE_AUCTION("11000"), FINISHED, .lines = { "1,Ada Brook,0" } },
    { LATE_AUCTION("11000"), FINISHED, .lines = { 0 } },
    { LATE_AUCTION("11000"), FINISHED, .lines = { "1,Ada Brook,0", "1,Ada Brook,0" }, .wrong = 1 },
    { LATE_AUCTION("10999"), FINISHED, .lines = { 0 }, .missing = 1 },
    { QUERY("q12"), FINISHED, .lines = { "1,1,0", "2,2,10000" } },
    { QUERY("q12"), FINISHED, .lines = { "2,1,0", "1,1,0", "2,1,20000" } },
    { QUERY("q12"), FINISHED, .lines = { "2,1,0", "1,1,0" }, .missing = 1 },
    { QUERY("q12"), FINISHED, .lines = { "2,1,0", "1,2,0", "2,1,10000", "3,1,0", "2,0,0", "2,1,5" },
      .wrong = 4 },
    { QUERY("q12"), AT_LEAST_ONCE, .lines = { "2,4,0", "1,1,0" } },
};

/* In order: no bid can be late. Then one comes 1001 ms behind the newest. */
#define IN_ORDER "bid,5,1,9,100", "bid,5,1,9,300", "bid,5,2,9,1500"
#define LATE     IN_ORDER, "bid,5,1,9,499"
#define SLIDING_IN_ORDER                                                                           \
    "sliding|5,2,-1500,500", "sliding|5,2,-1000,1000", "sliding|5,2,-500,1500",                    \
        "sliding|5,3,0,2000", "sliding|5,1,500,2500", "sliding|5,1,1000,3000",                     \
        "sliding|5,1,1500,3500"
#define BIDS(job_name, ...) .job = job_name, .records = { __VA_ARGS__ }

static const struct trial windows[] = {
    { BIDS("windows", IN_ORDER), FINISHED,
      .lines = { "counts|5,2,0,1000", "counts|5,1,1000,2000", SLIDING_IN_ORDER } },
    { BIDS("windows", IN_ORDER), FINISHED,
      .lines = { "counts|5,1,0,1000", "counts|5,1,0,1000", "counts|5,1,1000,2000",
                 SLIDING_IN_ORDER },
      .wrong = 2, .missing = 1 },
    { BIDS("windows", IN_ORDER), FINISHED,
      .lines = { "counts|5,2,0,1000", "counts|5,2,0,1000", "counts|5,1,1000,2000", SLIDING_IN_ORDER,
                 "sliding|5,3,0,2000" },
      .wrong = 2 },
    { BIDS("windows", IN_ORDER), FINISHED,
      .lines = { "counts|5,2,0,1000", "late|bid,5,2,9,1500", SLIDING_IN_ORDER }, .wrong = 1,
      .missing = 1 },
    { BIDS("windows", LATE), FINISHED,
      .lines = { "counts|5,2,0,1000", "counts|5,1,1000,2000", "late|bid,5,1,9,499",
                 SLIDING_IN_ORDER } },
    { BIDS("windows", LATE), FINISHED,
      .lines = { "counts|5,2,0,1000", "counts|5,1,1000,2000", "counts|5,1,0,1000", SLIDING_IN_ORDER,
                 "sliding|5,4,0,2000" } },
    { BIDS("windows", LATE), FINISHED,
      .lines = { "counts|5,2,0,1000", "counts|5,1,1000,2000", SLIDING_IN_ORDER }, .missing = 1 },
    { BIDS("windows", LATE), FINISHED,
      .lines = { "counts|5,3,0,1000", "counts|5,1,1000,2000", "late|bid,5,1,9,499",
                 SLIDING_IN_ORDER, "sliding|5,5,0,2000" },
      .wrong = 2 },
    { BIDS("windows", IN_ORDER), AT_LEAST_ONCE,
      .lines = { "counts|5,3,0,1000", "counts|5,1,1000,2000", "counts|5,1,0,1000", SLIDING_IN_ORDER,
                 "sliding|5,4,0,2000" } },

    { BIDS("sessions", IN_ORDER, "bid,5,2,9,2000"), FINISHED,
      .lines = { "counts|1,2,100,800", "counts|2,2,1500,2500" } },
    { BIDS("sessions", IN_ORDER, "bid,5,2,9,2001"), FINISHED,
      .lines = { "counts|1,2,100,800", "counts|2,1,1500,2000", "counts|2,1,2001,2501" } },
    { BIDS("sessions", IN_ORDER, "bid,5,2,9,2001"), FINISHED,
      .lines = { "counts|1,2,100,800", "counts|2,2,1500,2501" }, .wrong = 1, .missing = 2 },
    { BIDS("sessions", IN_ORDER), FINISHED,
      .lines = { "counts|1,2,100,800", "late|bid,5,2,9,1500" }, .wrong = 1, .missing = 1 },
    { BIDS("sessions", LATE), FINISHED,
      .lines = { "counts|1,2,100,800", "late|bid,5,1,9,499", "counts|2,1,1500,2000" } },
    { BIDS("sessions", LATE), FINISHED, .lines = { "counts|1,2,100,800", "counts|2,1,1500,2000" },
      .missing = 1 },
    { BIDS("sessions", LATE), FINISHED,
      .lines = { "counts|1,3,100,999", "counts|2,1,1500,2000", "late|bid,5,1,9,499" }, .wrong = 1 },
    { BIDS("sessions", IN_ORDER), AT_LEAST_ONCE,
      .lines = { "counts|1,2,100,800", "counts|2,1,1500,2000", "counts|1,1,300,800" } },
    { BIDS("sessions", IN_ORDER), AT_LEAST_ONCE,
      .lines = { "counts|1,1,100,600", "counts|2,1,1500,2000" }, .missing = 1 },
};

static void try_all(const struct trial *trials, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fold_all(trials[i].job, trials[i].records);
        struct line_judge judge = judge_as(trials[i].permissions, trials[i].lines);
        *buffer_extend(&judge.wrong, 1) = '\0';
        *buffer_extend(&judge.missing, 1) = '\0';
        ck_assert_msg(judge.wrong_count == trials[i].wrong &&
                          judge.missing_count == trials[i].missing,
                      "trial %zu, %s: %llu wrong%s, %llu missing%s", i, trials[i].job,
                      (unsigned long long)judge.wrong_count, (const char *)judge.wrong.data,
                      (unsigned long long)judge.missing_count, (const char *)judge.missing.data);
    }
}

START_TEST(lines_of_numbers_and_words_are_judged_by_what_can_be_known_of_them)
{
    try_all(numbers_and_words, sizeof numbers_and_words / sizeof numbers_and_words[0]);
}
END_TEST

START_TEST(lines_of_queries_are_judged_by_what_can_be_known_of_them)
{
    try_all(queries, sizeof queries / sizeof queries[0]);
}
END_TEST

START_TEST(lines_of_windows_are_judged_by_what_can_be_known_of_them)
{
    try_all(windows, sizeof windows / sizeof windows[0]);
}
END_TEST

/* A bid is compared with the newest event of its own split only: another may be far ahead. */
START_TEST(another_split_that_is_ahead_makes_no_bid_late)
{
    job_fold_init(&fold, job_reference_find("sessions"), &arena, SPLITS);
    ck_assert(fold.job->fold(&fold, 1, bytes_of_text("bid,5,2,9,9000")));
    ck_assert(fold.job->fold(&fold, 0, bytes_of_text("bid,5,1,9,100")));
    fold.job->finish(&fold);
    static const char *const late[] = { "counts|2,1,9000,9500", "late|bid,5,1,9,100", NULL };
    struct line_judge judge = judge_as((struct line_judge){ .finished = true }, late);
    ck_assert_uint_eq(judge.wrong_count, 1);
    ck_assert_uint_eq(judge.missing_count, 1);
}
END_TEST

START_TEST(a_fold_that_was_rewound_folds_the_same_again)
{
    static const char *const records[] = { HOUSE, NULL };
    static const char *const jobs[] = { "q1", "q3", "q8", "q12", "windows", "sessions" };
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        fold_all(jobs[i], records);
        struct fold_table once = fold.tables[0];
        int64_t folded[LINES_MAX] = { 0 };
        ck_assert_uint_lt(once.count, LINES_MAX);
        for (size_t k = 0; k < once.count; k++) {
            folded[k] = once.entries[k].folded[0];
        }
        job_fold_rewind(&fold);
        for (const char *const *record = records; *record != NULL; record++) {
            ck_assert(fold.job->fold(&fold, 0, bytes_of_text(*record)));
        }
        if (fold.job->finish != NULL) {
            fold.job->finish(&fold);
        }
        ck_assert_uint_eq(fold.tables[0].count, once.count);
        for (size_t k = 0; k < once.count; k++) {
            ck_assert_int_eq(fold.tables[0].entries[k].folded[0], folded[k]);
        }
    }
}
END_TEST

START_TEST(what_is_no_record_is_left_out)
{
    static const struct {
        const char *job;
        const char *record;
    } bad[] = { { "running", "x" },    { "distinct", "" },
                { "q1", "bid,1,2,3" }, { "q3", "nobody,1,2,3,4" },
                { "q8", "" },          { "q12", "bid,1,2,-3,4" },
                { "windows", "7" },    { "sessions", "bid,1" },
                { "rules", "1.5" } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        job_fold_init(&fold, job_reference_find(bad[i].job), &arena, SPLITS);
        ck_assert_msg(!fold.job->fold(&fold, 0, bytes_of_text(bad[i].record)), "%s", bad[i].job);
    }
}
END_TEST

START_TEST(a_fold_table_keeps_the_order_in_which_keys_came)
{
    struct fold_table table;
    struct fold_key key;
    fold_table_init(&table, &arena);
    ck_assert_ptr_null(fold_table_find(&table, fold_key_i64(&key, 1)));
    for (int64_t i = 0; i < 1000; i++) {
        fold_table_at(&table, fold_key_i64(&key, i * i % 1009))->folded[0]++;
        fold_table_check(&table);
    }
    int64_t records = 0;
    for (size_t i = 0; i < table.count; i++) {
        records += table.entries[i].folded[0];
        struct bytes key_of_it = fold_entry_key(&table.entries[i]);
        ck_assert_ptr_eq(fold_table_find(&table, key_of_it), &table.entries[i]);
    }
    ck_assert_int_eq(records, 1000);
    ck_assert_uint_eq(table.count, 505); /* the squares modulo a prime, and 0 */
    ck_assert_uint_eq(load_u64(table.entries[3].key.near), 9);
    fold_table_rewind(&table);
    ck_assert_int_eq(table.entries[3].folded[0], 0);
}
END_TEST

/* A text of `size` bytes, which no other has. */
static struct bytes text_key(uint8_t *room, size_t size)
{
    memset(room, 'k', size);
    return (struct bytes){ .data = room, .size = size };
}

START_TEST(a_fold_table_has_keys_of_any_size)
{
    enum { SIZES = 100 };
    uint8_t room[SIZES];
    struct fold_table table;
    fold_table_init(&table, &arena);
    for (int64_t size = 0; size < SIZES; size++) {
        fold_table_at(&table, text_key(room, (size_t)size))->folded[0] = size;
    }
    fold_table_check(&table);
    for (size_t size = 0; size < SIZES; size++) {
        const struct fold_entry *entry = fold_table_find(&table, text_key(room, size));
        ck_assert_int_eq(entry->folded[0], (int64_t)size);
        ck_assert(bytes_equal(fold_entry_key(entry), text_key(room, size)));
    }
    ck_assert_uint_eq(table.count, SIZES);
}
END_TEST

/* In a table that has grown large, too, be they there or not. */
START_TEST(what_a_fold_table_foresees_changes_nothing)
{
    enum { ROUNDS = 1000 };
    struct fold_table table;
    struct fold_key room[FOLD_BATCH];
    struct bytes keys[FOLD_BATCH];
    fold_table_init(&table, &arena);
    for (int64_t round = 0; round < ROUNDS; round++) {
        for (int64_t i = 0; i < FOLD_BATCH; i++) {
            keys[i] = fold_key_i64(&room[i], round * FOLD_BATCH / 2 + i); /* half is known */
        }
        fold_table_foresee(&table, keys, FOLD_BATCH);
        for (int64_t i = 0; i < FOLD_BATCH; i++) {
            fold_table_at(&table, keys[i])->folded[0]++;
        }
    }
    fold_table_check(&table);
    ck_assert_uint_eq(table.count, (ROUNDS + 1) * FOLD_BATCH / 2);
    ck_assert_int_eq(table.entries[table.count / 2].folded[0], 2);
}
END_TEST

START_TEST(an_event_is_read_with_and_without_padding)
{
    struct event_line event;
    ck_assert(event_line_read(bytes_of_text("person,7,Ada Brook,Salem,OR,90,...."), &event));
    ck_assert_int_eq(event.kind, 'p');
    ck_assert_int_eq(event.numbers[0], 7);
    ck_assert(bytes_equal(event.texts[2], bytes_of_text("OR")));
    ck_assert_int_eq(event.timestamp_ms, 90);
    ck_assert(event_line_read(bytes_of_text("auction,7,8,10,1,2,3,90"), &event));
    ck_assert_int_eq(event.numbers[5], 3);
    ck_assert(!event_line_read(bytes_of_text("auction,7,8,10,1,2,3,90,..,.."), &event));
    ck_assert(!event_line_read(bytes_of_text("person,7,,Salem,OR,90"), &event));
    ck_assert(event_line_read(bytes_of_text("bid,1,2,3,10000000000000000"), &event));
    ck_assert(!event_line_read(bytes_of_text("bid,1,2,3,10000000000000001"), &event));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("jobs");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, lines_of_numbers_and_words_are_judged_by_what_can_be_known_of_them);
    tcase_add_test(tcase, lines_of_queries_are_judged_by_what_can_be_known_of_them);
    tcase_add_test(tcase, lines_of_windows_are_judged_by_what_can_be_known_of_them);
    tcase_add_test(tcase, another_split_that_is_ahead_makes_no_bid_late);
    tcase_add_test(tcase, a_fold_that_was_rewound_folds_the_same_again);
    tcase_add_test(tcase, what_is_no_record_is_left_out);
    tcase_add_test(tcase, a_fold_table_keeps_the_order_in_which_keys_came);
    tcase_add_test(tcase, a_fold_table_has_keys_of_any_size);
    tcase_add_test(tcase, what_a_fold_table_foresees_changes_nothing);
    tcase_add_test(tcase, an_event_is_read_with_and_without_padding);
    Suite *suite = suite_create("oracle jobs");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
