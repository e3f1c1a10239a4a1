/* uploader.h - the actor beside a subtask that writes snapshots to the checkpoint store.
 *
 * The subtask serialises its frozen state in bounded steps between records and sends the pieces
 * here; so the subtask never waits for the store. Each part of a snapshot is a file. So is a draft
 * (backend.h, B10): it lies aside until it becomes a part (S7 of store_files.h). The answers
 * (messages.h): UPLOAD_ACCEPTED for each piece written, UPLOAD_DONE once the file is durable or has
 * failed. */
#ifndef FAULTLINE_RUNTIME_UPLOADER_H
#define FAULTLINE_RUNTIME_UPLOADER_H

#include "model/checkpoint/store.h"
#include "model/host.h"

/* The argument of the actor. */
struct uploader_argument {
    const char *vertex; /* name; outlives the actor */
    uint32_t subtask;
    bool shared; /* later checkpoints may need the files, too: they lie in the shared folder */
    uint64_t attempt;
};

extern const struct actor_ops uploader_actor;

/* The path of the file of part number `part` of `checkpoint`: its name is VERTEX-SUBTASK, with
 * .PART behind if that is not 0. */
void uploader_path(char path[STORE_PATH_SIZE], const struct uploader_argument *argument,
                   uint64_t checkpoint, uint32_t part);

#endif
