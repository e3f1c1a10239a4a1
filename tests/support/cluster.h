/* cluster.h - a simulated cluster in three lines: a small scenario, one run, questions about what
 * happened.
 *
 *   struct test_cluster cluster;
 *   cluster_init(&cluster);
 *   cluster_crash(&cluster, when(FACT_TASK_ACKED, 2, 1), PROCESS_JOB_MANAGER, CLUSTER_S);
 *   cluster_run(&cluster);
 *   ck_assert(cluster_passed(&cluster));
 *
 * The scenario may be changed until cluster_run. */
#ifndef FAULTLINE_TESTS_CLUSTER_H
#define FAULTLINE_TESTS_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/runtime/process.h"
#include "sim/campaign/run.h"
#include "sim/world/world.h"

enum { CLUSTER_FAULTS_MAX = 8, CLUSTER_PROCESSES_MAX = 16 };

#define CLUSTER_MS UINT64_C(1000000)
#define CLUSTER_S  UINT64_C(1000000000)

/* The power of a process's machine goes at its storage call number `call`; 0: it does not. */
struct cluster_cut {
    uint32_t process;
    uint64_t call;
    uint64_t for_ns;
    enum disk_survival survival;
};

struct test_cluster {
    struct arena arena;
    struct scenario scenario;
    struct fault faults[CLUSTER_FAULTS_MAX]; /* of the scenario */
    struct cluster_cut cut;
    const char *input; /* INPUT_FILE: the content */

    /* After the run. */
    struct run run;
    struct fact_event *facts; /* all of them, in the order reported; texts are copies */
    size_t fact_count;
    size_t fact_capacity;
    struct world *world;
    uint64_t storage_calls[CLUSTER_PROCESSES_MAX]; /* by process */
};

/* The count job with 2 subtasks a vertex on 2 TaskManagers with 2 slots; 2,000 records of 50 keys
 * in 2 s, a checkpoint every 400 ms, restart after 100 ms, state in files. No faults. */
void cluster_init(struct test_cluster *cluster);
void cluster_free(struct test_cluster *cluster);

/* A trigger: the `occurrence`-th (from 1) fact `kind` of `checkpoint` (0: of any). */
struct fault_trigger when(enum fact_kind kind, uint64_t checkpoint, uint32_t occurrence);
struct fault_trigger when_task(enum fact_kind kind, uint64_t checkpoint, uint32_t vertex,
                               uint32_t subtask);
struct fault_trigger at(uint64_t time_ns);

/* Faults. A process that crashes comes back after `for_ns`. */
void cluster_crash(struct test_cluster *cluster, struct fault_trigger trigger, uint32_t process,
                   uint64_t for_ns);
void cluster_cut(struct test_cluster *cluster, struct fault_trigger trigger, uint32_t process,
                 uint64_t for_ns, enum disk_survival survival);
void cluster_pause(struct test_cluster *cluster, struct fault_trigger trigger, uint32_t process,
                   uint64_t for_ns);
/* Every message of edge source->count. */
void cluster_delay(struct test_cluster *cluster, struct fault_trigger trigger, uint64_t for_ns,
                   uint64_t by_ns);

/* Runs the scenario, once. */
void cluster_run(struct test_cluster *cluster);

/* Is the verdict PASS? If not, says why on standard error. */
bool cluster_passed(const struct test_cluster *cluster);

/* How often `kind` was reported; the first time it was, for `checkpoint` (0: for any), or NULL. */
size_t cluster_facts(const struct test_cluster *cluster, enum fact_kind kind);
const struct fact_event *cluster_first(const struct test_cluster *cluster, enum fact_kind kind,
                                       uint64_t checkpoint);

#endif
