/* figure_choice.h - the figures that a scenario can ask for under "plot", by what they show over
 * what. */
#ifndef FAULTLINE_REPORTS_FIGURE_CHOICE_H
#define FAULTLINE_REPORTS_FIGURE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

/* FIGURE(identifier, "y", "x") */
#define FIGURE_CHOICE_LIST(FIGURE)                                                                 \
    FIGURE(TIME_BY_PRODUCT, "checkpoint_time", "interval_x_tasks")                                 \
    FIGURE(TIME_BY_TASKS, "checkpoint_time", "tasks")                                              \
    FIGURE(TIME_BY_INTERVAL, "checkpoint_time", "interval")                                        \
    FIGURE(ALIGNMENT, "alignment_time", "parallelism")                                             \
    FIGURE(PHASES, "phase_time", "tasks")                                                          \
    FIGURE(RECOVERY, "recovery_time", "interval")                                                  \
    FIGURE(USEFUL_WORK, "useful_work", "interval")                                                 \
    FIGURE(CHECKPOINTS, "checkpoint_time", "time")                                                 \
    FIGURE(PROGRESS, "records", "time")                                                            \
    FIGURE(TIMELINE, "subtasks", "time")

enum figure_choice {
#define FIGURE(identifier, y, x) CHOICE_##identifier,
    FIGURE_CHOICE_LIST(FIGURE)
#undef FIGURE
        FIGURE_CHOICE_COUNT
};

/* Sets of figures, as bits: 1 << choice. Those of a sweep; those that `run --plots` draws of one
 * run; those that a report draws of one run. */
enum {
    FIGURES_OF_SWEEP = 1 << CHOICE_TIME_BY_PRODUCT | 1 << CHOICE_TIME_BY_TASKS |
                       1 << CHOICE_TIME_BY_INTERVAL | 1 << CHOICE_ALIGNMENT | 1 << CHOICE_PHASES |
                       1 << CHOICE_RECOVERY | 1 << CHOICE_USEFUL_WORK,
    FIGURES_OF_RUN = 1 << CHOICE_CHECKPOINTS | 1 << CHOICE_PROGRESS,
    FIGURES_OF_STORY = 1 << CHOICE_PROGRESS | 1 << CHOICE_TIMELINE,
};

/* "checkpoint_time" and "interval_x_tasks". Static storage. */
const char *figure_choice_y(enum figure_choice choice);
const char *figure_choice_x(enum figure_choice choice);

/* Finds a figure by its names; false: there is none. */
bool figure_choice_find(const char *y, const char *x, enum figure_choice *choice);

/* Is `choice` to be drawn of a scenario that chose `chosen` (0: nothing), by a command that draws
 * those of `group`? What names none of the group leaves all of it. */
bool figure_is_chosen(uint32_t chosen, uint32_t group, enum figure_choice choice);

#endif
