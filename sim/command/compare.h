/* compare.h - `faultline compare`: a scenario, or every cell of its grid, simulated and for real,
 * side by side. */
#ifndef FAULTLINE_SIM_COMMAND_COMPARE_H
#define FAULTLINE_SIM_COMMAND_COMPARE_H

#include "sim/campaign/run.h"
#include "sim/command/options.h"

/* Does it, keeps the numbers in the results database, and says what is to be said on standard
 * output and error. Returns the exit code: pass if the results are equal in all cells, however long
 * they took. */
enum verdict compare_command(const struct options *options, const char *build);

#endif
