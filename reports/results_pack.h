/* results_pack.h - a run with all that belongs to it as bytes: from the process that ran it to the
 * one that writes the results database. */
#ifndef FAULTLINE_REPORTS_RESULTS_PACK_H
#define FAULTLINE_REPORTS_RESULTS_PACK_H

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "reports/results.h"
#include "reports/summary.h"

/* The arguments of results_add. */
struct results_package {
    struct results_run run;
    struct summary summary; /* what results_add reads of it */
    struct results_fault *faults;
    uint32_t fault_count;
    struct results_violation *violations;
    uint32_t violation_count;
};

/* Appends the package; no pointer in it may be NULL, but those of empty lists. */
void results_pack(const struct results_package *package, struct buffer *out);

/* Makes the package again; everything in it lives in `arena`. CORRUPT: these are not the bytes of
 * one whole package. */
MUST_USE enum status results_unpack(struct results_package *package, struct arena *arena,
                                    struct bytes packed);

#endif
