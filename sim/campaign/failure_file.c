#include "sim/campaign/failure_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/check.h"
#include "sim/scenario_json.h"
#include "sim/scenario_short.h"

/* Makes every folder that `path` names before its last slash. */
static bool make_folders(struct arena *arena, const char *path)
{
    char *copy = arena_text(arena, path);
    bool made = true;
    for (char *at = strchr(copy + 1, '/'); made && at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        made = mkdir(copy, 0777) == 0 || errno == EEXIST;
        *at = '/';
    }
    int error_number = errno;
    arena_free(arena, copy);
    errno = error_number;
    return made;
}

enum status file_write_whole(const char *path, struct bytes content, struct buffer *error)
{
    CHECK(*path != '\0');
    struct arena *arena = error->arena;
    char *temporary = arena_format(arena, "%s.%ld.tmp", path, (long)getpid());
    bool done = false;
    FILE *file = make_folders(arena, path) ? fopen(temporary, "wb") : NULL;
    if (file != NULL) {
        done = fwrite(content.data, 1, content.size, file) == content.size;
        done = fclose(file) == 0 && done;
        done = done && rename(temporary, path) == 0;
    }
    if (!done) {
        buffer_append_format(error, "%s: cannot write: %s", path, strerror(errno));
        (void)unlink(temporary);
    }
    arena_free(arena, temporary);
    return done ? STATUS_OK : STATUS_IO;
}

enum status failure_file_write(const char *folder, const char *name,
                               const struct scenario *scenario, const char *origin,
                               const struct finding *finding, bool is_short,
                               struct buffer *path, struct buffer *error)
{
    struct arena *arena = error->arena;
    struct buffer text;
    buffer_init(&text, arena);
    struct scenario named = *scenario;
    struct buffer about;
    buffer_init(&about, arena);
    buffer_append_format(&about, "%s: ", origin);
    finding_describe(finding, &about);
    buffer_append_format(&about, ": %s", finding->message);
    /* The last lines of a crash end with a line feed, and may hold anything. */
    for (size_t i = 0; i < about.size; i++) {
        if (about.data[i] < ' ' || about.data[i] > '~') {
            about.data[i] = ' ';
        }
    }
    named.name = name;
    named.about = arena_format(arena, "%.*s", (int)about.size, (const char *)about.data);
    if (is_short) {
        scenario_write_short(&named, &text);
    } else {
        scenario_write(&named, &text);
    }
    const char *file = arena_format(arena, "%s/%s.json", folder, name);
    enum status status = file_write_whole(file, buffer_bytes(&text), error);
    buffer_append_text(path, file);
    return status;
}
