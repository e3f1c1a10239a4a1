/* runner.h - the main function of every test program. */
#ifndef FAULTLINE_TESTS_RUNNER_H
#define FAULTLINE_TESTS_RUNNER_H

#include <check.h>

/* Runs `suite` (libcheck, taken over) and returns the exit status for main. */
int run_suite(Suite *suite);

#endif
