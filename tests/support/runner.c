#include "tests/support/runner.h"

#include <stdlib.h>

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_suite_on_a_clock(Suite *(*make)(uint64_t slowness))
{
    enum { SLOWNESS_MAX = 8 };
    for (uint64_t slowness = 1;; slowness *= 2) {
        SRunner *runner = srunner_create(make(slowness));
        srunner_run_all(runner, CK_SILENT);
        int failed = srunner_ntests_failed(runner);
        if (failed == 0 || slowness == SLOWNESS_MAX) {
            srunner_print(runner, CK_NORMAL);
        }
        srunner_free(runner);
        if (failed == 0 || slowness == SLOWNESS_MAX) {
            return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
}
