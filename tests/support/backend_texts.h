/* backend_texts.h - states of every kind whose values and subkeys are texts, and short words for
 * what tests do with them. */
#ifndef FAULTLINE_TESTS_BACKEND_TEXTS_H
#define FAULTLINE_TESTS_BACKEND_TEXTS_H

#include "model/state/backend.h"

extern const struct state_descriptor list_of_texts;         /* "list" */
extern const struct state_descriptor map_of_texts;          /* "map", of version 2 */
extern const struct state_descriptor windowed_map_of_texts; /* "window map", with namespaces */

/* The bytes of `at`, which is borrowed. */
struct bytes text(const char *at);

/* Is `value` this text? NULL: is there none? */
bool is_text(struct bytes value, const char *expected);

/* The same of the value under the current key. */
bool holds(struct backend *backend, state_id state, const char *expected);

/* Puts `value` into the current map. */
void put_at(struct backend *backend, state_id state, const char *subkey, const char *value);

/* "a=1 b=2 ": the current map. */
const char *map_as_text(struct backend *backend, state_id state, struct arena *arena);

/* Writes snapshot `id`, on no base, as one part. */
struct bytes write_whole(struct backend *backend, struct arena *arena, uint64_t id);

#endif
