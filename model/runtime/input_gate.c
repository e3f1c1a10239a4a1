#include "model/runtime/input_gate.h"

#include "model/base/check.h"

void message_queue_push(struct message_queue *queue, struct message *message)
{
    message->next = NULL;
    if (queue->head == NULL) {
        queue->head = message;
    } else {
        queue->tail->next = message;
    }
    queue->tail = message;
    queue->count++;
}

struct message *message_queue_pop(struct message_queue *queue)
{
    struct message *message = queue->head;
    if (message != NULL) {
        CHECK(queue->count > 0);
        queue->head = message->next;
        queue->count--;
        message->next = NULL;
    }
    return message;
}

void input_gate_push(struct input_gate *gate, struct message *message)
{
    message_queue_push(&gate->ready, message);
}

struct message *input_gate_pop(struct input_gate *gate, const struct aligner *aligner)
{
    for (;;) {
        struct message *message = message_queue_pop(&gate->ready);
        if (message == NULL || !aligner_is_blocked(aligner, message->channel)) {
            return message;
        }
        message_queue_push(&gate->held, message);
    }
}

void input_gate_unblock(struct input_gate *gate)
{
    if (gate->held.head == NULL) {
        return;
    }
    if (gate->ready.head != NULL) {
        gate->held.tail->next = gate->ready.head;
        gate->held.tail = gate->ready.tail;
    }
    gate->held.count += gate->ready.count;
    gate->ready = gate->held;
    gate->held = (struct message_queue){ 0 };
}
