#include "sim/campaign/failure_file.h"

#include "model/base/check.h"
#include "sim/campaign/output_files.h"
#include "sim/scenario/scenario_json.h"
#include "sim/scenario/scenario_short.h"

enum status failure_file_write(const char *folder, const char *name,
                               const struct scenario *scenario, const char *origin,
                               const struct finding *finding, bool is_short, struct buffer *path,
                               struct buffer *error)
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
    enum status status = output_path_write(arena, file, buffer_bytes(&text), error);
    buffer_append_text(path, file);
    return status;
}
