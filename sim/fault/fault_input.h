/* fault_input.h - the faults of load: hot keys, bursts and bad records, as properties of the input.
 *
 * Records are computed from their number, for the job and for the oracle alike. So these faults are
 * no events of the run: they change the input before it, in the range of numbers that would be due
 * in the fault's time if there were no bursts. */
#ifndef FAULTLINE_SIM_FAULT_INPUT_H
#define FAULTLINE_SIM_FAULT_INPUT_H

#include "model/base/arena.h"
#include "sim/scenario/scenario.h"

/* Makes the generator of the scenario's input if it needs one and has none, and gives the input
 * what the scenario's faults ask for. Memory from `arena`. */
void fault_input_prepare(struct arena *arena, struct scenario *scenario);

#endif
