#include "sim/command/compare_side.h"

#include <inttypes.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/verdict.h"
#include "sim/live/sample.h"

enum { IDS_SHOWN = 4 };

static const struct quantity_info quantities[QUANTITY_COUNT] = {
    [QUANTITY_CHECKPOINT_TIME] = { "checkpoint time", "checkpoint_time_ns", human_duration },
    [QUANTITY_BYTES] = { "checkpoint size", "checkpoint_size_bytes", human_size },
    [QUANTITY_DOWNTIME] = { "until it runs again", "downtime_ns", human_duration },
    [QUANTITY_RECOVERY] = { "until caught up", "recovery_time_ns", human_duration },
    [QUANTITY_THROUGHPUT] = { "records a second", "records_per_s", human_count },
};

const struct quantity_info *quantity_info(enum quantity quantity)
{
    CHECK((unsigned)quantity < QUANTITY_COUNT);
    return &quantities[quantity];
}

static bool keeps(const struct run *run, enum property property)
{
    uint32_t count;
    const struct violation *violations = oracle_violations(run->oracle, &count);
    bool kept = true;
    for (uint32_t i = 0; i < count; i++) {
        kept = kept && violations[i].property != property;
    }
    return kept;
}

/* "1,2,3,4... (9)" of nine; only the first ones are shown. */
static const char *ids_text(const struct sample *ids)
{
    struct buffer text;
    buffer_init(&text, ids->arena);
    for (size_t i = 0; i < ids->count && i < IDS_SHOWN; i++) {
        buffer_append_format(&text, "%s%" PRIu64, i > 0 ? "," : "", ids->values[i]);
    }
    if (ids->count > IDS_SHOWN) {
        buffer_append_format(&text, "... (%zu)", ids->count);
    } else if (ids->count == 0) {
        buffer_append_text(&text, "none");
    }
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static void note_checkpoints(struct side *side, const struct summary *summary, struct arena *arena)
{
    struct sample ids = sample_in(arena);
    struct sample took_ns = sample_in(arena);
    struct sample bytes = sample_in(arena);
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        const struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        if (checkpoint->fate == CHECKPOINT_DONE) {
            sample_add(&ids, checkpoint->id);
            sample_add(&took_ns, checkpoint->ended_ns - checkpoint->triggered_ns);
            sample_add(&bytes, checkpoint->bytes);
        }
    }
    side->ids = ids_text(&ids);
    side->values[QUANTITY_CHECKPOINT_TIME] = sample_median(&took_ns);
    side->values[QUANTITY_BYTES] = sample_median(&bytes);
}

/* From a failure on, until a moment that the recovery may not have reached. */
static void note_duration(struct sample *durations, uint64_t failed_ns, uint64_t until_ns)
{
    if (until_ns > failed_ns) {
        sample_add(durations, until_ns - failed_ns);
    }
}

static void note_recoveries(struct side *side, const struct summary *summary, struct arena *arena)
{
    struct sample ids = sample_in(arena);
    struct sample down_ns = sample_in(arena);
    struct sample took_ns = sample_in(arena);
    for (size_t i = 0; i < summary->recovery_count; i++) {
        const struct recovery_summary *recovery = &summary->recoveries[i];
        sample_add(&ids, recovery->restored_from);
        note_duration(&down_ns, recovery->failed_ns, recovery->running_ns);
        note_duration(&took_ns, recovery->failed_ns, recovery->caught_up_ns);
    }
    side->restored = ids_text(&ids);
    side->values[QUANTITY_DOWNTIME] = sample_median(&down_ns);
    side->values[QUANTITY_RECOVERY] = sample_median(&took_ns);
}

static const char *trouble_of(const struct run *run, struct arena *arena)
{
    struct verdict_view view = { .run = run };
    struct buffer line;
    if (run->verdict == VERDICT_PASS) {
        return NULL;
    }
    view.violations = oracle_violations(run->oracle, &view.violation_count);
    buffer_init(&line, arena);
    verdict_write_line(&view, &line);
    CHECK(line.size > 0 && line.data[line.size - 1] == '\n');
    line.data[line.size - 1] = '\0';
    return (const char *)line.data;
}

void side_of_run(struct side *side, const struct run *run, struct arena *arena)
{
    *side = (struct side){ .verdict = run->verdict,
                           .outcome = run->outcome,
                           .output_lines = run->totals.output_lines,
                           .keys = run->totals.keys,
                           .task_count = run->task_count,
                           .trouble = trouble_of(run, arena),
                           .keeps_ids = keeps(run, PROPERTY_CHECKPOINT_IDS),
                           .keeps_restores = keeps(run, PROPERTY_NEWEST_RESTORED) };
    note_checkpoints(side, &run->summary, arena);
    note_recoveries(side, &run->summary, arena);
    uint64_t us = run->simulated_ns / 1000;
    side->values[QUANTITY_THROUGHPUT] = us == 0 ? 0 : run->totals.records * 1000000 / us;
}

bool side_is_equal(const struct side *simulated, const struct side *live)
{
    return simulated->verdict == VERDICT_PASS && live->verdict == VERDICT_PASS &&
           simulated->outcome == live->outcome && simulated->output_lines == live->output_lines &&
           simulated->keys == live->keys;
}
