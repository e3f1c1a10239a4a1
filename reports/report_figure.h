/* report_figure.h - a figure of the report as text: panels for gnuplot, the words below it, and the
 * table behind it.
 *
 * Every figure is drawn three times by one script: each panel alone as SVG, for the page, where
 * panels flow with the width; and all of them together as SVG and PNG, for other documents. Series
 * differ by the shape of their points and the pattern of their lines, not by colour alone. */
#ifndef FAULTLINE_REPORTS_REPORT_FIGURE_H
#define FAULTLINE_REPORTS_REPORT_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"

/* The colours of all pictures; the page gives each another value on a dark screen. */
#define PLOT_INK    "#303030"
#define PLOT_GRID   "#dddddd"
#define PLOT_MAIN   "#004c99"
#define PLOT_SECOND "#d1660a"
#define PLOT_THIRD  "#2b7a4b"
#define PLOT_FOURTH "#7a3b8f"
#define PLOT_FIFTH  "#5c6670"
#define PLOT_FAULT  "#b2182b"
#define PLOT_DOWN   "#cccccc"
#define PLOT_LIGHT  "#ebebeb"

/* A table: what a figure shows, as CSV and on the page. Texts are borrowed. */
struct report_table {
    const char *name; /* of the CSV file, without its end */
    const char *title;
    const char *const *columns; /* with their units */
    uint32_t column_count;
    const char **cells; /* row by row */
    size_t cell_count;
    size_t capacity;
    struct arena *arena;
};

void table_init(struct report_table *table, struct arena *arena, const char *name,
                const char *title, const char *const *columns, uint32_t column_count);
/* Appends one cell; rows fill from left to right. */
void table_add(struct report_table *table, const char *text);
void table_add_number(struct report_table *table, double number); /* not finite: empty */
uint32_t table_row_count(const struct report_table *table);
/* Appends the table with a line of column names, quoted as RFC 4180 says. */
void table_write_csv(const struct report_table *table, struct buffer *out);

struct report_panel {
    const char *name;  /* of the SVG file, without its end */
    const char *label; /* what is to be seen, for those who cannot */
    const char *body;  /* gnuplot commands from the title to the plot */
};

enum { REPORT_PANELS_MAX = 12 };

struct report_figure {
    const char *name;
    const char *title;
    struct buffer data; /* gnuplot data blocks */
    struct report_panel panels[REPORT_PANELS_MAX];
    uint32_t panel_count;
    uint32_t columns;      /* of panels, where all are drawn together */
    bool wide;             /* one panel fills the width of the page */
    double height;         /* of a panel, in its width; 0: the default */
    struct buffer caption; /* plain text; a blank line begins a paragraph */
    struct report_table *table;
};

void figure_init(struct report_figure *figure, struct arena *arena, const char *name,
                 const char *title);

/* The axes of one panel. */
struct plot_axes {
    const char *title;
    const char *x; /* with its unit */
    const char *y;
    bool log_x;
    bool log_y;
    const char *key; /* place of the legend, as gnuplot says; NULL: none */
};

/* Begins a panel's body. */
void plot_begin(struct buffer *body, const struct plot_axes *axes);

/* Adds a panel whose body is done. */
void figure_add_panel(struct report_figure *figure, const char *name, const char *label,
                      struct buffer *body);

/* Appends the script that draws everything; gnuplot 5.4 runs it in the folder of the pictures:
 * PANEL.svg of each panel, and FIGURE.svg and FIGURE.png. */
void figure_write_script(const struct report_figure *figure, struct buffer *out);

/* `text` in single quotes, in which gnuplot replaces nothing. */
void plot_append_text(struct buffer *out, const char *text);

/* A number for gnuplot; what is not finite is NaN. */
void plot_append_number(struct buffer *out, double number);

/* For people, in the arena: "23.7 ms", "1.2 s", "3 min"; "12,300", "0.0031". */
const char *text_seconds(struct arena *arena, double seconds);
const char *text_number(struct arena *arena, double number);
/* R2 as a text: "0.9987", "-3.1", "below -1,000". */
const char *text_r2(struct arena *arena, double r2);

/* The n-th colour, and the n-th point shape of gnuplot, for series side by side. */
const char *plot_colour(uint32_t index);
uint32_t plot_shape(uint32_t index);

#endif
