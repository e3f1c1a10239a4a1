/* Property 3: each completed checkpoint is a consistent cut. Its state equals the fold over exactly
 * the records before its source positions (at least once: no count is below the fold's). It is the
 * strongest of the properties, and it names the first bad checkpoint rather than a bad result.
 *
 * One running fold is advanced from checkpoint to checkpoint. Only after a restore of an older
 * checkpoint may positions go back; then the fold starts again.
 *
 * A subtask that has finished gives its state no more: that is what it was when it was last given.
 * A restore of such a checkpoint does not bring it back, and need not (Flink's FLIP-147): whoever
 * gets these key groups, at another parallelism, has nothing in them; nothing comes for them. So it
 * may finish only when a checkpoint has completed before which all records lie: those behind would
 * come for nobody, and the last checkpoint of the job would be without its state. */
#include "sim/oracle/judge.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/state/key_group.h"
#include "sim/oracle/differences.h"

/* An item of the operator state "splits": split u32, position, records, bad records u64 each. */
enum { SPLIT_BYTES = 28 };

enum { ENTRIES_AHEAD = 16 };

struct cut {
    struct oracle *oracle;
    uint64_t id;
    uint64_t entries;  /* of the state, each key once */
    bool is_layered;   /* some state has several parts: compared when all are read */
    bool any_unstated; /* of some key group no state is given */
    struct differences differences;
};

static void report_subtask(struct cut *cut, const struct checkpoint_subtask *subtask,
                           const char *what)
{
    CHECK(what != NULL);
    judge_report(cut->oracle, PROPERTY_CONSISTENT_CUT, "checkpoint %llu: %s[%u]: %s",
                 (unsigned long long)cut->id, judge_vertex_name(cut->oracle, subtask->vertex),
                 subtask->subtask, what);
}

/* Notes where one split stands; NULL, or what is wrong. */
static const char *note_split(struct cut *cut, struct bytes item)
{
    if (item.size != SPLIT_BYTES || load_u32(item.data) >= cut->oracle->reference.split_count) {
        return "its source positions cannot be read";
    }
    struct source_position *position = &cut->oracle->cut.positions[load_u32(item.data)];
    if (position->known) {
        return "it reads a split that another subtask reads";
    }
    *position = (struct source_position){ .known = true,
                                          .position = load_u64(item.data + 4),
                                          .records = load_u64(item.data + 12),
                                          .bad = load_u64(item.data + 20) };
    return NULL;
}

/* Where the splits of a source subtask stand; false if that cannot be. */
static bool read_splits(struct cut *cut, const struct checkpoint_subtask *subtask)
{
    struct bytes state;
    struct bytes key;
    struct bytes item;
    struct list_reader reader;
    const char *error = NULL;
    if (subtask->state.finished) {
        return true;
    }
    if (!checkpoint_operator_state(subtask->state.operators, JUDGE_SOURCE_OPERATOR, &state) ||
        !list_reader_open(&reader, state, bytes_of_text("splits"))) {
        error = "its source positions cannot be read";
    }
    while (error == NULL && list_reader_next(&reader, &key, &item)) {
        error = note_split(cut, item);
    }
    if (error != NULL) {
        report_subtask(cut, subtask, error);
    }
    return error == NULL;
}

/* A split that nobody has was read to its end, by somebody who finished then. */
static void finish_splits(struct oracle *oracle)
{
    for (uint32_t i = 0; i < oracle->reference.split_count; i++) {
        struct source_position *position = &oracle->cut.positions[i];
        if (!position->known) {
            *position = (struct source_position){ .known = true, .finished = true };
        }
    }
}

/* Is the checkpoint of the parallelism that its attempt has? */
static bool is_right_parallelism(const struct oracle *oracle,
                                 const struct checkpoint_reader *reader, uint32_t parallelism)
{
    if (parallelism > oracle->parallelism.most ||
        reader->max_parallelism > oracle->cut.key_groups) {
        return false;
    }
    return reader->attempt != oracle->deployed_attempt ||
           (parallelism == oracle->parallelism.deployed &&
            reader->max_parallelism == oracle->parallelism.deployed_max);
}

/* Reads where the sources stood; false if the manifest is not that of this job. The reader is a
 * copy: the caller reads on from the first subtask. */
static bool read_positions(struct cut *cut, struct checkpoint_reader reader)
{
    struct oracle *oracle = cut->oracle;
    const struct job_config *job = &oracle->scenario->job;
    struct checkpoint_subtask subtask;
    bool is_right = reader.checkpoint == cut->id &&
                    reader.vertex_count == oracle->pipeline.vertex_count &&
                    bytes_equal(reader.job, bytes_of_text(job->job));
    bool is_readable = true;
    oracle->cut.max_parallelism = reader.max_parallelism;
    memset(oracle->cut.positions, 0, oracle->reference.split_count * sizeof *oracle->cut.positions);
    while (is_right && checkpoint_reader_next(&reader, &subtask)) {
        is_right = is_right_parallelism(oracle, &reader, subtask.parallelism);
        cut->is_layered = cut->is_layered || subtask.state.keyed.part_count > 1;
        if (is_right && subtask.vertex == JUDGE_VERTEX_SOURCE) {
            is_readable = read_splits(cut, &subtask) && is_readable;
        }
    }
    finish_splits(oracle);
    if (!is_right) {
        judge_report(cut->oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu: its manifest does not describe this checkpoint of this job",
                     (unsigned long long)cut->id);
        return false;
    }
    return is_readable;
}

static const char *answer_text(enum reference_answer answer)
{
    CHECK(answer != REFERENCE_OK);
    return answer == REFERENCE_BACKWARDS ? "lies before that of an earlier checkpoint"
           : answer == REFERENCE_OUTSIDE ? "lies outside its split"
                                         : "lies inside a record";
}

/* Has any source gone back behind the fold? */
static bool has_gone_back(const struct oracle *oracle)
{
    CHECK(oracle->cut.positions != NULL);
    for (uint32_t i = 0; i < oracle->reference.split_count; i++) {
        const struct source_position *position = &oracle->cut.positions[i];
        if (position->known && !position->finished &&
            reference_is_past(&oracle->reference, i, position->position)) {
            return true;
        }
    }
    return false;
}

/* Advances the fold of one split; false if that is impossible, and reported. */
static bool advance_split(struct cut *cut, uint32_t index)
{
    CHECK(index < cut->oracle->reference.split_count);
    struct oracle *oracle = cut->oracle;
    const struct source_position *position = &oracle->cut.positions[index];
    const struct reference_split *split = &oracle->reference.splits[index];
    unsigned long long id = cut->id;
    CHECK(position->known);
    if (position->finished) {
        reference_advance_to_end(&oracle->reference, index);
        return true;
    }
    enum reference_answer answer = reference_advance(&oracle->reference, index, position->position);
    if (answer != REFERENCE_OK) {
        judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu: split %u: its position %llu %s", id, index,
                     (unsigned long long)position->position, answer_text(answer));
        return false;
    }
    /* A source counts the bad records it handed on; the map behind it left them out. */
    if (position->records != split->records + split->bad || position->bad != split->bad) {
        judge_report(
            oracle, PROPERTY_CONSISTENT_CUT,
            "checkpoint %llu: split %u counts %llu records with %llu bad ones before "
            "its position; the input has %llu with %llu",
            id, index, (unsigned long long)position->records, (unsigned long long)position->bad,
            (unsigned long long)(split->records + split->bad), (unsigned long long)split->bad);
    }
    if (split->bad > 0 && !oracle->scenario->job.input.skip_bad_records) {
        judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu: the source of split %u went past a bad record, which must "
                     "fail the job",
                     id, index);
    }
    return true;
}

static bool advance_fold(struct cut *cut)
{
    struct oracle *oracle = cut->oracle;
    bool is_right = true;
    if (has_gone_back(oracle)) {
        if (!oracle->went_back) {
            judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                         "checkpoint %llu: its source positions lie before those of checkpoint "
                         "%llu, though no older one was restored",
                         (unsigned long long)cut->id,
                         (unsigned long long)oracle->cut.last_verified);
        }
        reference_rewind(&oracle->reference);
    }
    for (uint32_t i = 0; i < oracle->reference.split_count; i++) {
        is_right = advance_split(cut, i) && is_right;
    }
    if (!is_right) {
        reference_rewind(&oracle->reference); /* the next one starts from a sound fold */
    }
    return is_right;
}

/* ---- the state ------------------------------------------------------------------------------- */

static bool agrees(const struct oracle *oracle, int64_t expected, int64_t found)
{
    CHECK(expected >= 0);
    return oracle->scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE ? found >= expected
                                                                       : found == expected;
}

static inline void compare_entry(struct cut *cut, const struct key_entry *entry)
{
    if (entry->folded != entry->state && !agrees(cut->oracle, entry->folded, entry->state)) {
        differences_add(&cut->differences, entry->key, entry->folded, entry->state);
    }
}

/* Applies one entry or removal of a part; NULL, or why it cannot be. */
static const char *apply_entry(struct cut *cut, const struct count_entry *found, bool is_first)
{
    struct key_entry *entry = key_table_at(&cut->oracle->reference.table, found->key);
    uint32_t mark = cut->oracle->cut.mark;
    bool is_known = entry->mark == mark;
    if (found->removed) {
        entry->mark = is_known ? mark - 1 : entry->mark;
        cut->entries -= is_known;
        return NULL;
    }
    if (is_known && is_first) {
        return "it holds a key for the second time";
    }
    entry->mark = mark;
    entry->state = found->count;
    cut->entries += !is_known;
    if (!cut->is_layered) {
        compare_entry(cut, entry);
    }
    return NULL;
}

/* Reads the next few entries before the first of them is looked up; fewer than ENTRIES_AHEAD: there
 * are no more. */
static size_t read_entries(const struct cut *cut, struct counts_reader *reader,
                           struct count_entry found[ENTRIES_AHEAD])
{
    size_t count = 0;
    while (count < ENTRIES_AHEAD && counts_reader_next(reader, &found[count])) {
        key_table_prefetch(&cut->oracle->reference.table, found[count].key);
        count++;
    }
    return count;
}

/* Applies a part of one subtask's state, which comes behind the part `*last`; stops at the first
 * entry that cannot be. */
static void apply_part(struct cut *cut, const struct checkpoint_subtask *subtask,
                       struct bytes part, uint64_t *last)
{
    struct key_group_range range = key_group_range_of(
        subtask->subtask, cut->oracle->cut.max_parallelism, subtask->parallelism);
    CHECK(range.first <= range.last);
    struct counts_reader reader;
    struct count_entry found[ENTRIES_AHEAD];
    const char *error = NULL;
    if (counts_reader_open(&reader, part, JUDGE_COUNT_STATE) &&
        (reader.follows != *last || reader.id <= *last || reader.id > cut->id)) {
        reader.error = "its parts do not follow one another";
        reader.ended = true;
    }
    for (size_t count = ENTRIES_AHEAD; error == NULL && count == ENTRIES_AHEAD;) {
        count = read_entries(cut, &reader, found);
        for (size_t i = 0; i < count && error == NULL; i++) {
            bool is_ours = found[i].key_group >= range.first && found[i].key_group <= range.last;
            error = is_ours ? apply_entry(cut, &found[i], reader.follows == 0)
                            : "it holds a key group of another subtask";
        }
    }
    error = error != NULL ? error : reader.error;
    if (error != NULL) {
        report_subtask(cut, subtask, error);
    }
    *last = reader.id;
}

static void read_subtask(struct cut *cut, const struct checkpoint_subtask *subtask)
{
    CHECK(subtask->subtask < cut->oracle->parallelism.most);
    struct part_reader reader;
    struct state_handle part;
    uint64_t last = 0;
    part_reader_open(&reader, subtask);
    while (part_reader_next(&reader, &part)) {
        apply_part(cut, subtask, judge_part_content(cut->oracle, &part), &last);
    }
}

/* Compares what all parts together say. */
static void compare_layered(struct cut *cut)
{
    const struct key_table *table = &cut->oracle->reference.table;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct key_entry *entry = &table->entries[i];
        if (entry->used && entry->mark == cut->oracle->cut.mark) {
            compare_entry(cut, entry);
        }
    }
}

/* Keys that the state does not hold. Differences are shown by rising key, so the order of the table
 * has no effect. */
static void compare_unmet(struct cut *cut)
{
    struct oracle *oracle = cut->oracle;
    struct key_table *table = &oracle->reference.table;
    for (size_t i = 0; i < table->capacity; i++) {
        struct key_entry *entry = &table->entries[i];
        if (!entry->used || entry->mark == oracle->cut.mark) {
            continue;
        }
        bool is_unstated = cut->any_unstated &&
                           judge_is_unstated(oracle, JUDGE_VERTEX_COUNT, key_hash_i64(entry->key));
        if (is_unstated && oracle->cut.unread_since) {
            continue; /* it gave its state in a checkpoint that a fault destroyed */
        }
        if (!is_unstated) {
            entry->state = 0;
        }
        if (!agrees(oracle, entry->folded, entry->state)) {
            differences_add(&cut->differences, entry->key, entry->folded, entry->state);
        }
    }
    CHECK(cut->entries <= table->count);
}

/* The state of the count job. */
static void verify_counts(struct cut *cut, struct checkpoint_reader reader)
{
    struct oracle *oracle = cut->oracle;
    struct checkpoint_subtask subtask;
    oracle->cut.mark++;
    while (checkpoint_reader_next(&reader, &subtask)) {
        if (subtask.vertex == JUDGE_VERTEX_COUNT) {
            read_subtask(cut, &subtask);
        }
    }
    CHECK(reader.error == NULL);
    if (cut->is_layered) {
        compare_layered(cut);
    }
    if (cut->entries != oracle->reference.table.count) {
        compare_unmet(cut);
    }
    if (cut->differences.count > 0) {
        judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu is no consistent cut: against a fold over the records before "
                     "its source positions, %s",
                     (unsigned long long)cut->id,
                     differences_text(&cut->differences, oracle->arena));
    }
    CHECK(cut->entries <= oracle->reference.table.count);
    oracle->totals.state_entries_compared += cut->entries;
}

/* ---- what is not given any more -------------------------------------------------------------- */

#define FINISHED_BEFORE UINT32_MAX /* its subtask had finished before the job was rescaled */

static size_t unstated_size(const struct oracle *oracle)
{
    return (size_t)oracle->pipeline.vertex_count * oracle->cut.key_groups;
}

void property_consistent_cut_init(struct oracle *oracle)
{
    const struct scenario *scenario = oracle->scenario;
    struct cut_memory *cut = &oracle->cut;
    cut->key_groups = scenario->job.max_parallelism;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        if (scenario->faults[i].max_parallelism > cut->key_groups) {
            cut->key_groups = scenario->faults[i].max_parallelism;
        }
    }
    cut->positions =
        arena_alloc(oracle->arena, oracle->reference.split_count, sizeof *cut->positions);
    cut->unstated = arena_alloc(oracle->arena, unstated_size(oracle), sizeof *cut->unstated);
}

bool judge_is_unstated(const struct oracle *oracle, uint32_t vertex, int32_t hash)
{
    const struct cut_memory *cut = &oracle->cut;
    CHECK(vertex < oracle->pipeline.vertex_count);
    const uint32_t *groups = cut->unstated + (size_t)vertex * cut->key_groups;
    return groups[key_group_of(hash, cut->max_parallelism)] != 0;
}

void property_consistent_cut_on_chosen(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_RESTORE_CHOSEN);
    const struct checkpoint_record *record =
        checkpoint_history_find(&oracle->history, fact->checkpoint);
    oracle->cut.restored = record == NULL ? NULL : record->unstated;
}

void property_consistent_cut_on_finished(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_TASK_FINISHED);
    uint64_t newest = checkpoint_history_newest(&oracle->history);
    bool is_known = newest != 0 && oracle->cut.last_verified == newest;
    /* Only what is keyed hears from every subtask before it, and so waits for all sources. */
    if (!oracle->pipeline.vertices[fact->vertex].keyed ||
        fact->attempt != oracle->deployed_attempt || !is_known || judge_is_at_end(oracle)) {
        return;
    }
    judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                 "%s[%u] finished with checkpoint %llu, before whose barriers the sources had not "
                 "read their whole input",
                 judge_vertex_name(oracle, fact->vertex), fact->subtask,
                 (unsigned long long)newest);
}

/* At the parallelism at which it finished a subtask stays finished, and says so again itself; at
 * another its key groups belong to somebody who has nothing in them, for good. */
static void carry_unstated(struct cut *cut, const struct checkpoint_subtask *subtask)
{
    struct cut_memory *memory = &cut->oracle->cut;
    size_t first = (size_t)subtask->vertex * memory->key_groups;
    for (size_t i = first; i < first + memory->key_groups; i++) {
        uint32_t finished_at = memory->restored[i];
        if (finished_at != 0 && finished_at != subtask->parallelism) {
            memory->unstated[i] = FINISHED_BEFORE;
            cut->any_unstated = true;
        }
    }
}

/* Notes of which key groups the checkpoint gives no state. The reader is a copy. */
static void note_unstated(struct cut *cut, struct checkpoint_reader reader)
{
    struct cut_memory *memory = &cut->oracle->cut;
    struct checkpoint_subtask subtask;
    size_t size = unstated_size(cut->oracle) * sizeof *memory->unstated;
    memset(memory->unstated, 0, size);
    while (checkpoint_reader_next(&reader, &subtask)) {
        if (memory->restored != NULL && subtask.subtask == 0) {
            carry_unstated(cut, &subtask);
        }
        if (!cut->oracle->pipeline.vertices[subtask.vertex].keyed || !subtask.state.finished ||
            subtask.state.keyed.part_count > 0) {
            continue;
        }
        struct key_group_range range =
            key_group_range_of(subtask.subtask, memory->max_parallelism, subtask.parallelism);
        uint32_t *groups = memory->unstated + (size_t)subtask.vertex * memory->key_groups;
        for (uint32_t group = range.first; group <= range.last; group++) {
            groups[group] = subtask.parallelism;
        }
        cut->any_unstated = true;
    }
}

/* The checkpoint is verified: whoever restores it restores that, too. */
static void keep_unstated(const struct cut *cut)
{
    struct oracle *oracle = cut->oracle;
    if (cut->any_unstated) {
        size_t size = unstated_size(oracle);
        uint32_t *kept = arena_alloc(oracle->arena, size, sizeof *kept);
        memcpy(kept, oracle->cut.unstated, size * sizeof *kept);
        checkpoint_history_at(&oracle->history, cut->id)->unstated = kept;
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

void property_consistent_cut_verify(struct oracle *oracle, uint64_t id)
{
    struct cut cut = { .oracle = oracle, .id = id };
    struct bytes manifest;
    char path[JUDGE_PATH_SIZE];
    judge_manifest_path(path, id);
    bool is_there = stored_peek(&oracle->stored, path, &manifest);
    CHECK(is_there);
    struct checkpoint_reader reader;
    bool is_open = checkpoint_reader_reopen(&reader, manifest); /* it was found readable */
    CHECK(is_open);
    if (!read_positions(&cut, reader) || !advance_fold(&cut)) {
        return;
    }
    note_unstated(&cut, reader);
    if (oracle->reference.fold != NULL) {
        property_states_verify(oracle, id, reader);
        property_operator_state_verify(oracle, id, reader);
    } else {
        verify_counts(&cut, reader);
    }
    keep_unstated(&cut);
    oracle->cut.last_verified = id;
    /* A state that finished subtasks gave in an unreadable checkpoint stays unknown. */
    oracle->cut.unread_since = oracle->cut.unread_since && cut.any_unstated;
    oracle->totals.checkpoints_verified++;
}
