/* store_table.h - the checkpoint stores `memory` and `sqlite`: a table of blobs that the JobManager
 * alone reaches.
 *
 * The parts of a snapshot travel with its acknowledgement, and those to be restored with the
 * deployment (carried.h). So no other process ever opens the database: SQLite on a volume that many
 * machines share is safe with one writer only.
 *
 * T1  Parts that are put are kept aside, in memory, until their checkpoint is committed or
 *     discarded: an aborted one never touches the table.
 * T2  The parts of a checkpoint and its manifest are committed in one transaction (S2), which for
 *     `sqlite` is also the moment when it exists for good: manifest.written is reported within it,
 *     manifest.synced behind it. There is no other state that a crash could leave behind.
 * T3  A discard is one transaction (S3), and so is the removal of shared parts, which comes after
 *     it (I3): between the two a crash leaves parts that nobody needs, for a sweep (I5).
 * T4  `memory` is the JobManager's own heap: what it holds ends with the process, as that of
 *     Flink's JobManagerCheckpointStorage does. The job's durable record says then that
 *     checkpoints are gone (job_record.h), and the JobManager refuses, or begins anew (J5).
 * T5  A damaged database can take every checkpoint with it: it is refused as a whole where SQLite
 *     notices - as it is opened or listed, or when a commit meets the damage, in pages that no
 *     reader has asked for - and part by part where the checksums of manifests and parts do. What
 *     can still be read in it is left as it is: to save that is for a person to decide. A discard
 *     that meets the damage is no reason to stop: what it leaves behind is needed by nobody. Nor is
 *     it repeated, for pages do not heal.
 *     A part is at most STORE_CARRIED_MAX_BYTES large; the file never shrinks, what was freed is
 *     used again; and a commit keeps the JobManager as long as the volume takes to write all of
 *     it, a restore as long as it takes to read it: the heartbeat timeout must be longer.
 * T6  Nothing is written ahead (store.h, drafts/). A materialised state waits in the memory of its
 *     subtask, as the byte arrays of Flink's JobManagerCheckpointStorage do, and goes with the
 *     acknowledgement that takes it; the log has nowhere to go before that. In the JobManager's
 *     memory drafts would gain nothing: they travel the same way, and die with one process more. In
 *     the database each piece would be a transaction of the one writer there is, which has
 *     heartbeats to answer; an aborted checkpoint would touch the table (T1), and a crash would
 *     leave states that T2 knows nothing of. */
#ifndef FAULTLINE_CHECKPOINT_STORE_TABLE_H
#define FAULTLINE_CHECKPOINT_STORE_TABLE_H

#include "model/checkpoint/blob_table.h"
#include "model/checkpoint/store.h"

/* A store over `table`, which it takes. From the host's arena. */
struct store *store_table_create(struct blob_table *table);

#endif
