/* live_rules.h - what a supervisor does to the messages and the storage of live processes, and what
 * it hears of them.
 *
 * A message is held up by the process that receives it, so whoever sent it waits only for what the
 * receiver owes, as with a slow network. A rule holds from when the process is told of it. Rules of
 * messages follow those of the simulated network: those of all streams leave out what stays within
 * a process, and one stream is named to mean a link of the job.
 *
 * A rule of storage answers for the host: a full volume has no space for calls that need more; a
 * failing one says that there was an error, and the call has no effect, or has had it; a stalled
 * one answers when the rule is over. Of several that answer the newest does. */
#ifndef FAULTLINE_LIVE_LIVE_RULES_H
#define FAULTLINE_LIVE_LIVE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/prng.h"
#include "model/host.h"

enum live_rule_kind {
    LIVE_DELAY,     /* each message comes by_ns later, and 0..jitter_ns more, drawn for it */
    LIVE_THROTTLE,  /* what one process receives by this rule shares bandwidth_bytes_per_s */
    LIVE_HOLD,      /* nothing comes before until_ns; LIVE_FOR_GOOD: it is lost */
    LIVE_DUPLICATE, /* of stream 0 a second copy comes by_ns later */
    /* Calls of the processes to_first..to_last to `volume`: */
    LIVE_FULL,      /* those that need space have none */
    LIVE_ERROR,     /* those of `calls` answer IO */
    LIVE_AMBIGUOUS, /* those of `calls` are made, and answer IO */
    LIVE_STALL,     /* those of `calls` take until until_ns */
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
    const char *glob; /* of the paths that calls are about; NULL: any. Borrowed as the groups */
    uint32_t calls;   /* bits of enum host_storage_call */
    uint32_t left;    /* how many calls of each process it strikes; 0: any number */
    uint32_t number;  /* of storage: told with the first call that is struck */
};

/* The first call that a rule of storage has struck in a process. */
struct live_struck {
    uint64_t time_ns;
    uint32_t number; /* of the rule */
};

/* The system refused a call of storage that no rule struck: the disk is full, or may not be written
 * to. That a name is missing or taken is an answer, and no refusal. */
struct live_refused {
    uint64_t time_ns;
    int error; /* as errno says it */
    enum host_volume volume;
    struct bytes path; /* borrowed for the call */
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

static inline bool live_rule_is_of_storage(const struct live_rule *rule)
{
    return rule->kind >= LIVE_FULL;
}

void live_rules_add(struct live_rules *rules, struct arena *arena, const struct live_rule *rule);

/* When a message that came at `now_ns` arrives; LIVE_FOR_GOOD: never. */
uint64_t live_rules_arrival_ns(struct live_rules *rules, const struct message *message,
                               uint64_t now_ns);

/* Does it come a second time? Then `*by_ns` later. */
bool live_rules_duplicate(const struct live_rules *rules, const struct message *message,
                          uint64_t now_ns, uint64_t *by_ns);

struct live_storage {
    uint32_t process; /* that calls */
    enum host_volume volume;
    const char *path;
    enum host_storage_call call;
    bool needs_space;
    uint64_t now_ns;
};

enum { LIVE_FIRST_STRUCK_MAX = 4 };

struct live_storage_verdict {
    enum status status;                     /* what to answer, unless it is OK */
    bool takes_effect;                      /* the call is made */
    uint64_t not_before_ns;                 /* to answer, or to begin with it */
    uint32_t struck[LIVE_FIRST_STRUCK_MAX]; /* numbers of rules that strike for the first time */
    uint32_t struck_count;
};

/* What becomes of a storage call. */
struct live_storage_verdict live_rules_judge(struct live_rules *rules,
                                             const struct live_storage *storage);

#endif
