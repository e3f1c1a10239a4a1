/* backend_create.h - the state backends by name, and how one is made. */
#ifndef FAULTLINE_STATE_BACKEND_CREATE_H
#define FAULTLINE_STATE_BACKEND_CREATE_H

#include "model/host.h"
#include "model/state/backend.h"

/* In the order of their names in state_backend_name; named as in Flink's state.backend.type, to
 * which SQLite is added. */
enum state_backend {
    STATE_BACKEND_HEAP,    /* in memory */
    STATE_BACKEND_SQLITE,  /* in a file of the LOCAL disk, through the host */
    STATE_BACKEND_ROCKSDB, /* in RocksDB's memory files */
    STATE_BACKEND_COUNT
};

/* "heap", "sqlite", "rocksdb". */
const char *state_backend_name(enum state_backend kind);

/* Was this program built with what the backend needs? */
bool state_backend_is_built_in(enum state_backend kind);

struct backend_options {
    enum state_backend kind;
    struct key_group_range range;
    uint32_t parts_max;    /* see backend_heap_create; 1: every snapshot is a whole one */
    bool changelog;        /* put a changelog_backend.h around it, of so many parts */
    uint64_t materialization_interval_ns; /* ... */
    uint64_t persist_bytes;               /* ... */
    uint64_t cache_bytes;  /* of what lies on disk so much stays in memory */
    const char *directory; /* of the process's working files on the LOCAL volume; it exists */
    const char *name;      /* of the working files; no other backend of the process has it */
};

/* Creates an empty backend, which belongs to the host's arena; `*backend` is set only on STATUS_OK.
 * Errors: HALTED, IO, NO_SPACE, NOT_FOUND (not built in, or no directory). */
MUST_USE enum status backend_create(struct host *host, const struct backend_options *options,
                                    struct backend **backend);

/* Makes the directory of a process's working files, or empties it (B5). Does nothing for kinds that
 * have none. Errors: HALTED, IO, NO_SPACE. */
MUST_USE enum status backend_empty_directory(struct host *host, enum state_backend kind,
                                             const char *directory);

#endif
