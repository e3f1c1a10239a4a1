/* manifest.h - what a checkpoint consists of: Flink's _metadata.
 *
 * A checkpoint exists when its manifest is durable under its final name (store.h). The manifest
 * names job, checkpoint id and, per subtask, the state of its operators and the parts of its keyed
 * state (model/state/backend.h): small ones are inline, large ones files, some of them of earlier
 * checkpoints. Encoded: magic u32, version u16, body, XXH3 of all before. */
#ifndef FAULTLINE_CHECKPOINT_MANIFEST_H
#define FAULTLINE_CHECKPOINT_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "model/base/status.h"

enum {
    MANIFEST_MAGIC = 0x4d4b4c46, /* "FLKM" */
    MANIFEST_VERSION = 2,
};

enum handle_kind {
    HANDLE_INLINE = 1, /* the bytes themselves */
    HANDLE_FILE,       /* a file of the checkpoint store */
};

/* Where a part of the keyed state of one subtask lies. */
struct state_handle {
    enum handle_kind kind;
    uint64_t size_bytes;
    uint64_t checksum;     /* hash_bytes of the part */
    struct bytes location; /* INLINE: the part; FILE: its path on the SHARED volume, without a
                            * terminating zero */
};

/* The keyed state of one subtask: its parts, in the order in which a restore needs them. */
struct keyed_state {
    uint32_t part_count; /* 0: it has no keyed state */
    uint64_t size_bytes; /* of all parts */
    struct bytes parts;  /* `part_count` encoded handles; all sound */
};

/* What one subtask contributes. */
struct subtask_state {
    bool finished;          /* it had ended before: its operators have no state any more */
    struct bytes operators; /* state of the chained operators: source position, sink transactions;
                             * a count u16, then per operator a run of bytes (encode_bytes) */
    struct keyed_state keyed;
};

struct manifest_vertex {
    struct bytes name;
    uint32_t parallelism;           /* at least 1 */
    struct subtask_state *subtasks; /* `parallelism` of them */
};

struct manifest {
    struct bytes job;
    uint64_t checkpoint; /* at least 1 */
    uint64_t attempt;
    uint64_t triggered_ns;
    uint32_t max_parallelism;
    uint32_t vertex_count;
    struct manifest_vertex *vertices;
};

/* Appends the encoded handle, state or subtask to `out`; reads it back. Decoded bytes are borrowed
 * from the decoder's input. An error latches in the decoder. */
void state_handle_encode(struct buffer *out, const struct state_handle *handle);
void state_handle_decode(struct decoder *decoder, struct state_handle *handle);
void keyed_state_encode(struct buffer *out, const struct keyed_state *keyed);
void keyed_state_decode(struct decoder *decoder, struct keyed_state *keyed);
void subtask_state_encode(struct buffer *out, const struct subtask_state *subtask);
void subtask_state_decode(struct decoder *decoder, struct subtask_state *subtask);

/* Reads the parts of `keyed`, which stays borrowed: begin, then `part_count` times next. */
void keyed_state_begin(const struct keyed_state *keyed, struct decoder *decoder);
void keyed_state_next(struct decoder *decoder, struct state_handle *handle);

/* Appends the encoded manifest, with its checksum, to `out`. */
void manifest_encode(struct buffer *out, const struct manifest *manifest);

/* Reads a manifest; the arrays come from `arena` (after an error too), all bytes are borrowed from
 * `input`. After an error `manifest` must not be used.
 * Errors: CORRUPT (checksum, magic, version or structure). */
MUST_USE enum status manifest_decode(struct manifest *manifest, struct arena *arena,
                                     struct bytes input);

#endif
