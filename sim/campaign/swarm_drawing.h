/* swarm_drawing.h - the drawing of one run's faults: what the files of the swarm share. Private to
 * swarm*.c. */
#ifndef FAULTLINE_SIM_CAMPAIGN_SWARM_DRAWING_H
#define FAULTLINE_SIM_CAMPAIGN_SWARM_DRAWING_H

#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/prng.h"
#include "model/stream/pipeline.h"
#include "sim/campaign/swarm.h"
#include "sim/campaign/swarm_scenes.h"
#include "sim/campaign/swarm_verbs.h"

/* The moments when a fault hurts most. */
enum swarm_window {
    SWARM_WINDOW_ANY,
    SWARM_WINDOW_CHECKPOINT,
    SWARM_WINDOW_COMMIT,
    SWARM_WINDOW_RECOVERY,
    SWARM_WINDOW_END,
    SWARM_WINDOW_COUNT
};

struct swarm_drawing {
    const struct swarm_base *base;
    const struct scenario *scenario;
    struct pipeline pipeline;
    struct prng prng;
    uint32_t row_weights[SWARM_ROW_COUNT_MAX]; /* 0: switched off */
    uint32_t scene_weights[SWARM_SCENE_COUNT_MAX];
    uint32_t window_weights[SWARM_WINDOW_COUNT];
    uint32_t scene_share_ppm; /* how often a scene is drawn instead of a single fault */
    uint64_t quiet_ns;        /* between the beginnings of two faults, as far as times are known */
    uint64_t next_ns;         /* the next fault begins at this time or later */
    uint32_t attempts;        /* about how many there will be, because of what was drawn so far */
    struct buffer *json;
};

/* What this run is like. */
void swarm_draw_character(struct swarm_drawing *drawing);

/* Appends one fault, as JSON. */
void swarm_append_fault(struct swarm_drawing *drawing);

/* Appends the faults of one scene, with commas between them, and returns how many; at most `room`.
 * 0: there is none for this run. */
uint32_t swarm_append_scene(struct swarm_drawing *drawing, uint32_t room);

/* The index of a weight, drawn; some weight is not 0. */
uint32_t swarm_draw_weighted(struct prng *prng, const uint32_t *weights, uint32_t count);

/* When the next fault begins. */
uint64_t swarm_draw_time(struct swarm_drawing *drawing);

/* What the job may be rescaled to: there are slots enough. */
uint64_t swarm_draw_parallelism(struct swarm_drawing *drawing);

/* The checkpoint that is about to be made at `time_ns` if all goes well. */
uint64_t swarm_checkpoint_at(const struct swarm_drawing *drawing, uint64_t time_ns);

/* The name of a vertex; appends an object in which "@task" or "@link" stands for a drawn one. */
const char *swarm_vertex_name(const struct swarm_drawing *drawing, uint64_t vertex);
void swarm_append_object(struct swarm_drawing *drawing, const char *object);

#endif
