/* check.h - programming errors: a broken assertion ends the program, in every build.
 *
 * CHECK is never compiled out: a testbed that goes on after a broken invariant reports nonsense.
 * Operating errors and errors of a user are not programming errors; see status.h. */
#ifndef FAULTLINE_BASE_CHECK_H
#define FAULTLINE_BASE_CHECK_H

#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

/* A place that no value leads to: `what` names what would have had to come instead. */
#define CHECK_UNREACHABLE(what) check_failed("unreachable: not " what, __FILE__, __LINE__, __func__)

/* Prints one line with the condition and its place to standard error, then aborts. */
_Noreturn void check_failed(const char *condition, const char *file, int line,
                            const char *function);

#endif
