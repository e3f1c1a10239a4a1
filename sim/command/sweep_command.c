#include "sim/command/sweep_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/junit.h"
#include "sim/campaign/human.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/progress.h"
#include "sim/campaign/sweep.h"
#include "sim/campaign/verdict.h"
#include "sim/command/report_command.h"

enum { BAR_WIDTH = 24, MESSAGES_MAX = 20 };

struct display {
    struct arena arena;
    struct progress progress;
    uint64_t told; /* how many failed cells were named */
};

/* How long the rest takes if it goes on as so far. */
static uint64_t remaining_ns(const struct sweep_state *state)
{
    uint64_t left = state->cell_count - state->found_count - state->ended_count;
    CHECK(left <= state->cell_count);
    return state->ended_count == 0 ? 0 : state->elapsed_ns / state->ended_count * left;
}

static void show_line(struct display *display, const struct sweep_state *state)
{
    uint64_t known = state->found_count + state->ended_count;
    char bar[BAR_WIDTH + 1] = { 0 };
    for (uint64_t i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i * state->cell_count < known * BAR_WIDTH ? '#' : '.';
    }
    struct buffer text;
    buffer_init(&text, &display->arena);
    buffer_append_format(&text, "%s [%s] %" PRIu64 " of %" PRIu64 " cells", state->name, bar, known,
                         state->cell_count);
    if (state->failed_count > 0) {
        buffer_append_format(&text, ", %" PRIu64 " not passed", state->failed_count);
    }
    if (state->ended_count > 0 && known < state->cell_count) {
        buffer_append_text(&text, ", about ");
        human_duration(&text, remaining_ns(state));
        buffer_append_text(&text, " left");
    }
    progress_show(&display->progress, "%.*s", (int)text.size, (const char *)text.data);
    buffer_free(&text);
}

static void on_report(void *context, const struct sweep_state *state)
{
    struct display *display = context;
    const struct sweep_cell *cell = state->last;
    if (cell != NULL && cell->verdict != VERDICT_PASS && display->told < MESSAGES_MAX) {
        display->told++;
        progress_say(&display->progress, "%-9s %s%s%s", verdict_word(cell->verdict), cell->label,
                     cell->message[0] != '\0' ? ": " : "", cell->message);
    }
    if (progress_is_due(&display->progress)) {
        show_line(display, state);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

static void print_summary(const struct sweep_state *state, struct arena *arena)
{
    uint64_t counts[VERDICT_SURROUNDINGS + 1] = { 0 };
    for (uint64_t i = 0; i < state->cell_count; i++) {
        enum sweep_fate fate = state->cells[i].fate;
        if (fate != SWEEP_WAITING && fate != SWEEP_TWIN) {
            counts[state->cells[i].verdict]++;
        }
    }
    struct buffer text;
    buffer_init(&text, arena);
    buffer_append_format(&text, "%s: ", state->name);
    human_count_of(&text, state->cell_count, "cell");
    buffer_append_format(&text, ", %" PRIu64 " run", state->ended_count);
    if (state->ended_count > 0) {
        buffer_append_text(&text, " in ");
        human_duration(&text, state->elapsed_ns);
    }
    if (state->found_count > 0) {
        buffer_append_format(&text, ", %" PRIu64 " were there", state->found_count);
    }
    buffer_append_text(&text, ":");
    const char *joint = " ";
    for (int i = 0; i <= VERDICT_SURROUNDINGS; i++) {
        if (counts[i] > 0) {
            buffer_append_format(&text, "%s%" PRIu64 " %s", joint, counts[i],
                                 verdict_word((enum verdict)i));
            joint = ", ";
        }
    }
    buffer_append_text(&text, "\n");
    (void)fwrite(text.data, 1, text.size, stdout);
    buffer_free(&text);
}

static enum junit_kind junit_kind_of(const struct sweep_cell *cell)
{
    if (cell->fate == SWEEP_CRASHED || cell->fate == SWEEP_FAILED) {
        return JUNIT_ERROR;
    }
    return cell->verdict == VERDICT_PASS ? JUNIT_PASSED : JUNIT_FAILED;
}

/* Appends the cells that were judged; returns how many there are then. */
static uint64_t add_cases(struct junit_case *cases, uint64_t count, const struct sweep_state *state)
{
    for (uint64_t i = 0; i < state->cell_count; i++) {
        const struct sweep_cell *cell = &state->cells[i];
        if (cell->fate == SWEEP_WAITING || cell->fate == SWEEP_TWIN) {
            continue;
        }
        cases[count++] = (struct junit_case){
            .group = state->name,
            .name = cell->label[0] != '\0' ? cell->label : state->name,
            .wall_ns = cell->wall_ns,
            .kind = junit_kind_of(cell),
            .message = cell->message[0] != '\0' ? cell->message : verdict_name(cell->verdict),
            .detail = cell->json,
        };
    }
    return count;
}

/* One test suite; of several sweeps, each is a group of it. */
static enum status write_junit(const struct sweep_state *states, uint32_t state_count,
                               const struct options *options, struct arena *arena,
                               struct buffer *error)
{
    CHECK(state_count > 0);
    uint64_t room = 0;
    for (uint32_t i = 0; i < state_count; i++) {
        room += states[i].cell_count;
    }
    struct junit_case *cases = arena_alloc(arena, room + 1, sizeof *cases);
    uint64_t count = 0;
    for (uint32_t i = 0; i < state_count; i++) {
        count = add_cases(cases, count, &states[i]);
    }
    struct buffer xml;
    buffer_init(&xml, arena);
    junit_write(state_count == 1 ? states[0].name : "sweep", cases, count, &xml);
    return output_path_write(arena, options->junit, buffer_bytes(&xml), error);
}

static void complain(const struct buffer *sentence)
{
    CHECK(sentence->size > 0);
    (void)fflush(stdout);
    (void)fprintf(stderr, "%.*s\n", (int)sentence->size, (const char *)sentence->data);
}

/* Sweeps scenario number `index`. STATUS_OK also if cells failed. */
static enum status sweep_one(struct sweep_state *state, const struct options *options,
                             uint32_t index, const char *build, struct results *results,
                             struct display *display, struct buffer *error)
{
    struct sweep_options sweep = {
        .scenario = options->scenarios[index],
        .overrides = &options->overrides,
        .build = build,
        .results = results,
        .processes = options->processes,
        .report = on_report,
        .context = display,
    };
    enum status status = sweep_run(state, &display->arena, &sweep, error);
    progress_end(&display->progress);
    if (status == STATUS_OK) {
        print_summary(state, &display->arena);
        (void)fflush(stdout);
    }
    return status;
}

/* What holds for all: an error of the whole ends it, and so does an interruption. */
static enum verdict sweep_into(const struct options *options, const char *build,
                               struct results *results, struct display *display,
                               struct buffer *error)
{
    struct sweep_state *states =
        arena_alloc(&display->arena, options->scenario_count, sizeof *states);
    uint32_t count = 0;
    enum verdict worst = VERDICT_PASS;
    enum status status = STATUS_OK;
    bool interrupted = false;
    while (count < options->scenario_count && status == STATUS_OK && !interrupted) {
        struct sweep_state *state = &states[count];
        status = sweep_one(state, options, count++, build, results, display, error);
        worst = verdict_worse(worst, state->worst);
        interrupted = status == STATUS_OK && state->interrupted;
    }
    (void)printf("results: %s\n", options->database);
    if (interrupted) {
        (void)puts("interrupted; the same command goes on where it was");
        worst = verdict_worse(worst, VERDICT_SURROUNDINGS);
    }
    if (status == STATUS_OK && options->junit != NULL) {
        status = write_junit(states, count, options, &display->arena, error);
    }
    if (status != STATUS_OK) {
        complain(error);
        worst = verdict_worse(worst, verdict_of_status(status));
    }
    return worst;
}

enum verdict sweep_command(const struct options *options, const char *build)
{
    CHECK(options->scenario_count >= 1);
    CHECK(options->database != NULL);
    struct display display = { 0 };
    arena_init(&display.arena);
    progress_init(&display.progress, options->quiet ? NULL : stdout);
    struct buffer error;
    buffer_init(&error, &display.arena);
    struct results *results = NULL;
    enum verdict verdict;
    enum status status = results_open(&results, &display.arena, options->database, &error);
    if (status == STATUS_OK) {
        verdict = sweep_into(options, build, results, &display, &error);
    } else {
        complain(&error);
        verdict = verdict_of_status(status);
    }
    results_close(results);
    arena_drop(&display.arena);
    /* A page of what there is, unless nothing could be run. */
    bool has_page =
        options->out != NULL && verdict != VERDICT_BAD_USAGE && verdict != VERDICT_SURROUNDINGS;
    return has_page ? verdict_worse(verdict, report_command(options, build)) : verdict;
}
