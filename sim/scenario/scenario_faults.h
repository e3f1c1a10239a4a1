/* scenario_faults.h - the grammar of faults: triggers, objects, and which verb goes with what.
 * Used by scenario_*.c only. */
#ifndef FAULTLINE_SIM_SCENARIO_FAULTS_H
#define FAULTLINE_SIM_SCENARIO_FAULTS_H

#include "sim/scenario/scenario_fields.h"

enum { FAULT_COUNT_MAX = 10000 };

/* `job_manager`, `task_manager[1]`, `any task_manager`, `all task_managers`, `count[2]`,
 * `any count`, `link source->count`, `machine of X`, `network of X`, `disk of X`, `store of X`,
 * `connection X - Y`, `file GLOB`, `network`, `store`, `input`, `job`. `prng` decides what "any"
 * is. */
bool parse_fault_object(struct reader *reader, const char *path, const char *text,
                        struct prng *prng, struct fault_object *object);

/* The highest parallelism that the scenario being read speaks of: faults may name subtasks that are
 * there only after a rescale. What is no number is left to whoever reads it. */
uint32_t faults_parallelism_max(const struct reader *reader);

/* Only the name of a process, not drawn. */
bool parse_process_name(struct reader *reader, const char *path, const char *text,
                        struct fault_object *object);

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

/* How "for" goes with a verb. */
enum fault_length {
    LENGTH_NONE,     /* done at once */
    LENGTH_DEFAULT,  /* a second if not given */
    LENGTH_GIVEN,    /* must be given */
    LENGTH_OR_COUNT, /* "for", or the next "count" calls, or both: whichever ends first */
};
enum fault_length verb_length(enum fault_verb verb);

/* Does it always take time? */
bool verb_lasts(enum fault_verb verb);

/* The parameters of verbs, as bits; "for" is none of them. */
enum fault_parameter {
    PARAMETER_BY = 1,
    PARAMETER_JITTER = 2,
    PARAMETER_FACTOR = 4,
    PARAMETER_BANDWIDTH = 8,
    PARAMETER_DIRECTION = 16,
    PARAMETER_CALLS = 32,
    PARAMETER_COUNT = 64,
    PARAMETER_IN = 128,
    PARAMETER_GROUPS = 256,
    PARAMETER_UNSYNCED = 512,
    PARAMETER_DRIFT = 1024,
    PARAMETER_SIZE = 2048,
    PARAMETER_PARALLELISM = 4096,
    PARAMETER_MAX_PARALLELISM = 8192,
};
uint32_t verb_required(enum fault_verb verb);
uint32_t verb_parameters(enum fault_verb verb); /* the required and the optional ones */

/* Reads every parameter of the fault at `path`, whose verb and object are known; refuses those that
 * make no sense with them. */
bool read_parameters(struct reader *reader, const char *path, const json_t *object,
                     struct fault *fault);

/* Appends them as `, "key": value`. */
void parameters_write(const struct fault *fault, struct buffer *out);

/* Does the fact speak of the job as a whole, never of one subtask? */
bool fact_is_of_job(enum fact_kind fact);

/* Reads "faults" or draws "random" to the scenario. */
bool read_faults(struct reader *reader);

/* Draws what "random" asks for: the faults are as explicit as if they had been written. */
bool draw_random_faults(struct reader *reader);

/* Appends one fault as a JSON object on one line. */
void fault_write(const struct scenario *scenario, const struct fault *fault, struct buffer *out);

#endif
