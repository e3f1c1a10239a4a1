#include "reports/fit.h"

#include <math.h>

#include "model/base/check.h"

/* Of a regressor's scaled square, this much at least must not be explained by the others. */
#define INDEPENDENT_SHARE_MIN 1e-10

/* The second pass fits what rounding left of the first. */
enum { PASSES = 2 };

static bool all_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            return false;
        }
    }
    return true;
}

/* Of every stride-th value. */
static double mean_of(const double *values, size_t stride, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i * stride];
    }
    double mean = sum / (double)count;
    double rest = 0;
    for (size_t i = 0; i < count; i++) {
        rest += values[i * stride] - mean;
    }
    return mean + rest / (double)count;
}

static double r2_of(double residuals, const double *y, size_t count)
{
    double mean = mean_of(y, 1, count);
    double spread = 0;
    bool same = true;
    for (size_t i = 0; i < count; i++) {
        spread += (y[i] - mean) * (y[i] - mean);
        same = same && y[i] == y[0];
    }
    return same ? NAN : 1 - residuals / spread;
}

static double aic_of(double residuals, size_t count, size_t parameter_count)
{
    double n = (double)count;
    return n * log(residuals / n) + 2 * ((double)parameter_count + 1);
}

/* R2 and AIC of a line whose slope and intercept are known. */
static void judge_line(const double *x, const double *y, size_t count, size_t parameter_count,
                       struct fit_line *line)
{
    double residuals = 0;
    for (size_t i = 0; i < count; i++) {
        double residual = y[i] - line->slope * x[i] - line->intercept;
        residuals += residual * residual;
    }
    line->r2 = r2_of(residuals, y, count);
    line->aic = aic_of(residuals, count, parameter_count);
}

bool fit_proportional(const double *x, const double *y, size_t count, struct fit_line *line)
{
    CHECK(line != NULL);
    double xx = 0;
    double xy = 0;
    for (size_t i = 0; i < count; i++) {
        xx += x[i] * x[i];
        xy += x[i] * y[i];
    }
    if (!all_finite(x, count) || !all_finite(y, count) || xx == 0) {
        return false;
    }
    line->slope = xy / xx;
    line->intercept = 0;
    judge_line(x, y, count, 1, line);
    return true;
}

bool fit_line(const double *x, const double *y, size_t count, struct fit_line *line)
{
    CHECK(line != NULL);
    struct fit_plane plane;
    if (!fit_plane(x, 1, y, count, &plane)) {
        return false;
    }
    *line = (struct fit_line){
        .slope = plane.coefficients[0],
        .intercept = plane.intercept,
        .r2 = plane.r2,
        .aic = plane.aic,
    };
    return true;
}

/* Points and regressors, centred on `mean` and scaled by `scale`. */
struct normal {
    const double *x;
    size_t regressor_count;
    size_t count;
    double mean[FIT_REGRESSORS_MAX];
    double scale[FIT_REGRESSORS_MAX];
    /* Cholesky factor L of the regressors' correlations; only j <= i is set. */
    double factor[FIT_REGRESSORS_MAX][FIT_REGRESSORS_MAX];
};

static double scaled(const struct normal *normal, size_t point, size_t regressor)
{
    double value = normal->x[point * normal->regressor_count + regressor];
    return (value - normal->mean[regressor]) / normal->scale[regressor];
}

/* False if a regressor is constant. */
static bool centre(struct normal *normal)
{
    for (size_t j = 0; j < normal->regressor_count; j++) {
        normal->mean[j] = mean_of(normal->x + j, normal->regressor_count, normal->count);
        normal->scale[j] = 1;
        double largest = 0;
        bool same = true;
        for (size_t i = 0; i < normal->count; i++) {
            largest = fmax(largest, fabs(scaled(normal, i, j)));
            same = same && normal->x[i * normal->regressor_count + j] == normal->x[j];
        }
        if (same || largest == 0) {
            return false;
        }
        normal->scale[j] = largest; /* Squares of the scaled values can no more overflow. */
        double square = 0;
        for (size_t i = 0; i < normal->count; i++) {
            square += scaled(normal, i, j) * scaled(normal, i, j);
        }
        normal->scale[j] *= sqrt(square);
    }
    return true;
}

static double correlation(const struct normal *normal, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < normal->count; i++) {
        sum += scaled(normal, i, a) * scaled(normal, i, b);
    }
    return sum;
}

/* False if the regressors are not independent. */
static bool factorise(struct normal *normal)
{
    for (size_t i = 0; i < normal->regressor_count; i++) {
        for (size_t j = 0; j <= i; j++) {
            double rest = correlation(normal, i, j);
            for (size_t k = 0; k < j; k++) {
                rest -= normal->factor[i][k] * normal->factor[j][k];
            }
            if (i == j && rest < INDEPENDENT_SHARE_MIN) {
                return false;
            }
            normal->factor[i][j] = i == j ? sqrt(rest) : rest / normal->factor[j][j];
        }
    }
    return true;
}

/* Solves L L' a = b in place. */
static void solve(const struct normal *normal, double *b)
{
    size_t n = normal->regressor_count;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            b[i] -= normal->factor[i][k] * b[k];
        }
        b[i] /= normal->factor[i][i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) {
            b[i] -= normal->factor[k][i] * b[k];
        }
        b[i] /= normal->factor[i][i];
    }
}

/* What is left of y at one point, for coefficients of the scaled regressors. */
static double residual_at(const struct normal *normal, const double *scaled_coefficients,
                          double centre_y, const double *y, size_t point)
{
    double residual = y[point] - centre_y;
    for (size_t j = 0; j < normal->regressor_count; j++) {
        residual -= scaled_coefficients[j] * scaled(normal, point, j);
    }
    return residual;
}

/* Adds to the coefficients and to the centre of y the fit of what they leave. */
static void improve(const struct normal *normal, const double *y, double *scaled_coefficients,
                    double *centre_y)
{
    double step[FIT_REGRESSORS_MAX] = { 0 };
    double sum = 0;
    for (size_t i = 0; i < normal->count; i++) {
        double residual = residual_at(normal, scaled_coefficients, *centre_y, y, i);
        sum += residual;
        for (size_t j = 0; j < normal->regressor_count; j++) {
            step[j] += residual * scaled(normal, i, j);
        }
    }
    solve(normal, step);
    for (size_t j = 0; j < normal->regressor_count; j++) {
        scaled_coefficients[j] += step[j];
    }
    *centre_y += sum / (double)normal->count;
}

bool fit_plane(const double *x, size_t regressor_count, const double *y, size_t count,
               struct fit_plane *plane)
{
    CHECK(plane != NULL);
    CHECK(regressor_count >= 1);
    CHECK(regressor_count <= FIT_REGRESSORS_MAX);
    struct normal normal = { .x = x, .regressor_count = regressor_count, .count = count };
    if (count <= regressor_count || !all_finite(x, count * regressor_count) ||
        !all_finite(y, count) || !centre(&normal) || !factorise(&normal)) {
        return false;
    }
    double scaled_coefficients[FIT_REGRESSORS_MAX] = { 0 };
    double centre_y = mean_of(y, 1, count);
    for (int pass = 0; pass < PASSES; pass++) {
        improve(&normal, y, scaled_coefficients, &centre_y);
    }
    double residuals = 0;
    for (size_t i = 0; i < count; i++) {
        double residual = residual_at(&normal, scaled_coefficients, centre_y, y, i);
        residuals += residual * residual;
    }
    *plane = (struct fit_plane){ .intercept = centre_y };
    for (size_t j = 0; j < regressor_count; j++) {
        plane->coefficients[j] = scaled_coefficients[j] / normal.scale[j];
        plane->intercept -= plane->coefficients[j] * normal.mean[j];
    }
    plane->r2 = r2_of(residuals, y, count);
    plane->aic = aic_of(residuals, count, regressor_count + 1);
    return true;
}

static double residuals_of(const double *predicted, const double *y, size_t count)
{
    double residuals = 0;
    for (size_t i = 0; i < count; i++) {
        residuals += (y[i] - predicted[i]) * (y[i] - predicted[i]);
    }
    return residuals;
}

double fit_r2(const double *predicted, const double *y, size_t count)
{
    return count == 0 ? NAN : r2_of(residuals_of(predicted, y, count), y, count);
}

double fit_aic(const double *predicted, const double *y, size_t count, size_t parameter_count)
{
    return count == 0 ? NAN : aic_of(residuals_of(predicted, y, count), count, parameter_count);
}
