/* input_gate.h - the inputs of a subtask: what has arrived and may be taken next.
 *
 * Messages wait in the order of their arrival. A message of a blocked channel is held back until
 * the channel is unblocked; then it comes before everything that arrived later, so each channel
 * stays first in, first out. */
#ifndef FAULTLINE_RUNTIME_INPUT_GATE_H
#define FAULTLINE_RUNTIME_INPUT_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/checkpoint/aligner.h"
#include "model/host.h"

struct message_queue {
    struct message *head;
    struct message *tail;
    uint32_t count;
};

void message_queue_push(struct message_queue *queue, struct message *message);
struct message *message_queue_pop(struct message_queue *queue); /* NULL if empty */

struct input_gate {
    struct message_queue ready;
    struct message_queue held; /* of blocked channels */
};

/* Takes a message that arrived. */
void input_gate_push(struct input_gate *gate, struct message *message);

/* The next message of a channel that `aligner` does not block; the caller owns it. NULL: none. */
struct message *input_gate_pop(struct input_gate *gate, const struct aligner *aligner);

/* The aligner has unblocked its channels. */
void input_gate_unblock(struct input_gate *gate);

#endif
