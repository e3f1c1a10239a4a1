/* The verb: from a file to a smaller file. */
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/failure_file.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/shrink.h"
#include "sim/campaign/verdict.h"
#include "sim/scenario/scenario_short.h"

/* `path` without ".json". */
static const char *stem_of(struct arena *arena, const char *path)
{
    size_t size = strlen(path);
    size_t ending = strlen(".json");
    if (size > ending && strcmp(path + size - ending, ".json") == 0) {
        size -= ending;
    }
    return arena_format(arena, "%.*s", (int)size, path);
}

/* What the small scenario is, and the paths it goes to. */
struct small {
    struct scenario scenario;
    struct shrink_result result;
    const char *out;
    const char *input_out; /* NULL: the input was not cut */
};

/* The name of a scenario is that of its file, as far as a name can be. */
static const char *name_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = arena_text(arena, stem_of(arena, slash != NULL ? slash + 1 : path));
    static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    for (char *at = name; *at != '\0'; at++) {
        if (strchr(fit, *at) == NULL || (at == name && *at == '.')) {
            *at = '-';
        }
    }
    return *name == '\0' ? "small" : name;
}

/* The scenario's text, which names a cut input by its place beside it: the two can be moved. */
static void write_text(const struct small *small, struct buffer *out)
{
    struct buffer whole;
    buffer_init(&whole, out->arena);
    scenario_write_short(&small->scenario, &whole);
    static const char key[] = "\"file\": \"";
    struct bytes rest = buffer_bytes(&whole);
    const uint8_t *at =
        small->input_out == NULL ? NULL : memmem(rest.data, rest.size, key, strlen(key));
    if (at != NULL) {
        at += strlen(key);
        const uint8_t *end = memchr(at, '\n', rest.size - (size_t)(at - rest.data));
        CHECK(end != NULL);
        while (*end != '"') { /* the comma behind the text may be there or not */
            end--;
        }
        const char *slash = strrchr(small->input_out, '/');
        buffer_append(out, (struct bytes){ rest.data, (size_t)(at - rest.data) });
        buffer_append_text(out, slash != NULL ? slash + 1 : small->input_out);
        rest = (struct bytes){ end, (size_t)(rest.data + rest.size - end) };
    }
    buffer_append(out, rest);
}

static enum status write_small(struct small *small, const struct scenario *given,
                               struct buffer *error)
{
    struct arena *arena = error->arena;
    struct buffer origin;
    buffer_init(&origin, arena);
    buffer_append_format(&origin, "shrunk from %s, %u fault%s to %u", given->name,
                         given->fault_count, given->fault_count == 1 ? "" : "s",
                         small->scenario.fault_count);
    const char *text = arena_format(arena, "%.*s", (int)origin.size, (const char *)origin.data);
    small->scenario.name = name_of(arena, small->out);
    small->scenario.about = failure_about(arena, text, &small->result.finding);
    enum status status = STATUS_OK;
    if (small->input_out != NULL) {
        small->scenario.input_path = small->input_out;
        small->scenario.input_shape = (struct input_shape){ .format = FORMAT_LINES };
        status = output_path_write(arena, small->input_out, small->result.input, error);
    }
    struct buffer json;
    buffer_init(&json, arena);
    write_text(small, &json);
    return status != STATUS_OK ? status
                               : output_path_write(arena, small->out, buffer_bytes(&json), error);
}

static void report(const struct shrink_file_options *options, const struct small *small,
                   uint32_t fault_count, const struct finding *finding, struct arena *arena)
{
    if (options->report == NULL) {
        return;
    }
    struct buffer what;
    buffer_init(&what, arena);
    finding_describe(finding, &what);
    const struct shrink_result *result = &small->result;
    if (result->interrupted || result->out_of_time) {
        (void)fprintf(options->report, "%s: not the smallest, but it fails\n",
                      result->interrupted ? "interrupted" : "out of time");
    }
    (void)fprintf(options->report, "%.*s: %s\n", (int)what.size, (const char *)what.data,
                  finding->message);
    (void)fprintf(options->report, "%llu runs, %u of %u faults left: %s run %s\n",
                  (unsigned long long)result->runs, small->scenario.fault_count, fault_count,
                  options->program, small->out);
}

static enum verdict shrink_read(const struct shrink_file_options *options, struct arena *arena,
                                const struct scenario *scenario, struct bytes input,
                                struct buffer *error)
{
    struct finding finding;
    enum status status = run_apart(scenario, input, arena, &finding);
    if (status == STATUS_OK && finding.kind == FINDING_NONE) {
        buffer_append_format(error, "%s: does not fail: there is nothing to shrink",
                             options->scenario);
        return VERDICT_BAD_USAGE;
    }
    struct small small = { .out = options->out != NULL
                                      ? options->out
                                      : arena_format(arena, "%s-small.json",
                                                     stem_of(arena, options->scenario)) };
    if (status == STATUS_OK) {
        /* What cannot be written is better known before the work than behind it. */
        small.scenario = *scenario;
        small.result.finding = finding;
        status = write_small(&small, scenario, error);
    }
    if (status == STATUS_OK) {
        status = shrink(&small.scenario, arena, scenario, input, &finding, &options->shrink,
                        &small.result, error);
    }
    if (status == STATUS_OK && small.scenario.job.input.kind == INPUT_FILE &&
        (small.result.input.size < input.size || input_is_standard(scenario->input_path))) {
        small.input_out = arena_format(arena, "%s.txt", stem_of(arena, small.out));
    }
    if (status == STATUS_OK) {
        status = write_small(&small, scenario, error);
    }
    if (status == STATUS_OK) {
        report(options, &small, scenario->fault_count, &small.result.finding, arena);
    }
    return status == STATUS_OK ? VERDICT_PASS : VERDICT_SURROUNDINGS;
}

enum verdict shrink_file(const struct shrink_file_options *options, struct buffer *error)
{
    struct arena arena;
    arena_init(&arena);
    struct scenario scenario;
    struct bytes input;
    enum status status =
        scenario_read(&scenario, &arena, options->scenario, &options->overrides, error);
    if (status == STATUS_OK) {
        status = run_read_input(&scenario, &arena, &input, error);
    }
    enum verdict verdict;
    if (status == STATUS_OK) {
        verdict = shrink_read(options, &arena, &scenario, input, error);
    } else {
        verdict = verdict_of_status(status);
    }
    arena_drop(&arena);
    return verdict;
}
