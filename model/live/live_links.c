#include "model/live/live_links.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/live/live_actor.h"

enum { READ_BYTES = 256 * 1024, SOCKET_BYTES = 1024 * 1024 };

/* A message on the wire; both ends are the same program, so it is a copy of memory. */
struct wire_header {
    uint64_t from;
    uint64_t to;
    uint64_t attempt;
    uint32_t kind;
    uint32_t stream;
    uint32_t channel;
    uint32_t size; /* of the data that follows */
};

struct link {
    uint32_t incarnation; /* 0: not connected */
    int socket;
    struct live_queue out;
    size_t out_done; /* how much of its head is written */
    /* For the thread that reads. */
    uint8_t *in;
    size_t in_size;
    size_t in_capacity;
};

struct live_links {
    struct live_process *process;
    struct arena arena; /* used by the thread that reads */
    uint32_t count;
    int epoll;
    pthread_mutex_t lock; /* guards the links, but for what came in */
    struct link *links;   /* by number of the peer */
};

struct live_links *live_links_create(struct live_process *process, uint32_t process_count,
                                     int epoll)
{
    struct live_links *links = arena_alloc(&process->arena, 1, sizeof *links);
    *links = (struct live_links){ .process = process, .count = process_count, .epoll = epoll };
    arena_init(&links->arena);
    links->links = arena_alloc(&links->arena, process_count, sizeof *links->links);
    int result = pthread_mutex_init(&links->lock, NULL);
    CHECK(result == 0);
    return links;
}

static void poll_for(const struct live_links *links, const struct link *link, int operation,
                     uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u32 = (uint32_t)(link - links->links) };
    int result = epoll_ctl(links->epoll, operation, link->socket, &event);
    CHECK(result == 0);
}

static void disconnect(struct live_links *links, struct link *link)
{
    (void)pthread_mutex_lock(&links->lock);
    uint32_t incarnation = link->incarnation;
    CHECK(incarnation != 0);
    link->incarnation = 0;
    (void)close(link->socket);
    struct message *message;
    while ((message = live_queue_pop(&link->out)) != NULL) {
        live_message_free(message);
    }
    link->out_done = 0;
    link->in_size = 0;
    (void)pthread_mutex_unlock(&links->lock);
    live_process_peer_lost(links->process, (uint32_t)(link - links->links), incarnation);
}

void live_links_add(struct live_links *links, uint32_t number, uint32_t incarnation, int socket)
{
    CHECK(number < links->count && incarnation > 0);
    struct link *link = &links->links[number];
    if (link->incarnation != 0) {
        disconnect(links, link);
    }
    int size = SOCKET_BYTES; /* a wish: the system may give less */
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    live_process_peer_up(links->process, number, incarnation);
    (void)pthread_mutex_lock(&links->lock);
    link->socket = socket;
    link->incarnation = incarnation;
    poll_for(links, link, EPOLL_CTL_ADD, EPOLLIN);
    (void)pthread_mutex_unlock(&links->lock);
}

/* ---- writing: with the lock held ------------------------------------------------------------- */

/* Writes on at the head of the queue. False if the socket takes no more for now. */
static bool write_head(struct link *link)
{
    struct message *message = link->out.head;
    struct wire_header header = { .from = message->from,
                                  .to = message->to,
                                  .attempt = message->attempt,
                                  .kind = message->kind,
                                  .stream = message->stream,
                                  .channel = message->channel,
                                  .size = message->size };
    size_t done = link->out_done;
    size_t of_header = done < sizeof header ? sizeof header - done : 0;
    size_t of_data = message->size - (of_header > 0 ? 0 : done - sizeof header);
    struct iovec parts[] = {
        { .iov_base = (uint8_t *)&header + (sizeof header - of_header), .iov_len = of_header },
        { .iov_base = message->data + (message->size - of_data), .iov_len = of_data },
    };
    struct msghdr what = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t put = sendmsg(link->socket, &what, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return false;
    }
    if (put >= 0 && (size_t)put < of_header + of_data) {
        link->out_done += (size_t)put;
        return false;
    }
    /* All of it, or the peer is gone: then reading says so, and the message is lost. */
    link->out_done = 0;
    live_message_free(live_queue_pop(&link->out));
    return true;
}

static void write_queue(struct live_links *links, struct link *link)
{
    while (link->out.head != NULL && write_head(link)) {
    }
    poll_for(links, link, EPOLL_CTL_MOD, link->out.head != NULL ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void live_links_send(struct live_links *links, struct message *message)
{
    uint32_t number = actor_process(message->to);
    uint32_t incarnation = actor_incarnation(message->to);
    CHECK(number < links->count);
    (void)pthread_mutex_lock(&links->lock);
    struct link *link = &links->links[number];
    if (link->incarnation == 0 ||
        (incarnation != HOST_INCARNATION_ANY && incarnation != link->incarnation) ||
        live_process_is_cut(links->process, message)) {
        live_message_free(message);
    } else {
        bool is_first = link->out.head == NULL;
        live_queue_push(&link->out, message);
        if (is_first && !write_head(link)) {
            poll_for(links, link, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        }
    }
    (void)pthread_mutex_unlock(&links->lock);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Passes on every message that is there as a whole; returns the bytes of the next one that is
 * not, or of a header. */
static size_t pass_on(struct live_links *links, struct link *link)
{
    size_t at = 0;
    size_t wanted = sizeof(struct wire_header);
    while (link->in_size - at >= sizeof(struct wire_header)) {
        struct wire_header header;
        memcpy(&header, link->in + at, sizeof header);
        wanted = sizeof header + header.size;
        if (link->in_size - at < wanted) {
            break;
        }
        struct message *message = live_message_new(header.size);
        message->from = header.from;
        message->to = header.to;
        message->attempt = header.attempt;
        message->kind = header.kind;
        message->stream = header.stream;
        message->channel = header.channel;
        message->size = header.size;
        memcpy(message->data, link->in + at + sizeof header, header.size);
        live_process_deliver(links->process, message);
        at += wanted;
        wanted = sizeof header;
    }
    link->in_size -= at;
    memmove(link->in, link->in + at, link->in_size);
    return wanted;
}

/* False when the peer is gone. */
static bool read_socket(struct live_links *links, struct link *link)
{
    if (link->in == NULL) {
        link->in_capacity = READ_BYTES;
        link->in = arena_alloc_raw(&links->arena, link->in_capacity);
    }
    ssize_t got = recv(link->socket, link->in + link->in_size, link->in_capacity - link->in_size,
                       MSG_DONTWAIT);
    if (got <= 0) {
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    }
    link->in_size += (size_t)got;
    size_t wanted = pass_on(links, link);
    if (wanted > link->in_capacity) {
        link->in_capacity = wanted;
        link->in = arena_resize(&links->arena, link->in, wanted);
    }
    return true;
}

void live_links_serve(struct live_links *links, uint32_t number)
{
    CHECK(number < links->count);
    struct link *link = &links->links[number];
    if (link->incarnation == 0) {
        return; /* closed meanwhile */
    }
    (void)pthread_mutex_lock(&links->lock);
    if (link->out.head != NULL) {
        write_queue(links, link);
    }
    (void)pthread_mutex_unlock(&links->lock);
    if (!read_socket(links, link)) {
        disconnect(links, link);
    }
}
