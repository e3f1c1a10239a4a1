/* live_wire.h - what a process of a live cluster and its supervisor say to each other, as packets
 * of sockets that keep them apart. Private to model/live/.
 *
 * All processes report over one socket, the line. What one reports because of something that
 * another has said comes behind what that one reported before it said so; sockets of their own
 * could be heard in another order. */
#ifndef FAULTLINE_LIVE_LIVE_WIRE_H
#define FAULTLINE_LIVE_LIVE_WIRE_H

#include "model/live/live_cluster_private.h"

enum {
    WIRE_TEXT_BYTES_MAX = 32 * 1024,    /* a longer text is cut */
    WIRE_CONTENT_BYTES_MAX = 64 * 1024, /* a larger content of a fact is left out */
};

/* Process -> supervisor, over the line. */
struct wire_head {
    uint32_t process;
    uint32_t incarnation;
    struct live_report report; /* the `data` of what lies outside means nothing */
};
struct wire_report {
    struct wire_head head;
    uint8_t outside[WIRE_TEXT_BYTES_MAX + WIRE_CONTENT_BYTES_MAX];
};

/* Supervisor -> process, over the process's own socket, whose end is that of the process. */
enum wire_order_kind {
    WIRE_GO,     /* the main actor starts; the world began at `epoch_ns` */
    WIRE_SERVED, /* one more fact that is waited for was listened to */
    WIRE_RULE,   /* a rule is put in force */
    WIRE_TELL,   /* a message for the main actor */
    WIRE_LINK,   /* a peer was started, or the socket to it broke: comes with one to it */
};
struct wire_order {
    enum wire_order_kind kind;
    uint32_t process;
    uint32_t incarnation;
    uint64_t epoch_ns;
    union {
        struct live_rule rule;
        struct {
            uint32_t kind;
            uint32_t size;
            uint8_t data[LIVE_TOLD_BYTES_MAX];
        } told;
    };
};

struct wire_peer {
    uint32_t process;
    uint32_t incarnation;
    int socket;
};

/* The life of a process of the cluster, from after the fork until its supervisor ends it: never
 * returns. Takes the sockets. */
_Noreturn void live_child_run(const struct live_member *member, int control, int line,
                              const struct wire_peer *peers, uint32_t peer_count);

#endif
