#include "sim/campaign/mapped_file.h"

#include <sys/mman.h>

#include "model/base/check.h"

struct mapping {
    void *start;
    size_t size;
};

static void unmap(void *argument)
{
    const struct mapping *mapping = argument;
    (void)munmap(mapping->start, mapping->size);
}

bool file_map(struct arena *arena, int file, size_t size, struct bytes *content)
{
    CHECK(size > 0);
    void *start = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (start == MAP_FAILED) {
        return false;
    }
    struct mapping *mapping = arena_alloc(arena, 1, sizeof *mapping);
    *mapping = (struct mapping){ .start = start, .size = size };
    (void)arena_defer(arena, unmap, mapping);
    *content = (struct bytes){ .data = start, .size = size };
    return true;
}
