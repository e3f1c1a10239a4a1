#include "sim/verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/human.h"

/* How many of each are shown. */
enum { FAULTS_SHOWN_MAX = 8, RECOVERIES_SHOWN_MAX = 8, FAILED_SHOWN_MAX = 3, WRONG_SHOWN_MAX = 6 };

enum { LABEL_WIDTH = 13, CELL_WIDTH = 10 };

/* The text as it grows, and a cell that is aligned before it goes there. */
struct page {
    const struct run *run;
    struct buffer *out;
    struct buffer cell;
};

/* ---- layout ---------------------------------------------------------------------------------- */

/* Starts a line; `label` stands left of it, "" for a line that continues. */
static void start_line(struct page *page, const char *label)
{
    CHECK(strlen(label) < LABEL_WIDTH);
    buffer_append_format(page->out, "%-*s", LABEL_WIDTH, label);
}

static void end_line(struct page *page)
{
    buffer_append_text(page->out, "\n");
}

/* Moves what was written to the cell to the text, to the right of `width` columns. */
static void flush_cell(struct page *page, size_t width)
{
    for (size_t i = page->cell.size; i < width; i++) {
        buffer_append_text(page->out, " ");
    }
    buffer_append(page->out, buffer_bytes(&page->cell));
    buffer_reset(&page->cell);
}

/* A message may have lines of its own: they continue under its start. Control characters, which a
 * scenario or an input can bring in, must not reach a terminal. */
static void append_message(struct page *page, const char *message)
{
    for (const char *at = message; *at != '\0'; at++) {
        if (*at == '\n') {
            end_line(page);
            start_line(page, "");
            buffer_append_text(page->out, "  ");
        } else {
            bool is_control = (unsigned char)*at < ' ' || *at == 0x7f;
            *buffer_extend(page->out, 1) = is_control ? (uint8_t)' ' : (uint8_t)*at;
        }
    }
}

static void write_more(struct page *page, uint64_t total, uint64_t shown)
{
    if (total > shown) {
        start_line(page, "");
        buffer_append_text(page->out, "... and ");
        human_count(page->out, total - shown);
        buffer_append_text(page->out, " more, see result.json");
        end_line(page);
    }
}

/* ---- what ran -------------------------------------------------------------------------------- */

static void write_title(struct page *page)
{
    const struct scenario *scenario = page->run->scenario;
    append_message(page, scenario->name);
    buffer_append_format(page->out, ", seed %" PRIu64 "\n", scenario->seed);
    if (scenario->about[0] != '\0') {
        append_message(page, scenario->about);
        end_line(page);
    }
    end_line(page);
}

static void append_input(struct page *page)
{
    const struct input_config *input = &page->run->scenario->job.input;
    struct buffer *out = page->out;
    human_count_of(out, page->run->totals.records, "record");
    if (input->kind == INPUT_FILE) {
        buffer_append_text(out, " of ");
        append_message(page, input->label);
    } else {
        CHECK(input->kind == INPUT_GENERATOR);
        buffer_append_text(out, " generated, ");
        human_count_of(out, input->keys, "key");
    }
    if (input->rate_per_s > 0) {
        buffer_append_text(out, ", ");
        human_count(out, input->rate_per_s);
        buffer_append_text(out, " a second");
    }
}

static void write_job(struct page *page)
{
    const struct job_config *job = &page->run->scenario->job;
    struct buffer *out = page->out;
    start_line(page, "job");
    buffer_append_format(out, "%s: ", job->job);
    append_input(page);
    end_line(page);
    start_line(page, "");
    buffer_append_format(out, "parallelism %" PRIu32 ", ", job->parallelism);
    human_count_of(out, page->run->task_count, "task");
    buffer_append_text(out, " on ");
    human_count_of(out, job->task_managers, "TaskManager");
    buffer_append_text(out, ", heap backend, ");
    if (job->checkpoint.interval_ns > 0) {
        buffer_append_text(out, "a checkpoint every ");
        human_duration(out, job->checkpoint.interval_ns);
    } else {
        buffer_append_text(out, "one checkpoint at the end");
    }
    if (job->checkpoint.mode == MODE_AT_LEAST_ONCE) {
        buffer_append_text(out, ", at least once");
    }
    end_line(page);
}

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
    }
    if (fault->verb == FAULT_CRASH && fault->object.machine) {
        buffer_append_format(out, ", unsynced data %s", survival_text(fault->unsynced));
    }
    bool is_crash = fault->verb == FAULT_CRASH;
    if (fault->for_ever) {
        buffer_append_text(out, is_crash ? ", never back" : ", for ever");
    } else if (is_crash || fault->verb == FAULT_PAUSE || fault->verb == FAULT_DELAY) {
        buffer_append_text(out, is_crash ? ", back after " : ", for ");
        human_duration(out, fault->for_ns);
    }
}

static void write_fault(struct page *page, uint32_t index)
{
    const struct scenario *scenario = page->run->scenario;
    const struct fault_record *record = &page->run->faults[index];
    const struct fault *fault = record->fault;
    CHECK(fault != NULL);
    start_line(page, index == 0 ? "faults" : "");
    buffer_append_format(page->out, "%2" PRIu32 " ", index + 1);
    if (record->fired) {
        human_time(&page->cell, record->fired_ns);
    } else {
        buffer_append_text(&page->cell, "never");
    }
    flush_cell(page, CELL_WIDTH);
    buffer_append_format(page->out, "  %s ", fault_verb_name(fault->verb));
    fault_object_format(scenario, &fault->object, page->out);
    append_consequences(page->out, fault);
    if (fault->trigger.kind == TRIGGER_WHEN || !record->fired) {
        buffer_append_text(page->out,
                           fault->trigger.kind == TRIGGER_WHEN ? "; when " : "; planned at ");
        fault_trigger_format(scenario, &fault->trigger, page->out);
    }
    end_line(page);
}

/* Faults that never fired are shown whatever their number is: they are why a run fails. */
static void write_faults(struct page *page)
{
    const struct run *run = page->run;
    uint32_t count = run->scenario->fault_count;
    if (count == 0) {
        start_line(page, "faults");
        buffer_append_text(page->out, "none\n");
        return;
    }
    uint32_t shown = 0;
    for (uint32_t i = 0; i < count && shown < FAULTS_SHOWN_MAX; i++) {
        if (i < FAULTS_SHOWN_MAX / 2 || count <= FAULTS_SHOWN_MAX || !run->faults[i].fired) {
            write_fault(page, i);
            shown++;
        }
    }
    write_more(page, count, shown);
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
    flush_cell(page, CELL_WIDTH);
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
    append_message(page, recovery->cause);
}

static void write_recovery(struct page *page, const struct recovery_summary *recovery)
{
    /* After the loss of the JobManager there is nobody to cancel the job. */
    uint64_t stopped_ns =
        recovery->cancelled_ns > 0 ? recovery->cancelled_ns : recovery->detected_ns;
    start_line(page, "");
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
    flush_cell(page, CELL_WIDTH);
    human_count(&page->cell, recovery->records_replayed);
    flush_cell(page, CELL_WIDTH);
    write_cause(page, recovery);
    end_line(page);
}

static void write_recoveries(struct page *page)
{
    static const char *const heads[] = { "detect",   "cancel", "restart", "restore",
                                         "catch up", "total",  "from",    "replayed" };
    const struct summary *summary = &page->run->summary;
    if (summary->recovery_count == 0) {
        return;
    }
    start_line(page, "recoveries");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        buffer_append_text(&page->cell, heads[i]);
        flush_cell(page, CELL_WIDTH);
    }
    buffer_append_text(page->out, "  cause\n");
    size_t i = 0;
    for (; i < summary->recovery_count && i < RECOVERIES_SHOWN_MAX; i++) {
        write_recovery(page, &summary->recoveries[i]);
    }
    write_more(page, summary->recovery_count, i);
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
        start_line(page, "");
        buffer_append_text(page->out, "took ");
        write_median(page, durations, count, human_duration);
        buffer_append_text(page->out, "; state ");
        write_median(page, sizes, count, human_size);
        end_line(page);
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
            start_line(page, "");
            buffer_append_format(page->out, "%" PRIu64 " failed: ", checkpoint->id);
            append_message(page, checkpoint->reason);
            end_line(page);
            shown++;
        }
    }
    write_more(page, summary->failed, shown);
}

static void write_checkpoints(struct page *page)
{
    const struct summary *summary = &page->run->summary;
    CHECK(summary->completed + summary->failed <= summary->triggered);
    start_line(page, "checkpoints");
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
    end_line(page);
    write_checkpoint_costs(page);
    write_failed_checkpoints(page);
}

/* ---- what was compared ----------------------------------------------------------------------- */

static void write_compared(struct page *page)
{
    const struct oracle_totals *totals = &page->run->totals;
    struct buffer *out = page->out;
    start_line(page, "compared");
    human_count_of(out, totals->output_lines, "output line");
    buffer_append_text(out, ", ");
    human_count_of(out, totals->keys, "key");
    buffer_append_text(out, ", ");
    human_count_of(out, totals->checkpoints_verified, "checkpoint");
    buffer_append_text(out, " read back with ");
    human_count(out, totals->state_entries_compared);
    buffer_append_text(out, totals->state_entries_compared == 1 ? " entry" : " entries");
    end_line(page);
    if (totals->records_skipped > 0 || totals->output_duplicates > 0) {
        start_line(page, "");
        human_count_of(out, totals->records_skipped, "bad record");
        buffer_append_text(out, " skipped, ");
        human_count_of(out, totals->output_duplicates, "output line");
        buffer_append_text(out, " more than once");
        end_line(page);
    }
}

/* ---- the verdict ----------------------------------------------------------------------------- */

const char *verdict_word(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASS: return "PASS";
    case VERDICT_WRONG: return "WRONG";
    case VERDICT_STUCK: return "STUCK";
    case VERDICT_BAD_USAGE: return "BAD USAGE";
    case VERDICT_NOT_DETERMINISTIC: return "NOT THE SAME";
    case VERDICT_NOT_FIRED: return "NOT FIRED";
    case VERDICT_SURROUNDINGS: return "FAILED";
    }
    CHECK_UNREACHABLE("a verdict");
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
    static const uint8_t severity[] = {
        [VERDICT_WRONG] = 6,     [VERDICT_NOT_DETERMINISTIC] = 5, [VERDICT_STUCK] = 4,
        [VERDICT_NOT_FIRED] = 3, [VERDICT_SURROUNDINGS] = 2,      [VERDICT_BAD_USAGE] = 1,
        [VERDICT_PASS] = 0,
    };
    CHECK((unsigned)a < sizeof severity);
    CHECK((unsigned)b < sizeof severity);
    return severity[a] >= severity[b] ? a : b;
}

static uint32_t count_not_fired(const struct run *run)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->scenario->fault_count; i++) {
        count += run->faults[i].fired ? 0 : 1;
    }
    return count;
}

/* What a passing run has shown. */
static void append_pass(struct page *page)
{
    const struct run *run = page->run;
    if (run->outcome == OUTCOME_FINISHED) {
        bool exactly = run->scenario->job.checkpoint.mode == MODE_EXACTLY_ONCE &&
                       run->totals.output_duplicates == 0;
        buffer_append_text(page->out, exactly ? "state and output equal the reference; "
                                              : "nothing is lost; ");
        buffer_append_format(page->out, "all %d properties hold", PROPERTY_COUNT_PLUS_ONE - 1);
        return;
    }
    buffer_append_text(page->out, run->outcome == OUTCOME_REFUSED ? "refused, as expected: "
                                                                  : "failed, as expected: ");
    append_message(page, run->summary.failure);
}

/* The sentence beside the word. */
static void append_reason(struct page *page, const struct verdict_view *view)
{
    const struct run *run = page->run;
    struct buffer *out = page->out;
    switch (run->verdict) {
    case VERDICT_PASS: append_pass(page); return;
    case VERDICT_NOT_FIRED:
        buffer_append_format(out, "%" PRIu32 " of %" PRIu32 " planned faults never happened",
                             count_not_fired(run), run->scenario->fault_count);
        return;
    case VERDICT_NOT_DETERMINISTIC:
        buffer_append_format(out, "two runs left different traces: %016" PRIx64 " and %016" PRIx64,
                             run->trace_hash, view->second_hash);
        return;
    case VERDICT_STUCK:
        buffer_append_text(out, "the job did not end within ");
        human_duration(out, run->scenario->expect.within_ns);
        return;
    default:
        human_count(out, view->violation_count + run->unmet_count);
        buffer_append_text(out, " thing");
        buffer_append_text(out, view->violation_count + run->unmet_count == 1 ? " is" : "s are");
        buffer_append_text(out, " not as expected");
        return;
    }
}

static void append_word(struct buffer *out, enum verdict verdict, bool colour)
{
    const char *code = !colour ? "" : verdict == VERDICT_PASS ? "\033[1;32m" : "\033[1;31m";
    buffer_append_format(out, "%s%-*s%s", code, LABEL_WIDTH, verdict_word(verdict),
                         colour ? "\033[0m" : "");
}

static void write_wrong(struct page *page, const struct verdict_view *view)
{
    uint32_t shown = 0;
    for (uint32_t i = 0; i < view->violation_count && shown < WRONG_SHOWN_MAX; i++, shown++) {
        const struct violation *violation = &view->violations[i];
        start_line(page, "");
        buffer_append_format(page->out, "%s: ", property_name(violation->property));
        append_message(page, violation->message);
        end_line(page);
    }
    for (uint32_t i = 0; i < page->run->unmet_count && shown < WRONG_SHOWN_MAX; i++, shown++) {
        start_line(page, "");
        append_message(page, page->run->unmet[i].message);
        end_line(page);
    }
    write_more(page, view->violation_count + page->run->unmet_count, shown);
}

static void write_numbers(struct page *page, const struct verdict_view *view)
{
    const struct run *run = page->run;
    struct buffer *out = page->out;
    start_line(page, "");
    human_duration(out, run->simulated_ns);
    buffer_append_text(out, " simulated in ");
    human_duration(out, run->wall_ns);
    buffer_append_text(out, ", ");
    human_count_of(out, run->event_count, "event");
    buffer_append_format(out, ", trace hash %016" PRIx64, run->trace_hash);
    if (view->verified && view->second_hash == run->trace_hash) {
        buffer_append_text(out, " (twice)");
    }
    end_line(page);
    if (view->replay != NULL) {
        start_line(page, "");
        buffer_append_format(out, "again: %s\n", view->replay);
    }
}

void verdict_write(const struct verdict_view *view, struct buffer *out)
{
    CHECK(view->run != NULL);
    CHECK(view->violation_count == 0 || view->violations != NULL);
    struct page page = { .run = view->run, .out = out };
    buffer_init(&page.cell, view->run->arena);
    write_title(&page);
    write_job(&page);
    write_faults(&page);
    write_recoveries(&page);
    write_checkpoints(&page);
    write_compared(&page);
    end_line(&page);
    append_word(out, view->run->verdict, view->colour);
    append_reason(&page, view);
    end_line(&page);
    write_wrong(&page, view);
    write_numbers(&page, view);
    buffer_free(&page.cell);
}

void verdict_write_line(const struct verdict_view *view, struct buffer *out)
{
    struct page page = { .run = view->run, .out = out };
    append_word(out, view->run->verdict, view->colour);
    append_message(&page, view->run->scenario->name);
    if (view->violation_count > 0) {
        const struct violation *violation = &view->violations[0];
        buffer_append_format(out, ": %s: ", property_name(violation->property));
        append_message(&page, violation->message);
    } else if (view->run->unmet_count > 0) {
        buffer_append_text(out, ": ");
        append_message(&page, view->run->unmet[0].message);
    } else if (view->run->verdict != VERDICT_PASS) {
        buffer_append_text(out, ": ");
        append_reason(&page, view);
    }
    end_line(&page);
}
