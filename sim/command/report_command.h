/* report_command.h - `faultline report`: figures and one HTML page of a results database. */
#ifndef FAULTLINE_SIM_COMMAND_REPORT_COMMAND_H
#define FAULTLINE_SIM_COMMAND_REPORT_COMMAND_H

#include "sim/campaign/run.h"
#include "sim/command/options.h"

/* Does it, and says what is to be said on standard output and error. Returns the exit code. */
enum verdict report_command(const struct options *options, const char *build);

#endif
