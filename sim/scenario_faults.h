/* scenario_faults.h - the grammar of faults: triggers, objects, and which verb goes with what.
 * Used by scenario_*.c only. */
#ifndef FAULTLINE_SIM_SCENARIO_FAULTS_H
#define FAULTLINE_SIM_SCENARIO_FAULTS_H

#include "sim/scenario_fields.h"

enum { FAULT_COUNT_MAX = 10000 };

/* `job_manager`, `task_manager[1]`, `any task_manager`, `all task_managers`, `count[2]`,
 * `any count`, `link source->count`, `machine of X`, `file GLOB`. `prng` decides what "any" is. */
bool parse_fault_object(struct reader *reader, const char *path, const char *text,
                        struct prng *prng, struct fault_object *object);

/* `[checkpoint N] fact[(subtask)] [#occurrence]`. */
bool parse_fault_when(struct reader *reader, const char *path, const char *text, struct prng *prng,
                      struct fault_trigger *trigger);

/* A fact of trace.h by its name. */
bool parse_fact(struct reader *reader, const char *path, const char *name, enum fact_kind *fact);

/* A verb of FAULT_VERB_LIST. */
bool read_verb(struct reader *reader, const char *path, const json_t *value, enum fault_verb *verb);

/* Can `verb` be done to `object`? If not, it needs verb_needs(): "a process", "a link". */
bool verb_fits(enum fault_verb verb, const struct fault_object *object);
const char *verb_needs(enum fault_verb verb);

/* Does it take time, so that "for" makes sense? */
bool verb_lasts(enum fault_verb verb);

/* Does the fact speak of the job as a whole, never of one subtask? */
bool fact_is_of_job(enum fact_kind fact);

/* Reads "faults" or draws "random" to the scenario. */
bool read_faults(struct reader *reader);

/* Draws what "random" asks for: the faults are as explicit as if they had been written. */
bool draw_random_faults(struct reader *reader);

/* Appends one fault as a JSON object on one line. */
void fault_write(const struct scenario *scenario, const struct fault *fault, struct buffer *out);

#endif
