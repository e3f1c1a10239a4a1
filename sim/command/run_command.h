/* run_command.h - the verbs that run scenarios one after the other, each with a verdict: run, and
 * live, which is the same for real. */
#ifndef FAULTLINE_SIM_COMMAND_RUN_COMMAND_H
#define FAULTLINE_SIM_COMMAND_RUN_COMMAND_H

#include "sim/campaign/run.h"
#include "sim/command/options.h"

/* Does it, and says what is to be said on standard output and error. Returns the exit code. */
enum verdict run_command(const struct options *options, const char *build);

#endif
