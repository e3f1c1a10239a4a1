/* disk_host.h - a host with nothing but storage: sim/disk behind host.h, for tests.
 *
 * It counts its storage calls (closing a file is none) and can end one of them badly: from the
 * chosen call on it is halted, and every call answers STATUS_HALTED; or only that call answers an
 * error. Then the test cuts the power and starts another host on the same disk. Both volumes are
 * the one disk. Everything else of host.h does nothing, or is a failed check. */
#ifndef FAULTLINE_TESTS_DISK_HOST_H
#define FAULTLINE_TESTS_DISK_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "sim/world/disk.h"

enum { DISK_HOST_FILES_MAX = 32, DISK_HOST_FACTS_MAX = 64 };

struct disk_host {
    struct host host; /* first: what the model gets */
    struct arena arena;
    struct disk *disk;
    uint32_t client;                              /* its machine */
    struct disk_file *files[DISK_HOST_FILES_MAX]; /* open files; NULL: free. file_id - 1 */
    uint64_t call_count;                          /* storage calls so far */
    uint64_t halt_call;                           /* the call that halts, from 1; 0: none */
    bool halt_has_effect;                         /* has that call its effect? */
    bool is_halted;
    uint64_t fail_call;   /* the call that fails */
    bool fail_has_effect; /* has that call its effect nevertheless? Not set by disk_host_fail_at */
    enum status fail_status;
    struct prng random;
    struct fact facts[DISK_HOST_FACTS_MAX]; /* the first facts reported, without their texts */
    size_t fact_count;
};

/* A running host on `disk`, which stays borrowed. */
void disk_host_init(struct disk_host *host, struct disk *disk, uint32_t client);

/* The process ends: its files are closed and its memory is dropped. */
void disk_host_free(struct disk_host *host);

/* The machine loses its power: disk_host_free, then disk_cut. */
void disk_host_cut(struct disk_host *host, enum disk_survival survival, struct prng *prng);

/* Call number `call` (counted from the next one, which is 1) halts the host, after its effect or
 * instead of it; or fails with `status` instead of its effect. */
void disk_host_halt_at(struct disk_host *host, uint64_t call, bool has_effect);
void disk_host_fail_at(struct disk_host *host, uint64_t call, enum status status);

/* How often `kind` was reported. */
size_t disk_host_facts(const struct disk_host *host, enum fact_kind kind);

#endif
