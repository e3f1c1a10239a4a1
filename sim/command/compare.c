#include "sim/command/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/verdict.h"
#include "sim/live/live_measure.h"
#include "sim/live/live_run.h"

enum { IDS_SHOWN = 4 };

/* What is compared; 0: the run has none. */
enum quantity {
    QUANTITY_CHECKPOINT_TIME,
    QUANTITY_BYTES,
    QUANTITY_DOWNTIME,
    QUANTITY_RECOVERY,
    QUANTITY_THROUGHPUT,
    QUANTITY_COUNT
};

static const struct {
    const char *name;
    const char *column; /* in CSV, with the unit */
    void (*show)(struct buffer *out, uint64_t value);
} quantities[QUANTITY_COUNT] = {
    [QUANTITY_CHECKPOINT_TIME] = { "checkpoint time", "checkpoint_time_ns", human_duration },
    [QUANTITY_BYTES] = { "checkpoint size", "checkpoint_size_bytes", human_size },
    [QUANTITY_DOWNTIME] = { "until it runs again", "downtime_ns", human_duration },
    [QUANTITY_RECOVERY] = { "until caught up", "recovery_time_ns", human_duration },
    [QUANTITY_THROUGHPUT] = { "records a second", "records_per_s", human_count },
};

/* What one run amounts to. */
struct side {
    enum verdict verdict;
    enum outcome outcome;
    uint64_t output_lines;
    uint64_t keys;
    bool keeps_ids; /* the rules for checkpoint ids */
    bool keeps_restores;
    const char *ids; /* of completed checkpoints */
    const char *restored;
    uint64_t values[QUANTITY_COUNT]; /* medians */
};

struct comparison {
    const struct options *options;
    struct arena *arena;
    struct side simulated;
    struct side *live; /* options->repeats of them */
    struct buffer *error;
};

/* ---- what a run amounts to ------------------------------------------------------------------- */

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

static void note_run(struct side *side, const struct run *run, struct arena *arena)
{
    *side = (struct side){ .verdict = run->verdict,
                           .outcome = run->outcome,
                           .output_lines = run->totals.output_lines,
                           .keys = run->totals.keys,
                           .keeps_ids = keeps(run, PROPERTY_CHECKPOINT_IDS),
                           .keeps_restores = keeps(run, PROPERTY_NEWEST_RESTORED) };
    note_checkpoints(side, &run->summary, arena);
    note_recoveries(side, &run->summary, arena);
    uint64_t us = run->simulated_ns / 1000;
    side->values[QUANTITY_THROUGHPUT] = us == 0 ? 0 : run->totals.records * 1000000 / us;
}

/* ---- running --------------------------------------------------------------------------------- */

static enum status run_live_once(struct comparison *comparison, const struct scenario *scenario,
                                 struct bytes input, const char *folder, struct side *side)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer notes;
    buffer_init(&notes, &arena);
    struct live_run_options how = { .threads = comparison->options->threads, .folder = folder };
    struct run run;
    enum status status =
        live_run(&run, &arena, scenario, input, &how, &notes, comparison->error);
    if (status == STATUS_OK) {
        note_run(side, &run, comparison->arena);
    }
    arena_drop(&arena);
    return status;
}

/* All live runs first: they fork, and to simulate some backends starts threads. */
static enum status run_both(struct comparison *comparison, const struct scenario *scenario,
                            struct bytes input)
{
    const struct options *options = comparison->options;
    const char *path = options->out != NULL
                           ? options->out
                           : arena_format(comparison->arena, "out/compare/%s", scenario->name);
    struct output_folder folder = { .arena = comparison->arena,
                                    .path = path,
                                    .error = comparison->error };
    enum status status = output_folder_make(&folder);
    const char *volumes = arena_format(comparison->arena, "%s/volumes", path);
    for (uint32_t i = 0; i < options->repeats && status == STATUS_OK; i++) {
        status = run_live_once(comparison, scenario, input, volumes, &comparison->live[i]);
    }
    if (status == STATUS_OK) {
        struct run run;
        run_scenario(&run, comparison->arena, scenario, input, &(struct run_options){ 0 });
        note_run(&comparison->simulated, &run, comparison->arena);
    }
    return status;
}

/* The costs of the fragment that `calibrate` wrote, which needs a job to be a scenario. */
static enum status apply_calibration(struct comparison *comparison, struct scenario *scenario)
{
    static const char *const settings[] = { "job.name=count" };
    const struct scenario_overrides overrides = { .settings = settings, .setting_count = 1 };
    struct scenario machine;
    if (comparison->options->calibration == NULL) {
        return STATUS_OK;
    }
    enum status status = scenario_read(&machine, comparison->arena,
                                       comparison->options->calibration, &overrides,
                                       comparison->error);
    if (status == STATUS_OK) {
        scenario->cluster = machine.cluster;
    }
    return status;
}

/* ---- telling --------------------------------------------------------------------------------- */

/* The median of what the live runs have. */
static uint64_t live_value(const struct comparison *comparison, enum quantity quantity)
{
    uint32_t repeats = comparison->options->repeats;
    uint64_t *values = arena_alloc(comparison->arena, repeats, sizeof *values);
    size_t count = 0;
    for (uint32_t i = 0; i < repeats; i++) {
        if (comparison->live[i].values[quantity] > 0) {
            values[count++] = comparison->live[i].values[quantity];
        }
    }
    return count == 0 ? 0 : live_median(values, count);
}

/* "1.07"; "-" if there is none. */
static const char *ratio(struct arena *arena, uint64_t simulated, uint64_t live)
{
    if (simulated == 0 || live == 0) {
        return "-";
    }
    CHECK(simulated < UINT64_MAX / 200);
    uint64_t hundredths = (simulated * 200 + live) / (2 * live);
    return arena_format(arena, "%" PRIu64 ".%02" PRIu64, hundredths / 100, hundredths % 100);
}

/* Both hosts did all that was expected, and with the same outcome and the same amount of output;
 * each result was compared with the reference, so they equal each other. */
static bool is_equal(const struct side *simulated, const struct side *live)
{
    return simulated->verdict == VERDICT_PASS && live->verdict == VERDICT_PASS &&
           simulated->outcome == live->outcome && simulated->output_lines == live->output_lines &&
           simulated->keys == live->keys;
}

/* The first live run that is not as the simulated one; the first of all if there is none. */
static const struct side *worst_live(const struct comparison *comparison)
{
    for (uint32_t i = 0; i < comparison->options->repeats; i++) {
        if (!is_equal(&comparison->simulated, &comparison->live[i])) {
            return &comparison->live[i];
        }
    }
    return &comparison->live[0];
}

static void print_csv(const struct comparison *comparison, bool equal)
{
    (void)printf("quantity,simulated,live,ratio\nresult_is_equal,,,%d\n", equal);
    for (int i = 0; i < QUANTITY_COUNT; i++) {
        uint64_t simulated = comparison->simulated.values[i];
        uint64_t live = live_value(comparison, (enum quantity)i);
        const char *text = ratio(comparison->arena, simulated, live);
        (void)printf("%s,%" PRIu64 ",%" PRIu64 ",%s\n", quantities[i].column, simulated, live,
                     text[0] == '-' ? "" : text);
    }
}

static void print_row(const char *name, const char *simulated, const char *live, const char *last)
{
    (void)printf("%-20s %-20s %-20s %s\n", name, simulated, live, last);
}

static const char *shown(const struct comparison *comparison, enum quantity quantity,
                         uint64_t value)
{
    struct buffer text;
    buffer_init(&text, comparison->arena);
    if (value > 0) {
        quantities[quantity].show(&text, value);
    }
    return end_text(&text);
}

static void print_table(const struct comparison *comparison, const char *name, bool equal)
{
    const struct side *simulated = &comparison->simulated;
    const struct side *live = worst_live(comparison);
    (void)printf("%s, simulated once and %" PRIu32 " times for real\n\n", name,
                 comparison->options->repeats);
    print_row("", "simulated", "live", "simulated/live");
    print_row("result", verdict_name(simulated->verdict), verdict_name(live->verdict),
              equal ? "equal" : "NOT equal");
    print_row("checkpoint ids", simulated->ids, live->ids,
              simulated->keeps_ids && live->keeps_ids ? "the same rules" : "NOT the same rules");
    print_row("restored ids", simulated->restored, live->restored,
              simulated->keeps_restores && live->keeps_restores ? "the same rules"
                                                                : "NOT the same rules");
    for (int i = 0; i < QUANTITY_COUNT; i++) {
        uint64_t live_median_value = live_value(comparison, (enum quantity)i);
        print_row(quantities[i].name, shown(comparison, (enum quantity)i, simulated->values[i]),
                  shown(comparison, (enum quantity)i, live_median_value),
                  ratio(comparison->arena, simulated->values[i], live_median_value));
    }
}

/* ---- the command ----------------------------------------------------------------------------- */

static enum status compare_one(struct comparison *comparison, bool *equal)
{
    const struct options *options = comparison->options;
    struct scenario scenario;
    struct bytes input;
    enum status status = scenario_read(&scenario, comparison->arena, options->scenarios[0],
                                       &options->overrides, comparison->error);
    if (status == STATUS_OK) {
        status = apply_calibration(comparison, &scenario);
    }
    if (status == STATUS_OK) {
        status = run_read_input(&scenario, comparison->arena, &input, comparison->error);
    }
    if (status == STATUS_OK) {
        status = run_both(comparison, &scenario, input);
    }
    if (status == STATUS_OK) {
        *equal = is_equal(&comparison->simulated, worst_live(comparison));
        if (options->csv) {
            print_csv(comparison, *equal);
        } else {
            print_table(comparison, scenario.name, *equal);
        }
    }
    return status;
}

enum verdict compare_command(const struct options *options)
{
    CHECK(options->scenario_count == 1);
    CHECK(options->repeats >= 1);
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct comparison comparison = { .options = options, .arena = &arena, .error = &error };
    comparison.live = arena_alloc(&arena, options->repeats, sizeof *comparison.live);
    bool equal = false;
    enum status status = compare_one(&comparison, &equal);
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "%.*s\n", (int)error.size, (const char *)error.data);
    }
    arena_drop(&arena);
    if (status == STATUS_OK) {
        return equal ? VERDICT_PASS : VERDICT_WRONG;
    }
    return status == STATUS_INVALID ? VERDICT_BAD_USAGE : VERDICT_SURROUNDINGS;
}
