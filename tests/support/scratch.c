#include "tests/support/scratch.h"

struct arena arena;
struct folder folder;

void scratch_set_up(void)
{
    arena_init(&arena);
    folder = folder_make();
}

void scratch_tear_down(void)
{
    folder_remove(&folder);
    arena_drop(&arena);
}
