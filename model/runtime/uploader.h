/* uploader.h - the actor beside a subtask that writes snapshots to the checkpoint store.
 *
 * The subtask serialises its frozen state in bounded steps between records and sends the pieces
 * here; so the subtask never waits for the store. Its answers (messages.h): UPLOAD_ACCEPTED for
 * each piece written, UPLOAD_DONE once the file is durable or has failed. */
#ifndef FAULTLINE_RUNTIME_UPLOADER_H
#define FAULTLINE_RUNTIME_UPLOADER_H

#include "model/host.h"

/* The argument of the actor. */
struct uploader_argument {
    const char *vertex; /* name; outlives the actor */
    uint32_t subtask;
};

extern const struct actor_ops uploader_actor;

/* The name of a subtask's state file in a checkpoint directory: VERTEX-SUBTASK. */
enum { UPLOADER_NAME_SIZE = 64 };
void uploader_file_name(char name[UPLOADER_NAME_SIZE], const char *vertex, uint32_t subtask);

#endif
