/* job_record.h - the few durable numbers that outlive every JobManager (Flink's high-availability
 * store): the file `job/record` on the SHARED volume, replaced atomically.
 *
 * R1  A number that was handed out (epoch, attempt, checkpoint id) is durable before it is used; so
 *     none is ever used twice.
 * R2  The newest completed checkpoint is noted here before it is announced, or, if that fails,
 *     with the record's next change (with the store `memory`: or it is not announced): a job whose
 *     manifests have disappeared refuses, because output was committed that starting over would
 *     repeat.
 * R3  A parallelism that was accepted is here before anybody hears of it: every later attempt, of
 *     every later JobManager, is deployed at it.
 * R4  Checkpoints that were given up are noted with the number of the attempt that goes on from an
 *     older one, before there is any newer one: no later JobManager keeps them in the place of one
 *     that is good. Who dies before that has given up nothing: the next one tries them again. */
#ifndef FAULTLINE_RUNTIME_JOB_RECORD_H
#define FAULTLINE_RUNTIME_JOB_RECORD_H

#include "model/base/id_list.h"
#include "model/host.h"

enum job_state { JOB_STATE_ACTIVE, JOB_STATE_FINISHED, JOB_STATE_FAILED };

struct job_record {
    uint64_t epoch;           /* of the JobManager in charge; from 1 */
    uint64_t attempt;         /* the newest one deployed; 0: none yet */
    uint64_t next_checkpoint; /* ids below may have been used */
    uint64_t newest_completed; /* checkpoint (R2); 0: none */
    enum job_state state;
    uint32_t parallelism;     /* at which the next attempt is deployed; 0: nobody has said */
    uint32_t max_parallelism; /* with that */
    struct id_list given_up;  /* checkpoints that may still be in the store (R4) */
};

/* Reads the record; a new job's if there is none. Makes its directory. The list is in the arena of
 * `host`. Errors: CORRUPT, and those of storage. */
MUST_USE enum status job_record_load(struct host *host, struct job_record *record);

/* Makes `record` durable. On an error the old one may still be there. */
MUST_USE enum status job_record_store(struct host *host, const struct job_record *record);

#endif
