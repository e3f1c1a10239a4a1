/* swarm.h - draws one run's configuration and faults from a seed: an explicit scenario.
 *
 * Runs should differ in kind, not only in luck. So each seed first draws what this run is like:
 * which knobs stand at an extreme, which verbs exist and how likely each is, which moments its
 * faults prefer, how long a quiet time lies between them. Then it draws the faults from that. All
 * of a base scenario that was set by hand stays as it was set.
 *
 * What is drawn can be survived: every fault ends or leaves slots enough, there are restarts enough
 * or it is allowed to run out of them, timeouts are longer than an undisturbed checkpoint takes. So
 * a run that does not end right, or takes far longer than its faults explain, is a bug. (Ideas:
 * swarm testing; FoundationDB's knobs and TigerBeetle's weights.) */
#ifndef FAULTLINE_SIM_CAMPAIGN_SWARM_H
#define FAULTLINE_SIM_CAMPAIGN_SWARM_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/scenario_json.h"

enum { SWARM_FAULTS_DEFAULT = 5, SWARM_FAULTS_MAX = 1000 };

/* All is borrowed. */
struct swarm_base {
    const struct scenario *scenario;            /* resolved; its own faults stay and come first */
    const struct scenario_overrides *overrides; /* a knob that one of them sets is not turned */
    uint32_t fault_count;                       /* how many are drawn, at most */
    uint64_t
        horizon_ns; /* faults begin before this time: about how long an undisturbed run takes */
    uint64_t checkpoint_ns; /* the longest checkpoint of the undisturbed run; 0: not known */
};

/* Draws number `seed`; the scenario's seed is `seed` too. Memory from `arena`; the name and the
 * texts are the base's. Error: INVALID with a sentence if the drawn faults cannot be applied to the
 * scenario, which is a mistake in the table of verbs. */
MUST_USE enum status swarm_draw(struct scenario *scenario, struct arena *arena,
                                const struct swarm_base *base, uint64_t seed, struct buffer *error);

#endif
