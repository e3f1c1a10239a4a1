/* help_command.h - `faultline help`, and what `--help` says of one verb: its options, each told
 * once for all the verbs that take it. */
#ifndef FAULTLINE_SIM_COMMAND_HELP_COMMAND_H
#define FAULTLINE_SIM_COMMAND_HELP_COMMAND_H

#include "sim/command/options.h"

/* Prints to standard output what there is to say of a verb; of COMMAND_HELP: of all. */
void help_command(enum command command);

#endif
