#include "tests/support/near.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>

void expect_near(const char *what, size_t row, double actual, double expected, double tolerance)
{
    bool near = actual == expected || fabs(actual - expected) <= tolerance;
    ck_assert_msg(near, "%s, row %zu: %.12g, expected %.12g within %g", what, row, actual, expected,
                  tolerance);
}
