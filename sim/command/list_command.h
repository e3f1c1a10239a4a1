/* list_command.h - `faultline list`: what can be named in a scenario, a line of help each. */
#ifndef FAULTLINE_SIM_COMMAND_LIST_COMMAND_H
#define FAULTLINE_SIM_COMMAND_LIST_COMMAND_H

#include "sim/command/options.h"

/* Prints the list to standard output. */
void list_command(enum list_topic topic);

#endif
