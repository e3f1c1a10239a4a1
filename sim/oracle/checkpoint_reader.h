/* checkpoint_reader.h - reads checkpoints back from the bytes on the volume, for the judge.
 *
 * It shares no code with what writes them (model/checkpoint/manifest.c, model/state/snapshot.c), so
 * that an error there cannot hide itself. It allocates nothing: everything read is borrowed from
 * the input. The manifest, all numbers little-endian, `run` a u32 length and so many bytes:
 *
 *   magic u32, version u16
 *   job run, checkpoint u64, attempt u64, triggered_ns u64, max_parallelism u32, vertex count u32
 *   per vertex: name run, parallelism u32, then per subtask:
 *     finished u8, operators run,
 *     part count u32, then per part: kind u8, size u64, checksum u64, location run
 *   XXH3 u64 of all before
 *
 * `operators` is a count u16 and then a run per operator of the chain; a finished subtask's may be
 * empty. The parts of the keyed state are described in model/state/snapshot.h. */
#ifndef FAULTLINE_SIM_ORACLE_CHECKPOINT_READER_H
#define FAULTLINE_SIM_ORACLE_CHECKPOINT_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "model/checkpoint/manifest.h"

struct checkpoint_subtask {
    uint32_t vertex;
    uint32_t parallelism; /* of the vertex */
    uint32_t subtask;
    struct subtask_state state;
};

struct checkpoint_reader {
    struct decoder decoder;
    struct bytes job;
    uint64_t checkpoint;
    uint64_t attempt;
    uint64_t triggered_ns;
    uint32_t max_parallelism;
    uint32_t vertex_count;
    uint32_t vertex;      /* of the subtask that comes next */
    uint32_t parallelism; /* of that vertex */
    uint32_t subtask;     /* that comes next */
    const char *error;    /* NULL, or what is wrong, such as "its checksum is wrong" */
};

/* Checks magic, version and checksum of `manifest`, which stays borrowed, and reads its head. False
 * if it is damaged: see `error`. */
bool checkpoint_reader_open(struct checkpoint_reader *reader, struct bytes manifest);

/* The same for a manifest whose checksum is known to be right: it was opened at this moment. */
bool checkpoint_reader_reopen(struct checkpoint_reader *reader, struct bytes manifest);

/* Reads the next subtask, vertex by vertex. False at the end, or when damaged: `error` tells. */
bool checkpoint_reader_next(struct checkpoint_reader *reader, struct checkpoint_subtask *subtask);

/* Reads the parts of a subtask's keyed state, in order. False at the end. */
struct part_reader {
    struct decoder decoder;
    uint32_t left;
};
void part_reader_open(struct part_reader *reader, const struct checkpoint_subtask *subtask);
bool part_reader_next(struct part_reader *reader, struct state_handle *part);

/* Is `manifest` sound from its first byte to its last? */
bool checkpoint_is_sound(struct bytes manifest);

/* Opens it, too, if it is; all of its subtasks can then be read. */
bool checkpoint_reader_open_sound(struct checkpoint_reader *reader, struct bytes manifest);

/* What operator `index` of the chain put into `operators`. False if there is no such operator, or
 * the bytes are damaged. */
bool checkpoint_operator_state(struct bytes operators, uint32_t index, struct bytes *state);

/* Reads the operator states that an operator put into its state: a count u16, then per state its
 * name run, mode u8, item count u32 and the items, each a key run (empty but in broadcast state)
 * and a value run. */
struct list_reader {
    struct bytes name;
    uint8_t mode;        /* an enum operator_state_mode, or not */
    struct bytes items;  /* all of them, as they lie there */
    uint32_t item_count; /* of which ... */
    uint32_t left;       /* ... so many come */
    struct decoder decoder;
};
struct lists_reader {
    struct decoder decoder;
    uint32_t left;
};

/* Next: false at the end, or when the bytes are damaged: `decoder.failed` tells. */
void lists_reader_open(struct lists_reader *reader, struct bytes state);
bool lists_reader_next(struct lists_reader *reader, struct list_reader *list);

/* The state called `name`: false if there is no such state, or the bytes are damaged. */
bool list_reader_open(struct list_reader *reader, struct bytes state, struct bytes name);

/* False at the end. */
bool list_reader_next(struct list_reader *reader, struct bytes *key, struct bytes *value);

/* A part of the keyed state of the count job: the 64-bit counts of the state `name`. */
struct counts_reader {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t id;
    uint64_t follows; /* id of the part before it; 0: it is the first */
    uint64_t entries_read;
    uint16_t state;     /* the index of the state called `name` */
    uint16_t key_group; /* of the entry read last */
    bool ended;
    const char *error; /* NULL, or what is wrong */
};

struct count_entry {
    int64_t key;
    int64_t count; /* not set if it was removed */
    uint16_t key_group;
    bool removed; /* what earlier parts say of the key does not hold any more */
};

/* Starts reading `part`, which stays borrowed. False if its head is damaged. */
bool counts_reader_open(struct counts_reader *reader, struct bytes part, const char *name);

/* Reads the next entry. False at the end, or when anything is not as it must be: `error` tells. */
bool counts_reader_next(struct counts_reader *reader, struct count_entry *entry);

#endif
