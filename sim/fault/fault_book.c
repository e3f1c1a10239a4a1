#include "sim/fault/fault_book.h"

#include "model/base/check.h"
#include "model/runtime/messages.h"
#include "model/runtime/process.h"
#include "sim/fault/fault_effects.h"

#define NOWHERE UINT32_MAX

enum { ASK_AGAIN_NS = 200 * 1000 * 1000 };

void fault_book_init(struct fault_book *book, struct arena *arena, const struct scenario *scenario,
                     struct fault_stage stage, struct fault_hooks hooks)
{
    *book = (struct fault_book){
        .arena = arena,
        .scenario = scenario,
        .stage = stage,
        .hooks = hooks,
        .process_count = PROCESS_FIRST_TASK_MANAGER + scenario->job.task_managers,
        .parallelism_max = scenario_parallelism_max(scenario),
    };
    book->records = arena_alloc(arena, scenario->fault_count, sizeof *book->records);
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        book->records[i].fault = fault;
        if (fault->trigger.kind == TRIGGER_AT) {
            stage.call_at(stage.context, fault->trigger.at_ns, FAULT_DUTY_FIRE, i);
        }
    }
}

/* ---- whom a fault strikes -------------------------------------------------------------------- */

static void note_location(struct fault_book *book, const struct fact_event *event)
{
    size_t index = (size_t)event->fact.vertex * book->parallelism_max + event->fact.subtask;
    book->location = arena_grow(book->arena, book->location, &book->location_capacity, index + 1,
                                sizeof *book->location);
    while (book->location_count <= index) {
        book->location[book->location_count++] = NOWHERE;
    }
    book->location[index] = actor_process(event->actor);
}

static uint32_t process_of_task(const struct fault_book *book, uint32_t vertex, uint32_t subtask)
{
    size_t index = (size_t)vertex * book->parallelism_max + subtask;
    return index < book->location_count ? book->location[index] : NOWHERE;
}

/* The processes that a process object names, or all; false: nobody knows where the subtask runs. */
static bool find_range(const struct fault_book *book, const struct fault_peer *peer,
                       struct process_range *range)
{
    uint32_t last = book->process_count - 1;
    uint32_t process = PROCESS_JOB_MANAGER;
    switch (peer->kind) {
    case OBJECT_JOB_MANAGER: break;
    case OBJECT_TASK_MANAGER: process = PROCESS_FIRST_TASK_MANAGER + peer->index; break;
    case OBJECT_TASK: process = process_of_task(book, peer->vertex, peer->index); break;
    case OBJECT_ALL_TASK_MANAGERS:
        *range = (struct process_range){ PROCESS_FIRST_TASK_MANAGER, last };
        return last >= PROCESS_FIRST_TASK_MANAGER;
    default: *range = (struct process_range){ 0, last }; return true;
    }
    *range = (struct process_range){ process, process };
    return process <= last;
}

static bool find_target(const struct fault_book *book, const struct fault *fault,
                        struct fault_target *target)
{
    const struct fault_object *object = &fault->object;
    struct fault_peer one = { object->kind, object->index, object->vertex };
    struct fault_peer other = { .kind = OBJECT_NETWORK };
    if (object->kind == OBJECT_CONNECTION) {
        one = object->first;
        other = object->other;
    } else if (fault->verb == FAULT_THROW) {
        one = other; /* it waits for the subtask, wherever that runs */
    }
    return find_range(book, &one, &target->one) && find_range(book, &other, &target->other);
}

/* ---- firing ---------------------------------------------------------------------------------- */

/* The fault had an effect, at `now_ns`, and has it until `end_ns`. */
static void note_effect(struct fault_book *book, struct fault_record *record, uint64_t now_ns,
                        uint64_t end_ns)
{
    bool is_first = !record->fired;
    CHECK(end_ns >= now_ns);
    if (is_first) {
        record->fired = true;
        record->fired_ns = now_ns;
    }
    if (record->ended_ns < end_ns) {
        record->ended_ns = end_ns;
    }
    if (record->ended_ns > book->last_ns) {
        book->last_ns = record->ended_ns;
    }
    if (is_first) {
        book->hooks.on_fired(book->hooks.context, record);
    }
}

void fault_book_on_hit(struct fault_book *book, uint32_t number, uint64_t now_ns)
{
    CHECK(number < book->scenario->fault_count);
    struct fault_record *record = &book->records[number];
    const struct fault *fault = record->fault;
    uint64_t end_ns = record->armed_ns + (fault->for_ever ? 0 : fault->for_ns);
    note_effect(book, record, now_ns, end_ns > now_ns ? end_ns : now_ns);
}

/* A clock that jumps back stands still until time has caught up with it. */
static uint64_t effect_length_ns(const struct fault *fault)
{
    if (fault->verb == FAULT_CLOCK && fault->backwards) {
        return fault->by_ns;
    }
    return fault->for_ever ? 0 : fault->for_ns;
}

static void fire(struct fault_book *book, uint32_t number, uint64_t now_ns)
{
    struct fault_record *record = &book->records[number];
    const struct fault *fault = record->fault;
    struct fault_target target;
    if (record->armed) {
        return;
    }
    record->armed_ns = now_ns;
    if (!find_target(book, fault, &target) ||
        !book->stage.strike(book->stage.context, number, &target)) {
        return;
    }
    record->armed = true;
    if (fault->verb == FAULT_RESCALE) {
        fault_book_do(book, FAULT_DUTY_ASK, number);
    }
    if (!fault_waits_for_a_hit(fault)) {
        note_effect(book, record, now_ns, now_ns + effect_length_ns(fault));
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The rescale that was asked for first and is not answered; NULL: there is none. */
static struct fault_record *asked(const struct fault_book *book)
{
    struct fault_record *first = NULL;
    for (uint32_t i = 0; i < book->scenario->fault_count; i++) {
        struct fault_record *record = &book->records[i];
        bool is_open = record->fault->verb == FAULT_RESCALE && record->armed && !record->fired;
        if (is_open && (first == NULL || record->armed_ns < first->armed_ns)) {
            first = record;
        }
    }
    return first;
}

static void request(const struct fault_book *book, const struct fault *fault)
{
    struct rescale_request wanted = { .parallelism = fault->parallelism,
                                      .max_parallelism = fault->max_parallelism };
    struct buffer bytes;
    buffer_init(&bytes, book->arena);
    rescale_request_encode(&bytes, &wanted);
    book->stage.tell(book->stage.context, MESSAGE_RESCALE, buffer_bytes(&bytes));
    buffer_free(&bytes);
}

/* Whoever asked waits for an answer, and asks again if the JobManager is dead or in trouble. */
static void ask(struct fault_book *book, uint32_t number)
{
    const struct fault_record *record = &book->records[number];
    const struct fault_stage *stage = &book->stage;
    if (record->fired) {
        return;
    }
    if (asked(book) == record) {
        request(book, record->fault);
    }
    stage->call_at(stage->context, stage->now_ns(stage->context) + ASK_AGAIN_NS, FAULT_DUTY_ASK,
                   number);
}

/* Requests are made one after the other: an answer is that to the first. */
static void note_answer(struct fault_book *book, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    if (fact->kind != FACT_RESCALE_ACCEPTED && fact->kind != FACT_RESCALE_REFUSED) {
        return;
    }
    struct fault_record *record = asked(book);
    if (record != NULL && record->fault->parallelism == fact->values[0]) {
        note_effect(book, record, event->time_ns, event->time_ns);
    }
}

/* ---- triggers -------------------------------------------------------------------------------- */

/* Is `fact` one that a trigger waits for? */
static bool matches(const struct fault_trigger *trigger, const struct fact *fact)
{
    return trigger->kind == TRIGGER_WHEN && trigger->fact == fact->kind &&
           (trigger->checkpoint == 0 || trigger->checkpoint == fact->checkpoint) &&
           (trigger->vertex == FACT_NO_TASK || trigger->vertex == fact->vertex) &&
           (trigger->subtask == FACT_NO_TASK || trigger->subtask == fact->subtask);
}

void fault_book_on_fact(struct fault_book *book, const struct fact_event *event)
{
    const struct fault_stage *stage = &book->stage;
    if (event->fact.kind == FACT_TASK_STARTED) {
        note_location(book, event);
    }
    note_answer(book, event);
    for (uint32_t i = 0; i < book->scenario->fault_count; i++) {
        struct fault_record *record = &book->records[i];
        const struct fault_trigger *trigger = &record->fault->trigger;
        if (record->armed || !matches(trigger, &event->fact) ||
            ++record->matches != trigger->occurrence) {
            continue;
        }
        if (trigger->after_ns > 0) {
            stage->call_at(stage->context, event->time_ns + trigger->after_ns, FAULT_DUTY_FIRE, i);
        } else {
            fire(book, i, event->time_ns);
        }
    }
}

void fault_book_do(struct fault_book *book, enum fault_duty duty, uint32_t number)
{
    switch (duty) {
    case FAULT_DUTY_FIRE: fire(book, number, book->stage.now_ns(book->stage.context)); return;
    case FAULT_DUTY_ASK: ask(book, number); return;
    }
    CHECK_UNREACHABLE("a duty");
}
