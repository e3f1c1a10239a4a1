/* coordinator_play.h - a coordinator is told one event after the other, in words. */
#ifndef FAULTLINE_TESTS_COORDINATOR_PLAY_H
#define FAULTLINE_TESTS_COORDINATOR_PLAY_H

#include "model/checkpoint/coordinator.h"

/* One event and the actions it must bring. Events are "NOW VERB [ID] [TASK]":
 *   start (random 0: the first trigger after min_pause), start_late (after the interval),
 *   stop, time, ack ID TASK, decline ID TASK, given_up ID TASK, trigger_failed ID,
 *   finish ID, committed ID, commit_failed ID, commit_unknown ID, restoring ID, give_up ID,
 *   end TASK, finished TASK.
 * Actions are separated by "; "; what an ack was judged comes first, unless it was accepted. */
struct step {
    const char *event;
    const char *expected;
};

/* One at a time, a timeout of 1000 ns, more failures tolerated than most tests have. */
struct coordinator_options options_with(uint64_t interval_ns, uint32_t task_count);

/* Steps end with a NULL event. Ids start at 1, the store is empty. */
void play(struct coordinator_options options, const struct step *steps);

/* The same with a coordinator that lives on. */
void play_on(struct coordinator *coordinator, const struct step *steps);

#endif
