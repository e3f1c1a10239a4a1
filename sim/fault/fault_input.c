#include "sim/fault/fault_input.h"

#include "model/base/check.h"

__extension__ typedef unsigned __int128 wide;

enum { NS_PER_S = 1000000000 };

/* The number of the first record that is due at `time_ns` or later. */
static uint64_t record_at(const struct input_config *input, uint64_t time_ns)
{
    CHECK(input->rate_per_s > 0);
    wide number = ((wide)time_ns * input->rate_per_s + NS_PER_S - 1) / NS_PER_S;
    return number < input->records ? (uint64_t)number : input->records;
}

static struct generator_range range_of(const struct input_config *input, const struct fault *fault)
{
    uint64_t first = record_at(input, fault->trigger.at_ns);
    if (fault->verb == FAULT_POISON) {
        return (
            struct generator_range){ .first = first, .end = first + 1, .key = GENERATOR_BAD_KEY };
    }
    uint64_t end =
        fault->for_ever ? input->records : record_at(input, fault->trigger.at_ns + fault->for_ns);
    return (struct generator_range){ .first = first, .end = end, .key = 0 };
}

static uint32_t count_verb(const struct scenario *scenario, enum fault_verb verb)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        count += scenario->faults[i].verb == verb;
    }
    return count;
}

static uint32_t add_ranges(const struct scenario *scenario, enum fault_verb verb,
                           struct generator_range *ranges)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        if (scenario->faults[i].verb == verb) {
            ranges[count++] = range_of(&scenario->job.input, &scenario->faults[i]);
        }
    }
    return count;
}

static void add_bursts(struct arena *arena, struct scenario *scenario, uint32_t burst_count)
{
    struct input_burst *bursts = arena_alloc(arena, burst_count, sizeof *bursts);
    uint32_t count = 0;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        if (fault->verb == FAULT_BURST) {
            bursts[count++] = (struct input_burst){
                .from_ns = fault->trigger.at_ns,
                .until_ns = fault->for_ever ? UINT64_MAX : fault->trigger.at_ns + fault->for_ns,
                .factor_ppm = fault->factor_ppm,
            };
        }
    }
    CHECK(count == burst_count);
    scenario->job.input.bursts = bursts;
    scenario->job.input.burst_count = count;
}

void fault_input_prepare(struct arena *arena, struct scenario *scenario)
{
    struct input_config *input = &scenario->job.input;
    if (input->kind != INPUT_GENERATOR || input->generator != NULL) {
        return;
    }
    struct generator *generator =
        generator_create(arena, input->keys, input->skew_ppm, input->seed);
    input->generator = generator;
    uint32_t bad_count = count_verb(scenario, FAULT_POISON);
    uint32_t range_count = bad_count + count_verb(scenario, FAULT_HOT_KEY);
    if (range_count > 0) {
        /* A bad record within a hot range is bad: those come first. */
        struct generator_range *ranges = arena_alloc(arena, range_count, sizeof *ranges);
        (void)add_ranges(scenario, FAULT_POISON, ranges);
        (void)add_ranges(scenario, FAULT_HOT_KEY, ranges + bad_count);
        generator_set_ranges(generator, ranges, range_count);
    }
    uint32_t burst_count = count_verb(scenario, FAULT_BURST);
    if (burst_count > 0) {
        add_bursts(arena, scenario, burst_count);
    }
}
