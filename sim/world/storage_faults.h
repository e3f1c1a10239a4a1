/* storage_faults.h - what faults do to storage calls: slower, later, refused, failed, or untrue.
 *
 * Rules that are in force are asked about every call. Of several that match, the slowest factor and
 * the longest stall count, and the first of those that change the answer (the newest rule first).
 *
 * Not modelled: short reads and writes, which the host's contract excludes (host.h: a read is short
 * only at the end of the file, a write is whole or fails), failures of asking for a file's size,
 * and a sync that fails and takes the written data with it. */
#ifndef FAULTLINE_SIM_STORAGE_FAULTS_H
#define FAULTLINE_SIM_STORAGE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/status.h"
#include "model/host.h"

enum storage_fault {
    STORAGE_SLOW,      /* takes factor_ppm millionths of the time */
    STORAGE_STALL,     /* is answered at until_ns */
    STORAGE_FULL,      /* NO_SPACE for what needs space */
    STORAGE_ERROR,     /* IO, no effect */
    STORAGE_AMBIGUOUS, /* IO, but it took effect */
    STORAGE_LIE,       /* a sync that answers OK and has no effect */
};

#define STORAGE_EVERY_PROCESS UINT32_MAX
#define STORAGE_FOR_GOOD      UINT64_MAX

struct storage_rule {
    enum storage_fault fault;
    enum host_volume volume;
    uint32_t process; /* that calls; STORAGE_EVERY_PROCESS */
    const char *glob; /* of paths; NULL: any. Borrowed */
    uint32_t calls;   /* bits of enum host_storage_call */
    uint64_t from_ns;
    uint64_t until_ns; /* STORAGE_FOR_GOOD: no end */
    uint64_t factor_ppm;
    uint32_t left;   /* how many calls it still strikes; 0: any number */
    uint32_t number; /* whose rule it is: told at every hit */
    struct storage_rule *next;
};

struct storage_faults {
    struct arena *arena;
    struct storage_rule *rules;
    /* A rule changed an answer or made a call wait; also for STORAGE_SLOW. */
    void (*on_hit)(void *context, uint32_t number, uint64_t now_ns);
    void *context;
    bool has_lied;
};

struct storage_call {
    enum host_volume volume;
    uint32_t process;
    const char *path;
    uint32_t call; /* one bit of enum host_storage_call */
    bool needs_space;
    uint64_t now_ns;
};

struct storage_verdict {
    enum status status; /* what to answer unless the call itself fails otherwise */
    bool takes_effect;
    uint64_t factor_ppm; /* of the time the call takes */
    uint64_t not_before_ns;
};

/* What becomes of a call without faults. */
static inline struct storage_verdict storage_verdict_plain(void)
{
    return (struct storage_verdict){ .takes_effect = true, .factor_ppm = 1000000 };
}

struct storage_verdict storage_faults_judge(struct storage_faults *faults,
                                            const struct storage_call *call);

/* Adds a rule, and forgets those that were over at `now_ns`. */
void storage_faults_add(struct storage_faults *faults, const struct storage_rule *rule,
                        uint64_t now_ns);

#endif
