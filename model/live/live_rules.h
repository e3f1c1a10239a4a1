/* live_rules.h - what a supervisor does to the messages and the storage of live processes, and what
 * it hears of them.
 *
 * A message is held up by the process that receives it, so whoever sent it waits only for what the
 * receiver owes, as with a slow network. A rule holds from when the process is told of it. Rules of
 * messages follow those of the simulated network: those of all streams leave out what stays within
 * a process, and one stream is named to mean a link of the job.
 *
 * A volume that is full answers for the host: calls that need more space say that there is none,
 * and have no effect. */
#ifndef FAULTLINE_LIVE_LIVE_RULES_H
#define FAULTLINE_LIVE_LIVE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/prng.h"
#include "model/host.h"

enum live_rule_kind {
    LIVE_DELAY,     /* each message comes by_ns later, and 0..jitter_ns more, drawn for it */
    LIVE_THROTTLE,  /* what one process receives by this rule shares bandwidth_bytes_per_s */
    LIVE_HOLD,      /* nothing comes before until_ns; LIVE_FOR_GOOD: it is lost */
    LIVE_DUPLICATE, /* of stream 0 a second copy comes by_ns later */
    LIVE_FULL,      /* `volume` has no more space for the processes to_first..to_last */
};

#define LIVE_ALL_STREAMS UINT32_MAX
#define LIVE_FOR_GOOD    UINT64_MAX

struct live_rule {
    enum live_rule_kind kind;
    uint64_t until_ns; /* of the hosts' clock */
    /* Messages of `stream` from one of the processes from_first..from_last to one of
     * to_first..to_last; with groups (by process, borrowed for the cluster's life, older than its
     * begin) only those between two groups. */
    uint32_t from_first;
    uint32_t from_last;
    uint32_t to_first;
    uint32_t to_last;
    uint32_t stream;
    const uint8_t *group_of_process;
    uint64_t by_ns;
    uint64_t jitter_ns;
    uint64_t bandwidth_bytes_per_s;
    enum host_volume volume;
    uint32_t number; /* LIVE_FULL: told with the first call that is struck */
};

/* The first call that a LIVE_FULL rule has struck in a process. */
struct live_struck {
    uint64_t time_ns;
    uint32_t number; /* of the rule */
};

/* What a call to the SHARED volume did that came out well, and how long it took. */
enum live_call_kind {
    LIVE_CALL_NAME,   /* opened a file to write it, made a directory, or gave a new name */
    LIVE_CALL_SYNC,   /* synced a file or a directory */
    LIVE_CALL_REMOVE, /* something is not there any more: removed, or renamed over */
};
struct live_call {
    enum live_call_kind kind;
    uint32_t process;
    uint64_t took_ns;
};

/* Which passing of a message is told. */
enum live_tell { LIVE_TELL_SENT = 1, LIVE_TELL_RECEIVED = 2 };

/* A message that was sent, or that was taken in, from the outside. */
struct live_passing {
    uint64_t from_ns;  /* when the handler began that sends it, or that takes it in */
    uint64_t until_ns; /* when it was sent; when that handler was over */
    actor_id from;
    actor_id to;
    uint32_t message_kind;
    uint32_t stream;
    bool is_received;
};

/* The rules of one process, each with what it remembers. */
struct live_rules {
    struct live_rule_state *states;
    size_t count;
    size_t capacity;
    struct prng prng;
};

void live_rules_add(struct live_rules *rules, struct arena *arena, const struct live_rule *rule);

/* When a message that came at `now_ns` arrives; LIVE_FOR_GOOD: never. */
uint64_t live_rules_arrival_ns(struct live_rules *rules, const struct message *message,
                               uint64_t now_ns);

/* Does it come a second time? Then `*by_ns` later. */
bool live_rules_duplicate(const struct live_rules *rules, const struct message *message,
                          uint64_t now_ns, uint64_t *by_ns);

/* Is there no space on a volume? `*number` is that of the rule when it strikes for the first time,
 * else UINT32_MAX. */
bool live_rules_full(struct live_rules *rules, uint32_t process, enum host_volume volume,
                     uint64_t now_ns, uint32_t *number);

#endif
