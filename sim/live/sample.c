#include "sim/live/sample.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/live/live_measure.h"

struct sample sample_in(struct arena *arena)
{
    CHECK(arena != NULL);
    return (struct sample){ .arena = arena };
}

void sample_add(struct sample *sample, uint64_t value)
{
    sample->values = arena_grow(sample->arena, sample->values, &sample->capacity, sample->count + 1,
                                sizeof *sample->values);
    sample->values[sample->count++] = value;
}

void sample_join(struct sample *sample, const struct sample *more)
{
    CHECK(sample != more);
    for (size_t i = 0; i < more->count; i++) {
        sample_add(sample, more->values[i]);
    }
}

uint64_t sample_median(const struct sample *sample)
{
    if (sample->count == 0) {
        return 0;
    }
    uint64_t *sorted = arena_alloc(sample->arena, sample->count, sizeof *sorted);
    memcpy(sorted, sample->values, sample->count * sizeof *sorted);
    return live_median(sorted, sample->count);
}
