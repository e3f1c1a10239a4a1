/* operator_state.h - state of an operator that belongs to no key: lists and broadcast state.
 *
 * A state has a name, a mode and items (runs of bytes). At a restore the items of all old subtasks
 * are given to the new ones, by mode:
 *
 *   STATE_SPLIT      with the same parallelism each subtask gets its own again. Otherwise all
 *                    items, in the order of the old subtasks, are dealt in contiguous runs: of n
 *                    items and p subtasks each gets n / p, and the first n % p receivers one more.
 *                    The first receiver is the one behind the last that got one more of the state
 *                    before, so that the remainders of many small states do not all land on
 *                    subtask 0.
 *   STATE_UNION      every subtask gets all items, with the same parallelism too.
 *   STATE_BROADCAST  all copies are alike. With the same parallelism each subtask gets its own;
 *                    else subtask i that of the (i % old)-th old one. Copies of subtasks that had
 *                    finished are missing: then the others are dealt out, by the same rule.
 *
 * Broadcast state is a map: items are key and value. Source: Flink's
 * RoundRobinOperatorStateRepartitioner. */
#ifndef FAULTLINE_STREAM_OPERATOR_STATE_H
#define FAULTLINE_STREAM_OPERATOR_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"

enum operator_state_mode { STATE_SPLIT, STATE_UNION, STATE_BROADCAST, STATE_MODE_COUNT };

enum { OPERATOR_STATE_COUNT_MAX = 64 }; /* of one operator */

/* One state: a list of items, each with a key (broadcast state only; else empty). */
struct operator_state;

/* All states of one operator in one subtask. Memory from `arena`. */
struct operator_states;
struct operator_states *operator_states_create(struct arena *arena);

/* The state called `name`, made if it is not there; its mode never changes. */
struct operator_state *operator_states_declare(struct operator_states *states, const char *name,
                                               enum operator_state_mode mode);

uint32_t operator_state_count(const struct operator_state *state);

/* Item number `index`. Borrowed until the next change. */
struct bytes operator_state_item(const struct operator_state *state, uint32_t index);

/* Lists: appends a copy of `item`; makes the list empty. */
void operator_state_add(struct operator_state *state, struct bytes item);
void operator_state_clear(struct operator_state *state);

/* Broadcast state: the value of `key` (data == NULL: there is none), sorted by key; sets it to a
 * copy of `value`; removes it. */
struct bytes operator_state_get(const struct operator_state *state, struct bytes key);
void operator_state_put(struct operator_state *state, struct bytes key, struct bytes value);
void operator_state_remove(struct operator_state *state, struct bytes key);
struct bytes operator_state_key(const struct operator_state *state, uint32_t index);

/* Appends all states, in the order of their names. */
void operator_states_snapshot(const struct operator_states *states, struct buffer *out);

/* Fills the states from a snapshot. Those that are declared later find their items. Errors: CORRUPT
 * (also for a name that was declared with another mode). */
MUST_USE enum status operator_states_restore(struct operator_states *states, struct bytes snapshot);

/* The snapshots of `old_count` subtasks (size 0: it had none, for it had finished) as what each of
 * `new_count` subtasks is to restore: appended to parts[0..new_count-1]. Errors: CORRUPT. */
MUST_USE enum status operator_states_redistribute(const struct bytes *old, uint32_t old_count,
                                                  struct buffer *parts, uint32_t new_count);

#endif
