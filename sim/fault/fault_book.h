/* fault_book.h - which faults of a scenario were armed and fired, and when: what scripts for a
 * simulated world and for live processes have in common.
 *
 * The list of faults is explicit; nothing is drawn. A fault fires once, when its trigger comes and
 * there is something to act upon; a crash of a process that is dead already does not fire. A fault
 * of storage or of user code fires with the first call that it strikes; a rescale, when the
 * JobManager has answered: until then it is asked again and again, one request after the other. */
#ifndef FAULTLINE_SIM_FAULT_BOOK_H
#define FAULTLINE_SIM_FAULT_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/scenario/scenario.h"
#include "sim/world/sim_faults.h"

/* What became of one fault of the scenario. */
struct fault_record {
    const struct fault *fault;
    uint32_t matches; /* of its `when` */
    bool armed;       /* its trigger came; it may still wait for something to strike */
    bool fired;
    uint64_t armed_ns; /* when its trigger came */
    uint64_t fired_ns; /* when it took effect */
    uint64_t ended_ns; /* when its effect was over; equal to fired_ns if it has no length */
};

/* Whom to tell. */
struct fault_hooks {
    /* A fault took effect. */
    void (*on_fired)(void *context, const struct fault_record *record);
    /* A file was damaged or deleted behind the model's back. */
    void (*on_damage)(void *context, const char *path);
    void *context;
};

/* The processes that the object of a fault names, and those at the other end: all, if none are. */
struct fault_target {
    struct process_range one;
    struct process_range other;
};

/* What is to be done later: fault_book_do. */
enum fault_duty { FAULT_DUTY_FIRE, FAULT_DUTY_ASK };

/* Where faults are caused. */
struct fault_stage {
    uint64_t (*now_ns)(void *context);
    /* Does what fault `number` does. False: there is nothing to act upon. */
    bool (*strike)(void *context, uint32_t number, const struct fault_target *target);
    /* Has fault_book_do called at that time. */
    void (*call_at)(void *context, uint64_t due_ns, enum fault_duty duty, uint32_t number);
    /* Gives the JobManager a message from outside the cluster, if it lives. */
    void (*tell)(void *context, uint32_t kind, struct bytes data);
    void *context;
};

struct fault_book {
    struct arena *arena;
    const struct scenario *scenario;
    struct fault_stage stage;
    struct fault_hooks hooks;
    struct fault_record *records; /* by fault */
    uint32_t process_count;
    uint32_t parallelism_max;
    uint32_t *location; /* by vertex and subtask: the process that ran it last, or nowhere */
    size_t location_count;
    size_t location_capacity;
    uint64_t last_ns; /* when the last effect was over; 0: none fired */
};

/* Nothing has happened yet; faults that wait for a time have themselves called. */
void fault_book_init(struct fault_book *book, struct arena *arena, const struct scenario *scenario,
                     struct fault_stage stage, struct fault_hooks hooks);

/* Strikes if a fault waited for this. */
void fault_book_on_fact(struct fault_book *book, const struct fact_event *event);

/* A storage call or a call of user code was struck by fault `number`. */
void fault_book_on_hit(struct fault_book *book, uint32_t number, uint64_t now_ns);

void fault_book_do(struct fault_book *book, enum fault_duty duty, uint32_t number);

#endif
