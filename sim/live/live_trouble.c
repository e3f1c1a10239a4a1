#include "sim/live/live_trouble.h"

#include <errno.h>
#include <string.h>

#include "model/base/check.h"

enum { PATIENCE_NS = 1000 * 1000 * 1000 };

void live_trouble_init(struct live_trouble *trouble, struct arena *arena)
{
    *trouble = (struct live_trouble){ .error = 0 };
    buffer_init(&trouble->path, arena);
}

void live_trouble_on_refused(struct live_trouble *trouble, const char *folder,
                             const struct live_refused *refused)
{
    CHECK(refused->error != 0);
    if (trouble->is_there) {
        trouble->is_lasting =
            trouble->is_lasting || refused->time_ns >= trouble->since_ns + PATIENCE_NS;
        return;
    }
    trouble->is_there = true;
    trouble->since_ns = refused->time_ns;
    trouble->error = refused->error;
    buffer_reset(&trouble->path);
    buffer_append_text(&trouble->path, folder);
    buffer_append_text(&trouble->path, refused->path.size > 0 ? "/" : "");
    buffer_append(&trouble->path, refused->path);
}

void live_trouble_on_fact(struct live_trouble *trouble, const struct fact_event *event)
{
    if (event->fact.kind == FACT_CHECKPOINT_COMPLETED) {
        trouble->is_there = false;
        trouble->is_lasting = false;
    }
}

void live_trouble_describe(const struct live_trouble *trouble, struct buffer *out)
{
    CHECK(trouble->is_there);
    buffer_append(out, buffer_bytes(&trouble->path));
    buffer_append_format(out, ": %s, which no fault of the scenario explains",
                         strerror(trouble->error));
}

enum status live_trouble_status(const struct live_trouble *trouble)
{
    bool is_full = trouble->error == ENOSPC || trouble->error == EDQUOT;
    return is_full ? STATUS_NO_SPACE : STATUS_IO;
}
