/* runner.h - the main function of every test program. */
#ifndef FAULTLINE_TESTS_RUNNER_H
#define FAULTLINE_TESTS_RUNNER_H

#include <check.h>

/* Runs `suite` (libcheck, taken over) and returns the exit status for main. */
int run_suite(Suite *suite);

/* The same for tests against the real clock: on a machine that has much else to do they may come
 * too late, so what failed is tried again, a few times in all. */
int run_suite_on_a_clock(Suite *(*make)(void));

#endif
