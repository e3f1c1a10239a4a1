#include <stdio.h>

#include "model/base/arena.h"
#include "sim/run.h"
#include "sim/scenario_json.h"

int main(int argc, char **argv)
{
    int worst = 0;
    for (int i = 2; i < argc; i++) {
        struct arena arena;
        arena_init(&arena);
        struct buffer error;
        buffer_init(&error, &arena);
        struct scenario scenario;
        struct bytes input;
        struct run run;
        struct scenario_overrides none = { 0 };
        if (scenario_read(&scenario, &arena, argv[i], &none, &error) != STATUS_OK ||
            run_read_input(&scenario, &arena, &input, &error) != STATUS_OK) {
            fprintf(stderr, "%.*s\n", (int)error.size, (const char *)error.data);
            worst = 3;
        } else {
            run_scenario(&run, &arena, &scenario, input,
                         &(struct run_options){ .keep_trace = true });
            uint32_t count;
            const struct violation *violations = oracle_violations(run.oracle, &count);
            fwrite(run.trace.data, 1, run.trace.size, stdout);
            for (uint32_t k = 0; k < count; k++) {
                printf("%s: %s\n", property_name(violations[k].property), violations[k].message);
            }
            printf("%s %s hash %016llx failure %s\n", scenario.name, verdict_name(run.verdict),
                   (unsigned long long)run.trace_hash, run.summary.failure);
            worst = run.verdict;
        }
        arena_drop(&arena);
    }
    return worst;
}
