#include "model/state/part_restore.h"

#include "model/base/check.h"

/* Reads the next entries of the range; returns how many. 0: there are none left. */
static uint32_t read_batch(const struct part_restore *restore, struct snapshot_reader *reader,
                           struct snapshot_entry entries[PART_RESTORE_BATCH])
{
    uint32_t count = 0;
    while (count < PART_RESTORE_BATCH && snapshot_reader_next(reader, &entries[count])) {
        uint16_t key_group = entries[count].key_group;
        count += key_group >= restore->range.first && key_group <= restore->range.last;
    }
    return count;
}

static enum status restore_entries(const struct part_restore *restore,
                                   struct snapshot_reader *reader,
                                   const struct state_binding *bindings)
{
    struct snapshot_entry entries[PART_RESTORE_BATCH];
    uint32_t count;
    while ((count = read_batch(restore, reader, entries)) > 0) {
        enum status status =
            restore->on_entries(restore->backend, reader->follows == 0, entries, count, bindings);
        if (status != STATUS_OK) {
            return status;
        }
    }
    CHECK(reader->ended);
    return reader->status;
}

static enum status restore_part(struct part_restore *restore, struct bytes part)
{
    struct arena *arena = restore->states->arena;
    struct snapshot_reader reader;
    snapshot_reader_init(&reader, part);
    if (reader.status != STATUS_OK) {
        return reader.status;
    }
    if (reader.follows != restore->restored.last_part) {
        return STATUS_CORRUPT; /* another one is missing between the two */
    }
    struct state_binding *bindings = arena_alloc(arena, reader.state_count, sizeof *bindings);
    enum status status = state_table_bind(restore->states, &reader, bindings);
    /* Some may be new even so. */
    enum status opened = restore->on_states(restore->backend, &reader);
    status = status != STATUS_OK ? status : opened;
    if (status == STATUS_OK) {
        status = restore_entries(restore, &reader, bindings);
    }
    state_bindings_free(restore->states, &reader, bindings);
    arena_free(arena, bindings);
    restore->restored.last_part = reader.id;
    restore->restored.part_count++;
    restore->restored.entry_count += reader.entries_read;
    return status;
}

enum status part_restore_all(struct part_restore *restore, const struct bytes *parts,
                             uint32_t part_count)
{
    CHECK(restore->restored.part_count == 0);
    enum status status = part_count > 0 ? STATUS_OK : STATUS_CORRUPT;
    for (uint32_t i = 0; i < part_count && status == STATUS_OK; i++) {
        status = restore_part(restore, parts[i]);
    }
    return status;
}
