/* keyed.h - the keyed state of a subtask from its parts, for tests that write manifests. */
#ifndef FAULTLINE_TESTS_KEYED_H
#define FAULTLINE_TESTS_KEYED_H

#include "model/checkpoint/manifest.h"

/* The state that consists of `count` parts; memory from `arena`. */
struct keyed_state keyed_of(struct arena *arena, const struct state_handle *parts, uint32_t count);

/* A handle of a part that lies inline, or in the file `path`. */
struct state_handle inline_part(struct bytes part);
struct state_handle file_part(const char *path, struct bytes part);

/* Part number `index` of `keyed`. */
struct state_handle part_of(const struct keyed_state *keyed, uint32_t index);

#endif
