/* runner.h - the main function of every test program. */
#ifndef FAULTLINE_TESTS_RUNNER_H
#define FAULTLINE_TESTS_RUNNER_H

#include <check.h>
#include <stdint.h>

/* Runs `suite` (libcheck, taken over) and returns the exit status for main. */
int run_suite(Suite *suite);

/* The same for tests against the real clock: on a machine that has much else to do they may come
 * too late, so a test case (all its tests) that failed is tried again with the clock going half as
 * fast, a few times in all. `make` makes the suite for a clock that goes `slowness` times slower
 * than usual; the names of its test cases differ. */
int run_suite_on_a_clock(Suite *(*make)(uint64_t slowness));

#endif
