/* compare.h - `faultline compare`: one scenario simulated and for real, side by side. */
#ifndef FAULTLINE_SIM_COMMAND_COMPARE_H
#define FAULTLINE_SIM_COMMAND_COMPARE_H

#include "sim/campaign/run.h"
#include "sim/command/options.h"

/* Does it, and says what is to be said on standard output and error. Returns the exit code: pass if
 * the results are equal, however long they took. */
enum verdict compare_command(const struct options *options);

#endif
