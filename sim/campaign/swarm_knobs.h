/* swarm_knobs.h - how a swarm turns the knobs of a configuration. Used by swarm.c only. */
#ifndef FAULTLINE_SIM_CAMPAIGN_SWARM_KNOBS_H
#define FAULTLINE_SIM_CAMPAIGN_SWARM_KNOBS_H

#include <stdbool.h>

#include "model/base/prng.h"
#include "sim/campaign/swarm.h"

/* Uniform over the orders of magnitude from `low` to `high`, both included. */
uint64_t swarm_draw_scaled(struct prng *prng, uint64_t low, uint64_t high);

/* Turns some of the knobs of `scenario`, most often to an extreme. What the base's overrides set
 * stays as it is. */
void swarm_turn_knobs(struct scenario *scenario, const struct swarm_base *base, struct prng *prng);

#endif
