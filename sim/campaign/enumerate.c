#include "sim/campaign/enumerate.h"

#include <inttypes.h>

#include "model/base/check.h"
#include "sim/campaign/enumerate_points.h"
#include "sim/campaign/hunt.h"
#include "sim/fault/fault_consequences.h"

enum {
    BATCH_CASES = 16,
    CASE_SECONDS_MAX = 600, /* of real time, with all pairs of a case */
    OCCURRENCE_MAX = 4,
    POINTS_MAX = 100000,
    STORED_MAX = 50,
};
static const uint64_t down_ns = UINT64_C(300000000);

/* One crash, or the first of two. */
struct single {
    uint32_t point;
    uint32_t way;
};

struct enumeration {
    const struct enumerate_options *options;
    struct enumerate_result *result;
    struct hunt hunt;
    struct fault *orders; /* of the base's faults those that are none: its rescales */
    uint32_t order_count;
    struct point_list points;
    struct single *singles;
    uint64_t single_count;
    uint64_t next_single;
    uint64_t done_count; /* singles that are over */
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

static struct fault single_fault(const struct enumeration *enumeration, uint64_t number)
{
    CHECK(number < enumeration->single_count);
    const struct single *single = &enumeration->singles[number];
    return point_fault(&enumeration->points.points[single->point], single->way, down_ns);
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
}

static struct point decode_point(struct decoder *decoder)
{
    struct point point = { .fact = (enum fact_kind)decode_u32(decoder) };
    point.vertex = decode_u32(decoder);
    point.subtask = decode_u32(decoder);
    point.checkpoint = decode_u64(decoder);
    point.occurrence = decode_u32(decoder);
    return point;
}

/* A finding, and the second fault if there is one: a point and a way. */
static void report_case(struct buffer *result, const struct finding *finding,
                        const struct point *second, uint32_t way)
{
    finding_encode(finding, result);
    encode_u8(result, second != NULL);
    if (second != NULL) {
        encode_point(second, result);
        encode_u32(result, way);
    }
}

static void run_pair(const struct enumeration *enumeration, const struct fault *first,
                     const struct point *second, uint32_t way, struct buffer *result)
{
    struct arena arena;
    arena_init(&arena);
    struct fault faults[2] = { *first, point_fault(second, way, down_ns) };
    /* If this one crashes, this line is the last before the reason. */
    (void)fprintf(stderr, "second: %s checkpoint %" PRIu64 " #%u way %u\n",
                  fact_info(second->fact)->name, second->checkpoint, second->occurrence, way);
    struct finding finding = run_case(enumeration, faults, 2, &arena, &(struct run_options){ 0 });
    report_case(result, &finding, second, way);
    arena_drop(&arena);
}

/* Every second crash of a process at a fact after the first. */
static void run_pairs(const struct enumeration *enumeration, const struct fault *first,
                      const struct point_learner *learner, struct arena *arena,
                      struct buffer *result)
{
    struct point_list seconds =
        points_select(learner, UINT64_MAX, OCCURRENCE_MAX, enumeration->options->pair_facts, arena);
    for (size_t i = 0; i < seconds.count; i++) {
        const struct point *second = &seconds.points[i];
        for (uint32_t way = 0; way < point_way_count(second); way++) {
            if (point_way_is_process(second, way)) {
                run_pair(enumeration, first, second, way, result);
            }
        }
    }
}

static void run_single(void *context, uint64_t number, struct buffer *result)
{
    const struct enumeration *enumeration = context;
    struct arena arena;
    arena_init(&arena);
    struct point_learner learner;
    point_learner_init(&learner, &arena, true);
    struct fault first = single_fault(enumeration, number);
    struct run_options options = { 0 };
    const struct single *single = &enumeration->singles[number];
    const struct point *point = &enumeration->points.points[single->point];
    bool pairs = enumeration->options->pairs && point_way_is_process(point, single->way);
    if (pairs) {
        options.observer = point_learner_observer(&learner);
    }
    struct finding finding = run_case(enumeration, &first, 1, &arena, &options);
    report_case(result, &finding, NULL, 0);
    if (pairs) {
        run_pairs(enumeration, &first, &learner, &arena, result);
    }
    arena_drop(&arena);
}

/* ---- what came of them, in the parent -------------------------------------------------------- */

static bool next_single(void *context, uint64_t *number)
{
    struct enumeration *enumeration = context;
    *number = enumeration->next_single;
    return enumeration->next_single++ < enumeration->single_count;
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

static void store(struct enumeration *enumeration, uint64_t number, const struct fault *second,
                  const struct finding *finding)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer what;
    buffer_init(&what, &arena);
    struct fault faults[2] = { single_fault(enumeration, number) };
    if (second != NULL) {
        faults[1] = *second;
    }
    struct scenario scenario = case_of(enumeration, faults, second == NULL ? 1 : 2, &arena);
    describe_case(&scenario, &what);
    const char *name =
        arena_format(&arena, "%s-case-%" PRIu64, scenario.name, enumeration->result->failures);
    const char *origin = arena_format(&arena, "enumeration of %s, %.*s", scenario.name,
                                      (int)what.size, (const char *)what.data);
    buffer_append_format(&what, ":\n    %s", finding->message);
    *buffer_extend(&what, 1) = '\0';
    (void)hunt_store(&enumeration->hunt, name, &scenario, origin, (const char *)what.data, finding);
    arena_drop(&arena);
}

static void note_case(struct enumeration *enumeration, uint64_t number, const struct fault *second,
                      const struct finding *finding)
{
    struct enumerate_result *result = enumeration->result;
    result->cases++;
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
        store(enumeration, number, second, finding);
    }
}

static void take_report(struct enumeration *enumeration, uint64_t number, struct decoder *decoder,
                        struct arena *arena)
{
    struct finding finding = finding_decode(decoder, arena);
    if (decode_u8(decoder) == 0) {
        note_case(enumeration, number, NULL, &finding);
        return;
    }
    struct point point = decode_point(decoder);
    uint32_t way = decode_u32(decoder);
    CHECK(!decoder->failed);
    struct fault second = point_fault(&point, way, down_ns);
    note_case(enumeration, number, &second, &finding);
}

static bool single_ended(void *context, const struct worker_end *end)
{
    struct enumeration *enumeration = context;
    struct arena arena;
    arena_init(&arena);
    enumeration->done_count++;
    if (end->crashed) {
        struct finding finding = finding_of_crash(end, &arena);
        note_case(enumeration, end->job, NULL, &finding);
    }
    struct decoder decoder;
    decoder_init(&decoder, end->result);
    while (decoder.position < decoder.size) {
        take_report(enumeration, end->job, &decoder, &arena);
    }
    arena_drop(&arena);
    return true;
}

static bool show_progress(void *context)
{
    struct enumeration *enumeration = context;
    const struct enumerate_result *result = enumeration->result;
    if (progress_is_due(&enumeration->hunt.progress)) {
        progress_show(&enumeration->hunt.progress,
                      "%5" PRIu64 " s  %" PRIu64 " of %" PRIu64 " first crashes, %" PRIu64
                      " cases, %" PRIu64 " failures",
                      progress_elapsed_ns(&enumeration->hunt.progress) / 1000000000,
                      enumeration->done_count, enumeration->single_count, result->cases,
                      result->failures);
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
    point_learner_init(&learner, &arena, false);
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
    size_t capacity = 0;
    for (uint32_t i = 0; i < points->count; i++) {
        for (uint32_t way = 0; way < point_way_count(&points->points[i]); way++) {
            enumeration->singles =
                arena_grow(&enumeration->hunt.arena, enumeration->singles, &capacity,
                           enumeration->single_count + 1, sizeof *enumeration->singles);
            enumeration->singles[enumeration->single_count++] = (struct single){ i, way };
        }
    }
    enumeration->result->points = points->count;
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

static enum verdict run_all(struct enumeration *enumeration)
{
    struct enumerate_result *result = enumeration->result;
    struct worker_pool pool = { .batch = enumeration->options->pairs ? 1 : BATCH_CASES,
                                .job_seconds = CASE_SECONDS_MAX,
                                .next = next_single,
                                .run = run_single,
                                .ended = single_ended,
                                .tick = show_progress,
                                .context = enumeration };
    list_singles(enumeration);
    enum verdict verdict = hunt_run(&enumeration->hunt, pool, &result->interrupted);
    if (verdict != VERDICT_PASS) {
        return verdict;
    }
    progress_say(&enumeration->hunt.progress,
                 "%s: %" PRIu64 " points, %" PRIu64 " cases in %" PRIu64 " ms: %s%" PRIu64
                 " failed, %" PRIu64 " found nothing to strike%s",
                 enumeration->hunt.scenario.name, result->points, result->cases,
                 progress_elapsed_ns(&enumeration->hunt.progress) / 1000000,
                 result->failures == 0 && !result->interrupted ? "all passed, " : "",
                 result->failures, result->idle, result->interrupted ? " (interrupted)" : "");
    tell_stored(enumeration);
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
