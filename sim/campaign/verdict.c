#include "sim/campaign/verdict.h"

#include <inttypes.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/verdict_private.h"
#include "sim/oracle/job_reference.h"

/* How many things that are wrong are shown. */
enum { WRONG_SHOWN_MAX = 6 };

/* ---- layout ---------------------------------------------------------------------------------- */

void page_start_line(struct page *page, const char *label)
{
    CHECK(strlen(label) < PAGE_LABEL_WIDTH);
    buffer_append_format(page->out, "%-*s", PAGE_LABEL_WIDTH, label);
}

void page_end_line(struct page *page)
{
    buffer_append_text(page->out, "\n");
}

void page_flush_cell(struct page *page, size_t width)
{
    size_t blanks = page->cell.size < width ? width - page->cell.size : 1;
    buffer_append_format(page->out, "%*s", (int)blanks, "");
    buffer_append(page->out, buffer_bytes(&page->cell));
    buffer_reset(&page->cell);
}

void page_append_message(struct page *page, const char *message)
{
    for (const char *at = message; *at != '\0'; at++) {
        if (*at == '\n') {
            page_end_line(page);
            page_start_line(page, "");
            buffer_append_text(page->out, "  ");
        } else {
            bool is_control = (unsigned char)*at < ' ' || *at == 0x7f;
            *buffer_extend(page->out, 1) = is_control ? (uint8_t)' ' : (uint8_t)*at;
        }
    }
}

void page_write_more(struct page *page, uint64_t total, uint64_t shown)
{
    if (total > shown) {
        page_start_line(page, "");
        buffer_append_text(page->out, "... and ");
        human_count(page->out, total - shown);
        buffer_append_text(page->out, " more, see result.json");
        page_end_line(page);
    }
}

/* ---- what ran -------------------------------------------------------------------------------- */

static void write_title(struct page *page)
{
    const struct scenario *scenario = page->run->scenario;
    page_append_message(page, scenario->name);
    buffer_append_format(page->out, ", seed %" PRIu64 "\n", scenario->seed);
    if (scenario->about[0] != '\0') {
        page_append_message(page, scenario->about);
        page_end_line(page);
    }
    page_end_line(page);
}

static void append_input(struct page *page)
{
    const struct input_config *input = &page->run->scenario->job.input;
    struct buffer *out = page->out;
    human_count_of(out, page->run->totals.records, "record");
    if (input->kind == INPUT_FILE) {
        buffer_append_text(out, " of ");
        page_append_message(page, input->label);
    } else if (input->kind == INPUT_NEXMARK) {
        buffer_append_text(out, ", events of Nexmark");
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
    page_start_line(page, "job");
    buffer_append_format(out, "%s: ", job->job);
    append_input(page);
    page_end_line(page);
    page_start_line(page, "");
    buffer_append_format(out, "parallelism %" PRIu32 ", ", job->parallelism);
    human_count_of(out, page->run->task_count, "task");
    buffer_append_text(out, " on ");
    human_count_of(out, job->task_managers, "TaskManager");
    buffer_append_format(out, ", %s backend, ", state_backend_name(job->state.backend));
    if (job->checkpoint.interval_ns > 0) {
        buffer_append_text(out, "a checkpoint every ");
        human_duration(out, job->checkpoint.interval_ns);
    } else {
        buffer_append_text(out, "one checkpoint at the end");
    }
    if (job->checkpoint.mode == MODE_AT_LEAST_ONCE) {
        buffer_append_text(out, ", at least once");
    }
    page_end_line(page);
}

/* ---- what was compared ----------------------------------------------------------------------- */

/* Of some jobs the reference knows the output only (sim/oracle/job_reference.h). */
static bool compares_state(const struct page *page)
{
    const struct scenario *scenario = page->run->scenario;
    const struct job_reference *reference = job_reference_find(scenario->job.job);
    return scenario->library == NULL && (reference == NULL || reference->rule_count > 0);
}

/* With a run without faults. */
static void write_compared_with_recording(struct page *page)
{
    const struct oracle_totals *totals = &page->run->totals;
    struct buffer *out = page->out;
    page_start_line(page, "compared");
    if (page->run->scenario->job.checkpoint.mode == MODE_EXACTLY_ONCE) {
        human_count_of(out, totals->output_lines, "output line");
        buffer_append_text(out, " and ");
        human_count(out, totals->final_entries_compared);
        buffer_append_text(out, " of the final state with a run without faults, ");
    } else {
        buffer_append_text(out, "no output: a library's lines may differ if records count twice; ");
    }
    human_count_of(out, totals->checkpoints_verified, "checkpoint");
    buffer_append_text(out, " read back");
    page_end_line(page);
}

static void write_compared(struct page *page)
{
    if (page->run->recording != NULL) {
        write_compared_with_recording(page);
        return;
    }
    const struct oracle_totals *totals = &page->run->totals;
    struct buffer *out = page->out;
    page_start_line(page, "compared");
    human_count_of(out, totals->output_lines, "output line");
    if (compares_state(page)) {
        buffer_append_text(out, ", ");
        human_count_of(out, totals->keys, "key");
    }
    buffer_append_text(out, ", ");
    human_count_of(out, totals->checkpoints_verified, "checkpoint");
    buffer_append_text(out, " read back");
    if (compares_state(page)) {
        buffer_append_text(out, " with ");
        human_count(out, totals->state_entries_compared);
        buffer_append_text(out, totals->state_entries_compared == 1 ? " entry" : " entries");
    } else {
        buffer_append_text(out, ": the source positions and the form of the state");
        if (totals->final_state_compared) {
            buffer_append_text(out, ", of the last with ");
            human_count(out, totals->final_entries_compared);
            buffer_append_text(out, totals->final_entries_compared == 1 ? " entry" : " entries");
        }
    }
    page_end_line(page);
    if (totals->records_skipped > 0) {
        page_start_line(page, "");
        human_count_of(out, totals->records_skipped, "bad record");
        buffer_append_text(out, " skipped");
        page_end_line(page);
    }
    if (totals->output_duplicates > 0) {
        page_start_line(page, "");
        human_count_of(out, totals->output_duplicates, "output line");
        buffer_append_text(out, " more than the reference has");
        page_end_line(page);
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

enum verdict verdict_of_status(enum status status)
{
    switch (status) {
    case STATUS_OK: return VERDICT_PASS;
    case STATUS_INVALID:
    case STATUS_CORRUPT: return VERDICT_BAD_USAGE;
    default: return VERDICT_SURROUNDINGS;
    }
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
        bool with_state = compares_state(page) || run->totals.final_state_compared;
        const char *equal = with_state ? "state and output equal the reference; "
                                       : "the output equals the reference; ";
        bool is_unknown = !exactly && run->recording != NULL;
        buffer_append_text(page->out, exactly      ? equal
                                      : is_unknown ? "the output is not compared; "
                                                   : "nothing is lost; ");
        buffer_append_format(page->out, "all %d properties hold", PROPERTY_COUNT_PLUS_ONE - 1);
        return;
    }
    buffer_append_text(page->out, run->outcome == OUTCOME_REFUSED ? "refused, as expected: "
                                                                  : "failed, as expected: ");
    page_append_message(page, run->summary.failure);
}

/* The sentence beside the word. */
static void append_reason(struct page *page, const struct verdict_view *view)
{
    const struct run *run = page->run;
    struct buffer *out = page->out;
    switch (run->verdict) {
    case VERDICT_PASS: append_pass(page); return;
    case VERDICT_NOT_FIRED:
        buffer_append_format(
            out, "%" PRIu32 " of %" PRIu32 " planned faults never happened; all else is right",
            count_not_fired(run), run->scenario->fault_count);
        return;
    case VERDICT_NOT_DETERMINISTIC:
        if (run->is_ambiguous) {
            buffer_append_text(out, "the job itself has no one answer");
            return;
        }
        buffer_append_format(out, "two runs left different traces: %016" PRIx64 " and %016" PRIx64,
                             run->trace_hash, view->second_hash);
        return;
    case VERDICT_STUCK:
        if (vain_is_hopeless(&run->vain)) {
            vain_describe(&run->vain, out);
            return;
        }
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
    buffer_append_format(out, "%s%-*s%s", code, PAGE_LABEL_WIDTH, verdict_word(verdict),
                         colour ? "\033[0m" : "");
}

static void write_wrong(struct page *page, const struct verdict_view *view)
{
    uint32_t shown = 0;
    for (uint32_t i = 0; i < view->violation_count && shown < WRONG_SHOWN_MAX; i++, shown++) {
        const struct violation *violation = &view->violations[i];
        page_start_line(page, "");
        buffer_append_format(page->out, "%s: ", property_name(violation->property));
        page_append_message(page, violation->message);
        page_end_line(page);
    }
    for (uint32_t i = 0; i < page->run->unmet_count && shown < WRONG_SHOWN_MAX; i++, shown++) {
        page_start_line(page, "");
        page_append_message(page, page->run->unmet[i].message);
        page_end_line(page);
    }
    page_write_more(page, view->violation_count + page->run->unmet_count, shown);
}

static void write_live_numbers(struct page *page)
{
    const struct run *run = page->run;
    struct buffer *out = page->out;
    human_duration(out, run->simulated_ns);
    buffer_append_format(out, " on real %s, ", run->live);
    human_count(out, run->totals.records * 1000 / (run->simulated_ns / 1000000 + 1));
    buffer_append_text(out, " records a second, ");
    human_count_of(out, run->event_count, "fact");
}

static void write_simulated_numbers(struct page *page, const struct verdict_view *view)
{
    const struct run *run = page->run;
    struct buffer *out = page->out;
    human_duration(out, run->simulated_ns);
    buffer_append_text(out, " simulated in ");
    human_duration(out, run->wall_ns);
    buffer_append_text(out, ", ");
    human_count_of(out, run->event_count, "event");
    buffer_append_format(out, ", trace hash %016" PRIx64, run->trace_hash);
    if (view->verified && view->second_hash == run->trace_hash) {
        buffer_append_text(out, " (twice)");
    }
}

static void write_numbers(struct page *page, const struct verdict_view *view)
{
    struct buffer *out = page->out;
    page_start_line(page, "");
    if (page->run->live != NULL) {
        write_live_numbers(page);
    } else {
        write_simulated_numbers(page, view);
    }
    page_end_line(page);
    if (view->replay != NULL) {
        page_start_line(page, "");
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
    page_write_faults(&page);
    page_write_recoveries(&page);
    page_write_checkpoints(&page);
    write_compared(&page);
    page_end_line(&page);
    append_word(out, view->run->verdict, view->colour);
    append_reason(&page, view);
    page_end_line(&page);
    write_wrong(&page, view);
    write_numbers(&page, view);
    buffer_free(&page.cell);
}

void verdict_write_line(const struct verdict_view *view, struct buffer *out)
{
    struct page page = { .run = view->run, .out = out };
    append_word(out, view->run->verdict, view->colour);
    page_append_message(&page, view->run->scenario->name);
    bool is_hopeless = vain_is_hopeless(&view->run->vain);
    if (view->violation_count > 0 && !is_hopeless) {
        const struct violation *violation = &view->violations[0];
        buffer_append_format(out, ": %s: ", property_name(violation->property));
        page_append_message(&page, violation->message);
    } else if (view->run->unmet_count > 0 && !is_hopeless) {
        buffer_append_text(out, ": ");
        page_append_message(&page, view->run->unmet[0].message);
    } else if (view->run->verdict != VERDICT_PASS) {
        buffer_append_text(out, ": ");
        append_reason(&page, view);
    }
    page_end_line(&page);
}
