/* Properties 1 and 3 for the states of jobs that have a reference of their own: where it has a
 * state rule (job_reference.h), what a checkpoint holds equals the fold up to the source positions;
 * of any other state only the form is verified: names, key groups, counts, and that its parts
 * follow one another.
 *
 * Each table of the fold belongs to one rule at most, so that its entries can remember what was
 * found of them. */
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/state/key_group.h"
#include "sim/oracle/entries_reader.h"
#include "sim/oracle/judge.h"

enum { SHOWN = 5 };

struct states_cut {
    struct oracle *oracle;
    struct job_fold *fold;
    uint64_t id;
    bool is_broken;   /* some part cannot be read */
    uint64_t entries; /* of states with a rule, each key once */
    uint64_t differences;
    struct buffer text; /* of the first few */
};

/* ---- reading --------------------------------------------------------------------------------- */

static const struct state_rule *rule_of(const struct states_cut *cut, uint32_t vertex,
                                        struct bytes name)
{
    const struct job_reference *job = cut->fold->job;
    const char *vertex_name = judge_vertex_name(cut->oracle, vertex);
    for (uint32_t i = 0; i < job->rule_count; i++) {
        if (strcmp(job->rules[i].vertex, vertex_name) == 0 &&
            bytes_equal(name, bytes_of_text(job->rules[i].state))) {
            return &job->rules[i];
        }
    }
    return NULL;
}

/* Notes one entry or removal; NULL, or why it cannot be. */
static const char *note_entry(struct states_cut *cut, const struct state_rule *rule,
                              const struct state_entry *found, bool is_first)
{
    if (!rule->text_keys && found->key.size != sizeof(int64_t) &&
        found->key.size != 2 * sizeof(int64_t)) {
        return "the state holds a key that is no 64-bit integer";
    }
    struct fold_entry *entry = fold_table_at(&cut->fold->tables[rule->table], found->key);
    uint32_t mark = cut->oracle->cut.mark;
    bool is_known = entry->mark == mark && entry->in_state;
    entry->mark = mark;
    entry->in_state = !found->removed;
    if (found->removed) {
        cut->entries -= is_known;
        return NULL;
    }
    if (is_known && is_first) {
        return "it holds a key for the second time";
    }
    cut->entries += !is_known;
    if (rule->count > 0 &&
        (found->appended || found->value.size != rule->count * sizeof(int64_t))) {
        return "the state holds a value of another size";
    }
    for (uint32_t i = 0; i < rule->count; i++) {
        entry->state[rule->first + i] = (int64_t)load_u64(found->value.data + i * sizeof(int64_t));
    }
    return NULL;
}

/* A part of a subtask's state under way. */
struct part_reading {
    struct entries_reader reader;
    struct key_group_range range; /* of the subtask */
    uint32_t vertex;
    uint32_t state;                /* of the entry before; UINT32_MAX: none */
    const struct state_rule *rule; /* of that state */
};

/* The rule of the entry's state, which is mostly that of the one before. */
static const struct state_rule *rule_of_entry(const struct states_cut *cut,
                                              struct part_reading *part,
                                              const struct state_entry *entry)
{
    if (entry->state != part->state) {
        part->state = entry->state;
        part->rule = rule_of(cut, part->vertex, entries_reader_name(&part->reader, entry->state));
    }
    return part->rule;
}

/* A hint that the entries will be noted next: those of the state of the first, which most are. */
static void foresee(const struct states_cut *cut, struct part_reading *part,
                    const struct state_entry *entries, size_t count)
{
    struct bytes keys[FOLD_BATCH];
    size_t key_count = 0;
    const struct state_rule *rule = count == 0 ? NULL : rule_of_entry(cut, part, &entries[0]);
    if (rule != NULL) {
        for (size_t i = 0; i < count; i++) {
            if (entries[i].state == entries[0].state) {
                keys[key_count++] = entries[i].key;
            }
        }
        fold_table_foresee(&cut->fold->tables[rule->table], keys, key_count);
    }
}

/* Reads the next few entries, and says how many; fewer than FOLD_BATCH: there are no more. */
static const char *read_entries(struct states_cut *cut, struct part_reading *part, size_t *count)
{
    struct state_entry entries[FOLD_BATCH];
    *count = 0;
    while (*count < FOLD_BATCH && entries_reader_next(&part->reader, &entries[*count])) {
        ++*count;
    }
    foresee(cut, part, entries, *count);
    for (size_t i = 0; i < *count; i++) {
        const struct state_rule *rule = rule_of_entry(cut, part, &entries[i]);
        const char *error = NULL;
        if (entries[i].key_group < part->range.first || entries[i].key_group > part->range.last) {
            error = "it holds a key group of another subtask";
        } else if (rule != NULL) {
            error = note_entry(cut, rule, &entries[i], part->reader.follows == 0);
        }
        if (error != NULL) {
            return error;
        }
    }
    return NULL;
}

/* Reads a part of one subtask's state, which comes behind the part `*last`. */
static const char *read_part(struct states_cut *cut, const struct checkpoint_subtask *subtask,
                             struct bytes part, uint64_t *last)
{
    struct part_reading reading = { .vertex = subtask->vertex, .state = UINT32_MAX };
    reading.range = key_group_range_of(subtask->subtask, cut->oracle->cut.max_parallelism,
                                       subtask->parallelism);
    const struct entries_reader *reader = &reading.reader;
    if (entries_reader_open(&reading.reader, part) &&
        (reader->follows != *last || reader->id <= *last || reader->id > cut->id)) {
        return "its parts do not follow one another";
    }
    *last = reader->id;
    const char *error = NULL;
    size_t count = FOLD_BATCH;
    while (error == NULL && count == FOLD_BATCH) {
        error = read_entries(cut, &reading, &count);
    }
    return error != NULL ? error : reader->error;
}

static void read_subtask(struct states_cut *cut, const struct checkpoint_subtask *subtask)
{
    struct oracle *oracle = cut->oracle;
    struct part_reader reader;
    struct state_handle part;
    uint64_t last = 0;
    const char *error = NULL;
    part_reader_open(&reader, subtask);
    while (error == NULL && part_reader_next(&reader, &part)) {
        error = read_part(cut, subtask, judge_part_content(oracle, &part), &last);
    }
    cut->is_broken = cut->is_broken || error != NULL;
    if (error != NULL) {
        judge_report(oracle, PROPERTY_CONSISTENT_CUT, "checkpoint %llu: %s[%u]: %s",
                     (unsigned long long)cut->id, judge_vertex_name(oracle, subtask->vertex),
                     subtask->subtask, error);
    }
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void append_numbers(struct buffer *out, const struct state_rule *rule, bool is_there,
                           const int64_t *numbers)
{
    if (!is_there) {
        buffer_append_text(out, " nothing");
        return;
    }
    buffer_append_text(out, rule->count == 0 ? " it" : "");
    for (uint32_t i = 0; i < rule->count; i++) {
        buffer_append_format(out, " %lld", (long long)numbers[rule->first + i]);
    }
}

static void append_key(struct buffer *out, const struct state_rule *rule, struct bytes key)
{
    if (rule->text_keys) {
        buffer_append(out, key);
        return;
    }
    for (size_t at = 0; at + sizeof(int64_t) <= key.size; at += sizeof(int64_t)) {
        buffer_append_format(out, "%s%lld", at > 0 ? "/" : "", (long long)load_u64(key.data + at));
    }
}

static bool agrees(const struct oracle *oracle, const struct state_rule *rule,
                   const struct fold_entry *entry)
{
    bool is_expected = entry->folded[0] > 0;
    bool at_least_once = oracle->scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE;
    if (at_least_once) {
        return !is_expected || rule->covers == NULL ||
               (entry->in_state && rule->covers(entry->folded, entry->state));
    }
    return is_expected == entry->in_state &&
           (!is_expected || memcmp(entry->folded + rule->first, entry->state + rule->first,
                                   rule->count * sizeof *entry->folded) == 0);
}

static void compare_entry(struct states_cut *cut, const struct state_rule *rule,
                          const struct fold_entry *entry)
{
    if (agrees(cut->oracle, rule, entry) || cut->differences++ >= SHOWN) {
        return;
    }
    struct buffer *out = &cut->text;
    buffer_append_format(out, "; %s of key ", rule->state);
    append_key(out, rule, fold_entry_key(entry));
    buffer_append_text(out, ": expected");
    append_numbers(out, rule, entry->folded[0] > 0, entry->folded);
    buffer_append_text(out, ", found");
    append_numbers(out, rule, entry->in_state, entry->state);
}

/* Has the subtask of the rule's vertex that owns the key finished, its state not given any more? */
static bool is_owner_unstated(const struct oracle *oracle, const struct state_rule *rule,
                              struct bytes key)
{
    int32_t vertex = pipeline_find_vertex(&oracle->pipeline, bytes_of_text(rule->vertex));
    CHECK(vertex >= 0);
    int32_t hash = rule->text_keys ? key_hash_text(key) : key_hash_i64((int64_t)load_u64(key.data));
    return judge_is_unstated(oracle, (uint32_t)vertex, hash);
}

/* A finished subtask's state is what it was when it last gave one. */
static void compare_rule(struct states_cut *cut, const struct state_rule *rule)
{
    struct oracle *oracle = cut->oracle;
    struct fold_table *table = &cut->fold->tables[rule->table];
    for (size_t i = 0; i < table->count; i++) {
        struct fold_entry *entry = &table->entries[i];
        if (entry->mark != oracle->cut.mark) {
            bool is_unstated = is_owner_unstated(oracle, rule, fold_entry_key(entry));
            if (is_unstated && oracle->cut.unread_since) {
                continue; /* it gave its state in a checkpoint that a fault destroyed */
            }
            entry->in_state = entry->in_state && is_unstated;
        }
        compare_entry(cut, rule, entry);
    }
}

static void report(struct states_cut *cut, enum property property, const char *what)
{
    if (cut->differences > 0) {
        *buffer_extend(&cut->text, 1) = '\0';
        judge_report(cut->oracle, property, "checkpoint %llu %s: %llu differ%s",
                     (unsigned long long)cut->id, what, (unsigned long long)cut->differences,
                     (const char *)cut->text.data);
    }
    buffer_free(&cut->text);
}

void property_states_verify(struct oracle *oracle, uint64_t id, struct checkpoint_reader reader)
{
    struct states_cut cut = { .oracle = oracle, .fold = oracle->reference.fold, .id = id };
    buffer_init(&cut.text, oracle->arena);
    oracle->cut.mark++;
    const struct checkpoint_reader first = reader;
    struct checkpoint_subtask subtask;
    while (checkpoint_reader_next(&reader, &subtask)) {
        if (oracle->pipeline.vertices[subtask.vertex].keyed) {
            read_subtask(&cut, &subtask);
        }
    }
    CHECK(reader.error == NULL);
    for (uint32_t i = 0; i < cut.fold->job->rule_count; i++) {
        compare_rule(&cut, &cut.fold->job->rules[i]);
    }
    report(&cut, PROPERTY_CONSISTENT_CUT,
           "is no consistent cut: against a fold over the records before its source positions");
    oracle->totals.state_entries_compared += cut.entries;
    if (!cut.is_broken) {
        property_final_state_note(oracle, first);
    }
}

void property_states_on_end(struct oracle *oracle)
{
    struct states_cut cut = { .oracle = oracle,
                              .fold = oracle->reference.fold,
                              .id = oracle->cut.last_verified };
    buffer_init(&cut.text, oracle->arena);
    for (uint32_t i = 0; i < cut.fold->job->rule_count; i++) {
        const struct state_rule *rule = &cut.fold->job->rules[i];
        const struct fold_table *table = &cut.fold->tables[rule->table];
        for (size_t k = 0; k < table->count; k++) {
            compare_entry(&cut, rule, &table->entries[k]);
        }
    }
    report(&cut, PROPERTY_STATE, "holds a final state that is not the reference");
    property_final_state_on_end(oracle);
}

/* ---- for a person ---------------------------------------------------------------------------- */

static void append_lines(void *context, const struct bytes *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append(context, lines[i]);
        buffer_append_text(context, "\n");
    }
}

void property_states_collect(const struct oracle *oracle, struct buffer *out)
{
    const struct job_fold *fold = oracle->reference.fold;
    for (uint32_t i = 0; i < fold->job->rule_count; i++) {
        const struct state_rule *rule = &fold->job->rules[i];
        const struct fold_table *table = &fold->tables[rule->table];
        for (size_t k = 0; k < table->count; k++) {
            const struct fold_entry *entry = &table->entries[k];
            if (!entry->in_state) {
                continue;
            }
            append_key(out, rule, fold_entry_key(entry));
            for (uint32_t n = 0; n < rule->count; n++) {
                buffer_append_format(out, "\t%lld", (long long)entry->state[rule->first + n]);
            }
            buffer_append_text(out, "\n");
        }
    }
    if (fold->job->rule_count == 0) {
        property_final_state_each(oracle, append_lines, out);
    }
}
