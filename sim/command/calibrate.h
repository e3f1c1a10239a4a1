/* calibrate.h - `faultline calibrate`: measures this machine, and writes what a scenario's cluster
 * must cost so that simulated time is the time of this machine.
 *
 * What comes out is a scenario file with nothing but `cluster` in it: another one can be `like` it.
 * What is measured is real code: the job runs on the live host. */
#ifndef FAULTLINE_SIM_COMMAND_CALIBRATE_H
#define FAULTLINE_SIM_COMMAND_CALIBRATE_H

#include "sim/campaign/run.h"
#include "sim/command/options.h"

/* Does it, and says what is to be said on standard output and error. Returns the exit code. */
enum verdict calibrate_command(const struct options *options);

#endif
