#include "reports/figures.h"

#include <inttypes.h>
#include <string.h>

#include "model/base/check.h"

enum { CAPTION_LINE_LENGTH = 120, CAPTION_LINES_MAX = 3 };

#define NS_PER_S UINT64_C(1000000000)

/* Dark blue and black stay apart from the greys in a print without colour. */
#define COLOUR_MAIN     "#004c99"
#define COLOUR_SECOND   "#e08214"
#define COLOUR_DOWN     "#cccccc"
#define COLOUR_CATCH_UP "#ebebeb"
#define COLOUR_FAULT    "#b2182b"

/* ---- text and numbers -------------------------------------------------------------------------
 */

/* In single quotes gnuplot substitutes nothing; a quote is written twice. */
static void append_quoted(struct buffer *out, struct bytes text)
{
    buffer_append_text(out, "'");
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '\'' || byte == '`') {
            buffer_append_text(out, "''");
        } else {
            *buffer_extend(out, 1) = byte < 0x20 || byte == 0x7f ? ' ' : byte;
        }
    }
    buffer_append_text(out, "'");
}

/* What an axis counts in: a power of ten with as many decimals as it has zeros. */
struct unit {
    uint64_t divisor;
    int decimals;
    const char *name;
};

static struct unit time_unit(uint64_t largest_ns)
{
    if (largest_ns >= 2 * NS_PER_S) {
        return (struct unit){ NS_PER_S, 9, "s" };
    }
    if (largest_ns >= 2 * NS_PER_S / 1000) {
        return (struct unit){ NS_PER_S / 1000, 6, "ms" };
    }
    return (struct unit){ NS_PER_S / 1000000, 3, "µs" };
}

static struct unit record_unit(uint64_t largest)
{
    if (largest >= 2000000) {
        return (struct unit){ 1000000, 6, "millions" };
    }
    if (largest >= 20000) {
        return (struct unit){ 1000, 3, "thousands" };
    }
    return (struct unit){ 1, 0, "records" };
}

static void append_number(struct buffer *out, uint64_t value, struct unit unit)
{
    CHECK(unit.divisor > 0);
    buffer_append_format(out, "%" PRIu64, value / unit.divisor);
    if (unit.decimals > 0) {
        buffer_append_format(out, ".%0*" PRIu64, unit.decimals, value % unit.divisor);
    }
}

static void append_seconds(struct buffer *out, uint64_t time_ns)
{
    append_number(out, time_ns, (struct unit){ NS_PER_S, 9, "s" });
}

/* Ends a data block with a point left of the axis: gnuplot warns where there is none at all. */
static void append_outside(struct buffer *out)
{
    buffer_append_text(out, "\n-1 0 0\nEOD\n");
}

/* ---- what all figures share -------------------------------------------------------------------
 */

static void begin_script(struct buffer *out, const struct figure_options *options)
{
    bool svg = options->format == FIGURE_SVG;
    buffer_append_format(out,
                         "reset\nset encoding utf8\nset terminal %s noenhanced"
                         " background '#ffffff' font 'sans-serif,11'\n",
                         svg ? "svg size 960,520"
                             : "pngcairo size 1440,780 fontscale 1.5 linewidth 1.5 pointscale 1.5");
    buffer_append_text(out, "set output ");
    append_quoted(out, bytes_of_text(options->output));
    buffer_append_text(out, "\nset border 3 lc rgb '#404040'\n"
                            "set tics nomirror out scale 0.6\n"
                            "set grid ytics lt 1 lw 0.8 lc rgb '#d9d9d9'\n"
                            "set format '%g'\n"
                            "set style fill solid 1.0 noborder\n"
                            "set lmargin screen 0.09\nset rmargin screen 0.975\n");
}

static void append_title(struct buffer *out, const char *title)
{
    buffer_append_text(out, "set label 1001 ");
    append_quoted(out, bytes_of_text(title));
    buffer_append_text(out, " at screen 0.09, screen 0.96 left font ',14' front\n");
}

/* The longest beginning of `text` that fits a line, broken at a space if there is one. */
static size_t line_size(struct bytes text)
{
    if (text.size <= CAPTION_LINE_LENGTH) {
        return text.size;
    }
    for (size_t size = CAPTION_LINE_LENGTH; size > CAPTION_LINE_LENGTH / 2; size--) {
        if (text.data[size] == ' ') {
            return size;
        }
    }
    size_t size = CAPTION_LINE_LENGTH;
    while (size > 1 && (text.data[size] & 0xc0) == 0x80) { /* not within a character */
        size--;
    }
    return size;
}

static void append_caption(struct buffer *out, const char *caption)
{
    struct bytes rest = bytes_of_text(caption);
    for (int line = 0; line < CAPTION_LINES_MAX && rest.size > 0; line++) {
        size_t size = line_size(rest);
        buffer_append_format(out, "set label %d ", 1002 + line);
        append_quoted(out, (struct bytes){ rest.data, size });
        buffer_append_format(out,
                             " at screen 0.09, screen 0.%03d left font ',9.5'"
                             " textcolor rgb '#505050' front\n",
                             86 - 30 * line);
        while (size < rest.size && rest.data[size] == ' ') {
            size++;
        }
        rest.data += size;
        rest.size -= size;
    }
}

static void append_shade(struct buffer *out, uint64_t from_ns, uint64_t to_ns, const char *colour)
{
    if (from_ns >= to_ns) {
        return;
    }
    buffer_append_text(out, "set object rectangle from ");
    append_seconds(out, from_ns);
    buffer_append_text(out, ", graph 0 to ");
    append_seconds(out, to_ns);
    buffer_append_format(out, ", graph 1 fc rgb '%s' fs solid 1.0 noborder behind\n", colour);
}

/* The job is down from the failure, seen or not, until it runs again. */
static void append_recoveries(struct buffer *out, const struct summary *summary)
{
    for (size_t i = 0; i < summary->recovery_count; i++) {
        const struct recovery_summary *recovery = &summary->recoveries[i];
        bool is_last = i + 1 == summary->recovery_count;
        uint64_t limit_ns = is_last ? summary->end_ns : summary->recoveries[i + 1].failed_ns;
        uint64_t running_ns = recovery->running_ns != 0 ? recovery->running_ns : limit_ns;
        uint64_t caught_up_ns = recovery->caught_up_ns != 0 ? recovery->caught_up_ns : limit_ns;
        append_shade(out, recovery->failed_ns, running_ns, COLOUR_DOWN);
        append_shade(out, running_ns, caught_up_ns < limit_ns ? caught_up_ns : limit_ns,
                     COLOUR_CATCH_UP);
    }
}

static void append_fault_lines(struct buffer *out, const struct figure_options *options)
{
    for (uint32_t i = 0; i < options->fault_count; i++) {
        buffer_append_text(out, "set arrow from ");
        append_seconds(out, options->faults[i].from_ns);
        buffer_append_text(out, ", graph 0 to ");
        append_seconds(out, options->faults[i].from_ns);
        buffer_append_text(out,
                           ", graph 1 nohead dt (6,4) lw 1.2 lc rgb '" COLOUR_FAULT "' front\n");
    }
}

/* The texts stand along the lines, `side` ("0.8", "-0.9") characters to the right of them. */
static void append_fault_texts(struct buffer *out, const struct figure_options *options,
                               const char *side)
{
    if (options->fault_count > FIGURE_FAULT_TEXTS_MAX) {
        return;
    }
    for (uint32_t i = 0; i < options->fault_count; i++) {
        buffer_append_text(out, "set label ");
        append_quoted(out, bytes_of_text(options->faults[i].text));
        buffer_append_text(out, " at ");
        append_seconds(out, options->faults[i].from_ns);
        buffer_append_format(out,
                             ", graph 0.98 right rotate by 90 offset character %s,0 font ',9'"
                             " textcolor rgb '" COLOUR_FAULT "' front\n",
                             side);
    }
}

static void append_x_range(struct buffer *out, const struct summary *summary)
{
    buffer_append_text(out, "set xrange [0:");
    append_seconds(out, summary->end_ns > 0 ? summary->end_ns : NS_PER_S);
    buffer_append_text(out, "]\n");
}

/* The part of a key that explains lines and shades, where there are any. */
static void append_key_entries(struct buffer *out, const struct summary *summary,
                               const struct figure_options *options)
{
    if (options->fault_count > 0) {
        buffer_append_text(out,
                           ", \\\n    keyentry with lines dt (6,4) lw 1.2 lc rgb '" COLOUR_FAULT
                           "' title 'fault'");
    }
    if (summary->recovery_count > 0) {
        buffer_append_text(out,
                           ", \\\n    keyentry with boxes fc rgb '" COLOUR_DOWN
                           "' title 'down', \\\n    keyentry with boxes fc rgb '" COLOUR_CATCH_UP
                           "' title 'catching up'");
    }
}

static void append_key(struct buffer *out, const char *place)
{
    buffer_append_format(out,
                         "set key %s right horizontal maxrows 2 samplen 1.6"
                         " spacing 1.1 font ',10.5'\n",
                         place);
}

/* ---- checkpoints ------------------------------------------------------------------------------
 */

static uint64_t duration_ns(const struct checkpoint_summary *checkpoint)
{
    CHECK(checkpoint->fate == CHECKPOINT_DONE);
    CHECK(checkpoint->ended_ns >= checkpoint->triggered_ns);
    return checkpoint->ended_ns - checkpoint->triggered_ns;
}

static uint64_t duration_max_ns(const struct summary *summary)
{
    uint64_t max_ns = 0;
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        const struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        if (checkpoint->fate == CHECKPOINT_DONE && duration_ns(checkpoint) > max_ns) {
            max_ns = duration_ns(checkpoint);
        }
    }
    return max_ns;
}

/* The longest completed one among [first, end), or NULL. */
static const struct checkpoint_summary *longest(const struct summary *summary, size_t first,
                                                size_t end)
{
    const struct checkpoint_summary *found = NULL;
    for (size_t i = first; i < end && i < summary->checkpoint_count; i++) {
        const struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        if (checkpoint->fate == CHECKPOINT_DONE &&
            (found == NULL || duration_ns(checkpoint) > duration_ns(found))) {
            found = checkpoint;
        }
    }
    return found;
}

/* Columns: trigger (s), duration, time until the last ack. */
static void append_completed(struct buffer *out, const struct summary *summary, size_t group,
                             struct unit unit)
{
    buffer_append_text(out, "$completed << EOD\n");
    for (size_t i = 0; i < summary->checkpoint_count; i += group) {
        const struct checkpoint_summary *checkpoint = longest(summary, i, i + group);
        if (checkpoint == NULL) {
            continue;
        }
        append_seconds(out, checkpoint->triggered_ns);
        buffer_append_text(out, " ");
        append_number(out, duration_ns(checkpoint), unit);
        buffer_append_text(out, " ");
        if (checkpoint->all_acked_ns >= checkpoint->triggered_ns) {
            append_number(out, checkpoint->all_acked_ns - checkpoint->triggered_ns, unit);
        } else {
            buffer_append_text(out, "NaN");
        }
        buffer_append_text(out, "\n");
    }
    append_outside(out);
}

static bool append_incomplete(struct buffer *out, const struct summary *summary)
{
    bool any = false;
    buffer_append_text(out, "$incomplete << EOD\n");
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        if (summary->checkpoints[i].fate != CHECKPOINT_DONE) {
            any = true;
            append_seconds(out, summary->checkpoints[i].triggered_ns);
            buffer_append_text(out, " 0\n");
        }
    }
    buffer_append_text(out, "EOD\n");
    return any;
}

static void append_checkpoint_plot(struct buffer *out, size_t group, bool any_incomplete)
{
    buffer_append_text(out, "plot $completed using 1:2 with impulses lw 1.2 lc rgb '#7fa6cc'"
                            " notitle, \\\n"
                            "    '' using 1:2 with points pt 7 ps 0.8 lc rgb '" COLOUR_MAIN
                            "' title 'completed");
    if (group > 1) {
        buffer_append_format(out, " (longest of each %zu)", group);
    }
    buffer_append_text(
        out, "', \\\n    '' using 1:3 with points pt 1 ps 0.9 lw 1.6 lc rgb '" COLOUR_SECOND
             "' title 'last acknowledgement'");
    if (any_incomplete) {
        buffer_append_text(out, ", \\\n    $incomplete using 1:2 with points pt 2 ps 1.1 lw 1.8"
                                " lc rgb '#000000' title 'not completed'");
    }
}

void figure_checkpoints(const struct summary *summary, const struct figure_options *options,
                        struct buffer *out)
{
    CHECK(options->fault_count == 0 || options->faults != NULL);
    uint64_t max_ns = duration_max_ns(summary);
    struct unit unit = time_unit(max_ns);
    size_t group = summary->checkpoint_count / FIGURE_CHECKPOINTS_MAX + 1;
    begin_script(out, options);
    append_title(out, options->title);
    append_caption(out, options->caption);
    append_completed(out, summary, group, unit);
    bool any_incomplete = append_incomplete(out, summary);
    append_recoveries(out, summary);
    append_fault_lines(out, options);
    append_fault_texts(out, options, "0.8");
    append_x_range(out, summary);
    append_key(out, "at screen 0.975, screen 0.925");
    buffer_append_format(out,
                         "set tmargin screen 0.84\nset bmargin screen 0.225\n"
                         "set xlabel 'simulated time of the trigger (s)' offset 0,0.3\n"
                         "set ylabel 'duration of a checkpoint (%s)'\nset yrange [0:",
                         unit.name);
    /* A tenth more, so that the topmost points keep clear of the key. */
    append_number(out, max_ns == 0 ? unit.divisor : max_ns + max_ns / 10, unit);
    buffer_append_text(out, "]\n");
    append_checkpoint_plot(out, group, any_incomplete);
    append_key_entries(out, summary, options);
    buffer_append_text(out, "\nunset output\n");
}

/* ---- progress ---------------------------------------------------------------------------------
 */

static void append_progress(struct buffer *out, const struct summary *summary, struct unit records,
                            struct unit lag)
{
    buffer_append_text(out, "$progress << EOD\n");
    for (size_t i = 0; i < summary->progress_count; i++) {
        const struct progress_point *point = &summary->progress[i];
        append_seconds(out, point->time_ns);
        buffer_append_text(out, " ");
        append_number(out, point->records, records);
        buffer_append_text(out, " ");
        append_number(out, point->lag_ns, lag);
        buffer_append_text(out, "\n");
    }
    append_outside(out);
}

static void append_y_range(struct buffer *out, uint64_t max, struct unit unit)
{
    buffer_append_text(out, "set yrange [0:");
    append_number(out, max == 0 ? unit.divisor : max + max / 12, unit);
    buffer_append_text(out, "]\n");
}

void figure_progress(const struct summary *summary, const struct figure_options *options,
                     struct buffer *out)
{
    CHECK(options->fault_count == 0 || options->faults != NULL);
    uint64_t records_max = 0;
    uint64_t lag_max_ns = 0;
    for (size_t i = 0; i < summary->progress_count; i++) {
        const struct progress_point *point = &summary->progress[i];
        records_max = point->records > records_max ? point->records : records_max;
        lag_max_ns = point->lag_ns > lag_max_ns ? point->lag_ns : lag_max_ns;
    }
    struct unit records = record_unit(records_max);
    struct unit lag = time_unit(lag_max_ns);
    begin_script(out, options);
    append_progress(out, summary, records, lag);
    append_recoveries(out, summary);
    append_fault_lines(out, options);
    append_x_range(out, summary);
    buffer_append_text(out, "set multiplot\n"
                            "set tmargin screen 0.84\nset bmargin screen 0.55\n"
                            "set format x ''\n");
    append_title(out, options->title);
    append_key(out, "at screen 0.975, screen 0.925");
    append_y_range(out, records_max, records);
    buffer_append_format(out, "set ylabel 'emitted (%s)'\n", records.name);
    buffer_append_text(out, "plot $progress using 1:2 with steps lw 2 lc rgb '" COLOUR_MAIN
                            "' title 'records of all sources'");
    append_key_entries(out, summary, options);
    buffer_append_text(out, "\nunset label\nunset key\n");
    append_caption(out, options->caption);
    append_fault_texts(out, options, "-0.9"); /* before the fault there is hardly any lag */
    append_y_range(out, lag_max_ns, lag);
    buffer_append_format(
        out,
        "set tmargin screen 0.51\nset bmargin screen 0.225\nset format x '%%g'\n"
        "set xlabel 'simulated time (s)' offset 0,0.3\nset ylabel 'largest lag (%s)'\n"
        "plot $progress using 1:3 with lines lw 2 lc rgb '" COLOUR_SECOND
        "' notitle\nunset multiplot\nunset output\n",
        lag.name);
}
