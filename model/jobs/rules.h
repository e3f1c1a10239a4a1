/* rules.h - a job with state that belongs to no key: rules that every subtask knows, and a list of
 * which each subtask holds a share.
 *
 * Of the integers that come in, those that end in 0 are rules, the others events. The last two
 * digits but one are the group of either. When all have come, it tells of each event's value how
 * often it came and the greatest rule of its group, `VALUE : COUNT : RULE`, with "none" for no
 * rule; and each subtask tells how many events it had seen, `events : COUNT`, which add up. */
#ifndef FAULTLINE_JOBS_RULES_H
#define FAULTLINE_JOBS_RULES_H

#include "model/stream/pipeline.h"

/* Vertices: "source", "match". */
void rules_build(struct pipeline *pipeline);

#endif
