#include <stddef.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/command/compare_private.h"

#define COST(member) offsetof(struct cluster, member)
const struct compared_cost compared_costs[COMPARED_COST_COUNT] = {
    { "cpu.message", COST(cpu.message_ns) },
    { "store.latency", COST(store.latency_ns) },
    { "store.sync", COST(store.sync_ns) },
    { "store.remove", COST(store.remove_ns) },
};

/* By turns with one and with four subtasks, so that each run is next to one of each. */
enum status compare_look(struct comparison *comparison, uint64_t live_runs)
{
    if (!comparison->options->recalibrate) {
        return STATUS_OK;
    }
    uint64_t look_count = comparison->cell_count * comparison->options->repeats + 1;
    CHECK(live_runs < look_count);
    if (comparison->looks == NULL) {
        comparison->looks = arena_alloc(comparison->arena, look_count, sizeof *comparison->looks);
    }
    struct probe *look = &comparison->looks[live_runs];
    bool processes = !comparison->options->threads;
    probe_init(look, comparison->arena);
    enum status status = probe_messages(look, &comparison->place, processes);
    if (status == STATUS_OK) {
        status = probe_store(look, &comparison->place, live_runs % 2 == 0 ? PROBE_FOUR : PROBE_ONE,
                             processes);
    }
    return status;
}

enum status compare_recalibrate(struct comparison *comparison, struct compared_cell *cell)
{
    if (!comparison->options->recalibrate) {
        return STATUS_OK;
    }
    struct cluster *cluster = &cell->scenario.cluster;
    struct probe seen;
    probe_init(&seen, comparison->arena);
    for (uint32_t i = 0; i < comparison->options->repeats; i++) {
        uint64_t before = i * comparison->cell_count + (uint64_t)(cell - comparison->cells);
        probe_join(&seen, &comparison->looks[before]);
        probe_join(&seen, &comparison->looks[before + 1]);
    }
    struct probe_passing passing;
    enum status status = probe_simulate(&passing, &comparison->place, cluster);
    if (status == STATUS_OK) {
        probe_apply(&seen, &passing, cluster);
    }
    return status;
}

const char *compare_costs_text(const struct comparison *comparison,
                               const struct compared_cell *cell)
{
    struct buffer text;
    buffer_init(&text, comparison->arena);
    scenario_write_costs(&cell->scenario, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}
