/* Properties 3 and 9 for operator state, which belongs to no key (model/stream/operator_state.h).
 *
 * In a checkpoint: where the job's reference has an operator rule, every copy of broadcast state is
 * what the fold up to the source positions says, and so like every other; and what the subtasks
 * hold of a union list adds up to what the fold says.
 *
 * At a restore, of any job and at any parallelism: each subtask that gets operator state gets of a
 * union list the items of all old subtasks, in their order, and of broadcast state some old one's
 * copy. What it is given the fact tells; in a live run, if it is at most 64 KiB. */
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "sim/oracle/judge.h"

/* ---- in a checkpoint ------------------------------------------------------------------------- */

/* Finds the state of a rule in what a chain of operators put into a checkpoint. */
static bool find_state(const struct operator_rule *rule, struct bytes operators,
                       struct list_reader *list)
{
    struct bytes state;
    for (uint32_t i = 0; checkpoint_operator_state(operators, i, &state); i++) {
        if (list_reader_open(list, state, bytes_of_text(rule->state)) && list->mode == rule->mode) {
            return true;
        }
    }
    return false;
}

/* NULL, or what is wrong with an entry of a copy. */
static const char *judge_copied(const struct oracle *oracle, const struct operator_rule *rule,
                                struct bytes key, struct bytes value, uint64_t *expected_count)
{
    bool at_least_once = oracle->scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE;
    const struct fold_entry *entry =
        fold_table_find(&oracle->reference.fold->tables[rule->table], key);
    if (value.size != sizeof(int64_t)) {
        return "it holds a value that is no 64-bit integer";
    }
    if (entry == NULL || entry->folded[0] == 0) {
        return at_least_once ? NULL : "it holds a key that nobody broadcast";
    }
    ++*expected_count;
    int64_t found = (int64_t)load_u64(value.data);
    bool is_right =
        at_least_once ? found >= entry->folded[rule->number] : found == entry->folded[rule->number];
    return is_right ? NULL : "of a key it holds another value";
}

/* NULL, or what is wrong with one subtask's copy. */
static const char *judge_copy(const struct oracle *oracle, const struct operator_rule *rule,
                              struct list_reader list)
{
    const struct fold_table *table = &oracle->reference.fold->tables[rule->table];
    const char *error = NULL;
    struct bytes key;
    struct bytes value;
    uint64_t found_count = 0;
    uint64_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        count += table->entries[i].folded[0] > 0;
    }
    while (error == NULL && list_reader_next(&list, &key, &value)) {
        error = judge_copied(oracle, rule, key, value, &found_count);
    }
    return error == NULL && found_count != count ? "it lacks a key" : error;
}

static const char *add_items(const struct operator_rule *rule, struct list_reader list,
                             int64_t *sum)
{
    struct bytes key;
    struct bytes item;
    while (list_reader_next(&list, &key, &item)) {
        if (item.size != rule->skipped_bytes + sizeof(int64_t)) {
            return "it holds an item of another size";
        }
        *sum += (int64_t)load_u64(item.data + rule->skipped_bytes);
    }
    return NULL;
}

static void judge_sum(struct oracle *oracle, const struct operator_rule *rule, uint64_t id,
                      int64_t found)
{
    const struct fold_entry *entry =
        fold_table_find(&oracle->reference.fold->tables[rule->table], bytes_of_text(rule->key));
    int64_t expected = entry == NULL ? 0 : entry->folded[rule->number];
    bool is_told = found == 0 && judge_is_at_end(oracle);
    /* At least once a subtask may be told the end before the barrier of another input. */
    bool is_known = oracle->scenario->job.checkpoint.mode == MODE_EXACTLY_ONCE;
    if (is_known && found != expected && !is_told) {
        judge_report(
            oracle, PROPERTY_CONSISTENT_CUT,
            "checkpoint %llu is no consistent cut: the items of \"%s\" of all %s add up to "
            "%lld; before its source positions are %lld",
            (unsigned long long)id, rule->state, rule->vertex, (long long)found,
            (long long)expected);
    }
}

static void judge_rule(struct oracle *oracle, const struct operator_rule *rule, uint64_t id,
                       struct checkpoint_reader reader)
{
    struct checkpoint_subtask subtask;
    struct list_reader list;
    int64_t sum = 0;
    bool is_readable = true;
    while (checkpoint_reader_next(&reader, &subtask)) {
        if (subtask.state.finished ||
            strcmp(judge_vertex_name(oracle, subtask.vertex), rule->vertex) != 0) {
            continue;
        }
        const char *error = "it is not there";
        if (find_state(rule, subtask.state.operators, &list)) {
            error = rule->mode == STATE_BROADCAST ? judge_copy(oracle, rule, list)
                                                  : add_items(rule, list, &sum);
        }
        if (error != NULL) {
            is_readable = false;
            judge_report(oracle, PROPERTY_CONSISTENT_CUT,
                         "checkpoint %llu is no consistent cut: the operator state \"%s\" of "
                         "%s[%u]: %s",
                         (unsigned long long)id, rule->state, rule->vertex, subtask.subtask, error);
        }
    }
    if (is_readable && rule->mode == STATE_UNION) {
        judge_sum(oracle, rule, id, sum);
    }
}

void property_operator_state_verify(struct oracle *oracle, uint64_t id,
                                    struct checkpoint_reader reader)
{
    const struct job_reference *job = oracle->reference.fold->job;
    for (uint32_t i = 0; i < job->operator_rule_count; i++) {
        judge_rule(oracle, &job->operator_rules[i], id, reader);
    }
}

/* ---- at a restore ---------------------------------------------------------------------------- */

/* What one subtask was given of one operator. */
struct given {
    struct checkpoint_reader reader; /* at the first subtask of the checkpoint; copied */
    uint32_t vertex;
    uint32_t operator;
    struct bytes state;
};

/* Moves on to the next old subtask that has a state of this name, and finds it there. */
static bool next_old(const struct given *given, struct checkpoint_reader *reader, struct bytes name,
                     struct list_reader *list)
{
    struct checkpoint_subtask subtask;
    struct bytes state;
    while (checkpoint_reader_next(reader, &subtask)) {
        if (subtask.vertex == given->vertex &&
            checkpoint_operator_state(subtask.state.operators, given->operator, & state) &&
            list_reader_open(list, state, name)) {
            return true;
        }
    }
    return false;
}

/* Are the items those of all old subtasks, one after the other? */
static bool is_union(const struct given *given, const struct list_reader *list)
{
    struct checkpoint_reader reader = given->reader;
    struct list_reader old;
    size_t at = 0;
    while (next_old(given, &reader, list->name, &old)) {
        if (old.items.size > list->items.size - at ||
            (old.items.size > 0 &&
             memcmp(list->items.data + at, old.items.data, old.items.size) != 0)) {
            return false;
        }
        at += old.items.size;
    }
    return at == list->items.size;
}

static bool is_copy(const struct given *given, const struct list_reader *list)
{
    struct checkpoint_reader reader = given->reader;
    struct list_reader old;
    while (next_old(given, &reader, list->name, &old)) {
        if (bytes_equal(list->items, old.items)) {
            return true;
        }
    }
    return false;
}

/* NULL, or what is wrong with one state that some old subtask had. */
static const char *judge_given(const struct given *given, const struct list_reader *old)
{
    struct list_reader list;
    if (old->mode == STATE_SPLIT) {
        return NULL; /* source positions and output show where it went */
    }
    if (!list_reader_open(&list, given->state, old->name) || list.mode != old->mode) {
        return "is not there";
    }
    if (old->mode == STATE_UNION) {
        return is_union(given, &list) ? NULL : "is not the union of what all subtasks had";
    }
    return is_copy(given, &list) ? NULL : "is not what any subtask had";
}

/* Judges what was given of an operator: each state that any old subtask had, whoever was the first
 * to have it. False when something was reported. */
static bool judge_operator(struct oracle *oracle, const struct fact *fact,
                           const struct given *given)
{
    struct checkpoint_reader reader = given->reader;
    struct checkpoint_subtask subtask;
    struct bytes state;
    while (checkpoint_reader_next(&reader, &subtask)) {
        struct lists_reader lists;
        struct list_reader old;
        if (subtask.vertex != given->vertex ||
            !checkpoint_operator_state(subtask.state.operators, given->operator, & state) ||
            state.size == 0) {
            continue;
        }
        lists_reader_open(&lists, state);
        while (lists_reader_next(&lists, &old)) {
            const char *error = judge_given(given, &old);
            if (error != NULL) {
                judge_report(oracle, PROPERTY_DEPLOYMENT,
                             "attempt %llu: %s[%u] was restored from checkpoint %llu, but its "
                             "operator state \"%.*s\" %s",
                             (unsigned long long)fact->attempt,
                             judge_vertex_name(oracle, fact->vertex), fact->subtask,
                             (unsigned long long)fact->checkpoint, (int)old.name.size,
                             (const char *)old.name.data, error);
                return false;
            }
        }
    }
    return true;
}

void property_operator_state_on_restored(struct oracle *oracle, const struct fact *fact)
{
    struct bytes manifest;
    char path[JUDGE_PATH_SIZE];
    if (fact->checkpoint == 0 || fact->content.size == 0) {
        return; /* nothing to restore, for it had finished or nothing was; or nobody can tell */
    }
    judge_manifest_path(path, fact->checkpoint);
    struct given given = { .vertex = fact->vertex };
    if (!stored_peek(&oracle->stored, path, &manifest) ||
        !checkpoint_reader_open_sound(&given.reader, manifest)) {
        return; /* a fault did that meanwhile, or property 6 knows */
    }
    while (checkpoint_operator_state(fact->content, given.operator, & given.state) &&
           judge_operator(oracle, fact, &given)) {
        given.operator++;
    }
}
