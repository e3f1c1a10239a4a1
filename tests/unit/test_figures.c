#include "reports/figures.h"

#include <string.h>

#include "reports/figure_choice.h"
#include "tests/support/facts.h"
#include "tests/support/runner.h"

struct world {
    struct arena arena;
    struct summary summary;
    struct buffer script;
    struct figure_options options;
};

static void set_up(struct world *world)
{
    arena_init(&world->arena);
    buffer_init(&world->script, &world->arena);
    summary_init(&world->summary, &world->arena, 2, 2);
    world->options = (struct figure_options){
        .format = FIGURE_SVG, .output = "out/a.svg", .title = "title", .caption = "caption"
    };
}

static void tear_down(struct world *world)
{
    arena_drop(&world->arena);
}

static void hear(struct world *world, struct fact_event event)
{
    summary_on_fact(&world->summary, &event);
}

static const char *script_text(struct world *world)
{
    *buffer_extend(&world->script, 1) = '\0';
    world->script.size--;
    return (const char *)world->script.data;
}

static void expect_words(struct world *world, const char *words)
{
    ck_assert_msg(strstr(script_text(world), words) != NULL, "no \"%s\" in\n%s", words,
                  script_text(world));
}

static void add_checkpoint(struct world *world, uint64_t id, uint64_t from_ns, uint64_t to_ns)
{
    hear(world, fact_of_checkpoint(from_ns, FACT_CHECKPOINT_TRIGGERED, id));
    hear(world, fact_of_checkpoint(to_ns - 1, FACT_CHECKPOINT_ALL_ACKED, id));
    hear(world, fact_of_checkpoint(to_ns, FACT_CHECKPOINT_COMPLETED, id));
}

START_TEST(durations_are_drawn_without_rounding)
{
    struct world world;
    set_up(&world);
    add_checkpoint(&world, 1, 1500000001, 1507000003);
    hear(&world, fact_of_checkpoint(2000000000, FACT_CHECKPOINT_TRIGGERED, 2));
    summary_on_end(&world.summary, 3000000000);
    figure_checkpoints(&world.summary, &world.options, &world.script);
    expect_words(&world, "\n1.500000001 7.000002 7.000001\n");
    expect_words(&world, "$incomplete << EOD\n2.000000000 0\n");
    expect_words(&world, "'duration of a checkpoint (ms)'");
    expect_words(&world, "set xrange [0:3.000000000]");
    tear_down(&world);
}
END_TEST

START_TEST(of_many_checkpoints_the_longest_neighbour_is_drawn)
{
    struct world world;
    set_up(&world);
    for (uint64_t id = 1; id <= FIGURE_CHECKPOINTS_MAX + 1; id++) {
        add_checkpoint(&world, id, id * 1000000000,
                       id * 1000000000 + (id % 2 == 0 ? 9000u : 5000u));
    }
    summary_on_end(&world.summary, 3000000000000);
    figure_checkpoints(&world.summary, &world.options, &world.script);
    expect_words(&world, "(longest of each 2)");
    expect_words(&world, "\n2.000000000 9.000 8.999\n4.000000000 ");
    ck_assert_ptr_null(strstr(script_text(&world), "\n3.000000000 "));
    tear_down(&world);
}
END_TEST

START_TEST(downtime_and_catch_up_are_shaded)
{
    struct world world;
    set_up(&world);
    hear(&world, fact_attempt(fact_of_job(1000000000, FACT_JOB_RUNNING), 1));
    hear(&world, fact_values(fact_of_task(1100000000, FACT_SOURCE_PROGRESS, 1, 0, 0), 30, 0));
    hear(&world, fact_of_job(2000000000, FACT_FAILURE_DETECTED));
    hear(&world, fact_attempt(fact_of_job(3000000000, FACT_JOB_RUNNING), 2));
    hear(&world, fact_values(fact_of_task(4000000000, FACT_SOURCE_PROGRESS, 2, 0, 0), 30, 5000));
    summary_on_end(&world.summary, 5000000000);
    figure_progress(&world.summary, &world.options, &world.script);
    expect_words(&world, "from 2.000000000, graph 0 to 3.000000000, graph 1 fc rgb '#cccccc'");
    expect_words(&world, "from 3.000000000, graph 0 to 4.000000000, graph 1 fc rgb '#ebebeb'");
    expect_words(&world, "\n1.100000000 30 0.000\n4.000000000 30 5.000\n");
    tear_down(&world);
}
END_TEST

START_TEST(texts_cannot_leave_their_quotes)
{
    static const struct figure_fault fault = { 7, "it's\n`rm -rf x`" };
    struct world world;
    set_up(&world);
    world.options.title = "'; system 'reboot'; print '";
    world.options.caption = "`reboot`";
    world.options.faults = &fault;
    world.options.fault_count = 1;
    summary_on_end(&world.summary, 9);
    figure_checkpoints(&world.summary, &world.options, &world.script);
    figure_progress(&world.summary, &world.options, &world.script);
    expect_words(&world, "set label 1001 '''; system ''reboot''; print ''' at screen");
    expect_words(&world, "set label 'it''s ''rm -rf x''' at");
    ck_assert_ptr_null(strchr(script_text(&world), '`'));
    ck_assert_ptr_null(strchr(script_text(&world), '"'));
    tear_down(&world);
}
END_TEST

START_TEST(every_figure_is_found_by_its_names_and_by_no_others)
{
    for (unsigned i = 0; i < FIGURE_CHOICE_COUNT; i++) {
        enum figure_choice found = FIGURE_CHOICE_COUNT;
        ck_assert(figure_choice_find(figure_choice_y((enum figure_choice)i),
                                     figure_choice_x((enum figure_choice)i), &found));
        ck_assert_uint_eq(found, i);
    }
    enum figure_choice none;
    ck_assert(!figure_choice_find("checkpoint_time", "parallelism", &none));
    ck_assert(!figure_choice_find("", "", &none));
}
END_TEST

START_TEST(what_a_scenario_chooses_of_a_group_is_drawn_and_all_if_it_chooses_none_of_it)
{
    const uint32_t tasks = 1u << CHOICE_TIME_BY_TASKS;
    ck_assert(figure_is_chosen(0, FIGURES_OF_SWEEP, CHOICE_PHASES));
    ck_assert(figure_is_chosen(tasks, FIGURES_OF_SWEEP, CHOICE_TIME_BY_TASKS));
    ck_assert(!figure_is_chosen(tasks, FIGURES_OF_SWEEP, CHOICE_PHASES));
    ck_assert(figure_is_chosen(tasks, FIGURES_OF_RUN, CHOICE_PROGRESS));
    ck_assert(figure_is_chosen(tasks, FIGURES_OF_STORY, CHOICE_TIMELINE));
    ck_assert(!figure_is_chosen(1u << CHOICE_PROGRESS, FIGURES_OF_RUN, CHOICE_CHECKPOINTS));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("figures");
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, durations_are_drawn_without_rounding);
    tcase_add_test(promises, of_many_checkpoints_the_longest_neighbour_is_drawn);
    tcase_add_test(promises, downtime_and_catch_up_are_shaded);
    tcase_add_test(promises, texts_cannot_leave_their_quotes);
    tcase_add_test(promises, every_figure_is_found_by_its_names_and_by_no_others);
    tcase_add_test(promises,
                   what_a_scenario_chooses_of_a_group_is_drawn_and_all_if_it_chooses_none_of_it);
    suite_add_tcase(suite, promises);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
