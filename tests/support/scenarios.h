/* scenarios.h - scenarios from JSON in a test, and three texts that together use every key. */
#ifndef FAULTLINE_TESTS_SCENARIOS_H
#define FAULTLINE_TESTS_SCENARIOS_H

#include "sim/scenario/scenario_json.h"

/* All defaults; the example of the format; and one in which no value is a default. */
extern const char scenario_minimal[];
extern const char scenario_example[];
extern const char scenario_unusual[];

/* A job with so many random faults, say "5" or "1..8". */
#define RANDOM_SCENARIO(count)                                                                     \
    "{ \"job\": { \"name\": \"count\", \"parallelism\": 3 }, \"random\": { \"faults\": \"" count   \
    "\","                                                                                          \
    " \"do\": [\"crash\", \"pause\", \"delay\"], \"during\": \"4s\", \"for\": \"10ms..20ms\","     \
    " \"by\": \"1us..2us\" } }"

/* The sentence that reading `json` ends in, "" if it is good. It counts as test.json in the folder
 * /in. `overrides` may be NULL. */
const char *scenario_try(struct scenario *scenario, struct arena *arena, const char *json,
                         const struct scenario_overrides *overrides);

/* The same with `settings` (of --set), at most 4, ending in NULL. */
const char *scenario_try_with(struct scenario *scenario, struct arena *arena, const char *json,
                              const char *const settings[4]);

/* The same for a text that must be good. */
struct scenario scenario_from(struct arena *arena, const char *json);

/* A copy that ends in a zero. */
const char *text_of(const struct buffer *buffer, struct arena *arena);

#endif
