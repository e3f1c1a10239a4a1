#include "sim/campaign/enumerate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/base/check.h"
#include "sim/campaign/enumerate_points.h"
#include "sim/campaign/hunt.h"
#include "sim/fault/fault_consequences.h"

enum {
    BATCH_CASES = 16,
    CASE_SECONDS_MAX = 600, /* of real time */
    OCCURRENCE_MAX = 4,
    POINTS_MAX = 100000,
    STORED_MAX = 50,
};
static const uint64_t down_ns = UINT64_C(300000000);

/* One crash; or two, of which the first is that of an earlier case. */
struct enumerated {
    struct strike strike;
    uint64_t first;    /* the number of that case; SINGLE: there is none */
    bool begins_pairs; /* a single one that another may follow */
};
#define SINGLE UINT64_MAX

struct enumeration {
    const struct enumerate_options *options;
    struct enumerate_result *result;
    struct hunt hunt;
    struct fault *orders; /* of the base's faults those that are none: its rescales */
    uint32_t order_count;
    struct point_list points;
    struct enumerated *cases; /* the single ones, and behind them the pairs */
    size_t case_count;
    size_t case_capacity;
    uint64_t next_case;
    uint64_t stage_first; /* the cases from this one on are tried now, ... */
    uint64_t stage_count; /* ... so many, */
    uint64_t stage_done;
    uint64_t stage_start_ns; /* ... since this time of the hunt */
    bool only_stuck;
};

/* ---- one case, in a child -------------------------------------------------------------------- */

/* The base with its orders and these faults, all of which must fire. */
static struct scenario case_of(const struct enumeration *enumeration, const struct fault *faults,
                               uint32_t count, struct arena *arena)
{
    struct scenario scenario = enumeration->hunt.scenario;
    uint32_t order_count = enumeration->order_count;
    scenario.faults = arena_alloc(arena, order_count + count + 1, sizeof *faults);
    for (uint32_t i = 0; i < order_count + count; i++) {
        scenario.faults[i] = i < order_count ? enumeration->orders[i] : faults[i - order_count];
    }
    scenario.fault_count = order_count + count;
    scenario.expect.all_fired = true;
    if (scenario.expect.result == EXPECT_SAME) {
        scenario.expect.result = fault_consequences_of(&scenario);
    }
    scenario_drop_bounds(&scenario);
    return scenario;
}

/* The faults of a case; returns their number. */
static uint32_t faults_of(const struct enumeration *enumeration, uint64_t number,
                          struct fault faults[2])
{
    CHECK(number < enumeration->case_count);
    const struct enumerated *one = &enumeration->cases[number];
    uint32_t count = 0;
    if (one->first != SINGLE) {
        CHECK(one->first < number);
        faults[count++] = strike_fault(&enumeration->cases[one->first].strike, down_ns);
    }
    faults[count++] = strike_fault(&one->strike, down_ns);
    return count;
}

static struct finding run_case(const struct enumeration *enumeration, const struct fault *faults,
                               uint32_t count, struct arena *arena,
                               const struct run_options *options)
{
    struct scenario scenario = case_of(enumeration, faults, count, arena);
    struct run run;
    run_scenario(&run, arena, &scenario, enumeration->hunt.input, options);
    return finding_of_run(&run);
}

static void encode_point(const struct point *point, struct buffer *out)
{
    encode_u32(out, (uint32_t)point->fact);
    encode_u32(out, point->vertex);
    encode_u32(out, point->subtask);
    encode_u64(out, point->checkpoint);
    encode_u32(out, point->occurrence);
    for (unsigned i = 0; i < VICTIM_COUNT; i++) {
        encode_u32(out, point->moments[i].process);
        encode_u64(out, point->moments[i].done);
    }
}

static struct point decode_point(struct decoder *decoder)
{
    struct point point = { .fact = (enum fact_kind)decode_u32(decoder) };
    point.vertex = decode_u32(decoder);
    point.subtask = decode_u32(decoder);
    point.checkpoint = decode_u64(decoder);
    point.occurrence = decode_u32(decoder);
    for (unsigned i = 0; i < VICTIM_COUNT; i++) {
        point.moments[i].process = decode_u32(decoder);
        point.moments[i].done = decode_u64(decoder);
    }
    return point;
}

/* The finding, and what may follow this crash. */
static void run_number(void *context, uint64_t number, struct buffer *result)
{
    const struct enumeration *enumeration = context;
    const struct enumerated *one = &enumeration->cases[number];
    struct arena arena;
    arena_init(&arena);
    struct point_learner learner;
    point_learner_init(&learner, &arena);
    struct run_options options = { 0 };
    if (one->begins_pairs) {
        options.observer = point_learner_observer(&learner);
    }
    struct fault faults[2];
    uint32_t count = faults_of(enumeration, number, faults);
    struct finding finding = run_case(enumeration, faults, count, &arena, &options);
    finding_encode(&finding, result);
    if (one->begins_pairs) {
        struct strike_list seconds =
            strikes_after(&learner, &one->strike, enumeration->options->pair_steps, &arena);
        for (size_t i = 0; i < seconds.count; i++) {
            encode_point(&seconds.strikes[i].point, result);
            encode_u32(result, seconds.strikes[i].way);
            encode_u32(result, seconds.strikes[i].step);
        }
    }
    arena_drop(&arena);
}

/* ---- what came of them, in the parent -------------------------------------------------------- */

static bool is_out_of_time(const struct enumeration *enumeration)
{
    uint64_t time_ns = enumeration->options->time_ns;
    return time_ns > 0 && progress_elapsed_ns(&enumeration->hunt.progress) >= time_ns;
}

static bool next_case(void *context, uint64_t *number)
{
    struct enumeration *enumeration = context;
    if (enumeration->next_case == enumeration->stage_first + enumeration->stage_count) {
        return false;
    }
    if (is_out_of_time(enumeration)) {
        enumeration->result->out_of_time = true;
        return false;
    }
    *number = enumeration->next_case++;
    return true;
}

/* The faults in words; of a power cut also what it does, which is all that tells two cases apart.
 */
static void describe_case(const struct scenario *scenario, struct buffer *out)
{
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        buffer_append_text(out, i == 0 ? "" : ", then ");
        fault_describe(scenario, fault, out);
        if (fault->object.machine) {
            buffer_append_text(out, fault->unsynced == DISK_LOSE ? " (what is not synced is lost)"
                                                                 : " (what is not synced is torn)");
        }
    }
}

static void store(struct enumeration *enumeration, uint64_t number, const struct finding *finding)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer what;
    buffer_init(&what, &arena);
    struct fault faults[2];
    uint32_t count = faults_of(enumeration, number, faults);
    struct scenario scenario = case_of(enumeration, faults, count, &arena);
    describe_case(&scenario, &what);
    const char *name =
        arena_format(&arena, "%s-case-%" PRIu64, scenario.name, enumeration->result->failures);
    const char *origin = arena_format(&arena, "enumeration of %s, %.*s", scenario.name,
                                      (int)what.size, (const char *)what.data);
    buffer_append_format(&what, ":\n    %s", finding->message);
    *buffer_extend(&what, 1) = '\0';
    hunt_store(&enumeration->hunt, name, &scenario, origin, (const char *)what.data, finding);
    arena_drop(&arena);
}

static void note_case(struct enumeration *enumeration, uint64_t number,
                      const struct finding *finding)
{
    struct enumerate_result *result = enumeration->result;
    enumeration->stage_done++;
    if (enumeration->cases[number].first == SINGLE) {
        result->cases++;
    } else {
        result->pairs++;
    }
    if (finding->kind == FINDING_NONE) {
        return;
    }
    if (finding->kind == FINDING_NOT_FIRED) {
        result->idle++;
        return;
    }
    result->failures++;
    enumeration->only_stuck = enumeration->only_stuck && finding->kind == FINDING_STUCK;
    if (result->failures <= STORED_MAX) {
        store(enumeration, number, finding);
    }
}

static struct enumerated *add_case(struct enumeration *enumeration)
{
    enumeration->cases =
        arena_grow(&enumeration->hunt.arena, enumeration->cases, &enumeration->case_capacity,
                   enumeration->case_count + 1, sizeof *enumeration->cases);
    return &enumeration->cases[enumeration->case_count++];
}

static bool case_ended(void *context, const struct worker_end *end)
{
    struct enumeration *enumeration = context;
    struct arena arena;
    arena_init(&arena);
    struct decoder decoder;
    decoder_init(&decoder, end->result);
    struct finding finding =
        end->crashed ? finding_of_crash(end, &arena) : finding_decode(&decoder, &arena);
    note_case(enumeration, end->job, &finding);
    while (decoder.position < decoder.size) {
        struct strike second = { .point = decode_point(&decoder) };
        second.way = decode_u32(&decoder);
        second.step = decode_u32(&decoder);
        CHECK(!decoder.failed);
        *add_case(enumeration) = (struct enumerated){ .strike = second, .first = end->job };
    }
    arena_drop(&arena);
    return true;
}

/* So many seconds are left, if it goes on as it went. */
static uint64_t seconds_left(const struct enumeration *enumeration)
{
    uint64_t took_ms =
        (progress_elapsed_ns(&enumeration->hunt.progress) - enumeration->stage_start_ns) / 1000000;
    uint64_t left = enumeration->stage_count - enumeration->stage_done;
    return left * took_ms / enumeration->stage_done / 1000 + 1;
}

static bool show_progress(void *context)
{
    struct enumeration *enumeration = context;
    const struct enumerate_result *result = enumeration->result;
    if (progress_is_due(&enumeration->hunt.progress) && enumeration->stage_done > 0) {
        progress_show(&enumeration->hunt.progress,
                      "%5" PRIu64 " s  %" PRIu64 " of %" PRIu64 " %s, about %" PRIu64
                      " s left, %" PRIu64 " failures",
                      progress_elapsed_ns(&enumeration->hunt.progress) / 1000000000,
                      enumeration->stage_done, enumeration->stage_count,
                      enumeration->stage_first == 0 ? "crashes" : "pairs of crashes",
                      seconds_left(enumeration), result->failures);
    }
    return true;
}

/* ---- learning -------------------------------------------------------------------------------- */

/* What is enumerated is what may go wrong; what was ordered belongs to the job. */
static void keep_orders(struct enumeration *enumeration)
{
    const struct scenario *base = &enumeration->hunt.scenario;
    enumeration->orders =
        arena_alloc(&enumeration->hunt.arena, base->fault_count + 1, sizeof *enumeration->orders);
    for (uint32_t i = 0; i < base->fault_count; i++) {
        if (base->faults[i].verb == FAULT_RESCALE) {
            enumeration->orders[enumeration->order_count++] = base->faults[i];
        }
    }
}

static void learn_in_child(void *context, uint64_t job, struct buffer *result)
{
    const struct enumeration *enumeration = context;
    struct arena arena;
    arena_init(&arena);
    struct point_learner learner;
    point_learner_init(&learner, &arena);
    struct run_options options = { .observer = point_learner_observer(&learner) };
    (void)job;
    struct finding finding = run_case(enumeration, NULL, 0, &arena, &options);
    struct point_list points = points_select(&learner, enumeration->options->checkpoint_max,
                                             OCCURRENCE_MAX, POINTS_MAX, &arena);
    finding_encode(&finding, result);
    for (size_t i = 0; i < points.count; i++) {
        encode_point(&points.points[i], result);
    }
    arena_drop(&arena);
}

static enum verdict learn(struct enumeration *enumeration)
{
    struct decoder known;
    struct point_list *points = &enumeration->points;
    struct arena *arena = &enumeration->hunt.arena;
    keep_orders(enumeration);
    enum verdict verdict =
        hunt_try_base(&enumeration->hunt, learn_in_child, enumeration,
                      "fails without a fault, and with one nothing could be told", &known);
    while (verdict == VERDICT_PASS && known.position < known.size) {
        points->points = arena_grow(arena, points->points, &points->capacity, points->count + 1,
                                    sizeof *points->points);
        points->points[points->count++] = decode_point(&known);
        CHECK(!known.failed);
    }
    return verdict;
}

static void list_singles(struct enumeration *enumeration)
{
    const struct point_list *points = &enumeration->points;
    struct process_table struck = { .arena = &enumeration->hunt.arena };
    for (uint32_t i = 0; i < points->count; i++) {
        const struct point *point = &points->points[i];
        for (uint32_t way = 0; way < point_way_count(point); way++) {
            struct enumerated *one = add_case(enumeration);
            *one =
                (struct enumerated){ .strike = { .point = *point, .way = way }, .first = SINGLE };
            one->begins_pairs = enumeration->options->pair_steps > 0 &&
                                point_way_is_process(point, way) &&
                                strike_is_new(&struck, &one->strike);
        }
    }
    enumeration->result->points = points->count;
}

/* The near ones first: who stops early knows that all pairs up to some step were tried. */
static int compare_pairs(const void *left, const void *right)
{
    const struct enumerated *a = left;
    const struct enumerated *b = right;
    if (a->strike.step != b->strike.step) {
        return a->strike.step < b->strike.step ? -1 : 1;
    }
    if (a->first != b->first) {
        return a->first < b->first ? -1 : 1;
    }
    CHECK(a == b || a->strike.way != b->strike.way);
    return a->strike.way < b->strike.way ? -1 : a->strike.way > b->strike.way;
}

/* Where what failed is, and what to do with it. */
static void tell_stored(struct enumeration *enumeration)
{
    const struct hunt_options *options = &enumeration->options->hunt;
    uint64_t failures = enumeration->result->failures;
    if (failures == 0) {
        return;
    }
    if (failures > STORED_MAX) {
        progress_say(&enumeration->hunt.progress, "the first %d of them are stored in %s/failures",
                     STORED_MAX, options->out);
    }
    progress_say(&enumeration->hunt.progress, "again: %s run %s/failures/%s-case-1.json",
                 options->program, options->out, enumeration->hunt.scenario.name);
    progress_say(&enumeration->hunt.progress, "smaller: %s shrink %s/failures/%s-case-1.json",
                 options->program, options->out, enumeration->hunt.scenario.name);
}

/* Tries all cases from `first` on. */
static enum verdict run_stage(struct enumeration *enumeration, uint64_t first)
{
    struct worker_pool pool = { .batch = BATCH_CASES,
                                .job_seconds = CASE_SECONDS_MAX,
                                .next = next_case,
                                .run = run_number,
                                .ended = case_ended,
                                .tick = show_progress,
                                .context = enumeration };
    enumeration->next_case = first;
    enumeration->stage_first = first;
    enumeration->stage_count = enumeration->case_count - first;
    enumeration->stage_done = 0;
    enumeration->stage_start_ns = progress_elapsed_ns(&enumeration->hunt.progress);
    return hunt_run(&enumeration->hunt, pool, &enumeration->result->interrupted);
}

/* "356 points, 2136 cases and 9000 of 60000 pairs, with all up to 17 steps apart" */
static void describe_extent(const struct enumeration *enumeration, struct buffer *out)
{
    const struct enumerate_result *result = enumeration->result;
    buffer_append_format(out, "%" PRIu64 " points, %" PRIu64 " cases", result->points,
                         result->cases);
    if (enumeration->options->pair_steps == 0 || enumeration->stage_first == 0) {
        return;
    }
    buffer_append_format(out, " and %" PRIu64, result->pairs);
    if (result->interrupted) {
        buffer_append_format(out, " of %" PRIu64 " pairs", enumeration->stage_count);
        return;
    }
    size_t next = enumeration->next_case;
    uint32_t steps = result->out_of_time ? enumeration->cases[next].strike.step - 1
                                         : enumeration->cases[next - 1].strike.step;
    if (result->out_of_time) {
        buffer_append_format(out, " of %" PRIu64, enumeration->stage_count);
    }
    buffer_append_format(out, " pairs, with all up to %u steps apart", steps);
}

static void tell_result(struct enumeration *enumeration)
{
    const struct enumerate_result *result = enumeration->result;
    struct buffer extent;
    buffer_init(&extent, &enumeration->hunt.arena);
    describe_extent(enumeration, &extent);
    bool ended = !result->interrupted && !result->out_of_time;
    progress_end(&enumeration->hunt.progress);
    progress_say(
        &enumeration->hunt.progress,
        "%s: %.*s in %" PRIu64 " ms: %s%" PRIu64 " failed, %" PRIu64 " found nothing to strike%s",
        enumeration->hunt.scenario.name, (int)extent.size, (const char *)extent.data,
        progress_elapsed_ns(&enumeration->hunt.progress) / 1000000,
        result->failures == 0 && ended ? "all passed, " : "", result->failures, result->idle,
        result->interrupted ? " (interrupted)"
        : ended             ? ""
                            : " (out of time)");
    tell_stored(enumeration);
}

static enum verdict run_all(struct enumeration *enumeration)
{
    struct enumerate_result *result = enumeration->result;
    list_singles(enumeration);
    uint64_t single_count = enumeration->case_count;
    enum verdict verdict = run_stage(enumeration, 0);
    bool goes_on = !result->interrupted && !result->out_of_time;
    if (verdict == VERDICT_PASS && goes_on && enumeration->case_count > single_count) {
        qsort(enumeration->cases + single_count, enumeration->case_count - single_count,
              sizeof *enumeration->cases, compare_pairs);
        verdict = run_stage(enumeration, single_count);
    }
    if (verdict != VERDICT_PASS) {
        return verdict;
    }
    tell_result(enumeration);
    if (result->failures == 0) {
        return VERDICT_PASS;
    }
    return enumeration->only_stuck ? VERDICT_STUCK : VERDICT_WRONG;
}

enum verdict enumerate(const struct enumerate_options *options, struct enumerate_result *result,
                       struct buffer *error)
{
    *result = (struct enumerate_result){ 0 };
    struct enumeration enumeration = { .options = options, .result = result, .only_stuck = true };
    enum verdict verdict = hunt_begin(&enumeration.hunt, &options->hunt, error);
    if (verdict == VERDICT_PASS) {
        verdict = learn(&enumeration);
    }
    if (verdict == VERDICT_PASS) {
        verdict = run_all(&enumeration);
    }
    hunt_end(&enumeration.hunt);
    return verdict;
}
