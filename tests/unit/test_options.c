#include "sim/command/options.h"

#include <check.h>
#include <string.h>

#include "tests/support/runner.h"

enum { WORDS_MAX = 16 };

/* One command line, split at its blanks. */
struct line {
    struct arena arena;
    const char *argv[WORDS_MAX + 1];
    int argc;
    struct options options;
    struct buffer error;
    bool accepted;
};

static void line_init(struct line *line, const char *words)
{
    memset(line, 0, sizeof *line);
    arena_init(&line->arena);
    buffer_init(&line->error, &line->arena);
    char *rest = arena_text(&line->arena, words);
    char *place;
    for (char *word = strtok_r(rest, " ", &place); word != NULL;
         word = strtok_r(NULL, " ", &place)) {
        ck_assert_int_lt(line->argc, WORDS_MAX);
        line->argv[line->argc++] = word;
    }
    line->accepted =
        options_parse(&line->options, &line->arena, line->argc, line->argv, &line->error);
    ck_assert(line->accepted == (line->error.size == 0));
}

static void expect_refused(const char *words, const char *sentence)
{
    struct line line;
    line_init(&line, words);
    ck_assert_msg(!line.accepted, "accepted: %s", words);
    ck_assert_msg(bytes_equal(buffer_bytes(&line.error), bytes_of_text(sentence)),
                  "\"%s\" answers \"%.*s\"", words, (int)line.error.size,
                  (const char *)line.error.data);
    arena_drop(&line.arena);
}

START_TEST(without_options_the_defaults_hold)
{
    struct line line;
    line_init(&line, "faultline run a.json");
    ck_assert(line.accepted);
    ck_assert_int_eq(line.options.command, COMMAND_RUN);
    ck_assert_str_eq(line.options.program, "faultline");
    ck_assert_uint_eq(line.options.scenario_count, 1);
    ck_assert_str_eq(line.options.scenarios[0], "a.json");
    ck_assert_ptr_null(line.options.out);
    ck_assert_str_eq(line.options.database, "out/results.db");
    ck_assert(!line.options.overrides.has_seed);
    ck_assert_uint_eq(line.options.overrides.setting_count, 0);
    ck_assert(!line.options.verify && !line.options.trace && !line.options.plots);
    ck_assert(!line.options.json && !line.options.quiet);
    arena_drop(&line.arena);
}
END_TEST

START_TEST(options_stand_before_and_after_scenarios)
{
    struct line line;
    line_init(&line, "f run --seed 7 a.json --set x.y=1 b.json --set=z=2=3 --out d --verify "
                     "--trace --plots --quiet");
    ck_assert(line.accepted);
    ck_assert_uint_eq(line.options.scenario_count, 2);
    ck_assert_str_eq(line.options.scenarios[1], "b.json");
    ck_assert(line.options.overrides.has_seed);
    ck_assert_uint_eq(line.options.overrides.seed, 7);
    ck_assert_uint_eq(line.options.overrides.setting_count, 2);
    ck_assert_str_eq(line.options.overrides.settings[0], "x.y=1");
    ck_assert_str_eq(line.options.overrides.settings[1], "z=2=3");
    ck_assert_str_eq(line.options.out, "d");
    ck_assert(line.options.verify && line.options.trace && line.options.plots);
    ck_assert(line.options.quiet);
    arena_drop(&line.arena);
}
END_TEST

START_TEST(after_two_dashes_there_are_only_scenarios)
{
    struct line line;
    line_init(&line, "f run -- --seed --");
    ck_assert(line.accepted);
    ck_assert_uint_eq(line.options.scenario_count, 2);
    ck_assert_str_eq(line.options.scenarios[0], "--seed");
    ck_assert_str_eq(line.options.scenarios[1], "--");
    arena_drop(&line.arena);
}
END_TEST

START_TEST(a_seed_may_have_64_bits_and_no_more)
{
    struct line line;
    line_init(&line, "f run a --seed 18446744073709551615");
    ck_assert(line.accepted);
    ck_assert_uint_eq(line.options.overrides.seed, UINT64_MAX);
    arena_drop(&line.arena);
    const char *sentence = "--seed: must be a whole number from 0 to 18446744073709551615";
    expect_refused("f run a --seed 18446744073709551616", sentence);
    expect_refused("f run a --seed -1", sentence);
    expect_refused("f run a --seed 1.5", sentence);
    expect_refused("f run a --seed x", sentence);
    expect_refused("f run a --seed=", sentence);
}
END_TEST

START_TEST(the_database_is_where_it_is_said_or_nowhere)
{
    struct line line;
    line_init(&line, "f run a --db x.db");
    ck_assert_str_eq(line.options.database, "x.db");
    arena_drop(&line.arena);
    line_init(&line, "f run a --no-db");
    ck_assert(line.accepted);
    ck_assert_ptr_null(line.options.database);
    arena_drop(&line.arena);
}
END_TEST

START_TEST(a_misspelt_word_gets_the_nearest_one_told)
{
    expect_refused("f rnu", "unknown verb \"rnu\"; did you mean \"run\"?");
    expect_refused("f run --verfy a", "unknown option \"--verfy\"; did you mean \"--verify\"?");
    expect_refused("f run --sed=1 a", "unknown option \"--sed\"; did you mean \"--seed\"?");
    expect_refused("f list job", "unknown list \"job\"; did you mean \"jobs\"?");
}
END_TEST

START_TEST(a_word_like_no_other_gets_all_told)
{
    expect_refused("f colour",
                   "unknown verb \"colour\"; there are run, live, sweep, report, predict, fuzz, "
                   "enumerate, shrink, calibrate, compare, list, help");
    expect_refused("f run --xyzzy a", "unknown option \"--xyzzy\"; \"help\" lists the options");
    expect_refused("f list colours",
                   "unknown list \"colours\"; there are jobs, backends, faults, facts, "
                   "properties, marks");
}
END_TEST

START_TEST(what_is_missing_or_too_much_is_told)
{
    expect_refused("f", "needs a verb: run, live, sweep, report, predict, fuzz, enumerate, shrink, "
                        "calibrate, compare, list or help");
    expect_refused("f run", "run: needs the path of a scenario");
    expect_refused("f run --verify", "run: needs the path of a scenario");
    expect_refused("f run a --out", "--out: needs a value");
    expect_refused("f run a --out=", "--out: must not be empty");
    expect_refused("f run a --trace=yes", "--trace: takes no value");
    expect_refused("f run a --json --quiet", "--json and --quiet exclude each other");
    expect_refused("f list", "list: needs one of jobs, backends, faults, facts, properties, marks");
    expect_refused("f list jobs facts", "list: takes one word only");
}
END_TEST

START_TEST(each_verb_has_its_own_options)
{
    expect_refused("f run -j 2 a", "-j: is no option of this verb");
    expect_refused("f sweep --verify a", "--verify: is no option of this verb");
    expect_refused("f report --seed 1", "--seed: is no option of this verb");
    expect_refused("f sweep", "sweep: needs the path of a scenario");
    expect_refused("f sweep a --csv", "--csv: the tables belong to a page; -o says where it goes");
    expect_refused("f report a b", "report: takes one results database");
    expect_refused("f sweep a -j 0", "-j: must be a whole number from 1 to 256");
    expect_refused("f sweep a -j257", "-j: must be a whole number from 1 to 256");
}
END_TEST

START_TEST(a_sweep_says_how_many_at_once_and_a_report_where_to)
{
    static const char *const lines[] = { "f sweep a -j 3", "f sweep -j3 a", "f sweep a -j=3" };
    struct line line;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        line_init(&line, lines[i]);
        ck_assert_msg(line.accepted, "refused: %s", lines[i]);
        ck_assert_int_eq(line.options.command, COMMAND_SWEEP);
        ck_assert_uint_eq(line.options.processes, 3);
        arena_drop(&line.arena);
    }
    line_init(&line, "f sweep a b --csv -o there");
    ck_assert(line.accepted);
    ck_assert_uint_eq(line.options.scenario_count, 2);
    ck_assert_str_eq(line.options.out, "there");
    ck_assert_str_eq(line.options.database, "there/results.db");
    arena_drop(&line.arena);
    line_init(&line, "f sweep a --db x.db -o there");
    ck_assert(line.accepted);
    ck_assert_str_eq(line.options.database, "x.db");
    arena_drop(&line.arena);
    line_init(&line, "f sweep a");
    ck_assert(line.accepted);
    ck_assert_ptr_null(line.options.out);
    ck_assert_str_eq(line.options.database, "out/results.db");
    arena_drop(&line.arena);
    line_init(&line, "f report x.db -o there --csv");
    ck_assert(line.accepted);
    ck_assert_str_eq(line.options.database, "x.db");
    ck_assert_str_eq(line.options.out, "there");
    ck_assert(line.options.csv);
    arena_drop(&line.arena);
}
END_TEST

START_TEST(help_and_version_are_found_where_they_are_expected)
{
    static const char *const lines[] = { "f help",       "f --help",       "f -h",
                                         "f run --help", "f run a --help", "f list --help" };
    struct line line;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        line_init(&line, lines[i]);
        ck_assert_msg(line.accepted, "refused: %s", lines[i]);
        ck_assert_int_eq(line.options.command, COMMAND_HELP);
        arena_drop(&line.arena);
    }
    ck_assert_int_eq(line.options.about, COMMAND_LIST);
    line_init(&line, "f help shrink");
    ck_assert_int_eq(line.options.command, COMMAND_HELP);
    ck_assert_int_eq(line.options.about, COMMAND_SHRINK);
    arena_drop(&line.arena);
    line_init(&line, "f --help");
    ck_assert_int_eq(line.options.about, COMMAND_HELP);
    arena_drop(&line.arena);
    line_init(&line, "f --version");
    ck_assert(line.accepted);
    ck_assert_int_eq(line.options.command, COMMAND_VERSION);
    arena_drop(&line.arena);
}
END_TEST

START_TEST(every_list_is_found)
{
    static const char *const lines[] = { "f list jobs",  "f list backends",   "f list faults",
                                         "f list facts", "f list properties", "f list marks" };
    for (size_t i = 0; i < LIST_TOPIC_COUNT; i++) {
        struct line line;
        line_init(&line, lines[i]);
        ck_assert(line.accepted);
        ck_assert_int_eq(line.options.command, COMMAND_LIST);
        ck_assert_uint_eq(line.options.topic, i);
        arena_drop(&line.arena);
    }
}
END_TEST

START_TEST(a_campaign_says_which_seeds_how_long_and_which_marks)
{
    struct line line;
    line_init(&line, "f fuzz a.json --seeds 5..9 --time 2s --faults=7 --shrink -j 3 "
                     "--require-marks fenced_ack,commit_in_doubt,fenced_ack");
    ck_assert(line.accepted);
    ck_assert_int_eq(line.options.command, COMMAND_FUZZ);
    ck_assert_uint_eq(line.options.seed_first, 5);
    ck_assert_uint_eq(line.options.seed_last, 9);
    ck_assert_uint_eq(line.options.time_ns, 2000000000);
    ck_assert_uint_eq(line.options.fault_count, 7);
    ck_assert_uint_eq(line.options.processes, 3);
    ck_assert(line.options.shrink);
    ck_assert_uint_eq(line.options.required_mark_count, 2);
    ck_assert_int_eq(line.options.required_marks[0], MARK_FENCED_ACK);
    arena_drop(&line.arena);
    line_init(&line, "f fuzz a.json");
    ck_assert_uint_eq(line.options.seed_first, 1);
    ck_assert_uint_eq(line.options.seed_last, 1000);
    arena_drop(&line.arena);
    line_init(&line, "f fuzz --time 1min a.json");
    ck_assert_uint_eq(line.options.seed_last, UINT64_MAX);
    arena_drop(&line.arena);
    line_init(&line, "f enumerate a.json --pairs");
    ck_assert(line.accepted);
    ck_assert_uint_eq(line.options.pair_steps, UINT32_MAX);
    ck_assert_int_eq(line.options.command, COMMAND_ENUMERATE);
    arena_drop(&line.arena);
    line_init(&line, "f enumerate --pairs=20 a.json --time 1min");
    ck_assert(line.accepted);
    ck_assert_uint_eq(line.options.pair_steps, 20);
    ck_assert_uint_eq(line.options.time_ns, 60000000000);
    arena_drop(&line.arena);
    line_init(&line, "f shrink a.json -o b.json");
    ck_assert(line.accepted);
    ck_assert_str_eq(line.options.out, "b.json");
    arena_drop(&line.arena);
    expect_refused("f shrink", "shrink: needs the path of one scenario");
    expect_refused("f fuzz a.json --seeds 9..5", "--seeds: must be a range such as 1..1000");
    expect_refused("f fuzz a.json --require-marks nought",
                   "--require-marks: there is no mark \"nought\"; \"faultline list marks\" names "
                   "them");
    expect_refused("f enumerate a.json --seeds 1..2", "--seeds: is no option of this verb");
    expect_refused("f enumerate a.json --pairs=0",
                   "--pairs: must be a whole number of steps, from 1 on, or all");
}
END_TEST

static Suite *suite(void)
{
    Suite *result = suite_create("options");
    TCase *all = tcase_create("options");
    tcase_add_test(all, without_options_the_defaults_hold);
    tcase_add_test(all, options_stand_before_and_after_scenarios);
    tcase_add_test(all, after_two_dashes_there_are_only_scenarios);
    tcase_add_test(all, a_seed_may_have_64_bits_and_no_more);
    tcase_add_test(all, the_database_is_where_it_is_said_or_nowhere);
    tcase_add_test(all, a_misspelt_word_gets_the_nearest_one_told);
    tcase_add_test(all, a_word_like_no_other_gets_all_told);
    tcase_add_test(all, what_is_missing_or_too_much_is_told);
    tcase_add_test(all, each_verb_has_its_own_options);
    tcase_add_test(all, a_sweep_says_how_many_at_once_and_a_report_where_to);
    tcase_add_test(all, help_and_version_are_found_where_they_are_expected);
    tcase_add_test(all, every_list_is_found);
    tcase_add_test(all, a_campaign_says_which_seeds_how_long_and_which_marks);
    suite_add_tcase(result, all);
    return result;
}

int main(void)
{
    return run_suite(suite());
}
