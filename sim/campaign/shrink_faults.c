/* Fewer faults. What is left of a schedule hangs together: without one fault the others strike at
 * another step, and the failure is gone although they would be enough. So when no fault can simply
 * go, one goes and another one is made stronger or moved. */
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/shrink_private.h"

enum {
    SEEDS_TRIED = 4,
    FAULTS_JOINED_MAX = 12, /* more would cost too many runs: they are deleted first */
    STEPS_TRIED_MAX = 80,
    CHECKPOINTS_TRIED = 3, /* the first ones; and the last */
    OCCURRENCES_TRIED = 3,
    SUBTASKS_TRIED = 2,
    UNMOVED_TRIES_MAX = 2,
};
static const uint64_t down_ns = UINT64_C(1000000000); /* the default of "for" */

/* ---- deletion (delta debugging) -------------------------------------------------------------- */

/* Removes `count` faults from number `from` on. */
static void shrink_delete(struct scenario *scenario, uint32_t from, uint32_t count)
{
    CHECK(from + count <= scenario->fault_count);
    uint32_t behind = scenario->fault_count - from - count;
    memmove(&scenario->faults[from], &scenario->faults[from + count],
            behind * sizeof *scenario->faults);
    scenario->fault_count -= count;
}

/* None, or one alone, is often enough: try these before anything else. */
static bool keep_one_fault(struct shrinker *shrinker)
{
    uint32_t count = shrinker->best.fault_count;
    if (count == 0) {
        return false;
    }
    shrinker_clear(shrinker);
    shrinker_add(shrinker)->fault_count = 0;
    for (uint32_t i = 0; count > 1 && i < count; i++) {
        struct scenario *candidate = shrinker_add(shrinker);
        candidate->faults[0] = candidate->faults[i];
        candidate->fault_count = 1;
    }
    return shrinker_try(shrinker, "one fault or none is enough");
}

bool shrink_delete_faults(struct shrinker *shrinker)
{
    bool helped = keep_one_fault(shrinker);
    uint32_t chunk = shrinker->best.fault_count / 2;
    while (chunk > 0 && shrinker_goes_on(shrinker)) {
        shrinker_clear(shrinker);
        for (uint32_t at = 0; at < shrinker->best.fault_count; at += chunk) {
            struct scenario *candidate = shrinker_add(shrinker);
            uint32_t left = candidate->fault_count - at;
            shrink_delete(candidate, at, left < chunk ? left : chunk);
        }
        if (shrinker_try(shrinker, "faults deleted")) {
            helped = true;
            if (chunk > shrinker->best.fault_count) {
                chunk = shrinker->best.fault_count;
            }
        } else {
            chunk /= 2;
        }
    }
    return helped;
}

/* ---- strong faults --------------------------------------------------------------------------- */

enum { STRONG_MAX = 6 };

/* Crashes, the simplest first: whatever a schedule does with several faults, one of these often
 * does alone. */
static uint32_t strong_faults(const struct scenario *scenario, struct fault faults[STRONG_MAX])
{
    static const struct {
        enum fault_object_kind kind;
        bool machine;
    } rows[STRONG_MAX] = {
        { OBJECT_JOB_MANAGER, false },       { OBJECT_TASK_MANAGER, false },
        { OBJECT_ALL_TASK_MANAGERS, false }, { OBJECT_JOB_MANAGER, true },
        { OBJECT_TASK_MANAGER, true },       { OBJECT_ALL_TASK_MANAGERS, true },
    };
    uint32_t count = 0;
    for (uint32_t i = 0; i < STRONG_MAX; i++) {
        if (rows[i].kind == OBJECT_ALL_TASK_MANAGERS && scenario->job.task_managers == 1) {
            continue;
        }
        faults[count++] =
            (struct fault){ .verb = FAULT_CRASH,
                            .object = { .kind = rows[i].kind, .machine = rows[i].machine },
                            .for_ns = down_ns,
                            .unsynced = rows[i].machine ? DISK_LOSE : DISK_KEEP };
    }
    return count;
}

/* ---- one goes, another changes --------------------------------------------------------------- */

/* A candidate without fault `gone`; `kept`, a number before that, is where it points afterwards. */
static struct scenario *add_without(struct shrinker *shrinker, uint32_t gone, uint32_t *kept)
{
    struct scenario *candidate = shrinker_add(shrinker);
    shrink_delete(candidate, gone, 1);
    CHECK(*kept != gone);
    *kept -= *kept > gone ? 1 : 0;
    return candidate;
}

/* The others strike when they did, though the steps they waited for are not the same any more. */
static void add_at_their_times(struct shrinker *shrinker, const struct recording *recording,
                               uint32_t gone)
{
    struct scenario *candidate = shrinker_add(shrinker);
    for (uint32_t i = 0; i < recording->firing_count; i++) {
        const struct firing *firing = &recording->firings[i];
        CHECK(firing->fault < candidate->fault_count);
        candidate->faults[firing->fault].trigger =
            (struct fault_trigger){ .kind = TRIGGER_AT, .at_ns = firing->time_ns };
    }
    shrink_delete(candidate, gone, 1);
}

/* What struck at the third recovery may strike at the first. */
static void add_earlier(struct shrinker *shrinker, uint32_t gone, uint32_t other)
{
    const struct fault_trigger *trigger = &shrinker->best.faults[other].trigger;
    uint32_t most = trigger->kind == TRIGGER_WHEN ? trigger->occurrence : 0;
    for (uint32_t occurrence = 1; occurrence < most && occurrence <= OCCURRENCES_TRIED;
         occurrence++) {
        uint32_t kept = other;
        struct scenario *candidate = add_without(shrinker, gone, &kept);
        candidate->faults[kept].trigger.occurrence = occurrence;
    }
}

/* Both become one that is stronger, when this or that one came. */
static void add_stronger(struct shrinker *shrinker, uint32_t gone, uint32_t other)
{
    struct fault strong[STRONG_MAX];
    uint32_t count = strong_faults(&shrinker->best, strong);
    for (uint32_t i = 0; i < count; i++) {
        for (int when = 0; when < 2; when++) {
            uint32_t source = when == 0 ? other : gone;
            strong[i].trigger = shrinker->best.faults[source].trigger;
            uint32_t kept = other;
            struct scenario *candidate = add_without(shrinker, gone, &kept);
            candidate->faults[kept] = strong[i];
        }
    }
}

/* What the network and the disks draw may be what the fault was for. */
static void add_seeds(struct shrinker *shrinker, uint32_t gone)
{
    for (uint64_t seed = 1; seed <= SEEDS_TRIED; seed++) {
        struct scenario *candidate = shrinker_add(shrinker);
        candidate->seed = seed;
        shrink_delete(candidate, gone, 1);
    }
}

bool shrink_join_faults(struct shrinker *shrinker)
{
    bool helped = false;
    while (shrinker->best.fault_count > 1 && shrinker->best.fault_count <= FAULTS_JOINED_MAX &&
           shrinker_goes_on(shrinker)) {
        struct recording recording = shrink_record(shrinker, &shrinker->best);
        shrinker_clear(shrinker);
        uint32_t count = shrinker->best.fault_count;
        for (uint32_t gone = 0; gone < count; gone++) {
            add_at_their_times(shrinker, &recording, gone);
            add_seeds(shrinker, gone);
            for (uint32_t other = 0; other < count; other++) {
                if (other != gone) {
                    add_earlier(shrinker, gone, other);
                    add_stronger(shrinker, gone, other);
                }
            }
        }
        if (!shrinker_try(shrinker, "faults joined")) {
            break;
        }
        helped = true;
    }
    return helped;
}

/* ---- a fault at another step ----------------------------------------------------------------- */

static bool is_tried(const struct step *step, uint32_t occurrence, uint64_t last_checkpoint)
{
    bool near = step->checkpoint <= CHECKPOINTS_TRIED || step->checkpoint == last_checkpoint;
    bool first = step->vertex == FACT_NO_TASK || step->subtask < SUBTASKS_TRIED;
    return near && first && occurrence <= OCCURRENCES_TRIED;
}

/* Triggers for the steps of a run, in their order: all that are worth a try, or every second,
 * every third ... of these. */
static uint32_t triggers_of(const struct recording *recording, struct arena *arena,
                            struct fault_trigger **triggers)
{
    uint64_t last_checkpoint = 0;
    for (uint32_t i = 0; i < recording->step_count; i++) {
        uint64_t checkpoint = recording->steps[i].checkpoint;
        last_checkpoint = checkpoint > last_checkpoint ? checkpoint : last_checkpoint;
    }
    uint32_t count = 0;
    *triggers = arena_alloc(arena, recording->step_count, sizeof **triggers);
    for (uint32_t i = 0; i < recording->step_count; i++) {
        const struct step *step = &recording->steps[i];
        if (is_tried(step, 1, last_checkpoint)) {
            struct fault_trigger trigger = shrink_step_trigger(recording, i);
            if (trigger.occurrence <= OCCURRENCES_TRIED) {
                (*triggers)[count++] = trigger;
            }
        }
    }
    uint32_t stride = count / STEPS_TRIED_MAX + 1;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i += stride) {
        (*triggers)[kept++] = (*triggers)[i];
    }
    return kept;
}

/* Candidates in which `base`, the best without some faults, has one more: `fault`, at each step
 * that `base` alone comes to. */
static void add_moved(struct shrinker *shrinker, const struct scenario *base,
                      const struct fault_trigger *triggers, uint32_t trigger_count,
                      const struct fault *fault)
{
    for (uint32_t i = 0; i < trigger_count; i++) {
        struct scenario *candidate = shrinker_add(shrinker);
        uint32_t count = base->fault_count;
        CHECK(count < candidate->fault_count);
        for (uint32_t k = 0; k < count; k++) {
            candidate->faults[k] = base->faults[k];
        }
        candidate->faults[count] = *fault;
        candidate->faults[count].trigger = triggers[i];
        candidate->fault_count = count + 1;
    }
}

/* One fault is enough, if it comes at the right step: a strong one, or one of those at hand. */
static bool move_one(struct shrinker *shrinker)
{
    struct scenario none = shrinker->best;
    none.fault_count = 0;
    struct recording recording = shrink_record(shrinker, &none);
    struct fault_trigger *triggers;
    uint32_t count = triggers_of(&recording, shrinker->arena, &triggers);
    shrinker_clear(shrinker);
    struct fault strong[STRONG_MAX];
    uint32_t strong_count = strong_faults(&shrinker->best, strong);
    for (uint32_t i = 0; i < strong_count; i++) {
        add_moved(shrinker, &none, triggers, count, &strong[i]);
    }
    for (uint32_t i = 0; i < shrinker->best.fault_count; i++) {
        add_moved(shrinker, &none, triggers, count, &shrinker->best.faults[i]);
    }
    return shrinker_try(shrinker, "one fault at another step is enough");
}

/* Adds `base` with one more fault at each step that it comes to: with `fault`, or if that is NULL
 * with each power cut, of which a crash is a part. */
static void add_at_every_step(struct shrinker *shrinker, const struct scenario *base,
                              const struct fault *fault)
{
    struct recording recording = shrink_record(shrinker, base);
    struct fault_trigger *triggers;
    uint32_t count = triggers_of(&recording, shrinker->arena, &triggers);
    if (fault != NULL) {
        add_moved(shrinker, base, triggers, count, fault);
        return;
    }
    struct fault strong[STRONG_MAX];
    uint32_t strong_count = strong_faults(base, strong);
    for (uint32_t i = 0; i < strong_count; i++) {
        if (strong[i].object.machine) {
            add_moved(shrinker, base, triggers, count, &strong[i]);
        }
    }
}

/* Two go, and one comes at any step that the rest comes to: the second of the two, or with
 * `stronger` a power cut, for which their order says nothing. */
static bool move_another(struct shrinker *shrinker, bool stronger)
{
    uint32_t count = shrinker->best.fault_count;
    for (uint32_t gone = 0; gone < count; gone++) {
        for (uint32_t moved = stronger ? gone + 1 : 0; moved < count && shrinker_goes_on(shrinker);
             moved++) {
            if (moved == gone) {
                continue;
            }
            shrinker_clear(shrinker);
            uint32_t kept = moved;
            struct scenario rest = *add_without(shrinker, gone, &kept);
            shrink_delete(&rest, kept, 1);
            shrinker_clear(shrinker);
            add_at_every_step(shrinker, &rest, stronger ? NULL : &shrinker->best.faults[moved]);
            if (shrinker_try(shrinker, "a fault less, another one at another step")) {
                return true;
            }
        }
    }
    return false;
}

/* The dearest part of all: what did not help twice with so many faults will not help. */
bool shrink_move_faults(struct shrinker *shrinker)
{
    bool helped = false;
    while (shrinker->best.fault_count > 1 && shrinker->best.fault_count <= FAULTS_JOINED_MAX &&
           shrinker_goes_on(shrinker)) {
        uint32_t count = shrinker->best.fault_count;
        if (count != shrinker->unmoved_count) {
            shrinker->unmoved_count = count;
            shrinker->unmoved_tries = 0;
        }
        if (shrinker->unmoved_tries == UNMOVED_TRIES_MAX) {
            break;
        }
        if (!move_one(shrinker) &&
            (count == 2 || (!move_another(shrinker, false) && !move_another(shrinker, true)))) {
            shrinker->unmoved_tries++;
            break;
        }
        helped = true;
    }
    return helped;
}
