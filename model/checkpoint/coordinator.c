#include "model/checkpoint/coordinator.h"

#include "model/base/check.h"
#include "model/base/id_list.h"
#include "model/base/prng.h"
#include "model/checkpoint/pending.h"

/* No moment: later than every clock reading. */
#define NEVER_NS UINT64_MAX

/* Flink's cap for the pause. */
#define MIN_PAUSE_NS_MAX (UINT64_C(365) * 24 * 3600 * 1000000000)

#define FINAL_RETRY_NS_MAX UINT64_C(1000000000)

enum run_state {
    RUN_STOPPED,
    RUN_TRIGGERING, /* periodic and final checkpoints are triggered */
    RUN_FAILING,    /* the job was told to fail: all that is pending awaits the stop */
};

/* Which states may follow, as bits. */
static const uint8_t run_moves[] = {
    [RUN_STOPPED] = 1u << RUN_TRIGGERING,
    [RUN_TRIGGERING] = 1u << RUN_STOPPED | 1u << RUN_FAILING,
    [RUN_FAILING] = 1u << RUN_STOPPED,
};

struct action_list {
    struct coordinator_action *actions;
    size_t count;
    size_t capacity;
};

struct coordinator {
    struct arena *arena;
    struct coordinator_options options; /* min_pause_ns capped, interval_ns effective (C3) */
    enum run_state state;
    uint64_t now_ns; /* of the event being handled */
    uint64_t next_id;

    struct pending_list pending;
    struct id_list completed; /* at most `retained` after each completion */
    struct id_list in_doubt;  /* commits of unknown outcome, until a newer checkpoint completes */
    struct id_list given_up;  /* completed, but newer than what was restored in their place */

    uint8_t *finished; /* per subtask TASK_FINISHED or TASK_WAITING: a new checkpoint's marks */
    bool *ended;       /* per subtask: has seen all its data, or finished */
    uint32_t finished_count;
    uint32_t ended_count;

    uint64_t next_tick_ns; /* the next periodic request */
    bool requested;        /* a periodic request waits: Flink's queue, of length one */
    bool has_completed;
    uint64_t last_completed_ns;
    bool final_done;       /* a checkpoint that covers all data has completed */
    uint64_t final_due_ns; /* not before this moment is the final checkpoint (re)tried */
    uint32_t failures;     /* in a row */
    uint64_t wake_ns;      /* the last wake asked for and not used up; NEVER_NS: none */

    struct action_list lists[2]; /* one is filled while the caller holds the other */
    uint32_t filling;
};

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void emit(struct coordinator *coordinator, struct coordinator_action action)
{
    struct action_list *list = &coordinator->lists[coordinator->filling];
    list->actions = arena_grow(coordinator->arena, list->actions, &list->capacity, list->count + 1,
                               sizeof *list->actions);
    list->actions[list->count++] = action;
}

static void emit_id(struct coordinator *coordinator, enum coordinator_action_kind kind, uint64_t id)
{
    CHECK(id > 0);
    CHECK(id < coordinator->next_id);
    emit(coordinator, (struct coordinator_action){ .kind = kind, .id = id });
}

static void run_move(struct coordinator *coordinator, enum run_state to)
{
    CHECK(run_moves[coordinator->state] >> to & 1u);
    coordinator->state = to;
}

/* Ends a pending checkpoint that did not complete. */
static void abort_pending(struct coordinator *coordinator, struct pending *pending,
                          const char *reason, bool discard)
{
    CHECK(reason != NULL);
    uint64_t id = pending->id;
    if (pending->final) {
        uint64_t interval_ns = coordinator->options.interval_ns;
        uint64_t delay_ns =
            interval_ns > 0 && interval_ns < FINAL_RETRY_NS_MAX ? interval_ns : FINAL_RETRY_NS_MAX;
        coordinator->final_due_ns = add_saturating(coordinator->now_ns, delay_ns);
    }
    pending_end(&coordinator->pending, pending);
    emit(coordinator, (struct coordinator_action){
                          .kind = COORDINATOR_NOTIFY_ABORTED, .id = id, .reason = reason });
    if (discard) {
        emit_id(coordinator, COORDINATOR_DISCARD, id);
    }
}

/* C6. Like Flink, the count starts again when the job is failed. */
static void count_failure(struct coordinator *coordinator, uint64_t id, const char *reason)
{
    CHECK(reason != NULL);
    if (coordinator->state != RUN_TRIGGERING) {
        return;
    }
    if (coordinator->failures < coordinator->options.tolerable_failures) {
        coordinator->failures++;
        return;
    }
    coordinator->failures = 0;
    coordinator->requested = false;
    run_move(coordinator, RUN_FAILING);
    emit(coordinator,
         (struct coordinator_action){ .kind = COORDINATOR_FAIL_JOB, .id = id, .reason = reason });
}

static void fail_pending(struct coordinator *coordinator, struct pending *pending,
                         const char *reason, bool discard)
{
    uint64_t id = pending->id;
    abort_pending(coordinator, pending, reason, discard);
    count_failure(coordinator, id, reason);
}

/* All subtasks that still run have seen all their data. */
static bool all_data_ended(const struct coordinator *coordinator)
{
    uint32_t task_count = coordinator->options.task_count;
    CHECK(coordinator->finished_count <= coordinator->ended_count);
    CHECK(coordinator->ended_count <= task_count);
    return coordinator->ended_count == task_count && coordinator->finished_count < task_count;
}

static bool final_is_wanted(const struct coordinator *coordinator)
{
    if (coordinator->state != RUN_TRIGGERING || coordinator->final_done ||
        !all_data_ended(coordinator)) {
        return false;
    }
    for (size_t i = 0; i < coordinator->pending.count; i++) {
        if (coordinator->pending.items[i].final) {
            return false;
        }
    }
    return true;
}

static bool may_trigger(const struct coordinator *coordinator)
{
    return coordinator->state == RUN_TRIGGERING && !coordinator->final_done &&
           coordinator->finished_count < coordinator->options.task_count &&
           coordinator->pending.count < coordinator->options.max_concurrent;
}

/* The ticks stay on their grid, as those of a fixed-rate timer. */
static void advance_tick(struct coordinator *coordinator)
{
    uint64_t interval_ns = coordinator->options.interval_ns;
    CHECK(interval_ns > 0);
    if (coordinator->next_tick_ns <= coordinator->now_ns) {
        uint64_t missed = (coordinator->now_ns - coordinator->next_tick_ns) / interval_ns;
        coordinator->next_tick_ns =
            add_saturating(coordinator->next_tick_ns + missed * interval_ns, interval_ns);
    }
}

static void trigger(struct coordinator *coordinator)
{
    CHECK(may_trigger(coordinator));
    CHECK(coordinator->next_id < UINT64_MAX);
    uint64_t expires_ns = add_saturating(coordinator->now_ns, coordinator->options.timeout_ns);
    struct pending *pending = pending_add(&coordinator->pending, coordinator->next_id++, expires_ns,
                                          coordinator->finished);
    pending->final = all_data_ended(coordinator);
    emit_id(coordinator, COORDINATOR_TRIGGER, pending->id);
    coordinator->requested = false;
    if (coordinator->options.interval_ns > 0) {
        advance_tick(coordinator);
    }
}

static void trigger_if_due(struct coordinator *coordinator)
{
    if (!may_trigger(coordinator)) {
        return;
    }
    if (final_is_wanted(coordinator) && coordinator->now_ns >= coordinator->final_due_ns) {
        trigger(coordinator);
        return;
    }
    if (!coordinator->requested) {
        return;
    }
    uint64_t pause_ends_ns =
        add_saturating(coordinator->last_completed_ns, coordinator->options.min_pause_ns);
    if (coordinator->has_completed && coordinator->now_ns < pause_ends_ns) {
        /* The request is dropped and the timer set anew: the grid moves to the end of the pause. */
        coordinator->requested = false;
        coordinator->next_tick_ns = pause_ends_ns;
        return;
    }
    trigger(coordinator);
}

/* C9: the oldest goes first, and only when none is under way. */
static void commit_if_ready(struct coordinator *coordinator)
{
    if (coordinator->state == RUN_FAILING) {
        return;
    }
    struct pending *ready = NULL;
    for (size_t i = 0; i < coordinator->pending.count; i++) {
        struct pending *pending = &coordinator->pending.items[i];
        if (pending->state == PENDING_COMMITTING) {
            return;
        }
        if (pending->state == PENDING_ACKED && ready == NULL) {
            ready = pending;
        }
    }
    if (ready != NULL) {
        pending_move(ready, PENDING_COMMITTING);
        emit_id(coordinator, COORDINATOR_COMMIT, ready->id);
    }
}

static uint64_t earliest_due_ns(const struct coordinator *coordinator)
{
    uint64_t due_ns = NEVER_NS;
    if (coordinator->state != RUN_TRIGGERING) {
        return NEVER_NS;
    }
    for (size_t i = 0; i < coordinator->pending.count && due_ns == NEVER_NS; i++) {
        if (coordinator->pending.items[i].state == PENDING_COLLECTING) {
            due_ns = coordinator->pending.items[i].expires_ns;
        }
    }
    if (!may_trigger(coordinator) && coordinator->requested) {
        return due_ns; /* only the end of a pending one can bring the next trigger */
    }
    if (coordinator->options.interval_ns > 0 &&
        coordinator->finished_count < coordinator->options.task_count &&
        coordinator->next_tick_ns < due_ns) {
        due_ns = coordinator->next_tick_ns;
    }
    if (may_trigger(coordinator) && final_is_wanted(coordinator) &&
        coordinator->final_due_ns < due_ns) {
        due_ns = coordinator->final_due_ns;
    }
    return due_ns;
}

static void coordinator_check(const struct coordinator *coordinator)
{
    const struct pending_list *list = &coordinator->pending;
    pending_list_check(list);
    CHECK(list->count <= coordinator->options.max_concurrent);
    CHECK(list->count == 0 || list->items[list->count - 1].id < coordinator->next_id);
    CHECK(coordinator->state != RUN_STOPPED || list->count <= 1);
    CHECK(coordinator->failures <= coordinator->options.tolerable_failures);
}

/* Every event ends here: do what has become possible, and ask to be woken for what comes next. */
static void settle(struct coordinator *coordinator)
{
    commit_if_ready(coordinator);
    trigger_if_due(coordinator);
    uint64_t due_ns = earliest_due_ns(coordinator);
    if (due_ns != NEVER_NS && due_ns != coordinator->wake_ns) {
        coordinator->wake_ns = due_ns;
        emit(coordinator, (struct coordinator_action){ .kind = COORDINATOR_WAKE, .at_ns = due_ns });
    }
    coordinator_check(coordinator);
}

void coordinator_set_task_count(struct coordinator *coordinator, uint32_t task_count)
{
    CHECK(task_count > 0);
    CHECK(coordinator->state == RUN_STOPPED);
    CHECK(coordinator->pending.count == 0);
    struct arena *arena = coordinator->arena;
    coordinator->options.task_count = task_count;
    pending_list_free(&coordinator->pending);
    pending_list_init(&coordinator->pending, arena, task_count);
    arena_free(arena, coordinator->finished);
    arena_free(arena, coordinator->ended);
    coordinator->finished = arena_alloc(arena, task_count, sizeof *coordinator->finished);
    coordinator->ended = arena_alloc(arena, task_count, sizeof *coordinator->ended);
    coordinator->finished_count = 0;
    coordinator->ended_count = 0;
}

struct coordinator *coordinator_create(struct arena *arena,
                                       const struct coordinator_options *options, uint64_t next_id,
                                       const uint64_t *completed, uint32_t completed_count)
{
    CHECK(next_id > 0);
    CHECK(options->timeout_ns > 0);
    CHECK(options->max_concurrent > 0);
    CHECK(options->retained > 0);
    CHECK(options->task_count > 0);
    struct coordinator *coordinator = arena_alloc(arena, 1, sizeof *coordinator);
    coordinator->arena = arena;
    coordinator->options = *options;
    if (options->min_pause_ns > MIN_PAUSE_NS_MAX) {
        coordinator->options.min_pause_ns = MIN_PAUSE_NS_MAX;
    }
    if (options->interval_ns > 0 && options->interval_ns < coordinator->options.min_pause_ns) {
        coordinator->options.interval_ns = coordinator->options.min_pause_ns;
    }
    coordinator->state = RUN_STOPPED;
    coordinator->next_id = next_id;
    coordinator->wake_ns = NEVER_NS;
    pending_list_init(&coordinator->pending, arena, options->task_count);
    coordinator_set_task_count(coordinator, options->task_count);
    for (uint32_t i = 0; i < completed_count; i++) {
        CHECK(i == 0 || completed[i - 1] < completed[i]);
        CHECK(completed[i] < next_id);
        id_list_add(&coordinator->completed, coordinator->arena, completed[i]);
    }
    return coordinator;
}

void coordinator_destroy(struct coordinator *coordinator)
{
    struct arena *arena = coordinator->arena;
    pending_list_free(&coordinator->pending);
    arena_free(arena, coordinator->completed.ids);
    arena_free(arena, coordinator->in_doubt.ids);
    arena_free(arena, coordinator->given_up.ids);
    arena_free(arena, coordinator->finished);
    arena_free(arena, coordinator->ended);
    arena_free(arena, coordinator->lists[0].actions);
    arena_free(arena, coordinator->lists[1].actions);
    arena_free(arena, coordinator);
}

const struct coordinator_action *coordinator_take_actions(struct coordinator *coordinator,
                                                          uint32_t *count)
{
    struct action_list *taken = &coordinator->lists[coordinator->filling];
    coordinator->filling = 1 - coordinator->filling;
    coordinator->lists[coordinator->filling].count = 0;
    CHECK(taken->count <= UINT32_MAX);
    *count = (uint32_t)taken->count;
    return taken->actions;
}

void coordinator_start(struct coordinator *coordinator, uint64_t now_ns, uint64_t random,
                       const bool *finished)
{
    CHECK(coordinator->pending.count == 0);
    coordinator->now_ns = now_ns;
    run_move(coordinator, RUN_TRIGGERING);
    coordinator->finished_count = 0;
    for (uint32_t task = 0; task < coordinator->options.task_count; task++) {
        bool is_finished = finished != NULL && finished[task];
        coordinator->finished[task] = is_finished ? TASK_FINISHED : TASK_WAITING;
        coordinator->ended[task] = is_finished;
        coordinator->finished_count += is_finished;
    }
    coordinator->ended_count = coordinator->finished_count;
    coordinator->wake_ns = NEVER_NS; /* the caller may have dropped its timer */
    coordinator->final_done = false;
    coordinator->final_due_ns = 0;
    coordinator->requested = false;
    uint64_t interval_ns = coordinator->options.interval_ns;
    uint64_t min_pause_ns = coordinator->options.min_pause_ns;
    if (interval_ns > 0) {
        CHECK(interval_ns >= min_pause_ns);
        prng_wide choices = (prng_wide)(interval_ns - min_pause_ns) + 1;
        uint64_t delay_ns = min_pause_ns + (uint64_t)((random * choices) >> 64);
        coordinator->next_tick_ns = add_saturating(now_ns, delay_ns);
    }
    settle(coordinator);
}

void coordinator_stop(struct coordinator *coordinator, uint64_t now_ns, const char *reason)
{
    coordinator->now_ns = now_ns;
    if (coordinator->state == RUN_STOPPED) {
        return;
    }
    run_move(coordinator, RUN_STOPPED);
    coordinator->requested = false;
    for (size_t i = 0; i < coordinator->pending.count;) {
        if (coordinator->pending.items[i].state == PENDING_COMMITTING) {
            i++;
        } else {
            abort_pending(coordinator, &coordinator->pending.items[i], reason, true);
        }
    }
    settle(coordinator);
}

void coordinator_on_time(struct coordinator *coordinator, uint64_t now_ns)
{
    coordinator->now_ns = now_ns;
    coordinator->wake_ns = NEVER_NS; /* used up, or early: then it is asked for again */
    for (size_t i = 0; i < coordinator->pending.count && coordinator->state == RUN_TRIGGERING;) {
        struct pending *pending = &coordinator->pending.items[i];
        if (pending->state == PENDING_COLLECTING && pending->expires_ns <= now_ns) {
            fail_pending(coordinator, pending, "expired", true);
        } else {
            i++;
        }
    }
    if (coordinator->state == RUN_TRIGGERING && coordinator->options.interval_ns > 0 &&
        coordinator->next_tick_ns <= now_ns) {
        coordinator->requested = true;
        advance_tick(coordinator);
    }
    settle(coordinator);
}

static enum coordinator_ack judge_ack(const struct coordinator *coordinator,
                                      const struct pending *pending, uint64_t id, uint32_t task)
{
    if (id == 0 || id >= coordinator->next_id || task >= coordinator->options.task_count) {
        return COORDINATOR_ACK_UNKNOWN;
    }
    if (pending == NULL) {
        /* What a completed checkpoint needs must not be discarded because somebody repeats it. */
        bool kept = id_list_has(&coordinator->completed, id) ||
                    id_list_has(&coordinator->in_doubt, id) ||
                    id_list_has(&coordinator->given_up, id);
        return kept ? COORDINATOR_ACK_DUPLICATE : COORDINATOR_ACK_LATE;
    }
    if (pending->marks[task] == TASK_FINISHED) {
        return COORDINATOR_ACK_UNKNOWN;
    }
    return pending->marks[task] == TASK_WAITING ? COORDINATOR_ACK_ACCEPTED
                                                : COORDINATOR_ACK_DUPLICATE;
}

enum coordinator_ack coordinator_on_ack(struct coordinator *coordinator, uint64_t now_ns,
                                        uint64_t id, uint32_t task)
{
    coordinator->now_ns = now_ns;
    struct pending *pending = pending_find(&coordinator->pending, id);
    enum coordinator_ack ack = judge_ack(coordinator, pending, id, task);
    if (ack == COORDINATOR_ACK_ACCEPTED) {
        pending_mark(pending, task, TASK_ACKED);
        settle(coordinator);
    } else if (ack != COORDINATOR_ACK_DUPLICATE) {
        emit(coordinator, (struct coordinator_action){ .kind = COORDINATOR_DISCARD_ACK, .id = id });
    }
    return ack;
}

/* The pending checkpoint that `task` may still refuse, or NULL. */
static struct pending *pending_refused(struct coordinator *coordinator, uint64_t now_ns,
                                       uint64_t id, uint32_t task)
{
    coordinator->now_ns = now_ns;
    struct pending *pending = pending_find(&coordinator->pending, id);
    if (pending == NULL || task >= coordinator->options.task_count ||
        pending->state == PENDING_COMMITTING || pending->marks[task] == TASK_FINISHED) {
        return NULL;
    }
    return pending;
}

void coordinator_on_decline(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                            uint32_t task, const char *reason)
{
    struct pending *pending = pending_refused(coordinator, now_ns, id, task);
    if (pending != NULL) {
        fail_pending(coordinator, pending, reason, true);
        settle(coordinator);
    }
}

void coordinator_on_given_up(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                             uint32_t task)
{
    struct pending *pending = pending_refused(coordinator, now_ns, id, task);
    if (pending != NULL) {
        abort_pending(coordinator, pending, "given up for a newer one", true);
        settle(coordinator);
    }
}

void coordinator_on_trigger_failed(struct coordinator *coordinator, uint64_t now_ns, uint64_t id)
{
    coordinator->now_ns = now_ns;
    struct pending *pending = pending_find(&coordinator->pending, id);
    if (pending != NULL && pending->state != PENDING_COMMITTING) {
        fail_pending(coordinator, pending, "trigger failed", true);
        settle(coordinator);
    }
}

/* C7, and the leftovers that no restore can want any more. */
static void remove_older(struct coordinator *coordinator, uint64_t completed_id)
{
    struct id_list *in_doubt = &coordinator->in_doubt;
    size_t kept_count = 0;
    for (size_t i = 0; i < in_doubt->count; i++) {
        if (in_doubt->ids[i] < completed_id) {
            emit_id(coordinator, COORDINATOR_DISCARD, in_doubt->ids[i]);
        } else {
            in_doubt->ids[kept_count++] = in_doubt->ids[i];
        }
    }
    in_doubt->count = kept_count;
    for (size_t i = 0; i < coordinator->given_up.count; i++) {
        emit_id(coordinator, COORDINATOR_SUBSUME, coordinator->given_up.ids[i]);
    }
    coordinator->given_up.count = 0;
    size_t surplus_count = 0;
    while (coordinator->completed.count - surplus_count > coordinator->options.retained) {
        emit_id(coordinator, COORDINATOR_SUBSUME, coordinator->completed.ids[surplus_count++]);
    }
    id_list_drop_first(&coordinator->completed, surplus_count);
}

/* The checkpoint whose commit is answered. */
static struct pending *pending_committing(struct coordinator *coordinator, uint64_t now_ns,
                                          uint64_t id)
{
    coordinator->now_ns = now_ns;
    struct pending *pending = pending_find(&coordinator->pending, id);
    CHECK(pending != NULL);
    CHECK(pending->state == PENDING_COMMITTING);
    return pending;
}

void coordinator_on_committed(struct coordinator *coordinator, uint64_t now_ns, uint64_t id)
{
    struct pending *pending = pending_committing(coordinator, now_ns, id);
    size_t completed_count = coordinator->completed.count;
    CHECK(completed_count == 0 || coordinator->completed.ids[completed_count - 1] < id);
    coordinator->final_done = coordinator->final_done || pending->final;
    pending_end(&coordinator->pending, pending);
    id_list_add(&coordinator->completed, coordinator->arena, id);
    coordinator->failures = 0;
    coordinator->has_completed = true;
    coordinator->last_completed_ns = now_ns;
    if (coordinator->state != RUN_STOPPED) {
        emit_id(coordinator, COORDINATOR_NOTIFY_COMPLETE, id);
    }
    while (coordinator->pending.count > 0 &&
           (coordinator->pending.items[0].id < id || coordinator->final_done)) {
        abort_pending(coordinator, &coordinator->pending.items[0], "subsumed", true);
    }
    remove_older(coordinator, id);
    settle(coordinator);
}

void coordinator_on_commit_failed(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                                  bool outcome_unknown)
{
    struct pending *pending = pending_committing(coordinator, now_ns, id);
    if (outcome_unknown) {
        id_list_add(&coordinator->in_doubt, coordinator->arena, id);
    }
    fail_pending(coordinator, pending, "commit failed", !outcome_unknown);
    settle(coordinator);
}

void coordinator_on_restoring(struct coordinator *coordinator, uint64_t id)
{
    CHECK(coordinator->state == RUN_STOPPED);
    struct id_list *completed = &coordinator->completed;
    (void)id_list_remove(&coordinator->in_doubt, id);
    (void)id_list_remove(&coordinator->given_up, id);
    if (id != 0) {
        id_list_add(completed, coordinator->arena, id);
    }
    while (completed->count > 0 && completed->ids[completed->count - 1] > id) {
        id_list_add(&coordinator->given_up, coordinator->arena, completed->ids[--completed->count]);
    }
}

bool coordinator_give_up(struct coordinator *coordinator, uint64_t id)
{
    bool was_there = id_list_remove(&coordinator->completed, id);
    if (was_there) {
        id_list_add(&coordinator->given_up, coordinator->arena, id);
    }
    return was_there;
}

static void mark_ended(struct coordinator *coordinator, uint32_t task)
{
    if (!coordinator->ended[task]) {
        coordinator->ended[task] = true;
        coordinator->ended_count++;
    }
}

void coordinator_on_end_of_data(struct coordinator *coordinator, uint64_t now_ns, uint32_t task)
{
    CHECK(task < coordinator->options.task_count);
    coordinator->now_ns = now_ns;
    if (coordinator->state != RUN_STOPPED) {
        mark_ended(coordinator, task);
        settle(coordinator);
    }
}

void coordinator_on_finished(struct coordinator *coordinator, uint64_t now_ns, uint32_t task)
{
    CHECK(task < coordinator->options.task_count);
    coordinator->now_ns = now_ns;
    if (coordinator->state == RUN_STOPPED || coordinator->finished[task] == TASK_FINISHED) {
        return;
    }
    mark_ended(coordinator, task);
    coordinator->finished[task] = TASK_FINISHED;
    coordinator->finished_count++;
    for (size_t i = 0; i < coordinator->pending.count; i++) {
        struct pending *pending = &coordinator->pending.items[i];
        if (pending->marks[task] == TASK_WAITING) {
            pending_mark(pending, task, TASK_FINISHED);
        }
    }
    settle(coordinator);
}

void coordinator_mark_final(struct coordinator *coordinator, uint64_t id)
{
    struct pending *pending = pending_find(&coordinator->pending, id);
    CHECK(pending != NULL);
    CHECK(pending->state == PENDING_COMMITTING);
    pending->final = true;
}

bool coordinator_was_finished(const struct coordinator *coordinator, uint64_t id, uint32_t task)
{
    CHECK(task < coordinator->options.task_count);
    const struct pending *pending = pending_find(&coordinator->pending, id);
    return pending != NULL && pending->marks[task] == TASK_FINISHED;
}

uint64_t coordinator_next_id(const struct coordinator *coordinator)
{
    return coordinator->next_id;
}
