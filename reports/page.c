#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/junit.h"
#include "reports/page_assets.h"
#include "reports/report.h"

/* ---- pictures -------------------------------------------------------------------------------- */

/* What gnuplot draws in one of our colours takes the page's value of it: light or dark. */
static const char *variable_of(unsigned red, unsigned green, unsigned blue)
{
    static const struct {
        const char *colour;
        const char *variable;
    } variables[] = {
        { PLOT_INK, "ink" },       { PLOT_GRID, "grid" },   { PLOT_MAIN, "main" },
        { PLOT_SECOND, "second" }, { PLOT_THIRD, "third" }, { PLOT_FOURTH, "fourth" },
        { PLOT_FIFTH, "fifth" },   { PLOT_FAULT, "fault" }, { PLOT_DOWN, "down" },
        { PLOT_LIGHT, "light" },   { "#e3e8ee", "bar-1" },  { "#f2b27a", "bar-2" },
        { "#6b9bc9", "bar-4" },    { "#000000", "ink" },    { "#ffffff", "card" },
    };
    char colour[16];
    (void)snprintf(colour, sizeof colour, "#%02x%02x%02x", red & 0xff, green & 0xff, blue & 0xff);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        if (strcmp(variables[i].colour, colour) == 0) {
            return variables[i].variable;
        }
    }
    return NULL;
}

/* "rgb(  0,  76, 153)" at `at`; returns its length, 0 if it is no such colour. */
static size_t append_colour(struct buffer *out, const char *at)
{
    unsigned red = 0;
    unsigned green = 0;
    unsigned blue = 0;
    int size = 0;
    if (sscanf(at, "rgb(%u,%u,%u)%n", &red, &green, &blue, &size) != 3 || size <= 0) {
        return 0;
    }
    const char *variable = variable_of(red, green, blue);
    if (variable == NULL) {
        return 0;
    }
    buffer_append_format(out, "var(--%s)", variable);
    return (size_t)size;
}

struct picture {
    struct buffer *out;
    const char *prefix; /* makes identifiers unique on the page */
};

/* Copies one special place of the SVG, changed; returns how much of `at` that was, or 0. */
static size_t rewrite(const struct picture *picture, const char *at)
{
    static const struct {
        const char *from;
        const char *before; /* the prefix stands between the two */
        const char *behind;
    } names[] = {
        { "id='", "id='", "" },
        { "id=\"", "id=\"", "" },
        { "href='#", "href='#", "" },
        { "url(#", "url(#", "" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(at, names[i].from, strlen(names[i].from)) == 0) {
            buffer_append_format(picture->out, "%s%s-%s", names[i].before, picture->prefix,
                                 names[i].behind);
            return strlen(names[i].from);
        }
    }
    if (strncmp(at, "color=\"black\"", 13) == 0) {
        buffer_append_text(picture->out, "color=\"var(--ink)\"");
        return 13;
    }
    if (strncmp(at, "<title>", 7) == 0) { /* a tooltip with a name that says nothing */
        const char *end = strstr(at, "</title>");
        return end == NULL ? 0 : (size_t)(end - at) + 8;
    }
    return strncmp(at, "rgb(", 4) == 0 ? append_colour(picture->out, at) : 0;
}

/* The element of the SVG that gnuplot wrote, scaled by the page. */
static void append_svg(struct buffer *out, struct arena *arena, struct bytes svg,
                       const char *prefix, const char *label)
{
    char *text = arena_alloc(arena, svg.size + 1, 1);
    memcpy(text, svg.data, svg.size);
    const char *open = strstr(text, "<svg");
    const char *box = open == NULL ? NULL : strstr(open, "viewBox=");
    const char *at = box == NULL ? NULL : strchr(box, '>');
    if (at == NULL) {
        arena_free(arena, text);
        return;
    }
    int box_size = (int)strcspn(box + strlen("viewBox=\""), "\"");
    buffer_append_format(out, "<svg viewBox=\"%.*s\" role=\"img\" aria-label=\"", box_size,
                         box + strlen("viewBox=\""));
    markup_append(out, label);
    buffer_append_text(out, "\" xmlns=\"http://www.w3.org/2000/svg\" "
                            "xmlns:xlink=\"http://www.w3.org/1999/xlink\"");
    struct picture picture = { .out = out, .prefix = prefix };
    while (*at != '\0') {
        size_t size = rewrite(&picture, at);
        if (size == 0) {
            *buffer_extend(out, 1) = (uint8_t)*at;
            size = 1;
        }
        at += size;
    }
    arena_free(arena, text);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
    char *end = NULL;
    (void)strtod(text, &end);
    return text[0] == '\0' || (end != text && *end == '\0');
}

/* At most so many rows of a table are worth a place on the page; the CSV has all. */
enum { ROWS_MAX = 1000 };

static void append_table(struct buffer *out, const struct report_table *table)
{
    uint32_t rows = table_row_count(table);
    buffer_append_text(out, "<details><summary>Table: ");
    markup_append(out, table->title);
    buffer_append_format(out,
                         " (%" PRIu32 " rows)</summary>\n<div class=\"scroll\"><table>"
                         "<thead><tr>",
                         rows);
    for (uint32_t i = 0; i < table->column_count; i++) {
        buffer_append_text(out, "<th scope=\"col\">");
        markup_append(out, table->columns[i]);
        buffer_append_text(out, "</th>");
    }
    buffer_append_text(out, "</tr></thead><tbody>\n");
    for (uint32_t row = 0; row < rows && row < ROWS_MAX; row++) {
        buffer_append_text(out, "<tr>");
        for (uint32_t i = 0; i < table->column_count; i++) {
            const char *text = table->cells[(size_t)row * table->column_count + i];
            buffer_append_text(out, is_number(text) ? "<td class=\"number\">" : "<td>");
            markup_append(out, text);
            buffer_append_text(out, "</td>");
        }
        buffer_append_text(out, "</tr>\n");
    }
    buffer_append_text(out, "</tbody></table></div></details>\n");
}

/* ---- sections -------------------------------------------------------------------------------- */

static void append_tile(struct buffer *out, const char *class, const char *number, const char *what)
{
    buffer_append_format(out, "<div class=\"tile%s\"><b>%s</b>%s</div>\n", class, number, what);
}

static void append_head(struct buffer *out, const struct report *report)
{
    const struct report_data *data = &report->data;
    struct arena *arena = report->arena;
    int64_t failed = data->run_total - data->passed_total;
    double checkpoints = 0;
    double recoveries = 0;
    for (size_t i = 0; i < data->run_count; i++) {
        checkpoints += data->runs[i].checkpoints;
        recoveries += data->runs[i].recoveries;
    }
    buffer_append_text(out, "<header><h1>faultline report</h1>\n<p class=\"soft\">");
    markup_append(out, report->database);
    buffer_append_text(out, "</p>\n<div class=\"tiles\">\n");
    append_tile(out, failed == 0 && data->run_total > 0 ? " good" : "",
                text_number(arena, (double)data->passed_total), "runs passed");
    append_tile(out, failed > 0 ? " bad" : "", text_number(arena, (double)failed),
                failed == 1 ? "run did not pass" : "runs did not pass");
    append_tile(out, "", text_number(arena, checkpoints), "completed checkpoints");
    append_tile(out, "", text_number(arena, recoveries), "recoveries");
    buffer_append_text(out, "</div>\n<nav>");
    if (failed > 0) {
        buffer_append_text(out, "<a href=\"#failures\">Failures</a>");
    }
    for (uint32_t i = 0; i < report->figure_count; i++) {
        buffer_append_format(out, "<a href=\"#%s\">", report->figures[i].name);
        markup_append(out, report->figures[i].title);
        buffer_append_text(out, "</a>");
    }
    buffer_append_text(out, "<a href=\"#runs\">All runs</a></nav></header>\n<main>\n");
}

static void append_caption(struct buffer *out, const struct report_figure *figure)
{
    struct arena *arena = figure->caption.arena;
    char *text =
        arena_format(arena, "%.*s", (int)figure->caption.size, (const char *)figure->caption.data);
    buffer_append_text(out, "<div class=\"caption\">");
    for (char *at = text; at != NULL;) {
        char *end = strstr(at, "\n\n");
        if (end != NULL) {
            *end = '\0';
        }
        buffer_append_text(out, "<p>");
        markup_append(out, at);
        buffer_append_text(out, "</p>\n");
        at = end == NULL ? NULL : end + 2;
    }
    buffer_append_text(out, "</div>\n");
    arena_free(arena, text);
}

static void append_figure(struct buffer *out, const struct report *report, uint32_t index)
{
    const struct report_figure *figure = &report->figures[index];
    buffer_append_format(out, "<section id=\"%s\"><h2>", figure->name);
    markup_append(out, figure->title);
    buffer_append_format(out, "</h2>\n<div class=\"panels%s\">\n", figure->wide ? " wide" : "");
    for (uint32_t i = 0; i < figure->panel_count; i++) {
        if (report->pictures[index][i].size == 0) {
            continue;
        }
        char prefix[32];
        (void)snprintf(prefix, sizeof prefix, "f%" PRIu32 "p%" PRIu32, index, i);
        append_svg(out, report->arena, report->pictures[index][i], prefix, figure->panels[i].label);
        buffer_append_text(out, "\n");
    }
    buffer_append_text(out, "</div>\n");
    append_caption(out, figure);
    if (figure->table != NULL) {
        append_table(out, figure->table);
    }
    buffer_append_text(out, "</section>\n");
}

/* {"job.parallelism":4,"seed":1} as job.parallelism=4, seed=1; two lines of it at most, and all of
 * it under the pointer. */
static void append_coordinates(struct buffer *out, struct arena *arena, const char *json)
{
    struct buffer text;
    buffer_init(&text, arena);
    size_t size = strlen(json);
    for (size_t i = 1; i + 1 < size; i++) {
        if (json[i] == ',') {
            buffer_append_text(&text, ", ");
        } else if (json[i] == ':' && json[i - 1] == '"') {
            buffer_append_text(&text, "=");
        } else if (json[i] != '"' && json[i] != '\\') {
            buffer_append(&text, (struct bytes){ .data = (const uint8_t *)&json[i], .size = 1 });
        }
    }
    *buffer_extend(&text, 1) = '\0';
    const char *words = (const char *)text.data;
    buffer_append_text(out, "<span class=\"cell\" title=\"");
    markup_append(out, words);
    buffer_append_text(out, "\">");
    markup_append(out, words);
    buffer_append_text(out, "</span>");
    buffer_free(&text);
}

static void append_run_row(struct buffer *out, struct arena *arena, const struct report_run *run,
                           const struct report_page_options *options)
{
    buffer_append_format(out, "<tr><td class=\"number\">%" PRId64 "</td><td>", run->id);
    markup_append(out, run->name);
    buffer_append_format(out, "</td><td class=\"verdict %s\">",
                         run->exit_code == 0 ? "good" : "bad");
    markup_append(out, run->verdict);
    buffer_append_text(out, "</td><td class=\"message\">");
    if (run->first_violation[0] != '\0') {
        markup_append(out, run->first_violation);
    } else {
        append_coordinates(out, arena, run->coordinates);
    }
    buffer_append_text(out, "</td><td class=\"number\">");
    markup_append(out, run->seed);
    const double numbers[] = { run->tasks,      run->interval_s,  run->checkpoints,
                               run->recoveries, run->simulated_s, run->wall_s };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buffer_append_format(out, "</td><td class=\"number\">%s",
                             arena_format(arena, "%.6g", numbers[i]));
    }
    buffer_append_text(out, "</td><td><code>");
    markup_append(out, options->program);
    buffer_append_text(out, " run ");
    markup_append(out, options->folder);
    buffer_append_format(out, "/runs/%" PRId64 ".json</code></td></tr>\n", run->id);
}

static void append_runs(struct buffer *out, const struct report *report,
                        const struct report_page_options *options, bool failures)
{
    const struct report_data *data = &report->data;
    buffer_append_text(out, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">id</th>"
                            "<th scope=\"col\">scenario</th><th scope=\"col\">verdict</th>"
                            "<th scope=\"col\">what</th><th scope=\"col\">seed</th>"
                            "<th scope=\"col\">N</th><th scope=\"col\">T (s)</th>"
                            "<th scope=\"col\">checkpoints</th><th scope=\"col\">recoveries</th>"
                            "<th scope=\"col\">simulated (s)</th><th scope=\"col\">real (s)</th>"
                            "<th scope=\"col\">replay</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < data->run_count; i++) {
        if (!failures || data->runs[i].exit_code != 0) {
            append_run_row(out, report->arena, &data->runs[i], options);
        }
    }
    buffer_append_text(out, "</tbody></table></div>\n");
}

static void append_lines(struct buffer *out, const char *const *lines)
{
    for (size_t i = 0; lines[i] != NULL; i++) {
        buffer_append_text(out, lines[i]);
    }
}

void report_write_page(const struct report *report, const struct report_page_options *options,
                       struct buffer *out)
{
    CHECK(options->program != NULL && options->folder != NULL);
    const struct report_data *data = &report->data;
    buffer_append_text(out,
                       "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, "
                       "initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n"
                       "<title>faultline report</title>\n<style>\n");
    append_lines(out, page_style);
    buffer_append_text(out, "</style>\n</head>\n<body>\n");
    append_head(out, report);
    if (data->passed_total < data->run_total) {
        buffer_append_text(out, "<section id=\"failures\"><h2>Failures</h2>\n");
        append_runs(out, report, options, true);
        buffer_append_text(out, "</section>\n");
    }
    for (uint32_t i = 0; i < report->figure_count; i++) {
        append_figure(out, report, i);
    }
    buffer_append_text(out, "<section id=\"runs\"><h2>All runs</h2>\n");
    if (data->run_total > (int64_t)data->run_count) {
        buffer_append_format(out, "<p>The %zu newest of %" PRId64 ", failures first.</p>\n",
                             data->run_count, data->run_total);
    }
    append_runs(out, report, options, false);
    buffer_append_text(out, "</section>\n</main>\n<footer>Written by faultline ");
    markup_append(out, options->build);
    buffer_append_text(out, ". Times of runs are simulated; the same scenario and seed give the "
                            "same run again.</footer>\n<script>\n");
    append_lines(out, page_script);
    buffer_append_text(out, "</script>\n</body>\n</html>\n");
}
