/* recording.h - what a job answered in a run without faults: the reference of a job of the user's
 * own, whose code the oracle knows nothing of.
 *
 * Compared are the committed lines of each sink, in any order, and the final state as far as it is
 * determined (final_state.h). What the recorded run has wrong, this does not find; nor is a
 * checkpoint in the middle compared with anything but its form and source positions. At least once,
 * lines may have any content, so nothing is compared. */
#ifndef FAULTLINE_SIM_ORACLE_RECORDING_H
#define FAULTLINE_SIM_ORACLE_RECORDING_H

#include "sim/oracle/fold_table.h"

struct recording {
    struct fold_table lines; /* as the rule of known lines has them, behind `SINK: ` */
    struct fold_table state;
    bool is_done;        /* compare with it; else it is being made */
    const char *failure; /* why the job did not finish without faults; NULL: it did */
};

/* Nothing recorded yet; memory from `arena`. */
void recording_init(struct recording *recording, struct arena *arena);

/* The first line or entry, as a sentence, in which two recordings differ; NULL: they are equal. */
const char *recording_difference(struct arena *arena, const struct recording *first,
                                 const struct recording *second);

#endif
