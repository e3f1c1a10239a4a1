#include "tests/support/runner.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"

/* libcheck writes down the place of every check that it passes, to say of a test that crashes how
 * far it came: a system call each, and most of the time of a test with a check in a loop. Here only
 * places that are new are written: of a crash we learn the newest place that was reached for the
 * first time. The linker lets this function take the other's place. */
void __real__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line);

void __wrap__mark_point(const char *file, int line)
{
    enum { LINES = 1024 };
    static bool is_known[LINES]; /* each test is a process of its own and begins with none */
    bool *known = &is_known[(unsigned)line % LINES];
    if (!*known) {
        *known = true;
        __real__mark_point(file, line);
    }
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

enum { SLOWNESS_MAX = 32, FAILED_MAX = 32 };

struct failures {
    char cases[FAILED_MAX][128]; /* names of test cases, each once */
    size_t count;
    int test_count;
};

static void note_failures(struct failures *failures, SRunner *runner)
{
    TestResult **results = srunner_failures(runner);
    for (int i = 0; i < srunner_ntests_failed(runner); i++) {
        const char *name = tr_tcname(results[i]);
        bool is_known = false;
        for (size_t j = 0; j < failures->count; j++) {
            is_known = is_known || strcmp(failures->cases[j], name) == 0;
        }
        if (!is_known) {
            CHECK(failures->count < FAILED_MAX);
            (void)snprintf(failures->cases[failures->count++], sizeof *failures->cases, "%s", name);
        }
    }
    free((void *)results);
}

/* Runs one test case of a suite, or all of them (NULL); returns how many tests ran. */
static int try(Suite *suite, const char *name, struct failures *failures)
{
    SRunner *runner = srunner_create(suite);
    srunner_run(runner, NULL, name, CK_SILENT);
    int run_count = srunner_ntests_run(runner);
    failures->test_count += srunner_ntests_failed(runner);
    note_failures(failures, runner);
    srunner_print(runner, CK_NORMAL);
    srunner_free(runner);
    return run_count;
}

int run_suite_on_a_clock(Suite *(*make)(uint64_t slowness))
{
    struct failures failures = { .count = 0 };
    int run_count = try(make(1), NULL, &failures);
    for (int slowness = 2; failures.count > 0 && slowness <= SLOWNESS_MAX; slowness *= 2) {
        struct failures before = failures;
        failures = (struct failures){ .count = 0 };
        for (size_t i = 0; i < before.count; i++) {
            printf("%s: again, %d times slower\n", before.cases[i], slowness);
            (void)try(make((uint64_t)slowness), before.cases[i], &failures);
        }
    }
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n",
           100 * (run_count - failures.test_count) / run_count, run_count, failures.test_count);
    return failures.count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
