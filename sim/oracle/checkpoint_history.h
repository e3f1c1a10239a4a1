/* checkpoint_history.h - what the facts said about each checkpoint id, over the whole run. */
#ifndef FAULTLINE_SIM_ORACLE_CHECKPOINT_HISTORY_H
#define FAULTLINE_SIM_ORACLE_CHECKPOINT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

struct checkpoint_record {
    uint64_t id;
    uint64_t attempt; /* that triggered it, or that completed it if no trigger was seen */
    bool triggered;
    bool commit_begun; /* the manifest was durable under its temporary name */
    bool completed;    /* reported so, or found complete when it was restored */
    bool aborted;
    uint64_t aborted_ns;   /* 0: it was not */
    uint64_t completed_ns; /* when it was reported complete; 0: it was not */
    bool lost;             /* with the memory that it was in; at the end: its manifest is gone */
    bool superseded;       /* an older one was restored since, as the scenario allows */
    bool noted;            /* it was when the last attempt was deployed: durably known */
    bool subsumed;         /* reported so: nobody remembers it any more */
    bool unsure;           /* whoever leads now may take it for superseded, or may not */
    const uint32_t *unstated; /* as in struct cut_memory (judge.h); NULL: it gives all states */
};

struct checkpoint_history {
    struct arena *arena;
    struct checkpoint_record *records; /* rising ids */
    size_t count;
    size_t capacity;
};

/* An empty history; memory from `arena`. */
void checkpoint_history_init(struct checkpoint_history *history, struct arena *arena);

/* Asserts the invariants. */
void checkpoint_history_check(const struct checkpoint_history *history);

/* The record of `id`, or NULL. Borrowed until the next checkpoint_history_at. */
struct checkpoint_record *checkpoint_history_find(const struct checkpoint_history *history,
                                                  uint64_t id);

/* The record of `id`; a new one is empty but for the id. Borrowed until the next call. */
struct checkpoint_record *checkpoint_history_at(struct checkpoint_history *history, uint64_t id);

/* The highest completed id; 0: none. */
uint64_t checkpoint_history_newest(const struct checkpoint_history *history);

/* The highest completed id that was triggered by `attempt` or an older one; 0: none. */
uint64_t checkpoint_history_newest_of(const struct checkpoint_history *history, uint64_t attempt);

/* Does it count among those that are retained, whoever leads now? */
bool checkpoint_history_counts(const struct checkpoint_record *record);

/* May the store hold it at the end? It is among the `retained` newest, superseded and lost ones
 * left out; or it is superseded: whether the damaged files of such a one are kept is the model's
 * choice. */
bool checkpoint_history_is_allowed(const struct checkpoint_history *history,
                                   const struct checkpoint_record *record, uint32_t retained);

#endif
