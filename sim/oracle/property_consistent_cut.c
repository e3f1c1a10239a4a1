/* Property 3: each completed checkpoint is a consistent cut. Its state equals the fold over exactly
 * the records before its source positions (at least once: no count is below the fold's). It is the
 * strongest of the properties, and it names the first bad checkpoint rather than a bad result.
 *
 * One running fold is advanced from checkpoint to checkpoint. Only after a restore of an older
 * checkpoint may positions go back; then the fold starts again. */
#include "sim/oracle/judge.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/state/key_group.h"
#include "sim/oracle/differences.h"

enum { SOURCE_STATE_BYTES = 24 }; /* position, records, bad records: u64 each */

struct cut {
    struct oracle *oracle;
    uint64_t id;
    uint64_t entries;  /* of the state, each key once */
    bool any_unstated; /* a count subtask had finished and gave no state */
    struct differences differences;
};

static void report_subtask(struct cut *cut, const struct checkpoint_subtask *subtask,
                           const char *what)
{
    CHECK(what != NULL);
    judge_report(cut->oracle, PROPERTY_CONSISTENT_CUT, "checkpoint %llu: %s[%u]: %s",
                 (unsigned long long)cut->id, judge_vertex_name(subtask->vertex), subtask->subtask,
                 what);
}

static void read_position(struct cut *cut, const struct checkpoint_subtask *subtask)
{
    struct source_position *position = &cut->oracle->cut.positions[subtask->subtask];
    *position = (struct source_position){ .finished = subtask->state.finished };
    if (position->finished) {
        position->known = true;
        return;
    }
    struct bytes state;
    if (!checkpoint_operator_state(subtask->state.operators, JUDGE_SOURCE_OPERATOR, &state) ||
        state.size != SOURCE_STATE_BYTES) {
        report_subtask(cut, subtask, "its source position cannot be read");
        return;
    }
    CHECK(state.data != NULL);
    position->known = true;
    position->position = load_u64(state.data);
    position->records = load_u64(state.data + 8);
    position->bad = load_u64(state.data + 16);
}

/* Reads where the sources stood; false if the manifest is not that of this job. */
static bool read_positions(struct cut *cut, struct bytes manifest)
{
    const struct job_config *job = &cut->oracle->scenario->job;
    struct checkpoint_reader reader;
    struct checkpoint_subtask subtask;
    bool is_open = checkpoint_reader_open(&reader, manifest);
    CHECK(is_open);
    bool is_right = reader.checkpoint == cut->id && reader.vertex_count == JUDGE_VERTICES &&
                    reader.max_parallelism == job->max_parallelism &&
                    bytes_equal(reader.job, bytes_of_text(job->job));
    uint64_t subtasks = 0;
    while (is_right && checkpoint_reader_next(&reader, &subtask)) {
        subtasks++;
        is_right = subtask.parallelism == job->parallelism;
        if (is_right && subtask.vertex == JUDGE_VERTEX_SOURCE) {
            read_position(cut, &subtask);
        }
    }
    if (!is_right || subtasks != (uint64_t)JUDGE_VERTICES * job->parallelism) {
        judge_report(cut->oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu: its manifest does not describe this checkpoint of this job",
                     (unsigned long long)cut->id);
        return false;
    }
    return true;
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
    if (!position->known) {
        return false; /* reported when it was read */
    }
    if (position->finished) {
        reference_advance_to_end(&oracle->reference, index);
        return true;
    }
    enum reference_answer answer = reference_advance(&oracle->reference, index, position->position);
    if (answer != REFERENCE_OK) {
        judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu: source[%u]: its position %llu %s", id, index,
                     (unsigned long long)position->position, answer_text(answer));
        return false;
    }
    /* A source counts the bad records it handed on; the map behind it left them out. */
    if (position->records != split->records + split->bad || position->bad != split->bad) {
        judge_report(
            oracle, PROPERTY_CONSISTENT_CUT,
            "checkpoint %llu: source[%u] counts %llu records with %llu bad ones before "
            "its position; the input has %llu with %llu",
            id, index, (unsigned long long)position->records, (unsigned long long)position->bad,
            (unsigned long long)(split->records + split->bad), (unsigned long long)split->bad);
    }
    if (split->bad > 0 && !oracle->scenario->job.input.skip_bad_records) {
        judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu: source[%u] went past a bad record, which must fail the job",
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
    CHECK(oracle->reference.split_count == oracle->scenario->job.parallelism);
    return is_right;
}

/* ---- the state ------------------------------------------------------------------------------- */

static bool agrees(const struct oracle *oracle, int64_t expected, int64_t found)
{
    CHECK(expected >= 0);
    return oracle->scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE ? found >= expected
                                                                       : found == expected;
}

/* Compares the entries of one subtask's state; stops at the first that cannot be. */
static void compare_entries(struct cut *cut, const struct checkpoint_subtask *subtask,
                            struct bytes state)
{
    struct oracle *oracle = cut->oracle;
    struct key_table *table = &oracle->reference.table;
    struct key_group_range range = key_group_range_of(
        subtask->subtask, oracle->scenario->job.max_parallelism, subtask->parallelism);
    CHECK(range.first <= range.last);
    bool is_exact = oracle->scenario->job.checkpoint.mode != MODE_AT_LEAST_ONCE;
    uint32_t mark = oracle->cut.mark;
    struct counts_reader reader;
    struct count_entry found;
    (void)counts_reader_open(&reader, state, JUDGE_COUNT_STATE);
    while (counts_reader_next(&reader, &found)) {
        struct key_entry *entry = key_table_at(table, found.key);
        if (found.key_group < range.first || found.key_group > range.last) {
            reader.error = "it holds a key group of another subtask";
            break;
        }
        if (entry->mark == mark) {
            reader.error = "it holds a key for the second time";
            break;
        }
        entry->mark = mark;
        entry->state = found.count;
        cut->entries++;
        if (found.count != entry->folded && (is_exact || found.count < entry->folded)) {
            differences_add(&cut->differences, found.key, entry->folded, found.count);
        }
    }
    if (reader.error != NULL) {
        report_subtask(cut, subtask, reader.error);
    }
}

static void compare_subtask(struct cut *cut, const struct checkpoint_subtask *subtask)
{
    const struct state_handle *keyed = &subtask->state.keyed;
    struct bytes state = keyed->location;
    CHECK(subtask->subtask < cut->oracle->scenario->job.parallelism);
    bool is_unstated = keyed->kind == HANDLE_NONE && subtask->state.finished;
    cut->oracle->cut.counts_finished[subtask->subtask] = is_unstated;
    cut->any_unstated = cut->any_unstated || is_unstated;
    if (keyed->kind == HANDLE_FILE) {
        char path[JUDGE_PATH_SIZE];
        CHECK(keyed->location.size < sizeof path);
        memcpy(path, keyed->location.data, keyed->location.size);
        path[keyed->location.size] = '\0';
        bool is_there = disk_peek(cut->oracle->shared, path, &state);
        CHECK(is_there);
    }
    if (keyed->kind != HANDLE_NONE) {
        compare_entries(cut, subtask, state);
    }
}

/* Has the count subtask that owns `key` finished without giving its state? */
static bool is_owner_unstated(const struct oracle *oracle, int64_t key)
{
    const struct job_config *job = &oracle->scenario->job;
    uint32_t group = key_group_of(key_hash_i64(key), job->max_parallelism);
    uint32_t owner = key_group_subtask(group, job->max_parallelism, job->parallelism);
    CHECK(owner < job->parallelism);
    return oracle->cut.counts_finished[owner];
}

/* Keys that the state does not hold. A finished subtask's state is what it was when it last gave
 * one. Differences are shown by rising key, so the order of the table has no effect. */
static void compare_unmet(struct cut *cut)
{
    struct oracle *oracle = cut->oracle;
    struct key_table *table = &oracle->reference.table;
    for (size_t i = 0; i < table->capacity; i++) {
        struct key_entry *entry = &table->entries[i];
        if (!entry->used || entry->mark == oracle->cut.mark) {
            continue;
        }
        bool is_unstated = cut->any_unstated && is_owner_unstated(oracle, entry->key);
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

void property_consistent_cut_verify(struct oracle *oracle, uint64_t id)
{
    struct cut cut = { .oracle = oracle, .id = id };
    struct bytes manifest;
    char path[JUDGE_PATH_SIZE];
    judge_manifest_path(path, id);
    bool is_there = disk_peek(oracle->shared, path, &manifest);
    CHECK(is_there);
    if (!read_positions(&cut, manifest) || !advance_fold(&cut)) {
        return;
    }
    oracle->cut.mark++;
    struct checkpoint_reader reader;
    struct checkpoint_subtask subtask;
    (void)checkpoint_reader_open(&reader, manifest);
    while (checkpoint_reader_next(&reader, &subtask)) {
        if (subtask.vertex == JUDGE_VERTEX_COUNT) {
            compare_subtask(&cut, &subtask);
        }
    }
    CHECK(reader.error == NULL);
    if (cut.entries != oracle->reference.table.count) {
        compare_unmet(&cut);
    }
    if (cut.differences.count > 0) {
        judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                     "checkpoint %llu is no consistent cut: against a fold over the records before "
                     "its source positions, %s",
                     (unsigned long long)id, differences_text(&cut.differences, oracle->arena));
    }
    CHECK(cut.entries <= oracle->reference.table.count);
    oracle->cut.last_verified = id;
    /* A state that finished subtasks gave in an unreadable checkpoint stays unknown. */
    oracle->cut.unread_since = oracle->cut.unread_since && cut.any_unstated;
    oracle->totals.checkpoints_verified++;
    oracle->totals.state_entries_compared += cut.entries;
}
