/* entry_key.h - the key under which a backend files an entry: key, namespace and subkey in one.
 *
 *   a plain state      key
 *   with a namespace   key (prefixed with its length), namespace
 *   a map              key (with its length), subkey
 *   both               key (with its length), namespace (with its length), subkey
 *
 * A length takes one byte, or five from 255 on. So all subkeys of one key and namespace share a
 * prefix that no other key and namespace has, and within it they have the order of their bytes. */
#ifndef FAULTLINE_STATE_ENTRY_KEY_H
#define FAULTLINE_STATE_ENTRY_KEY_H

#include <stdbool.h>

#include "model/base/bytes.h"
#include "model/state/descriptor.h"

struct entry_key {
    struct bytes key;
    struct bytes name_space; /* empty: none */
    struct bytes subkey;     /* empty: none */
};

/* Appends the entry's key; with an empty subkey, the prefix of a map's entries. */
void entry_key_write(struct buffer *out, const struct state_descriptor *state,
                     const struct entry_key *parts);

/* The parts of an entry's key, borrowed from it. False: no backend made it. */
bool entry_key_read(const struct state_descriptor *state, struct bytes bytes,
                    struct entry_key *parts);

/* The prefix that the entry's key shares with all entries of its map. Borrowed from it. */
struct bytes entry_key_prefix(const struct state_descriptor *state, struct bytes bytes);

/* Below, at or above 0, as `a` comes before `b` in the order of bytes, is equal, or comes after. */
int entry_key_compare(struct bytes a, struct bytes b);

#endif
