/* contract_actor.h - the one actor that all processes of the host contract run: it does what the
 * test's script says and reports what it sees. */
#ifndef FAULTLINE_TESTS_CONTRACT_ACTOR_H
#define FAULTLINE_TESTS_CONTRACT_ACTOR_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/base/check.h"
#include "tests/support/host_contract.h"

enum {
    MS = 1000000,
    CHILD = 5, /* index of spawned actors */
    KIND = 77, /* of the test's messages */
    FOR_EVER = 0,
    CONTRACT_ENTRIES_MAX = 5000,
};

/* What is reported. */
enum { ARRIVED = 1, STARTED, TIMER, LOST, ANSWER, CLOCK, LISTED, SENT };

struct contract_actor {
    struct host *host;
    uint64_t count;
    actor_id other;
    timer_id timers[4];
};

/* What the actors of a test do; what is NULL is nothing. */
struct contract_script {
    void (*on_start)(struct contract_actor *actor, struct bytes argument);
    void (*on_message)(struct contract_actor *actor, const struct message *message);
    void (*on_timer)(struct contract_actor *actor, timer_id timer, uint64_t tag);
};

/* What an actor reported. */
struct contract_entry {
    uint64_t time_ns;
    actor_id actor;
    uint64_t what;
    uint64_t value;
};

/* The running test. */
struct contract {
    const struct contract_host *host;
    void *cluster; /* of the host */
    struct contract_script script;
    struct contract_entry entries[CONTRACT_ENTRIES_MAX];
    size_t entry_count;
    uint64_t slowness; /* of the real clock, for all tests of the suite */
    bool is_timed;     /* moments matter: a host on the real clock goes slowly */
    int crash_at;      /* the report at which process 0 crashes, from 1; 0: none */
};
extern struct contract contract;
extern const struct actor_ops contract_actor_ops;

/* The fixture of a test. */
void contract_setup(void);
void contract_setup_timed(void);
void contract_teardown(void);

/* Starts a cluster that plays `script`; lets time pass. */
void contract_start(uint32_t process_count, struct contract_script script);
void contract_run(uint64_t until_ns);

/* For actors: reports `what` with a value; sends a message whose attempt is `number`. */
void contract_report(struct contract_actor *actor, uint64_t what, uint64_t value);
void contract_send(struct contract_actor *actor, actor_id to, uint32_t stream, uint64_t number);

/* How often `what` was reported; the n-th report of it, from 0; exactly these values. */
size_t contract_count(uint64_t what);
const struct contract_entry *contract_entry(uint64_t what, size_t n);
void contract_assert(uint64_t what, size_t count, const uint64_t *values);

/* A script's on_message: reports numbers as ARRIVED and lost peers as LOST. */
void contract_note_message(struct contract_actor *actor, const struct message *message);

/* A script's on_start and on_timer: process 0 sends numbers to process 1 at 10, 20, 30 ... ms, to
 * the incarnation that it first saw if the timer's tag is 0, else to the one that lives. */
void contract_ticking_start(struct contract_actor *actor, struct bytes argument);
void contract_ticking_timer(struct contract_actor *actor, timer_id timer, uint64_t tag);

static inline uint32_t contract_process(const struct contract_actor *actor)
{
    return actor_process(actor->host->self);
}

static inline bool contract_is_main(const struct contract_actor *actor)
{
    return actor_index(actor->host->self) == HOST_MAIN_ACTOR;
}

/* The main actor of whichever incarnation of a process lives. */
static inline actor_id contract_main_of(uint32_t process)
{
    return actor_address(process, HOST_INCARNATION_ANY, HOST_MAIN_ACTOR);
}

/* Adds one test in which moments matter: alone, so that it can be tried again alone. */
void contract_add_timed(Suite *suite, const TTest *test);

/* The parts of the suite that are about lost peers, and about storage. */
void contract_add_peer_tests(Suite *suite, const struct contract_host *host);
TCase *contract_storage_tests(const struct contract_host *host);

#endif
