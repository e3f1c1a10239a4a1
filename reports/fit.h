/* fit.h - least squares: how well a formula explains what was measured.
 *
 * R2 is 1 - (sum of squared residuals) / (sum of squared distances of y from its mean), for every
 * fit here, also for a line through the origin: so the R2 of competing formulas over the same
 * points can be compared. 1: every point lies on the formula; 0: no better than the mean of y;
 * negative: worse than the mean. Where all y are the same there is nothing to explain, and R2 is
 * NAN.
 *
 * AIC (Akaike 1974) is n ln(residuals / n) + 2 (parameters + 1): the less the better, and more
 * parameters must earn their place. -INFINITY where no residual is left.
 *
 * x and y are arrays of `count` finite numbers, in any units; they stay borrowed. A fit fails
 * (false, the result unchanged) where the points do not determine it or one is not finite. */
#ifndef FAULTLINE_REPORTS_FIT_H
#define FAULTLINE_REPORTS_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/status.h"

enum { FIT_REGRESSORS_MAX = 8 };

struct fit_line {
    double slope;
    double intercept;
    double r2;
    double aic;
};

/* y = slope * x, intercept 0. Fails where all x are 0, or there is no point. */
MUST_USE bool fit_proportional(const double *x, const double *y, size_t count,
                               struct fit_line *line);

/* y = slope * x + intercept. Fails with fewer than two different x. */
MUST_USE bool fit_line(const double *x, const double *y, size_t count, struct fit_line *line);

struct fit_plane {
    double intercept;
    double coefficients[FIT_REGRESSORS_MAX]; /* one for each regressor; the others are 0 */
    double r2;
    double aic;
};

/* y = intercept + the sum of coefficients[j] * x[j], for `regressor_count` (1 to
 * FIT_REGRESSORS_MAX) regressors. `x` holds a row of that many numbers for each point. Regressors
 * may differ in size by any factor: each is centred and scaled first. Fails with no more points
 * than regressors, and where one regressor is, but for about 1e-5 of its spread, a sum of multiples
 * of the others and a constant. */
MUST_USE bool fit_plane(const double *x, size_t regressor_count, const double *y, size_t count,
                        struct fit_plane *plane);

/* R2 and AIC of any formula whose values for the points are `predicted`; for AIC,
 * `parameter_count` of its numbers were fitted to these points. With no points both are NAN. */
double fit_r2(const double *predicted, const double *y, size_t count);
double fit_aic(const double *predicted, const double *y, size_t count, size_t parameter_count);

#endif
