#include "sim/command/compare_side.h"

#include <inttypes.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/verdict.h"
#include "sim/live/live_measure.h"

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

static void append_id(struct buffer *out, uint64_t id, size_t number)
{
    if (number < IDS_SHOWN) {
        buffer_append_format(out, "%s%" PRIu64, number > 0 ? "," : "", id);
    } else if (number == IDS_SHOWN) {
        buffer_append_text(out, "...");
    }
}

static const char *end_text(struct buffer *text)
{
    if (text->size == 0) {
        buffer_append_text(text, "none");
    }
    *buffer_extend(text, 1) = '\0';
    return (const char *)text->data;
}

static void note_checkpoints(struct side *side, const struct summary *summary, struct arena *arena)
{
    uint64_t *took_ns = arena_alloc(arena, summary->checkpoint_count + 1, sizeof *took_ns);
    uint64_t *bytes = arena_alloc(arena, summary->checkpoint_count + 1, sizeof *bytes);
    struct buffer ids;
    buffer_init(&ids, arena);
    size_t count = 0;
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        const struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        if (checkpoint->fate == CHECKPOINT_DONE) {
            append_id(&ids, checkpoint->id, count);
            took_ns[count] = checkpoint->ended_ns - checkpoint->triggered_ns;
            bytes[count++] = checkpoint->bytes;
        }
    }
    if (count > IDS_SHOWN) {
        buffer_append_format(&ids, " (%zu)", count);
    }
    side->ids = end_text(&ids);
    if (count > 0) {
        side->values[QUANTITY_CHECKPOINT_TIME] = live_median(took_ns, count);
        side->values[QUANTITY_BYTES] = live_median(bytes, count);
    }
}

static void note_recoveries(struct side *side, const struct summary *summary, struct arena *arena)
{
    uint64_t *down_ns = arena_alloc(arena, summary->recovery_count + 1, sizeof *down_ns);
    uint64_t *took_ns = arena_alloc(arena, summary->recovery_count + 1, sizeof *took_ns);
    struct buffer ids;
    buffer_init(&ids, arena);
    size_t down_count = 0;
    size_t took_count = 0;
    for (size_t i = 0; i < summary->recovery_count; i++) {
        const struct recovery_summary *recovery = &summary->recoveries[i];
        append_id(&ids, recovery->restored_from, i);
        if (recovery->running_ns > recovery->failed_ns) {
            down_ns[down_count++] = recovery->running_ns - recovery->failed_ns;
        }
        if (recovery->caught_up_ns > recovery->failed_ns) {
            took_ns[took_count++] = recovery->caught_up_ns - recovery->failed_ns;
        }
    }
    side->restored = end_text(&ids);
    side->values[QUANTITY_DOWNTIME] = down_count > 0 ? live_median(down_ns, down_count) : 0;
    side->values[QUANTITY_RECOVERY] = took_count > 0 ? live_median(took_ns, took_count) : 0;
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
