#include "sim/campaign/failure_file.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/output_files.h"
#include "sim/scenario/scenario_json.h"
#include "sim/scenario/scenario_short.h"

const char *failure_about(struct arena *arena, const char *origin, const struct finding *finding)
{
    struct buffer about;
    buffer_init(&about, arena);
    buffer_append_format(&about, "%s: ", origin);
    finding_describe(finding, &about);
    /* Of what a process printed that died, the first line that says something: more may follow. */
    const char *message = finding->message + strspn(finding->message, "= \n");
    buffer_append_format(&about, ": %.*s", (int)strcspn(message, "\n"), message);
    for (size_t i = 0; i < about.size; i++) {
        if (about.data[i] < ' ' || about.data[i] > '~') {
            about.data[i] = ' '; /* what a crash printed may hold anything */
        }
    }
    return arena_format(arena, "%.*s", (int)about.size, (const char *)about.data);
}

enum status failure_file_write(const char *folder, const char *name,
                               const struct scenario *scenario, const char *origin,
                               const struct finding *finding, bool is_short, struct buffer *path,
                               struct buffer *error)
{
    struct arena *arena = error->arena;
    struct buffer text;
    buffer_init(&text, arena);
    struct scenario named = *scenario;
    named.name = name;
    named.about = failure_about(arena, origin, finding);
    if (is_short) {
        scenario_write_short(&named, &text);
    } else {
        scenario_write(&named, &text);
    }
    const char *file = arena_format(arena, "%s/%s.json", folder, name);
    enum status status = output_path_write(arena, file, buffer_bytes(&text), error);
    buffer_append_text(path, file);
    return status;
}
