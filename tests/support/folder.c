#include "tests/support/folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

struct folder folder_make(void)
{
    struct folder folder = { .path = "/tmp/faultline-test-XXXXXX" };
    ck_assert_ptr_nonnull(mkdtemp(folder.path));
    return folder;
}

const char *folder_path(const struct folder *folder, struct arena *arena, const char *name)
{
    return arena_format(arena, "%s/%s", folder->path, name);
}

const char *folder_put_bytes(const struct folder *folder, struct arena *arena, const char *name,
                             struct bytes content)
{
    const char *path = folder_path(folder, arena, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content.data, 1, content.size, file), content.size);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

const char *folder_put(const struct folder *folder, struct arena *arena, const char *name,
                       const char *content)
{
    return folder_put_bytes(folder, arena, name, bytes_of_text(content));
}

void folder_remove(const struct folder *folder)
{
    char command[80];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder->path);
    ck_assert_int_eq(system(command), 0);
}
