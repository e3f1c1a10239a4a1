/* state_assignment.h - who gets what of a checkpoint: the state of a vertex, dealt out to as many
 * subtasks as it has now.
 *
 *   keyed state     each subtask gets every old snapshot whose key groups meet its own range, and
 *                   takes from it what lies in the range. At the same parallelism that is its own.
 *   operator state  by the rules of operator_state.h, operator by operator; union state is dealt
 *                   anew at the same parallelism too.
 *   timers          are keyed state; windows are.
 *
 * What had finished has no operator state any more, and what is left belongs to the others. At the
 * same parallelism each stays finished that was; at another one, if all old subtasks had finished
 * all new ones have, else none has.
 *
 * Source: Flink's StateAssignmentOperation. */
#ifndef FAULTLINE_RUNTIME_STATE_ASSIGNMENT_H
#define FAULTLINE_RUNTIME_STATE_ASSIGNMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/checkpoint/manifest.h"

/* What one subtask is to restore. */
struct assigned_state {
    bool finished;
    struct bytes operators; /* as in struct subtask_state */
    uint32_t keyed_count;   /* 0: there is no keyed state */
    struct keyed_state *keyed;
};

/* Deals the state of `old` to assigned[0..parallelism-1]. `chain_length` is the number of operators
 * of the vertex. Memory from `arena`; parts are borrowed from `old`. Errors: CORRUPT. */
MUST_USE enum status state_assign(struct arena *arena, const struct manifest_vertex *old,
                                  uint32_t chain_length, uint32_t max_parallelism,
                                  uint32_t parallelism, struct assigned_state *assigned);

/* Appends `state` to `out`; reads it back: bytes are borrowed from the decoder's input, arrays come
 * from `arena`. An error latches in the decoder. */
void assigned_state_encode(struct buffer *out, const struct assigned_state *state);
void assigned_state_decode(struct decoder *decoder, struct arena *arena,
                           struct assigned_state *state);

/* How many bytes of state a subtask restores. */
uint64_t assigned_state_bytes(const struct assigned_state *state);

#endif
