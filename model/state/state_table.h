/* state_table.h - the states of a backend: declared by the job, or brought by a restore. Every
 * backend has one, so that all of them compare descriptors (descriptor.h) in the same way. */
#ifndef FAULTLINE_STATE_STATE_TABLE_H
#define FAULTLINE_STATE_STATE_TABLE_H

#include "model/base/check.h"
#include "model/base/status.h"
#include "model/state/backend.h"
#include "model/state/snapshot.h"

struct state_table {
    struct arena *arena;
    struct state_descriptor *states; /* by state_id; the texts are owned */
    size_t capacity;
    uint16_t count;
    struct buffer refusal; /* why the last declare or bind was refused, as a sentence; or empty */
};

void state_table_init(struct state_table *table, struct arena *arena);
void state_table_free(struct state_table *table);

/* See backend_declare. A state that is new has the id `count` had before. */
state_id state_table_declare(struct state_table *table, const struct state_descriptor *state);

/* What the states of a part are called here. */
struct state_binding {
    state_id id;
    struct state_descriptor was; /* owned by the table's arena */
};

/* Fills bindings[0 .. reader->state_count-1], which state_bindings_free gives back whatever the
 * answer; states that are unknown are added to the table. Errors: CORRUPT; INVALID, and the reason
 * stands in `refusal`. */
MUST_USE enum status state_table_bind(struct state_table *table,
                                      const struct snapshot_reader *reader,
                                      struct state_binding *bindings);
void state_bindings_free(struct state_table *table, const struct snapshot_reader *reader,
                         struct state_binding *bindings);

/* Is each value of the part kept as it is? */
static inline bool state_table_admits_all(const struct state_table *table,
                                          const struct state_binding *binding)
{
    CHECK(binding->id < table->count);
    const struct state_descriptor *is = &table->states[binding->id];
    return is->ttl_ns == 0 && is->value.version == binding->was.value.version;
}

/* The general case of state_table_admit. */
MUST_USE enum status state_table_admit_any(struct state_table *table,
                                           const struct state_binding *binding, struct bytes *value,
                                           struct buffer *scratch);

/* Makes of `*value`, an entry's in the part, what is to be kept here: itself, or an upgrade of it
 * (D2) in `scratch`, which is emptied first. Errors: CORRUPT; INVALID, if it cannot be upgraded,
 * and the reason stands in `refusal`. */
MUST_USE static inline enum status state_table_admit(struct state_table *table,
                                                     const struct state_binding *binding,
                                                     struct bytes *value, struct buffer *scratch)
{
    return state_table_admits_all(table, binding)
               ? STATUS_OK
               : state_table_admit_any(table, binding, value, scratch);
}

#endif
