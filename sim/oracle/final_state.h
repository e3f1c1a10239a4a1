/* final_state.h - what the keyed state of a job holds at the end of the input, as lines: one for
 * each entry, and one for each element of a list, since the order of these is not always
 * determined.
 *
 * Left out are values with a time to live, of which a job may or may not have dropped the expired
 * ones, and timers of the clock, whose times no two runs share. */
#ifndef FAULTLINE_SIM_ORACLE_FINAL_STATE_H
#define FAULTLINE_SIM_ORACLE_FINAL_STATE_H

#include "model/base/bytes.h"
#include "sim/oracle/checkpoint_reader.h"

struct oracle;

/* One line: `VERTEX STATE KEY`, for a map `VERTEX STATE KEY/SUBKEY`, then a tab and the value.
 * Printable bytes appear as they are, other 8 bytes as an integer, the rest in hexadecimal. */
void final_state_line(struct buffer *out, const char *vertex, struct bytes state, struct bytes key,
                      struct bytes value);

/* Appends the lines of what one subtask gave in the checkpoint in hand, each ended by a line feed,
 * to out[key group]. The state is sound: the caller has read it. */
void final_state_read(const struct oracle *oracle, const struct checkpoint_subtask *subtask,
                      struct buffer *out);

#endif
