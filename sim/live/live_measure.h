/* live_measure.h - what this machine takes for the things that a live run is made of: files that
 * are synced, messages between processes, a process that starts.
 *
 * Each figure is the median of several measurements. The code that is measured is what a live run
 * uses, or makes the same calls. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_MEASURE_H
#define FAULTLINE_SIM_LIVE_LIVE_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"

/* Sorts `values` and returns the one in the middle, the upper of two. There is at least one. */
uint64_t live_median(uint64_t *values, size_t count);

struct live_disk_speed {
    uint64_t write_bytes_per_s; /* until it is durable, a sync subtracted */
    uint64_t read_bytes_per_s;  /* of what was written a moment ago, from the system's cache */
    uint64_t cold_read_bytes_per_s; /* of the same once the cache has dropped it */
    uint64_t sync_ns;               /* of a small change */
};

/* Measures in `folder`, made anew and removed, with files of `file_bytes`. Errors, with one
 * sentence in `error`: IO. */
MUST_USE enum status live_measure_disk(struct arena *arena, const char *folder, uint64_t file_bytes,
                                       struct live_disk_speed *speed, struct buffer *error);

struct live_message_speed {
    uint64_t latency_ns;       /* one way, from one process to another */
    uint64_t local_latency_ns; /* from one actor to another of the same process */
    uint64_t bytes_per_s;      /* of one sender */
};

/* The same for messages between two processes of a live cluster, which answer each other. This
 * process must have no other thread. */
MUST_USE enum status live_measure_messages(struct arena *arena, const char *folder,
                                           struct live_message_speed *speed, struct buffer *error);

/* From the start of this program, as a new process, to its end; it does nothing else. */
MUST_USE enum status live_measure_start(uint64_t *start_ns, struct buffer *error);

/* Prints a line if the machine had more to do in the last minute than it has processors: what is
 * measured then is not only what was meant. */
void live_tell_load(FILE *out);

#endif
