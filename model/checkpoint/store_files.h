/* store_files.h - the checkpoint store `files`: durable checkpoints on the SHARED volume, a file
 * behind each path of store.h. Who takes a snapshot writes its parts itself.
 *
 * S2  The manifest gets its name only after its content is durable, and counts as committed only
 *     after its directory is synced: written, synced, renamed, directory synced, in that order.
 * S3  Discarding a completed checkpoint removes and syncs away the manifest first, then the files.
 *     The manifest's removal is synced even if it was gone already: an earlier discard may have
 *     died before that.
 * S4  Who writes a part makes it durable with store_files_seal before it is acknowledged. The sync
 *     of the directory that a commit does is too late for the names of these files: the writer's
 *     machine may have lost them since, and a power cut during the commit may keep the name of the
 *     manifest and lose theirs.
 * S5  What store_list answers is durable: a manifest that was renamed and not yet synced when its
 *     JobManager died is synced by who lists it.
 * S6  A directory in shared/ is made when its checkpoint is begun, and removed whole when that
 *     ends without completing: so who writes late (a subtask that has not heard of the abort, or
 *     of the end of its attempt) finds no directory, and leaves nothing behind.
 * S7  What is written ahead of the checkpoints lies in a directory of its attempt, and is renamed
 *     into that of the checkpoint that takes it, before it is acknowledged: so to that the rules
 *     for any other part apply, and what no checkpoint took goes with the attempt. The name in
 *     drafts/ may come back after a power cut; it leads to nothing that anybody needs. */
#ifndef FAULTLINE_CHECKPOINT_STORE_FILES_H
#define FAULTLINE_CHECKPOINT_STORE_FILES_H

#include "model/checkpoint/store.h"

/* Makes the directory STORE_ROOT, durably, or finds it there. */
MUST_USE enum status store_files_make_root(struct host *host);

/* Makes the directories of an empty store, durably; where they exist, they are only synced. The
 * store comes from the host's arena; there is none after an error. */
MUST_USE enum status store_files_open(struct host *host, struct store **store);

/* Makes the open file `file` of a part, whose path is `path`, durable: its content, then its name
 * (S4). Errors: HALTED, IO, NOT_FOUND (the checkpoint was discarded meanwhile). */
MUST_USE enum status store_files_seal(struct host *host, const char *path, file_id file);

/* Makes the file `draft`, which was written ahead and is synced, the part `path`, durably (S7).
 * Errors: HALTED, IO, NOT_FOUND (the checkpoint was discarded, or the attempt ended meanwhile). */
MUST_USE enum status store_files_adopt(struct host *host, const char *draft, const char *path);

/* Appends a whole file to `out`; nothing after an error. Errors: HALTED, IO, NOT_FOUND. */
MUST_USE enum status store_files_read(struct host *host, const char *path, struct buffer *out);

#endif
