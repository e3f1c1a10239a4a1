#include "reports/report_figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"

enum { PANEL_WIDTH = 480, PANEL_HEIGHT = 390, WIDE_WIDTH = 960 };

/* ---- tables ---------------------------------------------------------------------------------- */

void table_init(struct report_table *table, struct arena *arena, const char *name,
                const char *title, const char *const *columns, uint32_t column_count)
{
    CHECK(column_count > 0);
    *table = (struct report_table){ .name = name,
                                    .title = title,
                                    .columns = columns,
                                    .column_count = column_count,
                                    .arena = arena };
}

void table_add(struct report_table *table, const char *text)
{
    CHECK(text != NULL);
    table->cells = arena_grow(table->arena, table->cells, &table->capacity, table->cell_count + 1,
                              sizeof *table->cells);
    table->cells[table->cell_count++] = text;
}

void table_add_number(struct report_table *table, double number)
{
    table_add(table, isfinite(number) ? arena_format(table->arena, "%.9g", number) : "");
}

uint32_t table_row_count(const struct report_table *table)
{
    CHECK(table->cell_count % table->column_count == 0);
    return (uint32_t)(table->cell_count / table->column_count);
}

static void append_csv_cell(struct buffer *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        buffer_append_text(out, text);
        return;
    }
    buffer_append_text(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        buffer_append_format(out, *at == '"' ? "\"\"" : "%c", *at);
    }
    buffer_append_text(out, "\"");
}

void table_write_csv(const struct report_table *table, struct buffer *out)
{
    CHECK(table->cell_count % table->column_count == 0);
    for (uint32_t i = 0; i < table->column_count; i++) {
        buffer_append_text(out, i == 0 ? "" : ",");
        append_csv_cell(out, table->columns[i]);
    }
    buffer_append_text(out, "\r\n");
    for (size_t i = 0; i < table->cell_count; i++) {
        append_csv_cell(out, table->cells[i]);
        buffer_append_text(out, (i + 1) % table->column_count == 0 ? "\r\n" : ",");
    }
}

/* ---- numbers and texts ----------------------------------------------------------------------- */

void plot_append_text(struct buffer *out, const char *text)
{
    CHECK(text != NULL);
    buffer_append_text(out, "'");
    for (const char *at = text; *at != '\0'; at++) {
        uint8_t byte = (uint8_t)*at;
        if (byte == '\'' || byte == '`') {
            buffer_append_text(out, "''");
        } else {
            *buffer_extend(out, 1) = byte < 0x20 || byte == 0x7f ? ' ' : byte;
        }
    }
    buffer_append_text(out, "'");
}

void plot_append_number(struct buffer *out, double number)
{
    if (isfinite(number)) {
        buffer_append_format(out, "%.9g", number);
    } else {
        buffer_append_text(out, "NaN");
    }
}

/* Three significant digits without an exponent, for numbers of a human size. */
static void three_digits(char *text, size_t size, double number)
{
    double magnitude = fabs(number);
    int decimals = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
    (void)snprintf(text, size, "%.*f", decimals, number);
    if (strchr(text, '.') != NULL) {
        char *end = text + strlen(text);
        while (end[-1] == '0') {
            *--end = '\0';
        }
        if (end[-1] == '.') {
            end[-1] = '\0';
        }
    }
}

const char *text_number(struct arena *arena, double number)
{
    char digits[64];
    double magnitude = fabs(number);
    if (!isfinite(number)) {
        return isnan(number) ? "unknown" : number > 0 ? "infinite" : "minus infinite";
    }
    if (magnitude != 0 && (magnitude < 0.01 || magnitude >= 1e15)) {
        return arena_format(arena, "%.2g", number);
    }
    if (magnitude < 1000) {
        three_digits(digits, sizeof digits, number);
        return arena_text(arena, digits);
    }
    (void)snprintf(digits, sizeof digits, "%.0f", magnitude);
    struct buffer text;
    buffer_init(&text, arena);
    buffer_append_text(&text, number < 0 ? "-" : "");
    size_t size = strlen(digits);
    for (size_t i = 0; i < size; i++) {
        buffer_append_format(&text, i > 0 && (size - i) % 3 == 0 ? ",%c" : "%c", digits[i]);
    }
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

const char *text_seconds(struct arena *arena, double seconds)
{
    char digits[64];
    double magnitude = fabs(seconds);
    if (!isfinite(seconds)) {
        return text_number(arena, seconds);
    }
    double scale = magnitude < 1e-3 ? 1e6 : magnitude < 1 ? 1e3 : magnitude < 600 ? 1 : 1.0 / 60;
    const char *unit = scale == 1e6 ? "µs" : scale == 1e3 ? "ms" : scale == 1 ? "s" : "min";
    three_digits(digits, sizeof digits, seconds * scale);
    return arena_format(arena, "%s %s", digits, magnitude == 0 ? "s" : unit);
}

const char *text_r2(struct arena *arena, double r2)
{
    if (isnan(r2)) {
        return "none";
    }
    if (r2 < -1000) {
        return "below -1,000";
    }
    return arena_format(arena, r2 > 0.99 ? "%.4f" : r2 > -10 ? "%.2f" : "%.0f", r2);
}

const char *plot_colour(uint32_t index)
{
    static const char *const colours[] = { PLOT_MAIN, PLOT_SECOND, PLOT_THIRD, PLOT_FOURTH,
                                           PLOT_FIFTH };
    return colours[index % (sizeof colours / sizeof *colours)];
}

uint32_t plot_shape(uint32_t index)
{
    static const uint32_t shapes[] = { 7, 4, 9, 12, 10, 5, 6, 13 };
    return shapes[index % (sizeof shapes / sizeof *shapes)];
}

/* ---- panels ---------------------------------------------------------------------------------- */

void figure_init(struct report_figure *figure, struct arena *arena, const char *name,
                 const char *title)
{
    CHECK(name[0] != '\0');
    *figure = (struct report_figure){ .name = name, .title = title, .columns = 2 };
    buffer_init(&figure->data, arena);
    buffer_init(&figure->caption, arena);
}

void plot_begin(struct buffer *body, const struct plot_axes *axes)
{
    CHECK(axes->x != NULL && axes->y != NULL);
    buffer_append_text(body, "reset\nset border 3 lc rgb '" PLOT_INK "'\n"
                             "set tics nomirror out scale 0.6 textcolor rgb '" PLOT_INK "'\n"
                             "set grid ytics lt 1 lw 0.8 lc rgb '" PLOT_GRID "'\n"
                             "set format '%g'\nset style fill solid 1.0 noborder\n"
                             "set title ");
    plot_append_text(body, axes->title);
    buffer_append_text(body, " textcolor rgb '" PLOT_INK "' noenhanced\nset xlabel ");
    plot_append_text(body, axes->x);
    buffer_append_text(body, " textcolor rgb '" PLOT_INK "' offset 0,1.3 noenhanced\n"
                             "set xtics offset 0,0.5\nset ylabel ");
    plot_append_text(body, axes->y);
    buffer_append_text(body, " textcolor rgb '" PLOT_INK "' offset 0.6,0 noenhanced\n");
    if (axes->log_x) {
        buffer_append_text(body, "set logscale x\n");
    }
    if (axes->log_y) {
        buffer_append_text(body, "set logscale y\n");
    }
    if (axes->key == NULL) {
        buffer_append_text(body, "unset key\n");
    } else {
        buffer_append_format(body,
                             "set key %s samplen 1.8 spacing 1.05"
                             " textcolor rgb '" PLOT_INK "' noenhanced\n",
                             axes->key);
    }
}

void figure_add_panel(struct report_figure *figure, const char *name, const char *label,
                      struct buffer *body)
{
    CHECK(figure->panel_count < REPORT_PANELS_MAX);
    CHECK(strcmp(name, figure->name) != 0); /* that is the file of all panels together */
    *buffer_extend(body, 1) = '\0';
    figure->panels[figure->panel_count++] =
        (struct report_panel){ .name = name, .label = label, .body = (const char *)body->data };
}

/* Of one panel, in points. */
static uint32_t width_of(const struct report_figure *figure)
{
    return figure->wide ? WIDE_WIDTH : PANEL_WIDTH;
}

static uint32_t height_of(const struct report_figure *figure)
{
    return figure->height > 0 ? (uint32_t)(figure->height * width_of(figure)) : PANEL_HEIGHT;
}

static void append_output(struct buffer *out, const char *name, const char *end)
{
    buffer_append_text(out, "set output ");
    buffer_append_format(out, "'%s.%s'\n", name, end);
}

static void append_alone(const struct report_figure *figure, struct buffer *out)
{
    for (uint32_t i = 0; i < figure->panel_count; i++) {
        buffer_append_format(
            out, "set terminal svg noenhanced size %" PRIu32 ",%" PRIu32 " font 'sans-serif,13'\n",
            width_of(figure), height_of(figure));
        append_output(out, figure->panels[i].name, "svg");
        buffer_append_text(out, figure->panels[i].body);
        buffer_append_text(out, "unset output\n");
    }
}

static void append_together(const struct report_figure *figure, struct buffer *out, bool png)
{
    uint32_t columns =
        figure->panel_count < figure->columns ? figure->panel_count : figure->columns;
    CHECK(columns > 0);
    uint32_t rows = (figure->panel_count + columns - 1) / columns;
    uint32_t scale = png ? 2 : 1;
    buffer_append_format(
        out, "set terminal %s noenhanced size %" PRIu32 ",%" PRIu32 " font 'sans-serif,%u' %s\n",
        png ? "pngcairo" : "svg", width_of(figure) * columns * scale,
        height_of(figure) * rows * scale, png ? 11u : 13u,
        png ? "background '#ffffff' fontscale 2 linewidth 2 pointscale 2" : "background '#ffffff'");
    append_output(out, figure->name, png ? "png" : "svg");
    buffer_append_format(out, "set multiplot layout %" PRIu32 ",%" PRIu32 "\n", rows, columns);
    for (uint32_t i = 0; i < figure->panel_count; i++) {
        buffer_append_text(out, figure->panels[i].body);
    }
    buffer_append_text(out, "unset multiplot\nunset output\n");
}

void figure_write_script(const struct report_figure *figure, struct buffer *out)
{
    CHECK(figure->panel_count > 0);
    buffer_append_text(out, "set encoding utf8\n");
    buffer_append(out, buffer_bytes(&figure->data));
    append_alone(figure, out);
    append_together(figure, out, false);
    append_together(figure, out, true);
}
