#include "model/state/part_restore.h"

#include <string.h>

#include "model/base/check.h"

static bool is_wanted(const struct part_restore *restore, uint16_t key_group)
{
    return key_group >= restore->range.first && key_group <= restore->range.last;
}

/* Reads the next entries of the range; returns how many. 0: there are none left in the window. */
static uint32_t read_batch(const struct part_restore *restore, struct snapshot_reader *reader,
                           struct snapshot_entry entries[PART_RESTORE_BATCH])
{
    uint32_t count = 0;
    while (count < PART_RESTORE_BATCH && snapshot_reader_next(reader, &entries[count])) {
        count += is_wanted(restore, entries[count].key_group);
    }
    return count;
}

/* What is read of a part: `window` begins with what the reader stands at, or before. */
struct part_reading {
    struct part_source *source;
    struct buffer window;
    struct snapshot_reader reader;
};

static enum status read_more(struct part_reading *reading)
{
    size_t size_before = reading->window.size;
    CHECK(!reading->source->has_ended);
    enum status status = reading->source->read(reading->source, &reading->window);
    CHECK(status != STATUS_OK || reading->source->has_ended || reading->window.size > size_before);
    reading->source->has_ended = reading->source->has_ended || status != STATUS_OK;
    return status;
}

/* Reads on behind what the reader could not read, because it is cut. */
static enum status read_on(struct part_reading *reading)
{
    struct buffer *window = &reading->window;
    struct bytes rest = snapshot_reader_rest(&reading->reader);
    memmove(window->data, rest.data, rest.size);
    window->size = rest.size;
    enum status status = read_more(reading);
    if (status == STATUS_OK) {
        snapshot_reader_resume(&reading->reader, buffer_bytes(window), !reading->source->has_ended);
    }
    return status;
}

static enum status read_header(struct part_reading *reading)
{
    enum status status;
    do {
        status = read_more(reading);
    } while (status == STATUS_OK &&
             !snapshot_reader_init(&reading->reader, buffer_bytes(&reading->window),
                                   !reading->source->has_ended));
    return status != STATUS_OK ? status : reading->reader.status;
}

/* Can entries of words be filed without a look at their states? */
static bool takes_words(const struct part_restore *restore, const struct snapshot_reader *reader,
                        const struct state_binding *bindings)
{
    bool takes = restore->on_words != NULL;
    for (uint16_t i = 0; i < reader->state_count && takes; i++) {
        takes = state_is_plain(&restore->states->states[bindings[i].id]) &&
                state_table_admits_all(restore->states, &bindings[i]);
    }
    return takes;
}

static enum status restore_entries(const struct part_restore *restore, struct part_reading *reading,
                                   const struct state_binding *bindings)
{
    struct snapshot_entry entries[PART_RESTORE_BATCH];
    struct snapshot_words words;
    struct snapshot_reader *reader = &reading->reader;
    bool has_words = takes_words(restore, reader, bindings);
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        if (has_words && snapshot_reader_words(reader, PART_RESTORE_BATCH, &words)) {
            status = is_wanted(restore, words.key_group)
                         ? restore->on_words(restore->backend, &words, bindings)
                         : STATUS_OK;
            continue;
        }
        uint32_t count = read_batch(restore, reader, entries);
        if (count > 0) {
            status = restore->on_entries(restore->backend, reader->follows == 0, entries, count,
                                         bindings);
        } else if (reader->ended) {
            return reader->status;
        } else {
            status = read_on(reading);
        }
    }
    return status;
}

/* Is a state of the part of an older version than here? */
static bool is_upgraded(const struct part_restore *restore, const struct snapshot_reader *reader,
                        const struct state_binding *bindings)
{
    bool is_one = false;
    for (uint16_t i = 0; i < reader->state_count; i++) {
        const struct state_descriptor *is = &restore->states->states[bindings[i].id];
        is_one = is_one || is->value.version != bindings[i].was.value.version;
    }
    return is_one;
}

/* Restores what stands behind a header that is sound. */
static enum status restore_content(struct part_restore *restore, struct part_reading *reading)
{
    struct arena *arena = restore->states->arena;
    struct snapshot_reader *reader = &reading->reader;
    struct state_binding *bindings = arena_alloc(arena, reader->state_count, sizeof *bindings);
    enum status status = state_table_bind(restore->states, reader, bindings);
    /* Some may be new even so. */
    enum status opened = restore->on_states(restore->backend);
    status = status != STATUS_OK ? status : opened;
    while (status == STATUS_OK && !reading->source->has_ended &&
           is_upgraded(restore, reader, bindings)) {
        status =
            read_on(reading); /* the user's functions are given nothing that is not judged yet */
    }
    if (status == STATUS_OK) {
        status = restore_entries(restore, reading, bindings);
    }
    state_bindings_free(restore->states, reader, bindings);
    arena_free(arena, bindings);
    return status;
}

/* What made no sense may be bytes that nobody wrote: that is known only at their end. */
static enum status judge(struct part_reading *reading, enum status status)
{
    enum status read = STATUS_OK;
    while ((status == STATUS_CORRUPT || status == STATUS_INVALID) && read == STATUS_OK &&
           !reading->source->has_ended) {
        buffer_reset(&reading->window);
        read = read_more(reading);
    }
    return read != STATUS_OK ? read : status;
}

static enum status restore_part(struct part_restore *restore, struct part_source *source)
{
    struct part_reading reading = { .source = source };
    const struct snapshot_reader *reader = &reading.reader;
    buffer_init(&reading.window, restore->states->arena);
    enum status status = read_header(&reading);
    if (status == STATUS_OK && reader->follows != restore->restored.last_part) {
        status = STATUS_CORRUPT; /* another one is missing between the two */
    }
    if (status == STATUS_OK) {
        status = restore_content(restore, &reading);
    }
    status = judge(&reading, status);
    buffer_free(&reading.window);
    source->id = reader->id;
    source->entry_count = reader->entries_read;
    restore->restored.last_part = reader->id;
    restore->restored.part_count++;
    restore->restored.entry_count += reader->entries_read;
    return status;
}

enum status part_restore_all(struct part_restore *restore, struct part_source *const *parts,
                             uint32_t part_count)
{
    CHECK(restore->restored.part_count == 0);
    enum status status = part_count > 0 ? STATUS_OK : STATUS_CORRUPT;
    for (uint32_t i = 0; i < part_count && status == STATUS_OK; i++) {
        status = restore_part(restore, parts[i]);
    }
    return status;
}
