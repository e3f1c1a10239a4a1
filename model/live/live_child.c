#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/live/live_links.h"
#include "model/live/live_wire.h"

#define CONTROL UINT32_MAX /* in the place of a peer's number: the supervisor */

struct child {
    const struct live_member *member;
    int control;
    int line;
    struct live_process *process;
    struct live_links *links;
    pthread_mutex_t lock; /* guards what follows, and the order of facts */
    pthread_cond_t served;
    uint64_t asked_count;
    uint64_t served_count;
};

static void send_message(void *context, struct message *message)
{
    struct child *child = context;
    live_links_send(child->links, message);
}

/* A text that is too long is cut; a content is whole, or nothing. */
static void fit_wire(struct bytes *outside, bool is_text)
{
    if (is_text && outside->size > WIRE_TEXT_BYTES_MAX) {
        outside->size = WIRE_TEXT_BYTES_MAX;
    } else if (!is_text && outside->size > WIRE_CONTENT_BYTES_MAX) {
        outside->size = 0;
    }
}

/* A supervisor that is gone takes this process with it; until then nobody notices. */
static void tell(void *context, const struct live_report *report)
{
    struct child *child = context;
    struct wire_head head = { .process = child->member->number,
                              .incarnation = child->member->incarnation,
                              .report = *report };
    struct iovec parts[1 + LIVE_OUTSIDE_MAX] = { { .iov_base = &head, .iov_len = sizeof head } };
    struct msghdr what = { .msg_iov = parts, .msg_iovlen = 1 };
    struct bytes *outside[LIVE_OUTSIDE_MAX];
    uint32_t count = live_report_outside(&head.report, outside);
    for (uint32_t i = 0; i < count; i++) {
        fit_wire(outside[i], i == 0);
        parts[what.msg_iovlen++] = (struct iovec){ .iov_base = (void *)(uintptr_t)outside[i]->data,
                                                   .iov_len = outside[i]->size };
        outside[i]->data = NULL;
    }
    (void)pthread_mutex_lock(&child->lock);
    while (sendmsg(child->line, &what, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
    if (live_report_waits(child->member->cluster, report)) {
        uint64_t number = ++child->asked_count;
        while (child->served_count < number) {
            (void)pthread_cond_wait(&child->served, &child->lock);
        }
    }
    (void)pthread_mutex_unlock(&child->lock);
}

/* One order, if there is one. Ends the process when the supervisor is gone. */
static void take_order(struct child *child)
{
    struct wire_order order;
    union {
        struct cmsghdr header;
        uint8_t room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = { .iov_base = &order, .iov_len = sizeof order };
    struct msghdr what = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t got = recvmsg(child->control, &what, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (got != (ssize_t)sizeof order) {
        _exit(0);
    }
    if (order.kind == WIRE_GO) {
        live_process_start(child->process, order.epoch_ns);
        return;
    }
    if (order.kind == WIRE_RULE) {
        live_process_add_rule(child->process, &order.rule);
        return;
    }
    if (order.kind == WIRE_TELL) {
        live_process_tell(child->process, order.told.kind,
                          (struct bytes){ .data = order.told.data, .size = order.told.size });
        return;
    }
    if (order.kind == WIRE_SERVED) {
        (void)pthread_mutex_lock(&child->lock);
        child->served_count++;
        (void)pthread_cond_broadcast(&child->served);
        (void)pthread_mutex_unlock(&child->lock);
        return;
    }
    CHECK(order.kind == WIRE_LINK);
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&what);
    CHECK(rights != NULL && rights->cmsg_type == SCM_RIGHTS);
    int socket;
    memcpy(&socket, CMSG_DATA(rights), sizeof socket);
    live_links_add(child->links, order.process, order.incarnation, socket);
}

static void poll_control(int epoll, int control)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = CONTROL };
    int result = epoll_ctl(epoll, EPOLL_CTL_ADD, control, &event);
    CHECK(result == 0);
}

_Noreturn void live_child_run(const struct live_member *member, int control, int line,
                              const struct wire_peer *peers, uint32_t peer_count)
{
    enum { EVENTS_MAX = 16 };
    struct child child = { .member = member, .control = control, .line = line };
    struct arena arena;
    arena_init(&arena);
    int result = pthread_mutex_init(&child.lock, NULL);
    CHECK(result == 0);
    result = pthread_cond_init(&child.served, NULL);
    CHECK(result == 0);
    struct live_port port = { .send = send_message, .report = tell, .context = &child };
    child.process = live_member_process(member, &arena, port);
    CHECK(child.process != NULL);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0);
    child.links = live_links_create(child.process, member->cluster->options.process_count, epoll);
    poll_control(epoll, control);
    for (uint32_t i = 0; i < peer_count; i++) {
        live_links_add(child.links, peers[i].process, peers[i].incarnation, peers[i].socket);
    }
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 == CONTROL) {
                take_order(&child);
            } else {
                live_links_serve(child.links, events[i].data.u32);
            }
        }
    }
}
