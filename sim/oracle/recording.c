#include "sim/oracle/recording.h"

#include "model/base/check.h"
#include "sim/oracle/job_reference.h"

void recording_init(struct recording *recording, struct arena *arena)
{
    *recording = (struct recording){ 0 };
    fold_table_init(&recording->lines, arena);
    fold_table_init(&recording->state, arena);
}

static const char *table_difference(struct arena *arena, const struct fold_table *one,
                                    const struct fold_table *other)
{
    for (size_t i = 0; i < one->count; i++) {
        const struct fold_entry *entry = &one->entries[i];
        struct bytes key = fold_entry_key(entry);
        const struct fold_entry *found = fold_table_find(other, key);
        int64_t count = found == NULL ? 0 : found->folded[0];
        if (entry->folded[0] != count) {
            return arena_format(arena, "\"%.*s\" comes %lld times in one and %lld times in another",
                                (int)key.size, (const char *)key.data,
                                (long long)entry->folded[0], (long long)count);
        }
    }
    return NULL;
}

const char *recording_difference(struct arena *arena, const struct recording *first,
                                 const struct recording *second)
{
    const char *difference = table_difference(arena, &first->lines, &second->lines);
    difference =
        difference != NULL ? difference : table_difference(arena, &second->lines, &first->lines);
    difference =
        difference != NULL ? difference : table_difference(arena, &first->state, &second->state);
    return difference != NULL ? difference : table_difference(arena, &second->state, &first->state);
}

/* What a library takes for a record, it alone knows: none is bad. */
static bool recorded_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    return record.data != NULL || record.size == 0;
}

static void recorded_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    struct recording *recording = fold->recording;
    struct buffer text;
    buffer_init(&text, fold->arena);
    if (*judge->sink != '\0') {
        buffer_append_format(&text, "%s: ", judge->sink);
    }
    buffer_append(&text, line);
    if (!recording->is_done) {
        known_lines_expect(&recording->lines, buffer_bytes(&text));
    } else if (recording->failure == NULL && !judge->may_exceed) {
        known_lines_line(judge, &recording->lines, buffer_bytes(&text));
    }
    buffer_free(&text);
}

static void recorded_end(struct job_fold *fold, struct line_judge *judge)
{
    const struct recording *recording = fold->recording;
    if (recording->is_done && recording->failure == NULL && !judge->may_exceed) {
        known_lines_end(judge, &recording->lines);
    }
}

static struct fold_table *recorded_state(struct job_fold *fold)
{
    struct recording *recording = fold->recording;
    return recording->is_done && recording->failure == NULL ? &recording->state : NULL;
}

const struct job_reference recorded_reference = {
    .job = "",
    .fold = recorded_fold,
    .line = recorded_line,
    .end = recorded_end,
    .final_state = recorded_state,
};
