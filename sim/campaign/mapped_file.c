#include "sim/campaign/mapped_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

enum status file_append(int file, const char *path, struct bytes bytes, struct buffer *error)
{
    for (size_t done = 0; done < bytes.size;) {
        ssize_t put = write(file, bytes.data + done, bytes.size - done);
        if (put < 0 && errno != EINTR) {
            buffer_append_format(error, "%s: what is read cannot be kept: %s", path,
                                 strerror(errno));
            return errno == ENOSPC || errno == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return STATUS_OK;
}
