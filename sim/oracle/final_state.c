#include "sim/oracle/final_state.h"

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/text.h"
#include "model/state/descriptor.h"
#include "model/state/entry_key.h"
#include "model/stream/timer_service.h"
#include "sim/oracle/entries_reader.h"
#include "sim/oracle/judge.h"

/* An entry as the parts read so far have it. */
struct content {
    struct bytes value; /* borrowed from the checkpoint, or in the arena */
    uint16_t state;     /* in `states` */
    uint16_t key_group;
};

struct reading {
    struct arena *arena;
    const char *vertex;
    struct buffer *out;       /* by key group */
    struct fold_table table;  /* of several parts: by state and key; in_state: it is there */
    struct content *contents; /* of the table's entries */
    size_t capacity;
    struct state_descriptor *states;
    size_t state_capacity;
    uint16_t state_count;
    uint16_t *numbers; /* in `states`, of the states of the part in hand */
    size_t number_capacity;
};

static void append_shown(struct buffer *out, struct bytes bytes)
{
    bool is_printable = true;
    for (size_t i = 0; i < bytes.size; i++) {
        is_printable = is_printable && bytes.data[i] >= ' ' && bytes.data[i] < 0x7f;
    }
    if (is_printable) {
        buffer_append(out, bytes);
    } else if (bytes.size == sizeof(int64_t)) {
        uint8_t *at = buffer_extend(out, TEXT_INTEGER_SIZE_MAX);
        out->size -= TEXT_INTEGER_SIZE_MAX - text_format_i64(at, (int64_t)load_u64(bytes.data));
    } else {
        for (size_t i = 0; i < bytes.size; i++) {
            buffer_append_format(out, "%02x", bytes.data[i]);
        }
    }
}

static void begin_line(struct buffer *out, const char *vertex, struct bytes state,
                       const struct entry_key *at)
{
    buffer_append_text(out, vertex);
    buffer_append_text(out, " ");
    buffer_append(out, state);
    buffer_append_text(out, " ");
    append_shown(out, at->key);
    struct bytes parts[] = { at->name_space, at->subkey };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size > 0) {
            buffer_append_text(out, "/");
            append_shown(out, parts[i]);
        }
    }
    buffer_append_text(out, "\t");
}

void final_state_line(struct buffer *out, const char *vertex, struct bytes state, struct bytes key,
                      struct bytes value)
{
    begin_line(out, vertex, state, &(struct entry_key){ .key = key });
    append_shown(out, value);
}

/* The number in `reading` of a state of the part. What cannot be decoded is taken for plain bytes:
 * then the lines will differ, which is what there is to say. */
static uint16_t state_number(struct reading *reading, const struct entries_reader *part,
                             uint16_t state)
{
    struct bytes name = entries_reader_name(part, state);
    for (uint16_t i = 0; i < reading->state_count; i++) {
        if (bytes_equal(name, bytes_of_text(reading->states[i].name))) {
            return i;
        }
    }
    reading->states = arena_grow(reading->arena, reading->states, &reading->state_capacity,
                                 reading->state_count + 1u, sizeof *reading->states);
    struct state_descriptor *added = &reading->states[reading->state_count];
    if (!state_descriptor_decode(reading->arena, name, entries_reader_descriptor(part, state),
                                 added)) {
        *added = state_of_bytes(
            arena_format(reading->arena, "%.*s", (int)name.size, (const char *)name.data));
    }
    return reading->state_count++;
}

static bool is_determined(const struct state_descriptor *state, const struct entry_key *at)
{
    bool is_clock_timer = state->kind == STATE_TIMERS &&
                          (at->subkey.size == 0 || at->subkey.data[0] == TIMER_PROCESSING_TIME);
    return state->ttl_ns == 0 && !is_clock_timer;
}

static void write_entry(const struct reading *reading, const struct content *content,
                        struct bytes key)
{
    struct buffer *out = &reading->out[content->key_group];
    const struct state_descriptor *state = &reading->states[content->state];
    struct bytes name = bytes_of_text(state->name);
    struct entry_key at;
    if (!entry_key_read(state, key, &at)) {
        at = (struct entry_key){ .key = key };
    }
    if (!is_determined(state, &at)) {
        return;
    }
    if (state->kind != STATE_LIST) {
        begin_line(out, reading->vertex, name, &at);
        append_shown(out, content->value);
        buffer_append_text(out, "\n");
        return;
    }
    struct decoder elements;
    decoder_init(&elements, content->value);
    while (elements.position < elements.size && !elements.failed) {
        struct bytes element = decode_bytes(&elements);
        begin_line(out, reading->vertex, name, &at);
        append_shown(out, element);
        buffer_append_text(out, "\n");
    }
}

/* What an entry says comes behind `before`. */
static struct bytes joined(struct arena *arena, struct bytes before, struct bytes behind)
{
    struct buffer all;
    buffer_init(&all, arena);
    buffer_append(&all, before);
    buffer_append(&all, behind);
    return buffer_bytes(&all);
}

static void open_part(struct reading *reading, struct entries_reader *reader, struct bytes part)
{
    bool is_open = entries_reader_open(reader, part);
    CHECK(is_open);
    reading->numbers = arena_grow(reading->arena, reading->numbers, &reading->number_capacity,
                                  reader->state_count, sizeof *reading->numbers);
    for (uint16_t i = 0; i < reader->state_count; i++) {
        reading->numbers[i] = state_number(reading, reader, i);
    }
}

/* The only part of a state holds each key once: there is nothing to remember. */
static void write_part(struct reading *reading, struct bytes part)
{
    struct entries_reader reader;
    struct state_entry entry;
    open_part(reading, &reader, part);
    while (entries_reader_next(&reader, &entry)) {
        struct content content = { .value = entry.value,
                                   .state = reading->numbers[entry.state],
                                   .key_group = entry.key_group };
        write_entry(reading, &content, entry.key);
    }
}

static void read_part(struct reading *reading, struct bytes part)
{
    struct entries_reader reader;
    struct state_entry entry;
    struct buffer key;
    buffer_init(&key, reading->arena);
    open_part(reading, &reader, part);
    while (entries_reader_next(&reader, &entry)) {
        uint16_t state = reading->numbers[entry.state];
        buffer_reset(&key);
        encode_u16(&key, state);
        buffer_append(&key, entry.key);
        struct fold_entry *found = fold_table_at(&reading->table, buffer_bytes(&key));
        size_t place = (size_t)(found - reading->table.entries);
        reading->contents = arena_grow(reading->arena, reading->contents, &reading->capacity,
                                       place + 1, sizeof *reading->contents);
        struct content *content = &reading->contents[place];
        bool is_more = entry.appended && found->in_state;
        struct bytes value =
            is_more ? joined(reading->arena, content->value, entry.value) : entry.value;
        *content = (struct content){ .value = value, .state = state, .key_group = entry.key_group };
        found->in_state = !entry.removed;
    }
    buffer_free(&key);
}

static void write_what_was_read(const struct reading *reading)
{
    for (size_t i = 0; i < reading->table.count; i++) {
        const struct fold_entry *entry = &reading->table.entries[i];
        if (entry->in_state) {
            struct bytes key = fold_entry_key(entry);
            key.data += sizeof(uint16_t);
            key.size -= sizeof(uint16_t);
            write_entry(reading, &reading->contents[i], key);
        }
    }
}

void final_state_read(const struct oracle *oracle, const struct checkpoint_subtask *subtask,
                      struct buffer *out)
{
    struct arena arena;
    arena_init(&arena);
    struct reading reading = { .arena = &arena,
                               .vertex = judge_vertex_name(oracle, subtask->vertex),
                               .out = out };
    fold_table_init(&reading.table, &arena);
    struct part_reader parts;
    struct state_handle part;
    part_reader_open(&parts, subtask);
    while (part_reader_next(&parts, &part)) {
        struct bytes content = judge_part_content(oracle, &part);
        if (subtask->state.keyed.part_count == 1) {
            write_part(&reading, content);
        } else {
            read_part(&reading, content);
        }
    }
    write_what_was_read(&reading);
    arena_drop(&arena);
}
