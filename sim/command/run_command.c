#include "sim/command/run_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/arena.h"
#include "model/base/check.h"
#include "reports/junit.h"
#include "reports/results.h"
#include "sim/campaign/bisect.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/outputs.h"
#include "sim/campaign/verdict.h"
#include "sim/input/input.h"
#include "sim/live/live_run.h"
#include "sim/scenario/scenario_json.h"

/* ---- saying things --------------------------------------------------------------------------- */

/* Whether it could be written is main's to ask. */
static void print(struct bytes text)
{
    (void)fwrite(text.data, 1, text.size, stdout);
}

/* One sentence to standard error. */
static void complain(const struct buffer *sentence)
{
    CHECK(sentence->size > 0);
    (void)fflush(stdout);
    (void)fprintf(stderr, "%.*s\n", (int)sentence->size, (const char *)sentence->data);
}

static bool colour_is_wanted(void)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
}

/* ---- several scenarios, one after the other -------------------------------------------------- */

/* What outlives each run. */
struct session {
    const struct options *options;
    const char *build;
    struct arena arena;
    struct results *results;  /* NULL: none */
    const char **names;       /* of the scenarios so far */
    struct junit_case *cases; /* one a scenario */
    uint32_t counts[VERDICT_SURROUNDINGS + 1];
    bool colour;
    bool was_interrupted; /* by a signal: nothing more is run */
};

/* In single quotes where a shell would not take `text` as one word. */
static void append_quoted(struct buffer *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./+,:@%";
    if (text[0] != '\0' && text[strspn(text, plain)] == '\0') {
        buffer_append_text(out, text);
        return;
    }
    buffer_append_text(out, "'");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'') {
            buffer_append_text(out, "'\\''");
        } else {
            *buffer_extend(out, 1) = (uint8_t)*at;
        }
    }
    buffer_append_text(out, "'");
}

static const char *replay_command(const struct session *session, struct arena *arena,
                                  const char *folder)
{
    struct buffer text;
    buffer_init(&text, arena);
    append_quoted(&text, session->options->program);
    buffer_append_text(&text, session->options->command == COMMAND_LIVE ? " live " : " run ");
    buffer_append_text(&text, session->options->threads ? "--threads " : "");
    append_quoted(&text, arena_format(arena, "%s/run.json", folder));
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

/* Where the files of a scenario go. */
static const char *folder_of(const struct options *options, struct arena *arena, const char *name)
{
    if (options->out != NULL && options->scenario_count == 1) {
        return options->out;
    }
    const char *base =
        options->command == COMMAND_LIVE ? OPTIONS_DEFAULT_LIVE : OPTIONS_DEFAULT_OUT;
    return arena_format(arena, "%s/%s", options->out != NULL ? options->out : base, name);
}

/* Two scenarios of one name would share a folder: the second is refused. */
static bool name_is_new(struct session *session, uint32_t index, const struct scenario *scenario,
                        struct buffer *error)
{
    for (uint32_t i = 0; i < index; i++) {
        if (session->names[i] != NULL && strcmp(session->names[i], scenario->name) == 0) {
            buffer_append_format(error, "%s: name: \"%s\" is the name of %s too",
                                 session->options->scenarios[index], scenario->name,
                                 session->options->scenarios[i]);
            return false;
        }
    }
    session->names[index] = arena_text(&session->arena, scenario->name);
    return true;
}

/* Runs once more for the hash, in memory of its own. */
static void run_again(struct verdict_view *view, const struct scenario *scenario,
                      struct bytes input)
{
    struct arena arena;
    arena_init(&arena);
    struct run second;
    run_scenario(&second, &arena, scenario, input, &(struct run_options){ 0 });
    view->verified = true;
    view->second_hash = second.trace_hash;
    arena_drop(&arena);
}

/* To standard error, so that --json stays JSON. */
static void tell_difference(const struct scenario *scenario, struct bytes input)
{
    struct bisect_result result;
    bisect(scenario, input, NULL, NULL, &result);
    struct arena arena;
    arena_init(&arena);
    struct buffer text;
    buffer_init(&text, &arena);
    bisect_describe(&result, &text);
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s: not deterministic: %.*s", scenario->name, (int)text.size,
                  (const char *)text.data);
    arena_drop(&arena);
}

/* Prints what was asked for. */
static void tell(const struct options *options, const struct verdict_view *view)
{
    struct buffer text;
    buffer_init(&text, view->run->arena);
    if (options->json) {
        outputs_result(view, &text);
    } else if (options->quiet) {
        verdict_write_line(view, &text);
    } else {
        verdict_write(view, &text);
    }
    print(buffer_bytes(&text));
    buffer_free(&text);
}

/* For the JUnit file: what a CI server shows of a run. */
static void note_case(struct session *session, uint32_t index, const struct verdict_view *view)
{
    CHECK(index < session->options->scenario_count);
    const struct run *run = view->run;
    struct junit_case *test = &session->cases[index];
    test->group = arena_text(&session->arena, run->scenario->path);
    test->name = arena_text(&session->arena, run->scenario->name);
    test->wall_ns = run->wall_ns;
    if (run->verdict == VERDICT_PASS) {
        test->kind = JUNIT_PASSED;
        return;
    }
    struct buffer text;
    buffer_init(&text, run->arena);
    verdict_write_line(view, &text);
    test->kind = JUNIT_FAILED;
    CHECK(text.size > 0 && text.data[text.size - 1] == '\n');
    test->message =
        arena_format(&session->arena, "%.*s", (int)text.size - 1, (const char *)text.data);
    test->detail = view->replay == NULL ? "" : arena_text(&session->arena, view->replay);
    buffer_free(&text);
}

/* What never came to run is an error until it has. */
static void init_cases(struct session *session)
{
    const struct options *options = session->options;
    session->cases = arena_alloc(&session->arena, options->scenario_count, sizeof *session->cases);
    for (uint32_t i = 0; i < options->scenario_count; i++) {
        session->cases[i] = (struct junit_case){ .group = options->scenarios[i],
                                                 .name = options->scenarios[i],
                                                 .kind = JUNIT_ERROR,
                                                 .message = "it did not run",
                                                 .detail = "" };
    }
}

static enum verdict write_junit(struct session *session, enum verdict verdict, struct buffer *error)
{
    const struct options *options = session->options;
    struct buffer xml;
    buffer_init(&xml, &session->arena);
    junit_write("faultline", session->cases, options->scenario_count, &xml);
    if (output_path_write(&session->arena, options->junit, buffer_bytes(&xml), error) ==
        STATUS_OK) {
        return verdict;
    }
    complain(error);
    return verdict_worse(verdict, VERDICT_SURROUNDINGS);
}

/* Files, rows and text of a run that is over. */
static enum verdict deliver(struct session *session, uint32_t index, struct verdict_view *view,
                            struct buffer *error)
{
    const struct options *options = session->options;
    const struct run *run = view->run;
    const char *folder = folder_of(options, run->arena, run->scenario->name);
    struct outputs_options files = { .folder = folder,
                                     .build = session->build,
                                     .plots = options->plots };
    enum status status = outputs_write(view, &files, error);
    if (status == STATUS_OK) {
        view->replay = replay_command(session, run->arena, folder);
        if (session->results != NULL) {
            status = outputs_add(view, session->build, session->results, error);
        }
    }
    tell(options, view);
    note_case(session, index, view);
    if (status != STATUS_OK) {
        complain(error);
        return verdict_worse(run->verdict, VERDICT_SURROUNDINGS);
    }
    return run->verdict;
}

static FILE *progress_of(const struct options *options)
{
    return isatty(STDERR_FILENO) && !options->quiet ? stderr : NULL;
}

/* Standard input, which a live run reads while it runs. */
static bool is_followed(const struct options *options, const struct scenario *scenario)
{
    return options->command == COMMAND_LIVE && scenario->job.input.kind == INPUT_FILE &&
           input_is_standard(scenario->input_path);
}

/* For real; how it was run is told to standard error. */
static enum status run_live(struct session *session, struct run *run, struct arena *arena,
                            const struct scenario *scenario, struct bytes input,
                            struct buffer *error)
{
    const struct options *options = session->options;
    struct output_folder folder = { .arena = arena,
                                    .path = folder_of(options, arena, scenario->name),
                                    .error = error };
    enum status status = output_folder_make(&folder);
    status = status == STATUS_OK ? outputs_forget(&folder) : status;
    if (status != STATUS_OK) {
        return status;
    }
    struct live_run_options how = {
        .run = { .keep_trace = options->trace, .keep_timeline = options->trace },
        .threads = options->threads,
        .skip_faults = options->skip_faults,
        .folder = arena_format(arena, "%s/volumes", folder.path),
        .progress = progress_of(options),
        .was_interrupted = &session->was_interrupted,
    };
    if (is_followed(options, scenario)) {
        how.kept = arena_format(arena, "%s/input.txt", folder.path);
        (void)fprintf(
            stderr,
            "%s: live: standard input is kept in %s as it comes: a process that is killed "
            "reads it again, and nothing is lost; if faultline itself is killed, its "
            "counts are lost, and what it has not read yet\n",
            scenario->path, how.kept);
    }
    struct buffer notes;
    buffer_init(&notes, arena);
    (void)fflush(stdout); /* what is buffered would be written by every process */
    status = live_run(run, arena, scenario, input, &how, &notes, error);
    (void)fprintf(stderr, "%.*s", (int)notes.size, notes.size > 0 ? (const char *)notes.data : "");
    return status;
}

/* One sentence says why there is no verdict, here and in the JUnit file. */
static enum verdict give_up(struct session *session, uint32_t index, enum status status,
                            const struct buffer *error)
{
    complain(error);
    session->cases[index].message =
        arena_format(&session->arena, "%.*s", (int)error->size, (const char *)error->data);
    return verdict_of_status(status);
}

static enum verdict run_read(struct session *session, uint32_t index, struct arena *arena,
                             const struct scenario *scenario, struct bytes input,
                             struct buffer *error)
{
    const struct options *options = session->options;
    struct run_options keep = { .keep_trace = options->trace, .keep_timeline = options->trace };
    struct run run;
    if (options->command == COMMAND_LIVE) {
        enum status status = run_live(session, &run, arena, scenario, input, error);
        if (status != STATUS_OK) {
            return give_up(session, index, status, error);
        }
    } else {
        run_scenario(&run, arena, scenario, input, &keep);
    }
    struct verdict_view view = { .run = &run, .colour = session->colour };
    view.violations = oracle_violations(run.oracle, &view.violation_count);
    if (options->verify) {
        run_again(&view, scenario, input);
        if (view.second_hash != run.trace_hash) {
            run.verdict = verdict_worse(run.verdict, VERDICT_NOT_DETERMINISTIC);
            tell_difference(scenario, input);
        }
    }
    return deliver(session, index, &view, error);
}

/* A live run's input may be larger than memory. */
static enum status read_input(const struct options *options, struct arena *arena,
                              struct scenario *scenario, struct bytes *input, struct buffer *error)
{
    const char *folder = folder_of(options, arena, scenario->name);
    *input = (struct bytes){ 0 };
    if (is_followed(options, scenario)) {
        return STATUS_OK;
    }
    if (options->command == COMMAND_LIVE) {
        return run_copy_input(scenario, arena, folder, progress_of(options), input, error);
    }
    enum status status = run_read_input(scenario, arena, input, error);
    return status == STATUS_OK ? run_keep_input(scenario, arena, folder, *input, error) : status;
}

/* One scenario from its file to its verdict; nothing of it stays in memory. */
static enum verdict run_one(struct session *session, uint32_t index)
{
    const struct options *options = session->options;
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario scenario;
    struct bytes input;
    enum status status =
        scenario_read(&scenario, &arena, options->scenarios[index], &options->overrides, &error);
    if (status == STATUS_OK && !name_is_new(session, index, &scenario, &error)) {
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        status = read_input(options, &arena, &scenario, &input, &error);
    }
    enum verdict verdict = status == STATUS_OK
                               ? run_read(session, index, &arena, &scenario, input, &error)
                               : give_up(session, index, status, &error);
    arena_drop(&arena);
    return verdict;
}

/* How many came to which verdict. */
static void print_counts(struct session *session)
{
    struct buffer text;
    buffer_init(&text, &session->arena);
    buffer_append_format(&text, "%s%" PRIu32 " scenarios:", session->options->quiet ? "" : "\n",
                         session->options->scenario_count);
    bool is_first = true;
    for (int i = 0; i <= VERDICT_SURROUNDINGS; i++) {
        if (session->counts[i] > 0) {
            buffer_append_format(&text, "%s %" PRIu32 " %s", is_first ? "" : ",",
                                 session->counts[i], verdict_word((enum verdict)i));
            is_first = false;
        }
    }
    buffer_append_text(&text, "\n");
    print(buffer_bytes(&text));
}

static enum verdict run_all(struct session *session)
{
    const struct options *options = session->options;
    enum verdict worst = VERDICT_PASS;
    for (uint32_t i = 0; i < options->scenario_count && !session->was_interrupted; i++) {
        if (i > 0 && !options->json && !options->quiet) {
            (void)putchar('\n');
        }
        enum verdict verdict = run_one(session, i);
        session->counts[verdict]++;
        worst = verdict_worse(worst, verdict);
        (void)fflush(stdout);
    }
    if (options->scenario_count > 1 && !options->json) {
        print_counts(session);
    }
    return worst;
}

enum verdict run_command(const struct options *options, const char *build)
{
    struct session session = { .options = options, .build = build, .colour = colour_is_wanted() };
    arena_init(&session.arena);
    session.names = arena_alloc(&session.arena, options->scenario_count, sizeof *session.names);
    struct buffer error;
    buffer_init(&error, &session.arena);
    enum verdict verdict;
    enum status status = STATUS_OK;
    if (options->database != NULL) {
        status = results_open(&session.results, &session.arena, options->database, &error);
    }
    if (status == STATUS_OK) {
        init_cases(&session);
        verdict = run_all(&session);
        if (options->junit != NULL) {
            verdict = write_junit(&session, verdict, &error);
        }
    } else {
        complain(&error);
        verdict = verdict_of_status(status);
    }
    results_close(session.results);
    arena_drop(&session.arena);
    return verdict;
}
