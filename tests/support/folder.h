/* folder.h - a folder of its own for a test, with the files it puts there. */
#ifndef FAULTLINE_TESTS_FOLDER_H
#define FAULTLINE_TESTS_FOLDER_H

#include "model/base/arena.h"
#include "model/base/bytes.h"

struct folder {
    char path[40];
};

struct folder folder_make(void);

/* The path of `name` in the folder. */
const char *folder_path(const struct folder *folder, struct arena *arena, const char *name);

/* Writes a file there and returns its path. */
const char *folder_put(const struct folder *folder, struct arena *arena, const char *name,
                       const char *content);
const char *folder_put_bytes(const struct folder *folder, struct arena *arena, const char *name,
                             struct bytes content);

/* The folder goes with all that is in it. */
void folder_remove(const struct folder *folder);

#endif
