/* host_contract.h - what every host must keep of model/host.h, as one suite of tests.
 *
 * A host under test starts a few processes that all run the suite's own actor; the actors report
 * what they see as facts, which the host hands to a listener. Nothing else connects them with the
 * tests, except in those of H3: a dead process reports nothing, so its last answers are left in
 * memory that the test shares with it. A host on the real clock promises less of what a crash loses
 * and when, and cannot cut the power: what it does not promise is not tested on it. */
#ifndef FAULTLINE_TESTS_HOST_CONTRACT_H
#define FAULTLINE_TESTS_HOST_CONTRACT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "sim/world/disk.h"

struct contract_host {
    const char *name;
    bool simulated; /* messages take their time, and power can be cut */
    bool apart;     /* the actors' memory is not the test's: only facts cross */

    /* Starts `process_count` processes, each on a machine of its own and with `main` as its main
     * actor; two streams (0 and 1) connect them. Every fact goes to `listen`. */
    void *(*start)(uint32_t process_count, const struct actor_ops *main,
                   void (*listen)(const struct fact_event *event));
    /* Lets everything happen until the hosts' clock says `until_ns`. */
    void (*run)(void *cluster, uint64_t until_ns);
    /* Kills a process; it returns after `for_ns` (0: never). May be called while listening. */
    void (*crash)(void *cluster, uint32_t process, uint64_t for_ns);
    /* Breaks the connection between two processes. */
    void (*reset)(void *cluster, uint32_t one, uint32_t other);
    /* NULL if not simulated. Cuts the power of its machine; at once, or at its storage call number
     * `call` from now on, which has no effect any more. */
    void (*cut)(void *cluster, uint32_t process, uint64_t for_ns, enum disk_survival survival);
    void (*cut_at_call)(void *cluster, uint32_t process, uint64_t call, uint64_t for_ns);
    void (*end)(void *cluster);
};

/* The suite for `host`; on the real clock it goes `slowness` times slower than usual. */
Suite *contract_suite(const struct contract_host *host, uint64_t slowness);

#endif
