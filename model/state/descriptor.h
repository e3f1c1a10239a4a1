/* descriptor.h - what a keyed state is: its name, kind and types, and whether two of them agree.
 *
 * A descriptor is declared by the job and written into every part of a snapshot. A restore compares
 * the two:
 *
 * D1  Kind, types, namespace and the presence of a time to live must be what they were; else the
 *     restore is refused, and one sentence says which state, what it was, and what it is now.
 * D2  A value type of an older version is upgraded, value by value, if the new type can do it; key
 *     types and namespaces never are, since the keys' order and their key groups hang on them.
 * D3  How long the time to live is, is no part of a snapshot: it may change.
 * D4  A state in the snapshot that the job does not declare is kept, and is in later snapshots.
 *
 * Source of the rules: Flink's schema evolution and its StateBackendMigrationTestBase. */
#ifndef FAULTLINE_STATE_DESCRIPTOR_H
#define FAULTLINE_STATE_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"

enum state_kind {
    STATE_VALUE = 1,
    STATE_LIST,        /* one entry: the elements one behind the other (list_state.h) */
    STATE_MAP,         /* an entry for each of the map's own keys: its subkey */
    STATE_REDUCING,    /* a value into which others are folded */
    STATE_AGGREGATING, /* the same with an accumulator of another type */
    STATE_TIMERS,      /* a map whose subkeys are timers (model/stream/timer_service.h) */
    STATE_KIND_END
};

struct state_type;

/* Makes of a value of an older version one of the current version of `type`, appended to `out`;
 * false: it cannot be done. */
typedef bool (*state_upgrade)(const struct state_type *type, uint16_t version, struct bytes old,
                              struct buffer *out);

/* How something is coded. Two types are the same if they have the same name. */
struct state_type {
    const char *name;
    uint16_t version;
    state_upgrade upgrade; /* of values; NULL: older versions are refused */
    const void *context;   /* for the upgrade; static, of the job */
};

struct state_descriptor {
    const char *name;
    enum state_kind kind;
    struct state_type value;  /* of the value, the element, the accumulator */
    struct state_type subkey; /* of STATE_MAP and STATE_TIMERS; else its name is NULL */
    bool has_namespace;
    uint64_t ttl_ns; /* 0: values live for ever; else each carries its time (ttl.h) */
};

/* A value of bytes that only its owner understands. */
struct state_descriptor state_of_bytes(const char *name);

static inline bool state_has_subkey(const struct state_descriptor *state)
{
    return state->kind == STATE_MAP || state->kind == STATE_TIMERS;
}

/* Is every entry's key just the key? Then no composite needs to be made of it (entry_key.h). */
static inline bool state_is_plain(const struct state_descriptor *state)
{
    return !state->has_namespace && !state_has_subkey(state);
}

/* Appends what D1 and D2 compare, but for the name. */
void state_descriptor_encode(struct buffer *out, const struct state_descriptor *state);

/* Reads the descriptor of the state called `name`. Its texts are owned by `arena`; its ttl_ns is 0,
 * or endless, since how long it is does not stand there. False: it is none. */
bool state_descriptor_decode(struct arena *arena, struct bytes name, struct bytes encoded,
                             struct state_descriptor *state);

/* A copy whose texts are owned by `arena`, and what gives them back. */
struct state_descriptor state_descriptor_copy(struct arena *arena,
                                              const struct state_descriptor *state);
void state_descriptor_free(struct arena *arena, struct state_descriptor *state);

/* May values written under `was` be read under `is` (D1, D2)? If not, the reason is appended to
 * `why`, as a sentence. */
bool state_descriptor_accepts(const struct state_descriptor *is, const struct state_descriptor *was,
                              struct buffer *why);

#endif
