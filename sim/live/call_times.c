#include "sim/live/call_times.h"

#include "model/base/check.h"
#include "model/runtime/process.h"

enum { IN_A_ROW = 8 };

void call_times_init(struct call_times *times, struct arena *arena)
{
    for (int i = 0; i < CALL_KIND_COUNT; i++) {
        times->took_ns[i][false] = sample_in(arena);
        times->took_ns[i][true] = sample_in(arena);
    }
}

void call_times_add(struct call_times *times, const struct live_call *call)
{
    CHECK((unsigned)call->kind < CALL_KIND_COUNT);
    sample_add(&times->took_ns[call->kind][call->process == PROCESS_JOB_MANAGER], call->took_ns);
}

void call_times_join(struct call_times *times, const struct call_times *more)
{
    for (int i = 0; i < CALL_KIND_COUNT; i++) {
        sample_join(&times->took_ns[i][false], &more->took_ns[i][false]);
        sample_join(&times->took_ns[i][true], &more->took_ns[i][true]);
    }
}

uint64_t call_times_mean(const struct call_times *times, enum live_call_kind kind, bool of_manager)
{
    const struct sample *calls = &times->took_ns[kind][of_manager];
    struct sample sums = sample_in(calls->arena);
    for (size_t i = 0; i + IN_A_ROW <= calls->count; i += IN_A_ROW) {
        uint64_t sum_ns = 0;
        for (size_t j = 0; j < IN_A_ROW; j++) {
            sum_ns += calls->values[i + j];
        }
        sample_add(&sums, sum_ns);
    }
    return sample_median(&sums) / IN_A_ROW;
}
