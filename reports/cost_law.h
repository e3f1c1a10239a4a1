/* cost_law.h - which law of models_cost.h a regime follows, and how well each formula explains what
 * was measured in it. */
#ifndef FAULTLINE_REPORTS_COST_LAW_H
#define FAULTLINE_REPORTS_COST_LAW_H

#include "reports/cost_regime.h"
#include "reports/fit.h"

enum cost_law { LAW_FULL_OWN, LAW_FULL_SHARED, LAW_SLOTS, LAW_INCREMENTAL, LAW_QUEUED };

/* All that the words below a panel need. */
struct cost_analysis {
    enum cost_law law;
    size_t count;
    double *product_s;  /* T N */
    double *duration_s; /* measured */
    double *term;       /* what the regime's own law is linear in */
    double *law_s;      /* what it says: intercept + slope * term */
    double tasks_min, tasks_max, interval_min_s, interval_max_s;
    double duration_min_s, duration_max_s;
    double formula_r2;       /* of time = T N, in seconds */
    double off_min, off_max; /* T N / measured */
    struct fit_line line;    /* a T N + b */
    struct fit_line own;     /* intercept + slope * term */
    double expected_slope;   /* NAN: the scenario does not tell */
    double interval_effect;  /* the largest (max - min) / mean over T at one N */
    double tasks_ratio;      /* mean duration at the largest N / at the smallest */
    double repeat_max;       /* incremental: the largest r T / K; else NAN */
};

/* False: the points determine no line. */
MUST_USE bool cost_analyse(struct cost_analysis *analysis, struct arena *arena,
                           const struct cost_regime *regime);

/* Appends the paragraph about one regime: what was measured, what each formula is worth, and
 * whether and why T x N holds. */
void cost_describe(const struct cost_analysis *analysis, const struct cost_regime *regime,
                   struct arena *arena, struct buffer *out);

#endif
