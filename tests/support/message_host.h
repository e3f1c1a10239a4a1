/* message_host.h - a host with nothing but messages, for tests: what is sent waits in a list until
 * the test takes it. Everything else of host.h crashes. */
#ifndef FAULTLINE_TESTS_MESSAGE_HOST_H
#define FAULTLINE_TESTS_MESSAGE_HOST_H

#include <stddef.h>

#include "model/host.h"

struct message_host {
    struct host host; /* first: what the model gets */
    struct arena arena;
    struct message *sent_head; /* oldest first */
    struct message *sent_tail;
    size_t live; /* messages made and not freed, whoever holds them */
};

void message_host_init(struct message_host *host);

/* Frees everything, messages too. */
void message_host_free(struct message_host *host);

/* The oldest message sent and not yet taken, or NULL; the caller owns it. */
struct message *message_host_take(struct message_host *host);

#endif
