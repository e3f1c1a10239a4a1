#include "sim/campaign/bisect.h"

#include <inttypes.h>
#include <string.h>

#include "model/base/check.h"
#include "model/host.h"
#include "model/runtime/process.h"

/* Hashes of a run, and some of its events. */
struct recording {
    struct arena arena;
    uint64_t *hashes; /* hashes[i]: after (i + 1) windows */
    size_t hash_count;
    size_t hash_capacity;
    uint64_t event_count; /* in all ... */
    uint64_t final_hash;  /* ... and the hash then */
    struct bisect_event *window;
    uint64_t window_start; /* the window holds the events behind this one ... */
    size_t window_count;   /* ... so many */
    char facts[sizeof((struct bisect_event *)0)->facts];

    const struct recording
        *reference; /* stop keeping at the first difference; NULL: no reference */
    bool differs;
    uint64_t kept_start; /* without a reference: keep the window that begins behind this event */
    bool keeps;

    void (*arm)(void *context, struct world *world);
    void *arm_context;
};

static void recording_init(struct recording *recording)
{
    *recording = (struct recording){ 0 };
    arena_init(&recording->arena);
    recording->window =
        arena_alloc(&recording->arena, BISECT_WINDOW_EVENTS, sizeof *recording->window);
}

static void note_fact(void *context, const struct fact_event *event)
{
    struct recording *recording = context;
    const char *name = fact_info(event->fact.kind)->name;
    size_t used = strlen(recording->facts);
    if (used + strlen(name) + 2 < sizeof recording->facts) {
        recording->facts[used] = ' ';
        strcpy(recording->facts + used + 1, name);
    }
}

/* Is this window worth remembering? */
static bool is_kept(const struct recording *recording)
{
    return recording->reference != NULL
               ? !recording->differs
               : recording->keeps && recording->window_start == recording->kept_start;
}

/* The first `count` events have this hash: is it so in the reference as well? */
static bool is_as_in_reference(const struct recording *recording, uint64_t count, uint64_t hash)
{
    const struct recording *reference = recording->reference;
    if (count == reference->event_count) {
        return hash == reference->final_hash;
    }
    CHECK(count % BISECT_WINDOW_EVENTS == 0);
    uint64_t index = count / BISECT_WINDOW_EVENTS - 1;
    return index < reference->hash_count && reference->hashes[index] == hash;
}

static void end_window(struct recording *recording, uint64_t count, uint64_t hash)
{
    recording->hashes = arena_grow(&recording->arena, recording->hashes, &recording->hash_capacity,
                                   recording->hash_count + 1, sizeof *recording->hashes);
    recording->hashes[recording->hash_count++] = hash;
    if (recording->reference != NULL && !recording->differs) {
        recording->differs = !is_as_in_reference(recording, count, hash);
    }
    bool goes_on =
        recording->reference != NULL ? !recording->differs : count <= recording->kept_start;
    if (goes_on) {
        recording->window_start = count;
        recording->window_count = 0;
    }
}

static void note_event(void *context, const struct world *world)
{
    struct recording *recording = context;
    uint64_t count = world_event_count(world);
    uint64_t hash = world_trace_hash(world);
    recording->event_count = count;
    recording->final_hash = hash;
    if (is_kept(recording) && recording->window_count < BISECT_WINDOW_EVENTS) {
        struct bisect_event *event = &recording->window[recording->window_count++];
        *event = (struct bisect_event){ .number = count,
                                        .time_ns = world_now_ns(world),
                                        .hash = hash,
                                        .note = world_last_event(world) };
        memcpy(event->facts, recording->facts, sizeof event->facts);
    }
    recording->facts[0] = '\0';
    if (count % BISECT_WINDOW_EVENTS == 0) {
        end_window(recording, count, hash);
    }
}

/* The observer's context is the recording; who arms the world wants its own. */
static void arm_world(void *context, struct world *world)
{
    const struct recording *recording = context;
    if (recording->arm != NULL) {
        recording->arm(recording->arm_context, world);
    }
}

static void record(struct recording *recording, const struct scenario *scenario, struct bytes input)
{
    struct arena arena;
    arena_init(&arena);
    struct run_options options = {
        .observer = { .on_fact = note_fact, .on_event = note_event, .context = recording },
        .arm = arm_world
    };
    struct run run;
    run_scenario(&run, &arena, scenario, input, &options);
    arena_drop(&arena);
    if (recording->reference != NULL && !recording->differs) {
        recording->differs = recording->event_count != recording->reference->event_count ||
                             recording->final_hash != recording->reference->final_hash;
    }
}

/* ---- two windows ----------------------------------------------------------------------------- */

/* The first event of two windows that begin alike. False: there is none. */
static bool find_difference(const struct recording *first, const struct recording *second,
                            struct bisect_result *result)
{
    size_t most =
        first->window_count > second->window_count ? first->window_count : second->window_count;
    for (size_t i = 0; i < most; i++) {
        bool in_first = i < first->window_count;
        bool in_second = i < second->window_count;
        if (in_first && in_second && first->window[i].hash == second->window[i].hash) {
            continue;
        }
        result->first = in_first ? first->window[i] : (struct bisect_event){ 0 };
        result->second = in_second ? second->window[i] : (struct bisect_event){ 0 };
        return true;
    }
    return false;
}

/* Runs again and again until a run is like the first up to the window, and unlike the second in
 * it. */
static void repeat_first(struct bisect_result *result, const struct scenario *scenario,
                         struct bytes input, const struct recording *first,
                         const struct recording *second)
{
    result->outcome = BISECT_NOT_REPEATED;
    result->window_start = second->window_start;
    for (int try = 0; try < BISECT_TRIES && result->outcome != BISECT_FOUND; try++) {
        struct recording again;
        recording_init(&again);
        again.keeps = true;
        again.kept_start = second->window_start;
        again.arm = first->arm;
        again.arm_context = first->arm_context;
        record(&again, scenario, input);
        result->runs++;
        uint64_t windows = second->window_start / BISECT_WINDOW_EVENTS;
        bool begins_alike =
            again.window_start == second->window_start && again.hash_count >= windows &&
            (windows == 0 || again.hashes[windows - 1] == first->hashes[windows - 1]);
        if (begins_alike && find_difference(&again, second, result)) {
            result->outcome = BISECT_FOUND;
        }
        arena_drop(&again.arena);
    }
}

void bisect(const struct scenario *scenario, struct bytes input,
            void (*arm)(void *context, struct world *world), void *context,
            struct bisect_result *result)
{
    CHECK(scenario != NULL);
    *result = (struct bisect_result){ .outcome = BISECT_EQUAL };
    struct recording first;
    recording_init(&first);
    first.arm = arm;
    first.arm_context = context;
    record(&first, scenario, input);
    result->runs = 1;
    for (int try = 0; try < BISECT_TRIES && result->outcome == BISECT_EQUAL; try++) {
        struct recording second;
        recording_init(&second);
        second.reference = &first;
        second.arm = arm;
        second.arm_context = context;
        record(&second, scenario, input);
        result->runs++;
        if (second.differs) {
            repeat_first(result, scenario, input, &first, &second);
        }
        arena_drop(&second.arena);
    }
    arena_drop(&first.arena);
}

/* ---- telling --------------------------------------------------------------------------------- */

static void describe_actor(uint64_t address, struct buffer *out)
{
    uint32_t process = actor_process(address);
    if (process == PROCESS_JOB_MANAGER) {
        buffer_append_text(out, "job_manager");
    } else {
        buffer_append_format(out, "task_manager[%u]", process - PROCESS_FIRST_TASK_MANAGER);
    }
    buffer_append_format(out, ".%u", actor_index(address));
}

static void describe_event(const char *whose, const struct bisect_event *event, struct buffer *out)
{
    if (event->number == 0) {
        buffer_append_format(out, "  %s: was over before\n", whose);
        return;
    }
    const struct world_event_note *note = &event->note;
    bool is_message = note->from != 0 || note->message_kind != 0;
    buffer_append_format(out, "  %s: at %" PRIu64 " ns, %s", whose, event->time_ns,
                         note->what != NULL ? note->what : "event");
    if (is_message) {
        buffer_append_format(out, " of kind %u, %u bytes, from ", note->message_kind,
                             note->size_bytes);
        describe_actor(note->from, out);
        buffer_append_text(out, " to ");
        describe_actor(note->to, out);
    } else if (note->what != NULL && strcmp(note->what, "timer") == 0) {
        buffer_append_text(out, " of ");
        describe_actor(note->to, out);
    }
    buffer_append_format(out, ";%s%s; hash %016" PRIx64 "\n",
                         event->facts[0] != '\0' ? " facts:" : " no fact", event->facts,
                         event->hash);
}

void bisect_describe(const struct bisect_result *result, struct buffer *out)
{
    switch (result->outcome) {
    case BISECT_EQUAL:
        buffer_append_format(out, "%" PRIu64 " more runs were equal to each other\n", result->runs);
        return;
    case BISECT_NOT_REPEATED:
        buffer_append_format(out,
                             "runs are equal up to event %" PRIu64 ", but no two of %" PRIu64
                             " went on in the same way\n",
                             result->window_start, result->runs);
        return;
    case BISECT_FOUND: break;
    }
    uint64_t number = result->first.number != 0 ? result->first.number : result->second.number;
    buffer_append_format(out, "the first event that differs is number %" PRIu64 ":\n", number);
    describe_event("one run", &result->first, out);
    describe_event("another", &result->second, out);
}
