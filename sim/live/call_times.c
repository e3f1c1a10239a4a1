#include "sim/live/call_times.h"

#include <string.h>

#include "model/base/check.h"
#include "model/runtime/process.h"
#include "sim/live/live_measure.h"

enum { IN_A_ROW = 8 };

void call_times_init(struct call_times *times, struct arena *arena)
{
    *times = (struct call_times){ .arena = arena };
}

void call_times_add(struct call_times *times, const struct live_call *call)
{
    CHECK((unsigned)call->kind < CALL_KIND_COUNT);
    struct call_list *list = &times->lists[call->kind][call->process == PROCESS_JOB_MANAGER];
    list->took_ns = arena_grow(times->arena, list->took_ns, &list->capacity, list->count + 1,
                               sizeof *list->took_ns);
    list->took_ns[list->count++] = call->took_ns;
}

uint64_t call_times_median(const struct call_times *times, enum live_call_kind kind)
{
    const struct call_list *lists = times->lists[kind];
    size_t count = lists[0].count + lists[1].count;
    uint64_t *all = arena_alloc(times->arena, count, sizeof *all);
    for (int i = 0; i < 2; i++) {
        if (lists[i].count > 0) {
            memcpy(all + (i == 0 ? 0 : lists[0].count), lists[i].took_ns,
                   lists[i].count * sizeof *all);
        }
    }
    return count > 0 ? live_median(all, count) : 0;
}

uint64_t call_times_mean(const struct call_times *times, enum live_call_kind kind, bool of_manager)
{
    const struct call_list *list = &times->lists[kind][of_manager];
    size_t row_count = list->count / IN_A_ROW;
    uint64_t *sums = arena_alloc(times->arena, row_count, sizeof *sums);
    for (size_t i = 0; i < row_count * IN_A_ROW; i++) {
        sums[i / IN_A_ROW] += list->took_ns[i];
    }
    return row_count > 0 ? live_median(sums, row_count) / IN_A_ROW : 0;
}
