/* near.h - floating-point numbers against expected ones, for tables of test points. */
#ifndef FAULTLINE_TESTS_NEAR_H
#define FAULTLINE_TESTS_NEAR_H

#include <stddef.h>

/* Fails the test, naming `what` and `row`, unless `actual` is within `tolerance` of `expected`.
 * INFINITY is near INFINITY only, and NAN near nothing. */
void expect_near(const char *what, size_t row, double actual, double expected, double tolerance);

#endif
