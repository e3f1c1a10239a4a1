#include "tests/support/message_host.h"

#include <string.h>

#include "model/base/check.h"

static struct message_host *message_host_of(struct host *host)
{
    return (struct message_host *)host;
}

/* Data is filled with rubbish, as nobody promised zeros. */
static struct message *on_message_new(struct host *base, uint32_t capacity)
{
    struct message_host *host = message_host_of(base);
    struct message *message = arena_alloc_raw(&host->arena, sizeof *message + capacity);
    memset(message, 0, sizeof *message);
    memset(message->data, 0xa5, capacity);
    message->capacity = capacity;
    host->live++;
    return message;
}

static void on_message_free(struct host *base, struct message *message)
{
    struct message_host *host = message_host_of(base);
    CHECK(host->live > 0);
    host->live--;
    arena_free(&host->arena, message);
}

static void on_send(struct host *base, actor_id to, struct message *message)
{
    struct message_host *host = message_host_of(base);
    CHECK(message->kind != HOST_PEER_LOST);
    CHECK(message->size <= message->capacity);
    message->from = base->self;
    message->to = to;
    message->next = NULL;
    if (host->sent_head == NULL) {
        host->sent_head = message;
    } else {
        host->sent_tail->next = message;
    }
    host->sent_tail = message;
}

/* Facts are of no interest here. */
static void on_trace(struct host *host, const struct fact *fact)
{
    (void)host;
    (void)fact;
}

static const struct host_ops ops = {
    .trace = on_trace,
    .message_new = on_message_new,
    .message_free = on_message_free,
    .send = on_send,
};

void message_host_init(struct message_host *host)
{
    *host = (struct message_host){ 0 };
    arena_init(&host->arena);
    host->host =
        (struct host){ .ops = &ops, .arena = &host->arena, .self = actor_address(1, 1, 0) };
}

void message_host_free(struct message_host *host)
{
    arena_drop(&host->arena);
    *host = (struct message_host){ 0 };
}

struct message *message_host_take(struct message_host *host)
{
    struct message *message = host->sent_head;
    if (message != NULL) {
        host->sent_head = message->next;
        message->next = NULL;
    }
    return message;
}
