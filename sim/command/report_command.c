#include "sim/command/report_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/check.h"
#include "reports/report.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/verdict.h"

struct writing {
    struct arena arena;
    const struct options *options;
    const char *path; /* of the folder */
    struct buffer error;
    struct report report;
    uint32_t missing_count; /* pictures that could not be drawn */
};

static struct output_folder folder_of(struct writing *writing, const char *name)
{
    const char *path = name[0] == '\0'
                           ? writing->path
                           : arena_format(&writing->arena, "%s/%s", writing->path, name);
    return (
        struct output_folder){ .arena = &writing->arena, .path = path, .error = &writing->error };
}

/* What gnuplot made; without it there is nothing. */
static void take_picture(struct writing *writing, const struct output_folder *folder,
                         const char *name, struct bytes *picture)
{
    const char *path = arena_format(&writing->arena, "%s/%s.svg", folder->path, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        writing->missing_count++;
        return;
    }
    struct buffer content;
    buffer_init(&content, &writing->arena);
    enum { STEP_BYTES = 65536 };
    size_t got;
    do {
        got = fread(buffer_extend(&content, STEP_BYTES), 1, STEP_BYTES, file);
        content.size -= STEP_BYTES - got;
    } while (got > 0);
    (void)fclose(file);
    *picture = buffer_bytes(&content);
}

/* A picture of an earlier report must not stand for one that was not drawn now. */
static enum status remove_pictures(struct writing *writing, const struct output_folder *folder,
                                   const struct report_figure *figure)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < figure->panel_count && status == STATUS_OK; i++) {
        status = output_file_remove(
            folder, arena_format(&writing->arena, "%s.svg", figure->panels[i].name));
    }
    return status;
}

static enum status write_figure(struct writing *writing, uint32_t index)
{
    const struct report_figure *figure = &writing->report.figures[index];
    struct output_folder folder = folder_of(writing, "figures");
    struct buffer script;
    buffer_init(&script, &writing->arena);
    figure_write_script(figure, &script);
    const char *name = arena_format(&writing->arena, "%s.gp", figure->name);
    enum status status = remove_pictures(writing, &folder, figure);
    status = status == STATUS_OK ? output_file_write(&folder, name, buffer_bytes(&script)) : status;
    status = status == STATUS_OK ? output_file_draw(&folder, name) : status;
    for (uint32_t i = 0; i < figure->panel_count && status == STATUS_OK; i++) {
        take_picture(writing, &folder, figure->panels[i].name, &writing->report.pictures[index][i]);
    }
    if (status == STATUS_OK && writing->options->csv && figure->table != NULL) {
        struct buffer csv;
        buffer_init(&csv, &writing->arena);
        table_write_csv(figure->table, &csv);
        struct output_folder tables = folder_of(writing, "tables");
        status =
            output_file_write(&tables, arena_format(&writing->arena, "%s.csv", figure->table->name),
                              buffer_bytes(&csv));
    }
    buffer_free(&script);
    return status;
}

static enum status write_runs(struct writing *writing)
{
    struct output_folder folder = folder_of(writing, "runs");
    enum status status = output_folder_make(&folder);
    const struct report_data *data = &writing->report.data;
    for (size_t i = 0; i < data->run_count && status == STATUS_OK; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%" PRId64 ".json", data->runs[i].id);
        status = output_file_write(&folder, name, bytes_of_text(data->runs[i].scenario_json));
    }
    return status;
}

static enum status write_page(struct writing *writing, const char *build)
{
    struct report_page_options page = { .program = writing->options->program,
                                        .folder = writing->path,
                                        .build = build };
    struct buffer html;
    buffer_init(&html, &writing->arena);
    report_write_page(&writing->report, &page, &html);
    struct output_folder folder = folder_of(writing, "");
    enum status status = output_file_write(&folder, "index.html", buffer_bytes(&html));
    buffer_free(&html);
    return status;
}

static enum status write_all(struct writing *writing, const char *build)
{
    struct output_folder figures = folder_of(writing, "figures");
    struct output_folder tables = folder_of(writing, "tables");
    enum status status = output_folder_make(&figures);
    if (status == STATUS_OK && writing->options->csv) {
        status = output_folder_make(&tables);
    }
    for (uint32_t i = 0; i < writing->report.figure_count && status == STATUS_OK; i++) {
        status = write_figure(writing, i);
    }
    status = status == STATUS_OK ? write_runs(writing) : status;
    return status == STATUS_OK ? write_page(writing, build) : status;
}

enum verdict report_command(const struct options *options, const char *build)
{
    CHECK(options->database != NULL);
    struct writing *writing = calloc(1, sizeof *writing); /* too large for the stack */
    CHECK(writing != NULL);
    arena_init(&writing->arena);
    buffer_init(&writing->error, &writing->arena);
    writing->options = options;
    writing->path = options->out != NULL ? options->out : OPTIONS_DEFAULT_REPORT;
    enum status status =
        report_build(&writing->report, &writing->arena, options->database, &writing->error);
    status = status == STATUS_OK ? write_all(writing, build) : status;
    if (status == STATUS_OK) {
        if (writing->missing_count > 0) {
            (void)fprintf(stderr, "gnuplot is not installed: the page has no figures\n");
        }
        (void)printf("%s/index.html\n", writing->path);
    } else {
        CHECK(writing->error.size > 0);
        (void)fprintf(stderr, "%.*s\n", (int)writing->error.size,
                      (const char *)writing->error.data);
    }
    arena_drop(&writing->arena);
    free(writing);
    return verdict_of_status(status);
}
