#include "model/state/state_table.h"

#include <string.h>

#include "model/base/check.h"
#include "model/state/ttl.h"

void state_table_init(struct state_table *table, struct arena *arena)
{
    *table = (struct state_table){ .arena = arena };
    buffer_init(&table->refusal, arena);
}

void state_table_free(struct state_table *table)
{
    for (uint16_t i = 0; i < table->count; i++) {
        state_descriptor_free(table->arena, &table->states[i]);
    }
    arena_free(table->arena, table->states);
    buffer_free(&table->refusal);
    *table = (struct state_table){ 0 };
}

/* `count`, if there is none of this name. */
static uint16_t find(const struct state_table *table, const char *name)
{
    uint16_t state = 0;
    while (state < table->count && strcmp(table->states[state].name, name) != 0) {
        state++;
    }
    return state;
}

/* Takes `state`, whose texts are the arena's. */
static state_id add(struct state_table *table, struct state_descriptor state)
{
    CHECK(table->count < SNAPSHOT_STATE_COUNT_MAX);
    table->states = arena_grow(table->arena, table->states, &table->capacity,
                               (size_t)table->count + 1, sizeof *table->states);
    table->states[table->count] = state;
    return table->count++;
}

state_id state_table_declare(struct state_table *table, const struct state_descriptor *state)
{
    CHECK(state->name != NULL);
    buffer_reset(&table->refusal);
    uint16_t found = find(table, state->name);
    if (found == table->count) {
        return add(table, state_descriptor_copy(table->arena, state));
    }
    struct state_descriptor *known = &table->states[found];
    /* Values that are here already are of the version they were restored with. */
    struct state_descriptor wanted = *state;
    wanted.value.upgrade = NULL;
    if (!state_descriptor_accepts(&wanted, known, &table->refusal)) {
        return STATE_REFUSED;
    }
    known->ttl_ns = state->ttl_ns;
    known->value.upgrade = state->value.upgrade;
    known->value.context = state->value.context;
    return found;
}

/* Binds state number `number` of the part. */
static enum status bind(struct state_table *table, const struct snapshot_reader *reader,
                        uint16_t number, struct state_binding *binding)
{
    struct bytes name;
    struct bytes descriptor;
    snapshot_reader_state(reader, number, &name, &descriptor);
    if (!state_descriptor_decode(table->arena, name, descriptor, &binding->was)) {
        return STATUS_CORRUPT;
    }
    binding->id = find(table, binding->was.name);
    if (binding->id < table->count) {
        return state_descriptor_accepts(&table->states[binding->id], &binding->was, &table->refusal)
                   ? STATUS_OK
                   : STATUS_INVALID;
    }
    if (table->count == SNAPSHOT_STATE_COUNT_MAX) {
        return STATUS_CORRUPT;
    }
    binding->id = add(table, state_descriptor_copy(table->arena, &binding->was));
    return STATUS_OK;
}

enum status state_table_bind(struct state_table *table, const struct snapshot_reader *reader,
                             struct state_binding *bindings)
{
    buffer_reset(&table->refusal);
    memset(bindings, 0, reader->state_count * sizeof *bindings);
    for (uint16_t i = 0; i < reader->state_count; i++) {
        enum status status = bind(table, reader, i, &bindings[i]);
        if (status != STATUS_OK) {
            return status;
        }
        for (uint16_t j = 0; j < i; j++) {
            if (bindings[j].id == bindings[i].id) {
                return STATUS_CORRUPT;
            }
        }
    }
    CHECK(table->count <= SNAPSHOT_STATE_COUNT_MAX);
    return STATUS_OK;
}

void state_bindings_free(struct state_table *table, const struct snapshot_reader *reader,
                         struct state_binding *bindings)
{
    for (uint16_t i = 0; i < reader->state_count; i++) {
        state_descriptor_free(table->arena, &bindings[i].was);
    }
}

/* Appends an upgrade of a value that begins with a stamp, if `stamp_bytes` are not 0. */
static bool upgrade_stamped(const struct state_type *type, uint16_t version, size_t stamp_bytes,
                            struct bytes old, struct buffer *out)
{
    if (old.size < stamp_bytes) {
        return false;
    }
    buffer_append(out, (struct bytes){ .data = old.data, .size = stamp_bytes });
    struct bytes content = { .data = old.data + stamp_bytes, .size = old.size - stamp_bytes };
    return type->upgrade(type, version, content, out);
}

static bool upgrade_list(const struct state_type *type, uint16_t version, size_t stamp_bytes,
                         struct bytes list, struct buffer *out)
{
    struct decoder decoder;
    decoder_init(&decoder, list);
    while (decoder.position < decoder.size) {
        struct bytes element = decode_bytes(&decoder);
        size_t start = out->size;
        encode_u32(out, 0);
        if (decoder.failed || !upgrade_stamped(type, version, stamp_bytes, element, out)) {
            return false;
        }
        store_u32(out->data + start, (uint32_t)(out->size - start - sizeof(uint32_t)));
    }
    return true;
}

enum status state_table_admit_any(struct state_table *table, const struct state_binding *binding,
                                  struct bytes *value, struct buffer *scratch)
{
    CHECK(binding->id < table->count);
    const struct state_descriptor *is = &table->states[binding->id];
    uint16_t version = binding->was.value.version;
    if (is->ttl_ns > 0 && !ttl_is_sound(is, *value)) {
        return STATUS_CORRUPT;
    }
    if (is->value.version == version) {
        return STATUS_OK;
    }
    CHECK(is->value.upgrade != NULL); /* else bind would have refused it */
    buffer_reset(scratch);
    buffer_reserve(scratch, 1); /* so that an upgrade to nothing has an address */
    size_t stamp_bytes = is->ttl_ns > 0 ? TTL_STAMP_BYTES : 0;
    bool is_done = is->kind == STATE_LIST
                       ? upgrade_list(&is->value, version, stamp_bytes, *value, scratch)
                       : upgrade_stamped(&is->value, version, stamp_bytes, *value, scratch);
    if (!is_done) {
        buffer_reset(&table->refusal);
        buffer_append_format(&table->refusal,
                             "state \"%s\" holds a value of type %s version %u that cannot be "
                             "upgraded to version %u",
                             is->name, is->value.name, version, is->value.version);
        return STATUS_INVALID;
    }
    *value = buffer_bytes(scratch);
    return STATUS_OK;
}
