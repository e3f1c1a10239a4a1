/* live_faults.h - the faults of a scenario, caused for real.
 *
 * A process is killed, with SIGKILL, and started again; it is stopped and goes on; messages are
 * held up, share a bandwidth or come twice; the connection of two processes breaks; files are
 * damaged where they lie; a volume has no more space, stalls, or says that a call failed; the
 * JobManager is asked to rescale; the generated input is made as the scenario says. The crash of a
 * machine is the crash of its process: power is not cut, and what was written and not synced
 * survives. What else a scenario may ask for cannot be caused here.
 *
 * A fault that waits for a fact strikes while whoever reported it waits: between two steps. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_FAULTS_H
#define FAULTLINE_SIM_LIVE_LIVE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/live/live_cluster.h"
#include "model/stream/pipeline.h"
#include "sim/fault/fault_book.h"
#include "sim/scenario/scenario.h"

struct live_faults;

/* NULL, or why a fault cannot be caused, as half a sentence. Static storage. */
const char *live_fault_refusal(const struct fault *fault);

/* Nothing has happened yet; the job is `pipeline`, `shared` (borrowed) the folder of the SHARED
 * volume. The hooks are told of each fault when it strikes, and of each file that is damaged. */
struct live_faults *live_faults_create(struct arena *arena, const struct scenario *scenario,
                                       const struct pipeline *pipeline, const char *shared,
                                       struct fault_hooks hooks);

/* The facts for which some fault waits, as bits of enum fact_kind. */
uint64_t live_faults_waits(const struct live_faults *faults);

/* Before anything else. */
void live_faults_attach(struct live_faults *faults, struct live_cluster *cluster);

/* Strikes if a fault waited for this. */
void live_faults_on_fact(struct live_faults *faults, const struct fact_event *event);

/* A fault of storage found a call to strike. */
void live_faults_on_struck(struct live_faults *faults, const struct live_struck *struck);

/* Does all that is due: strikes, starts who was killed, lets go on who was stopped. Not while the
 * cluster tells facts. Returns when something is due next; UINT64_MAX: nothing is. False in
 * `*started` if a process could not be started. */
uint64_t live_faults_work(struct live_faults *faults, bool *started);

/* One a fault of the scenario. */
const struct fault_record *live_faults_records(const struct live_faults *faults);

/* When the last effect ended. */
uint64_t live_faults_last_ns(const struct live_faults *faults);

#endif
