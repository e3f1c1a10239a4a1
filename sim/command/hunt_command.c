#include "sim/command/hunt_command.h"

#include <stdio.h>

#include "model/base/check.h"
#include "sim/campaign/enumerate.h"
#include "sim/campaign/fuzz.h"
#include "sim/campaign/shrink.h"

/* An error is one sentence; what went before it on standard output comes first. */
static void complain(const struct buffer *error)
{
    if (error->size > 0) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "%.*s\n", (int)error->size, (const char *)error->data);
    }
}

static struct hunt_options hunt_of(const struct options *options)
{
    CHECK(options->scenario_count == 1);
    return (struct hunt_options){ .scenario = options->scenarios[0],
                                  .overrides = options->overrides,
                                  .processes = options->processes,
                                  .out = options->out != NULL ? options->out : OPTIONS_DEFAULT_OUT,
                                  .program = options->program,
                                  .report = stdout,
                                  .quiet = options->quiet };
}

enum verdict fuzz_command(const struct options *options)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct fuzz_options fuzzing = { .hunt = hunt_of(options),
                                    .seed_first = options->seed_first,
                                    .seed_last = options->seed_last,
                                    .time_ns = options->time_ns,
                                    .fault_count = options->fault_count,
                                    .shrink = options->shrink,
                                    .required_marks = options->required_marks,
                                    .required_mark_count = options->required_mark_count };
    struct fuzz_result result;
    enum verdict verdict = fuzz(&fuzzing, &result, &error);
    complain(&error);
    arena_drop(&arena);
    return verdict;
}

enum verdict enumerate_command(const struct options *options)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct enumerate_options enumerating = { .hunt = hunt_of(options),
                                             .checkpoint_max = ENUMERATE_CHECKPOINTS,
                                             .pair_steps = options->pair_steps,
                                             .time_ns = options->time_ns };
    struct enumerate_result result;
    enum verdict verdict = enumerate(&enumerating, &result, &error);
    complain(&error);
    arena_drop(&arena);
    return verdict;
}

enum verdict shrink_command(const struct options *options)
{
    CHECK(options->scenario_count == 1);
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct shrink_file_options shrinking = { .scenario = options->scenarios[0],
                                             .overrides = options->overrides,
                                             .out = options->out,
                                             .program = options->program,
                                             .report = stdout,
                                             .shrink = { .processes = options->processes,
                                                         .time_ns = options->time_ns,
                                                         .report =
                                                             options->quiet ? NULL : stdout } };
    enum verdict verdict = shrink_file(&shrinking, &error);
    complain(&error);
    arena_drop(&arena);
    return verdict;
}
