/* hunt_command.h - the verbs that look for failures: fuzz, enumerate and shrink. */
#ifndef FAULTLINE_SIM_COMMAND_HUNT_COMMAND_H
#define FAULTLINE_SIM_COMMAND_HUNT_COMMAND_H

#include "sim/campaign/run.h"
#include "sim/command/options.h"

/* Each does it, and says what is to be said on standard output and error. Returns the exit code. */
enum verdict fuzz_command(const struct options *options);
enum verdict enumerate_command(const struct options *options);
enum verdict shrink_command(const struct options *options);

#endif
