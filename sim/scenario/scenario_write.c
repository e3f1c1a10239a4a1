#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_faults.h"
#include "sim/scenario/scenario_fields.h"
#include "sim/scenario/scenario_json.h"
#include "sim/scenario/scenario_load.h"
#include "sim/scenario/scenario_short.h"

/* An open object is the first `size` characters of a field's path; 0: the root. */
struct writer {
    struct buffer *out;
    const char *path;
    size_t size;
    bool is_empty; /* nothing is in the open object yet */
};

static void start_line(struct writer *writer)
{
    CHECK(writer->size <= strlen(writer->path));
    uint32_t depth = writer->size > 0 ? 2 : 1;
    for (size_t i = 0; i < writer->size; i++) {
        depth += writer->path[i] == '.' ? 1 : 0;
    }
    buffer_append_format(writer->out, "%s\n%*s", writer->is_empty ? "" : ",", (int)(2 * depth), "");
}

static void close_object(struct writer *writer)
{
    CHECK(writer->size > 0);
    do {
        writer->size--;
    } while (writer->size > 0 && writer->path[writer->size] != '.');
    writer->is_empty = true; /* no comma before the brace */
    start_line(writer);
    buffer_append_text(writer->out, "}");
    writer->is_empty = false;
}

/* Closes and opens objects until the field `path` can be written, and writes its key. */
static void start_field(struct writer *writer, const char *path)
{
    CHECK(*path != '\0');
    while (writer->size > 0 &&
           !(strncmp(path, writer->path, writer->size) == 0 && path[writer->size] == '.')) {
        close_object(writer);
    }
    for (;;) {
        size_t start = writer->size == 0 ? 0 : writer->size + 1;
        size_t length = strcspn(path + start, ".");
        start_line(writer);
        writer->is_empty = false;
        buffer_append_format(writer->out, "\"%.*s\": ", (int)length, path + start);
        if (path[start + length] == '\0') {
            return;
        }
        buffer_append_text(writer->out, "{");
        writer->path = path;
        writer->size = start + length;
        writer->is_empty = true;
    }
}

static void write_faults(struct writer *writer, const struct scenario *scenario)
{
    start_field(writer, "faults");
    buffer_append_text(writer->out, "[");
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        buffer_append_format(writer->out, "%s\n    ", i == 0 ? "" : ",");
        fault_write(scenario, &scenario->faults[i], writer->out);
    }
    buffer_append_text(writer->out, scenario->fault_count > 0 ? "\n  ]" : "]");
}

void scenario_write_if(const struct scenario *scenario,
                       bool (*keep)(const void *context, uint32_t index), const void *context,
                       struct buffer *out)
{
    CHECK(scenario != NULL);
    CHECK(scenario->fault_count <= FAULT_COUNT_MAX);
    struct scenario resolved = *scenario;
    if (resolved.job.input.kind == INPUT_FILE && !input_is_standard(resolved.input_path)) {
        resolved.input_path = path_absolute(out->arena, ".", scenario->input_path);
    }
    struct writer writer = { .out = out, .path = "", .is_empty = true };
    buffer_append_text(out, "{");
    for (uint32_t i = 0; i < scenario_field_count; i++) {
        const struct field *field = &scenario_fields[i];
        if (strcmp(field->path, "faults") == 0) {
            write_faults(&writer, &resolved);
        } else if (strcmp(field->path, "plot") == 0 && resolved.plots != 0) {
            start_field(&writer, field->path);
            plots_write(resolved.plots, out);
        } else if (field_is_written(field, &resolved) && keep(context, i)) {
            start_field(&writer, field->path);
            field_write(field, &resolved, out);
        }
    }
    while (writer.size > 0) {
        close_object(&writer);
    }
    buffer_append_text(out, "\n}\n");
}

static bool keep_all(const void *context, uint32_t index)
{
    CHECK(context == NULL);
    CHECK(index < scenario_field_count);
    return true;
}

void scenario_write(const struct scenario *scenario, struct buffer *out)
{
    scenario_write_if(scenario, keep_all, NULL, out);
}

void scenario_write_costs(const struct scenario *scenario, struct buffer *out)
{
    const size_t first = offsetof(struct scenario, cluster);
    const char *between = "{";
    for (uint32_t i = 0; i < scenario_field_count; i++) {
        const struct field *field = &scenario_fields[i];
        if (field->base == BASE_SCENARIO && field->offset >= first &&
            field->offset < first + sizeof scenario->cluster) {
            buffer_append_format(out, "%s\"%s\":", between, field->path);
            field_write(field, scenario, out);
            between = ",";
        }
    }
    buffer_append_text(out, "}");
}
