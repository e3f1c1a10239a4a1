/* compare_side.h - what `compare` knows of a run, simulated or for real: its result, and how long
 * things took. */
#ifndef FAULTLINE_SIM_COMMAND_COMPARE_SIDE_H
#define FAULTLINE_SIM_COMMAND_COMPARE_SIDE_H

#include "sim/campaign/run.h"

/* What is compared. */
enum quantity {
    QUANTITY_CHECKPOINT_TIME,
    QUANTITY_BYTES,
    QUANTITY_DOWNTIME,
    QUANTITY_RECOVERY,
    QUANTITY_THROUGHPUT,
    QUANTITY_COUNT
};

struct quantity_info {
    const char *name;
    const char *column; /* in CSV and the results database, with the unit */
    void (*show)(struct buffer *out, uint64_t value);
};

const struct quantity_info *quantity_info(enum quantity quantity);

/* What one run amounts to. */
struct side {
    enum verdict verdict;
    enum outcome outcome;
    uint64_t output_lines;
    uint64_t keys;
    uint32_t task_count;
    bool keeps_ids; /* the rules for checkpoint ids */
    bool keeps_restores;
    const char *trouble; /* what is not right, in one line; NULL: it passed */
    const char *ids; /* of completed checkpoints */
    const char *restored;
    uint64_t values[QUANTITY_COUNT]; /* medians; 0: the run has none */
};

/* Its texts are in `arena`. */
void side_of_run(struct side *side, const struct run *run, struct arena *arena);

/* Both hosts did all that was expected, and with the same outcome and the same amount of output;
 * each result was compared with the reference, so they equal each other. */
bool side_is_equal(const struct side *simulated, const struct side *live);

#endif
