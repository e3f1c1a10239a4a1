/* outputs.h - what a run leaves behind: the files of its folder, and its rows in the results
 * database.
 *
 * O1  Each file is written under a temporary name, synced and renamed: it is whole or as before.
 * O2  result.json is deleted first and written last: a folder that has one holds one whole run.
 * O3  Files of an earlier run that this one does not make (a trace, plots) are deleted. */
#ifndef FAULTLINE_SIM_OUTPUTS_H
#define FAULTLINE_SIM_OUTPUTS_H

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "reports/results.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/verdict.h"

/* Appends the content of result.json. */
void outputs_result(const struct verdict_view *view, struct buffer *out);

struct outputs_options {
    const char *folder; /* made with all folders above it */
    const char *build;  /* build id of the program, for captions */
    bool plots;         /* also gnuplot scripts, and their pictures if gnuplot is installed */
};

/* Writes output.txt, state.tsv, run.json and result.json; trace.jsonl and timeline.json if the run
 * kept them. On NO_SPACE or IO one sentence that names the file is appended to `error`. Without
 * gnuplot the scripts are written all the same. */
MUST_USE enum status outputs_write(const struct verdict_view *view,
                                   const struct outputs_options *options, struct buffer *error);

/* Removes the results that an earlier run left in the folder, for a run that may be interrupted.
 * Its run.json stays: it may be the very scenario that is to run. Errors: NO_SPACE, IO. */
MUST_USE enum status outputs_forget(const struct output_folder *folder);

/* Adds the run to the database. Errors: as results_add. */
MUST_USE enum status outputs_add(const struct verdict_view *view, const char *build,
                                 struct results *results, struct buffer *error);

/* Appends the same as bytes, for another process to add: see results_pack.h. */
void outputs_pack(const struct verdict_view *view, const char *build, struct buffer *out);

#endif
