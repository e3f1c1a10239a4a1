#include <string.h>

#include "model/base/check.h"
#include "model/runtime/messages.h"
#include "model/runtime/process.h"
#include "sim/world/sim_host.h"

/* Messages are kept by size for reuse: class n holds capacities of MESSAGE_BYTES_MIN << n. */
static uint32_t class_of(uint32_t capacity)
{
    uint32_t units = (capacity + MESSAGE_BYTES_MIN - 1) / MESSAGE_BYTES_MIN;
    return units <= 1 ? 0 : 32u - (uint32_t)__builtin_clz(units - 1);
}

struct message *sim_message_new(struct world *world, uint32_t capacity)
{
    CHECK(capacity <= UINT32_C(1) << 30);
    uint32_t class = class_of(capacity);
    CHECK(class < MESSAGE_CLASS_COUNT);
    struct message *message = world->free_messages[class];
    if (message != NULL) {
        world->free_messages[class] = message->next;
    } else {
        message = arena_alloc_raw(world->arena,
                                  sizeof *message + ((size_t)MESSAGE_BYTES_MIN << class));
    }
    *message = (struct message){ .capacity = (uint32_t)MESSAGE_BYTES_MIN << class };
    return message;
}

void sim_message_free(struct world *world, struct message *message)
{
    CHECK(message->held_link == NULL);
    uint32_t class = class_of(message->capacity);
    message->next = world->free_messages[class];
    world->free_messages[class] = message;
}

void sim_message_hold(struct sim_actor *actor, struct message *message)
{
    CHECK(message->held_link == NULL);
    message->held_next = actor->held;
    message->held_link = &actor->held;
    if (message->held_next != NULL) {
        message->held_next->held_link = &message->held_next;
    }
    actor->held = message;
}

void sim_message_release(struct message *message)
{
    CHECK(message->held_link != NULL && *message->held_link == message);
    *message->held_link = message->held_next;
    if (message->held_next != NULL) {
        message->held_next->held_link = message->held_link;
    }
    message->held_next = NULL;
    message->held_link = NULL;
}

/* A remote call is repeated by whoever made it if the answer takes long: a second copy of a control
 * message comes later, perhaps behind newer ones. */
static void send_again(struct world *world, const struct message *message, uint64_t now_ns,
                       uint64_t arrival_ns)
{
    uint64_t by_ns;
    bool is_hosts = message->kind == HOST_PEER_LOST || message->kind == HOST_CHANNELS_LOST;
    if (message->stream != 0 || is_hosts ||
        !network_duplicates(&world->network, actor_process(message->from),
                            actor_process(message->to), message->stream, now_ns, &by_ns)) {
        return;
    }
    struct message *copy = sim_message_new(world, message->size);
    copy->from = message->from;
    copy->to = message->to;
    copy->kind = message->kind;
    copy->stream = message->stream;
    copy->attempt = message->attempt;
    copy->channel = message->channel;
    copy->size = message->size;
    if (message->size > 0) {
        memcpy(copy->data, message->data, message->size);
    }
    event_queue_push(world->queue, (struct event){ .due_ns = arrival_ns + by_ns,
                                                   .kind = EVENT_ARRIVAL,
                                                   .subject = copy });
}

/* What a message between subtasks means for the credit of its channel. */
static void tell_credit(struct world *world, const struct message *message, uint64_t now_ns)
{
    bool is_returned = message->kind == MESSAGE_CREDIT;
    if (message->kind != MESSAGE_DATA && !is_returned) {
        return;
    }
    struct credit_event event = { .time_ns = now_ns,
                                  .sender = is_returned ? message->to : message->from,
                                  .receiver = is_returned ? message->from : message->to,
                                  .edge = message->stream - 1,
                                  .is_returned = is_returned };
    for (size_t i = 0; i < world->listener_count; i++) {
        if (world->listeners[i].on_credit != NULL) {
            world->listeners[i].on_credit(world->listeners[i].context, &event);
        }
    }
}

static void tell_heartbeat(struct world *world, actor_id job_manager, actor_id task_manager,
                           enum heartbeat_kind kind)
{
    uint64_t now_ns = event_queue_now_ns(world->queue);
    struct heartbeat_event event = { .time_ns = now_ns,
                                     .until_ns = now_ns,
                                     .job_manager = job_manager,
                                     .task_manager = task_manager,
                                     .process = actor_process(task_manager),
                                     .kind = kind };
    for (size_t i = 0; i < world->listener_count; i++) {
        if (world->listeners[i].on_heartbeat != NULL) {
            world->listeners[i].on_heartbeat(world->listeners[i].context, &event);
        }
    }
}

void sim_tell_heard(const struct sim_actor *actor, const struct message *message)
{
    if (actor_process(actor->host.self) != PROCESS_JOB_MANAGER) {
        return;
    }
    if (message->kind == MESSAGE_REGISTER) {
        tell_heartbeat(actor->world, actor->host.self, message->from, HEARTBEAT_REGISTERING);
    } else if (message->kind == MESSAGE_HEARTBEAT || message->kind == MESSAGE_CANCELLED) {
        tell_heartbeat(actor->world, actor->host.self, message->from, HEARTBEAT_HEARD);
    }
}

void sim_message_depart(struct world *world, struct message *message, uint64_t now_ns)
{
    uint64_t arrival_ns =
        network_send(&world->network, actor_process(message->from), actor_process(message->to),
                     message->stream, message->size, now_ns);
    if (world->network.rules != NULL) {
        if (arrival_ns == NETWORK_NEVER) {
            sim_message_free(world, message);
            return;
        }
        send_again(world, message, now_ns, arrival_ns);
    }
    event_queue_push(world->queue, (struct event){ .due_ns = arrival_ns,
                                                   .kind = EVENT_ARRIVAL,
                                                   .subject = message });
}

void sim_transmit(struct world *world, struct message *message, uint64_t now_ns)
{
    if (message->stream != 0) {
        tell_credit(world, message, now_ns);
    } else if (message->kind == MESSAGE_HEARTBEAT &&
               actor_process(message->from) == PROCESS_JOB_MANAGER) {
        tell_heartbeat(world, message->from, message->to, HEARTBEAT_SENT);
    }
    if (now_ns <= event_queue_now_ns(world->queue) + SEND_AHEAD_NS_MAX) {
        sim_message_depart(world, message, now_ns);
        return;
    }
    event_queue_push(world->queue, (struct event){ .due_ns = now_ns - SEND_AHEAD_NS_MAX,
                                                   .kind = EVENT_DEPARTURE,
                                                   .subject = message });
}
