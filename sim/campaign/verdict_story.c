#include "sim/campaign/verdict_private.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"

/* How many of each are shown. */
enum { FAULTS_SHOWN_MAX = 8, RECOVERIES_SHOWN_MAX = 8, FAILED_SHOWN_MAX = 3 };

enum { TIME_WIDTH = 10, CELL_WIDTH = 9 };

/* ---- what broke ------------------------------------------------------------------------------ */

static const char *survival_text(enum disk_survival survival)
{
    switch (survival) {
    case DISK_KEEP: return "kept";
    case DISK_LOSE: return "lost";
    case DISK_TEAR: return "torn";
    case DISK_RANDOM: return "kept, lost or torn by chance";
    }
    CHECK_UNREACHABLE("what becomes of unsynced data");
}

static void append_consequences(struct buffer *out, const struct fault *fault)
{
    if (fault->verb == FAULT_DELAY) {
        buffer_append_text(out, " by ");
        human_duration(out, fault->by_ns);
    } else {
        fault_parameters_describe(fault, out);
    }
    if (fault->verb == FAULT_CRASH && fault->object.machine) {
        buffer_append_format(out, ", unsynced data %s", survival_text(fault->unsynced));
    }
    bool is_crash = fault->verb == FAULT_CRASH;
    if (fault->for_ever) {
        bool is_counted = fault->count > 0;
        buffer_append_text(out, is_crash ? ", never back" : is_counted ? "" : ", for ever");
    } else if (fault->for_ns > 0) {
        buffer_append_text(out, is_crash ? ", back after " : ", for ");
        human_duration(out, fault->for_ns);
    }
}

static void write_fault(struct page *page, uint32_t index, bool is_first)
{
    const struct scenario *scenario = page->run->scenario;
    const struct fault_record *record = &page->run->faults[index];
    const struct fault *fault = record->fault;
    CHECK(fault != NULL);
    page_start_line(page, is_first ? "faults" : "");
    buffer_append_format(page->out, "%2" PRIu32 " ", index + 1);
    if (record->fired) {
        human_time(&page->cell, record->fired_ns);
    } else {
        buffer_append_text(&page->cell, "never");
    }
    page_flush_cell(page, TIME_WIDTH);
    buffer_append_format(page->out, "  %s ", fault_verb_name(fault->verb));
    fault_object_format(scenario, &fault->object, page->out);
    append_consequences(page->out, fault);
    if (fault->trigger.kind == TRIGGER_WHEN || !record->fired) {
        buffer_append_text(page->out,
                           fault->trigger.kind == TRIGGER_WHEN ? "; when " : "; planned at ");
        fault_trigger_format(scenario, &fault->trigger, page->out);
    }
    page_end_line(page);
}

static uint64_t fault_moment(const struct run *run, uint32_t index)
{
    const struct fault_record *record = &run->faults[index];
    return record->fired ? record->fired_ns : UINT64_MAX;
}

/* The faults' indices in the order in which they fired, those that never did at the end. */
static uint32_t *faults_in_order(const struct run *run)
{
    uint32_t count = run->scenario->fault_count;
    uint32_t *order = arena_alloc(run->arena, count, sizeof *order);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (; at > 0 && fault_moment(run, order[at - 1]) > fault_moment(run, i); at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    return order;
}

/* Of too many, the first and the last: those that never fired are why a run fails. */
void page_write_faults(struct page *page)
{
    const struct run *run = page->run;
    uint32_t count = run->scenario->fault_count;
    if (count == 0) {
        page_start_line(page, "faults");
        buffer_append_text(page->out, "none\n");
        return;
    }
    uint32_t *order = faults_in_order(run);
    uint32_t shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i < FAULTS_SHOWN_MAX / 2 || count - i <= FAULTS_SHOWN_MAX / 2) {
            write_fault(page, order[i], shown == 0);
            shown++;
        }
    }
    page_write_more(page, count, shown);
    arena_free(run->arena, order);
}

/* ---- how it recovered ------------------------------------------------------------------------ */

/* From `start_ns` to `end_ns`, neither of which may have happened. */
static void write_span(struct page *page, uint64_t start_ns, uint64_t end_ns)
{
    if (start_ns > 0 && end_ns >= start_ns) {
        human_duration(&page->cell, end_ns - start_ns);
    } else {
        buffer_append_text(&page->cell, "-");
    }
    page_flush_cell(page, CELL_WIDTH);
}

static bool is_cause(const struct page *page, uint32_t index,
                     const struct recovery_summary *recovery)
{
    const struct fault_record *record = &page->run->faults[index];
    if (!record->fired || record->fired_ns != recovery->failed_ns) {
        return false;
    }
    struct buffer text;
    buffer_init(&text, page->run->arena);
    fault_describe(page->run->scenario, record->fault, &text);
    bool same = bytes_equal(buffer_bytes(&text), bytes_of_text(recovery->cause));
    buffer_free(&text);
    return same;
}

static void write_cause(struct page *page, const struct recovery_summary *recovery)
{
    buffer_append_text(page->out, "  ");
    for (uint32_t i = 0; i < page->run->scenario->fault_count; i++) {
        if (is_cause(page, i, recovery)) {
            buffer_append_format(page->out, "fault %" PRIu32, i + 1);
            return;
        }
    }
    page_append_message(page, recovery->cause);
}

static void write_recovery(struct page *page, const struct recovery_summary *recovery)
{
    /* After the loss of the JobManager there is nobody to cancel the job. */
    uint64_t stopped_ns =
        recovery->cancelled_ns > 0 ? recovery->cancelled_ns : recovery->detected_ns;
    page_start_line(page, "");
    write_span(page, recovery->failed_ns, recovery->detected_ns);
    write_span(page, recovery->detected_ns, recovery->cancelled_ns);
    write_span(page, stopped_ns, recovery->chosen_ns);
    write_span(page, recovery->chosen_ns, recovery->running_ns);
    write_span(page, recovery->running_ns, recovery->caught_up_ns);
    write_span(page, recovery->failed_ns, recovery->caught_up_ns);
    if (recovery->chosen_ns == 0) {
        buffer_append_text(&page->cell, "-");
    } else if (recovery->restored_from == 0) {
        buffer_append_text(&page->cell, "start");
    } else {
        human_count(&page->cell, recovery->restored_from);
    }
    page_flush_cell(page, CELL_WIDTH);
    human_count(&page->cell, recovery->records_replayed);
    page_flush_cell(page, CELL_WIDTH);
    write_cause(page, recovery);
    page_end_line(page);
}

void page_write_recoveries(struct page *page)
{
    static const char *const heads[] = { "detect",   "cancel", "restart", "restore",
                                         "catch up", "total",  "from",    "replayed" };
    const struct summary *summary = &page->run->summary;
    page_start_line(page, "recoveries");
    if (summary->recovery_count == 0) {
        buffer_append_text(page->out, "none\n");
        return;
    }
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        buffer_append_text(&page->cell, heads[i]);
        page_flush_cell(page, CELL_WIDTH);
    }
    buffer_append_text(page->out, "  cause\n");
    size_t i = 0;
    for (; i < summary->recovery_count && i < RECOVERIES_SHOWN_MAX; i++) {
        write_recovery(page, &summary->recoveries[i]);
    }
    page_write_more(page, summary->recovery_count, i);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b ? 1 : 0;
}

/* The lower of two in the middle, and the largest of `count` numbers, which are sorted for it. */
static void write_median(struct page *page, uint64_t *numbers, size_t count,
                         void (*append)(struct buffer *out, uint64_t number))
{
    CHECK(count > 0);
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    append(page->out, numbers[(count - 1) / 2]);
    buffer_append_text(page->out, " median, ");
    append(page->out, numbers[count - 1]);
    buffer_append_text(page->out, " at most");
}

static void write_checkpoint_costs(struct page *page)
{
    const struct summary *summary = &page->run->summary;
    struct arena *arena = page->run->arena;
    uint64_t *durations = arena_alloc(arena, summary->checkpoint_count, sizeof *durations);
    uint64_t *sizes = arena_alloc(arena, summary->checkpoint_count, sizeof *sizes);
    size_t count = 0;
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        const struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        if (checkpoint->fate == CHECKPOINT_DONE) {
            durations[count] = checkpoint->ended_ns - checkpoint->triggered_ns;
            sizes[count++] = checkpoint->bytes;
        }
    }
    if (count > 0) {
        page_start_line(page, "");
        buffer_append_text(page->out, "took ");
        write_median(page, durations, count, human_duration);
        buffer_append_text(page->out, "; state ");
        write_median(page, sizes, count, human_size);
        page_end_line(page);
    }
    arena_free(arena, durations);
    arena_free(arena, sizes);
}

static void write_failed_checkpoints(struct page *page)
{
    const struct summary *summary = &page->run->summary;
    uint64_t shown = 0;
    for (size_t i = 0; i < summary->checkpoint_count && shown < FAILED_SHOWN_MAX; i++) {
        const struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        if (checkpoint->fate == CHECKPOINT_GIVEN_UP) {
            page_start_line(page, "");
            buffer_append_format(page->out, "%" PRIu64 " failed: ", checkpoint->id);
            page_append_message(page, checkpoint->reason);
            page_end_line(page);
            shown++;
        }
    }
    page_write_more(page, summary->failed, shown);
}

void page_write_checkpoints(struct page *page)
{
    const struct summary *summary = &page->run->summary;
    CHECK(summary->completed + summary->failed <= summary->triggered);
    page_start_line(page, "checkpoints");
    human_count(page->out, summary->triggered);
    buffer_append_text(page->out, " triggered, ");
    human_count(page->out, summary->completed);
    buffer_append_text(page->out, " completed, ");
    human_count(page->out, summary->failed);
    buffer_append_text(page->out, " failed");
    uint64_t open = summary->triggered - summary->completed - summary->failed;
    if (open > 0) {
        buffer_append_text(page->out, ", ");
        human_count(page->out, open);
        buffer_append_text(page->out, " open at the end");
    }
    page_end_line(page);
    write_checkpoint_costs(page);
    write_failed_checkpoints(page);
}
