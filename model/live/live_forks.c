/* Processes of the operating system, as their parent sees them. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/live/live_wire.h"

/* What a member has besides. */
struct fork {
    pid_t pid;
    int control; /* -1: its end is known */
};

struct forks {
    struct fork *forks; /* by process */
    int line[2];        /* what all say is read from the first; -1: the system gave none */
    struct wire_report *heard;
};

static struct forks *forks_of(const struct live_member *member)
{
    return member->cluster->own;
}

static struct fork *fork_of(const struct live_member *member)
{
    return &forks_of(member)->forks[member->number];
}

static void *create(struct live_cluster *cluster)
{
    struct forks *forks = arena_alloc(&cluster->arena, 1, sizeof *forks);
    uint32_t count = cluster->options.process_count;
    forks->forks = arena_alloc(&cluster->arena, count, sizeof *forks->forks);
    for (uint32_t i = 0; i < count; i++) {
        forks->forks[i].control = -1;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, forks->line) != 0) {
        forks->line[0] = forks->line[1] = -1;
    }
    forks->heard = arena_alloc(&cluster->arena, 1, sizeof *forks->heard);
    return forks;
}

/* ---- hearing --------------------------------------------------------------------------------- */

/* A process that is dead, or dies, does not take orders: nobody misses them. */
static void send_order(const struct fork *fork, const struct wire_order *order, int socket)
{
    union {
        struct cmsghdr header;
        uint8_t room[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec part = { .iov_base = (void *)(uintptr_t)order, .iov_len = sizeof *order };
    struct msghdr what = { .msg_iov = &part, .msg_iovlen = 1 };
    if (socket >= 0) {
        what.msg_control = &control;
        what.msg_controllen = sizeof control;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&what);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof socket);
        memcpy(CMSG_DATA(rights), &socket, sizeof socket);
    }
    while (sendmsg(fork->control, &what, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

static void tell_end(struct live_member *member)
{
    struct fork *fork = fork_of(member);
    (void)close(fork->control);
    fork->control = -1;
    if (!member->is_alive) {
        return;
    }
    int how = 0;
    while (waitpid(fork->pid, &how, 0) < 0 && errno == EINTR) {
    }
    live_member_died(member, how);
}

/* Tells one report; false if none is there. */
static bool hear(struct live_cluster *cluster)
{
    struct forks *forks = cluster->own;
    struct wire_head *head = &forks->heard->head;
    ssize_t got = recv(forks->line[0], forks->heard, sizeof *forks->heard, MSG_DONTWAIT);
    if (got < 0) {
        return false;
    }
    struct live_report *report = &head->report;
    struct bytes *outside[LIVE_OUTSIDE_MAX];
    uint32_t count = live_report_outside(report, outside);
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        outside[i]->data = forks->heard->outside + size;
        size += outside[i]->size;
    }
    CHECK((size_t)got == sizeof *head + size);
    CHECK(head->process < cluster->options.process_count);
    struct live_member *member = &cluster->members[head->process];
    bool waits = live_report_waits(cluster, report);
    live_member_report(member, report);
    if (member->is_alive && head->incarnation == member->incarnation && waits) {
        send_order(fork_of(member), &(struct wire_order){ .kind = WIRE_SERVED }, -1);
    }
    return true;
}

/* Whose end has come by now has said all that it ever will: it is heard before that is told. */
static void poll_controls(struct live_cluster *cluster, uint64_t wait_ns)
{
    struct forks *forks = cluster->own;
    uint32_t count = cluster->options.process_count;
    struct arena arena;
    arena_init(&arena);
    struct pollfd *polled = arena_alloc(&arena, count + 1, sizeof *polled);
    for (uint32_t i = 0; i < count; i++) {
        polled[i] = (struct pollfd){ .fd = forks->forks[i].control, .events = POLLIN };
    }
    polled[count] = (struct pollfd){ .fd = forks->line[0], .events = POLLIN };
    struct timespec wait = { .tv_sec = (time_t)(wait_ns / 1000000000),
                             .tv_nsec = (long)(wait_ns % 1000000000) };
    if (ppoll(polled, count + 1, &wait, NULL) > 0) {
        while (hear(cluster)) {
        }
        for (uint32_t i = 0; i < count; i++) {
            if (polled[i].revents != 0) {
                tell_end(&cluster->members[i]);
            }
        }
    }
    arena_drop(&arena);
}

/* ---- starting and killing -------------------------------------------------------------------- */

/* What a child inherits and must not keep: the ends of sockets that are another's. Standard input,
 * output and error stay. */
static void close_others(int control, int line, const struct wire_peer *peers, uint32_t peer_count)
{
    int last = control > line ? control : line;
    for (uint32_t i = 0; i < peer_count; i++) {
        last = peers[i].socket > last ? peers[i].socket : last;
    }
    for (int file = STDERR_FILENO + 1; file < last; file++) {
        bool is_own = file == control || file == line;
        for (uint32_t i = 0; i < peer_count && !is_own; i++) {
            is_own = file == peers[i].socket;
        }
        if (!is_own) {
            (void)close(file);
        }
    }
    (void)close_range((unsigned)last + 1, ~0u, 0);
}

static _Noreturn void be_child(const struct live_member *member, pid_t parent, int control,
                               const struct wire_peer *peers, uint32_t peer_count)
{
    int result = prctl(PR_SET_PDEATHSIG, SIGKILL);
    CHECK(result == 0);
    if (getppid() != parent) {
        _exit(0); /* it died in between */
    }
    (void)signal(SIGINT, SIG_IGN); /* the parent hears it, and ends its children */
    (void)signal(SIGTERM, SIG_DFL);
    int line = forks_of(member)->line[1];
    close_others(control, line, peers, peer_count);
    live_child_run(member, control, line, peers, peer_count);
}

/* A socket pair for each living peer: the new process gets one end, the peer the other. False if
 * the system gives no more. */
static bool make_links(const struct live_member *member, struct wire_peer *own,
                       struct wire_peer *theirs, uint32_t *count)
{
    const struct live_cluster *cluster = member->cluster;
    *count = 0;
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        const struct live_member *peer = &cluster->members[i];
        int pair[2];
        if (!peer->is_alive || peer == member) {
            continue;
        }
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            return false;
        }
        own[*count] = (struct wire_peer){ i, peer->incarnation, pair[0] };
        theirs[(*count)++] = (struct wire_peer){ i, member->incarnation, pair[1] };
    }
    return true;
}

static void give_links(const struct live_member *member, const struct wire_peer *theirs,
                       uint32_t count)
{
    const struct forks *forks = forks_of(member);
    for (uint32_t i = 0; i < count; i++) {
        struct wire_order order = { .kind = WIRE_LINK,
                                    .process = member->number,
                                    .incarnation = theirs[i].incarnation };
        send_order(&forks->forks[theirs[i].process], &order, theirs[i].socket);
    }
}

static void close_links(const struct wire_peer *peers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        (void)close(peers[i].socket);
    }
}

static bool start(struct live_member *member)
{
    struct fork *child = fork_of(member);
    if (child->control >= 0) {
        tell_end(member); /* of its last incarnation; what that said is still heard */
    }
    struct arena arena;
    arena_init(&arena);
    uint32_t process_count = member->cluster->options.process_count;
    struct wire_peer *own = arena_alloc(&arena, process_count, sizeof *own);
    struct wire_peer *theirs = arena_alloc(&arena, process_count, sizeof *theirs);
    uint32_t count = 0;
    int control[2];
    pid_t parent = getpid();
    bool made = forks_of(member)->line[0] >= 0 && make_links(member, own, theirs, &count) &&
                socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0;
    if (made) {
        child->pid = fork();
        if (child->pid == 0) {
            be_child(member, parent, control[1], own, count);
        }
        child->control = control[0];
        (void)close(control[1]);
        made = child->pid > 0;
        give_links(member, theirs, made ? count : 0);
    }
    close_links(own, count);
    close_links(theirs, count);
    arena_drop(&arena);
    return made;
}

static void go(struct live_member *member)
{
    struct wire_order order = { .kind = WIRE_GO, .epoch_ns = member->cluster->epoch_ns };
    send_order(fork_of(member), &order, -1);
}

/* What it said before is still heard. */
static void kill_child(struct live_member *member)
{
    struct fork *fork = fork_of(member);
    (void)kill(fork->pid, SIGKILL);
    while (waitpid(fork->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void add_rule(struct live_member *member, const struct live_rule *rule)
{
    struct wire_order order = { .kind = WIRE_RULE, .rule = *rule };
    send_order(fork_of(member), &order, -1);
}

static void tell_child(struct live_member *member, uint32_t kind, struct bytes data)
{
    struct wire_order order = { .kind = WIRE_TELL,
                                .told = { .kind = kind, .size = (uint32_t)data.size } };
    memcpy(order.told.data, data.data, data.size);
    send_order(fork_of(member), &order, -1);
}

static void pause_child(struct live_member *member)
{
    (void)kill(fork_of(member)->pid, SIGSTOP);
}

static void resume_child(struct live_member *member)
{
    (void)kill(fork_of(member)->pid, SIGCONT);
}

/* Both ends get another socket; each closes the one it had when it takes it, with what was not read
 * yet. */
static bool reset_connection(struct live_member *one, struct live_member *other)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return false;
    }
    struct live_member *ends[] = { one, other };
    for (int i = 0; i < 2; i++) {
        const struct live_member *peer = ends[1 - i];
        struct wire_order order = { .kind = WIRE_LINK,
                                    .process = peer->number,
                                    .incarnation = peer->incarnation };
        send_order(fork_of(ends[i]), &order, pair[i]);
    }
    (void)close(pair[0]);
    (void)close(pair[1]);
    return true;
}

static void destroy(struct live_cluster *cluster)
{
    struct forks *forks = cluster->own;
    for (uint32_t i = 0; i < cluster->options.process_count; i++) {
        if (forks->forks[i].control >= 0) {
            (void)close(forks->forks[i].control);
        }
    }
    if (forks->line[0] >= 0) {
        (void)close(forks->line[0]);
        (void)close(forks->line[1]);
    }
}

const struct live_cluster_kind live_forks = { .create = create,
                                              .destroy = destroy,
                                              .poll = poll_controls,
                                              .start = start,
                                              .go = go,
                                              .kill = kill_child,
                                              .add_rule = add_rule,
                                              .tell = tell_child,
                                              .reset = reset_connection,
                                              .pause = pause_child,
                                              .resume = resume_child };
