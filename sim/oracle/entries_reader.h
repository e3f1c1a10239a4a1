/* entries_reader.h - reads a part of any keyed state back from its bytes, for the judge: whatever
 * names, keys and values it has. (For the count job there is a faster one: checkpoint_reader.h.)
 *
 * The format is that of model/state/snapshot.h; no code is shared with what writes it, and nothing
 * is allocated. */
#ifndef FAULTLINE_SIM_ORACLE_ENTRIES_READER_H
#define FAULTLINE_SIM_ORACLE_ENTRIES_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"

struct entries_reader {
    struct decoder decoder;
    struct bytes names; /* of the states, as they are encoded */
    uint64_t id;
    uint64_t follows; /* id of the part before it; 0: it is the first */
    uint64_t entries_read;
    uint16_t state_count;
    uint16_t key_group; /* of the entry read last */
    bool ended;
    const char *error; /* NULL, or what is wrong */
};

struct state_entry {
    uint16_t state; /* a number for entries_reader_name */
    uint16_t key_group;
    bool removed;  /* what is said of the key before does not hold any more */
    bool appended; /* the value comes behind what is there */
    struct bytes key;
    struct bytes value; /* empty if it was removed */
};

/* Starts reading `part`, which stays borrowed. False if its head is damaged. */
bool entries_reader_open(struct entries_reader *reader, struct bytes part);

/* The name of a state of the part; borrowed from its bytes. */
struct bytes entries_reader_name(const struct entries_reader *reader, uint16_t state);

/* And its descriptor, as model/state/descriptor.h encodes it. */
struct bytes entries_reader_descriptor(const struct entries_reader *reader, uint16_t state);

/* Reads the next entry. False at the end, or when anything is not as it must be: `error` tells. */
bool entries_reader_next(struct entries_reader *reader, struct state_entry *entry);

#endif
