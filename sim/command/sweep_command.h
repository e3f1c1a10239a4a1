/* sweep_command.h - `faultline sweep`: a scenario's grid, with a progress line and a summary. */
#ifndef FAULTLINE_SIM_CAMPAIGN_SWEEP_COMMAND_H
#define FAULTLINE_SIM_CAMPAIGN_SWEEP_COMMAND_H

#include "sim/campaign/run.h"
#include "sim/command/options.h"

/* Does it, and says what is to be said on standard output and error. Returns the exit code. */
enum verdict sweep_command(const struct options *options, const char *build);

#endif
