/* Property 1: the final keyed state, that of the newest completed checkpoint, equals the reference
 * (at least once: no count is below it). */
#include "sim/oracle/judge.h"

#include "model/base/check.h"
#include "sim/oracle/differences.h"

static void compare(struct oracle *oracle)
{
    bool may_exceed = oracle->scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE;
    const struct key_table *table = &oracle->reference.table;
    struct differences differences = { 0 };
    for (size_t i = 0; i < table->capacity; i++) {
        const struct key_entry *entry = &table->entries[i];
        if (entry->used && entry->state != entry->folded &&
            (!may_exceed || entry->state < entry->folded)) {
            differences_add(&differences, entry->key, entry->folded, entry->state);
        }
    }
    CHECK(differences.count <= table->count);
    if (differences.count > 0) {
        judge_report(oracle, PROPERTY_STATE,
                     "the final state, of checkpoint %llu, is not the reference: %s",
                     (unsigned long long)oracle->cut.last_verified,
                     differences_text(&differences, oracle->arena));
    }
}

void property_state_on_end(struct oracle *oracle)
{
    uint64_t newest = checkpoint_history_newest(&oracle->history);
    CHECK(oracle->cut.last_verified <= newest);
    if (newest == 0) {
        judge_report(oracle, PROPERTY_STATE, "the job finished without any completed checkpoint");
        return;
    }
    if (oracle->totals.records_skipped > 0 && !oracle->scenario->job.input.skip_bad_records) {
        judge_report(oracle, PROPERTY_STATE,
                     "the job finished although its input holds %llu bad records, which must fail "
                     "it",
                     (unsigned long long)oracle->totals.records_skipped);
    }
    /* The newest one may be unreadable by a fault, or found wrong already. */
    bool is_known = oracle->cut.last_verified == newest && !oracle->cut.unread_since;
    if (is_known && oracle->reference.fold != NULL) {
        property_states_on_end(oracle);
    } else if (is_known) {
        compare(oracle);
    }
}
