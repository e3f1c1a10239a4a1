/* swarm_scenes.h - the table of a swarm's scenes: two or three faults that belong together, because
 * what the first leaves behind is only seen by whoever comes after the second. Used by swarm.c
 * only.
 *
 * A fault of a scene is a line of JSON as in a scenario file, with ' for ", and with blanks to be
 * filled in anew for each drawing:
 *
 *   <a|b|c>     one of these; a choice holds no other choice, but may hold the blanks below
 *   @N          the id of a checkpoint; @O: of one of the next three
 *   @R          the number of an attempt, as an occurrence; @S: of the next
 *   @T          the occurrence of a failure that ends the last try of @R to restore what it chose
 *   @C          the occurrence of a step that every subtask takes once an attempt: one of them all
 *   @E          the occurrence of a step that every subtask takes once at the end; @L: the last
 *   @at         a time; @then: a duration, the same in the whole scene
 *   @brief      1us to 50ms; @down 1ms to 1s; @while 10ms to 2s; @long up to 4s
 *   @zombie     a little longer than the heartbeat timeout
 *   @X          a subtask of the job, the same in the whole scene
 *   @P          a parallelism that there are slots for
 *   @task       a vertex of the job; @link: an edge; @last: the index of the last TaskManager
 *
 * Of the faults of a scene those that begin with "?" are there one time out of two. A new attempt
 * for which a scene waits is one that a fault before it, or an earlier scene, brings about. */
#ifndef FAULTLINE_SIM_CAMPAIGN_SWARM_SCENES_H
#define FAULTLINE_SIM_CAMPAIGN_SWARM_SCENES_H

#include <stdint.h>

/* What a scene needs, as bits. */
enum {
    SCENE_SPARE_SLOTS = 1, /* the job can run without its last TaskManager */
    SCENE_RATED_INPUT = 2, /* the input is generated, and bad records are skipped */
    SCENE_RESTARTS = 4,    /* it makes an attempt fail: the next scene's @R is higher */
};

enum { SWARM_SCENE_FAULT_MAX = 4 };

struct swarm_scene {
    uint32_t flags;
    const char *faults[SWARM_SCENE_FAULT_MAX]; /* the rest are NULL */
};

extern const struct swarm_scene swarm_scenes[];
enum { SWARM_SCENE_COUNT_MAX = 64 };
extern const uint32_t swarm_scene_count;

#endif
