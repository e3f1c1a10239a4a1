#include <math.h>

#include "model/base/check.h"
#include "reports/predict.h"

enum { LABEL_WIDTH = 38, VALUE_WIDTH = 16 };

/* Rounding errors of this relative size must not push a digit over the edge. */
#define ROUNDING 1e-9

/* A number that reads "never" where it is INFINITY. */
static void append_seconds(struct buffer *out, double seconds)
{
    static const struct {
        double below_s, unit_s;
        const char *unit;
    } scales[] = {
        { 1e-3, 1e-6, "us" }, { 1, 1e-3, "ms" },     { 600, 1, "s" },
        { 36000, 60, "min" }, { 864000, 3600, "h" }, { INFINITY, 86400, "days" },
    };
    if (seconds == 0 || isinf(seconds)) {
        buffer_append_text(out, seconds == 0 ? "0 s" : "never");
        return;
    }
    size_t i = 0;
    while (seconds >= scales[i].below_s) {
        i++;
    }
    buffer_append_format(out, "%.4g %s", seconds / scales[i].unit_s, scales[i].unit);
}

static void append_number(struct buffer *out, double number)
{
    if (isinf(number)) {
        buffer_append_text(out, "all");
    } else {
        buffer_append_format(out, number < 100 ? "%.3g" : "%.0f", number);
    }
}

static void append_percent(struct buffer *out, double share)
{
    buffer_append_format(out, "%.3g %%", 100 * share);
}

/* Fills up with blanks what has been appended since the buffer had `start` bytes. */
static void pad(struct buffer *out, size_t start, size_t width)
{
    for (size_t size = out->size - start; size < width; size++) {
        buffer_append_text(out, " ");
    }
}

typedef void append_value(struct buffer *out, double value);

/* One line of the table. `measured` 0: not measured. */
static void append_row(struct buffer *out, const char *label, append_value *append, double value,
                       double measured)
{
    size_t start = out->size;
    buffer_append_format(out, "  %s", label);
    pad(out, start, LABEL_WIDTH);
    start = out->size;
    append(out, value);
    if (measured > 0) {
        pad(out, start, VALUE_WIDTH);
        append(out, measured);
    }
    buffer_append_text(out, "\n");
}

static bool is_measured(const struct predict_measured *measured)
{
    return measured->period_s > 0 || measured->duration_s > 0 || measured->stop_s > 0 ||
           measured->downtime_s > 0 || measured->recovery_s.mean > 0 ||
           measured->recovery_s.worst > 0 || measured->replayed_records.mean > 0 ||
           measured->replayed_records.worst > 0;
}

static void append_heading(struct buffer *out, const struct predict_input *input)
{
    size_t start = out->size;
    buffer_append_text(out, "At an interval of ");
    append_seconds(out, input->interval_s);
    pad(out, start, LABEL_WIDTH);
    start = out->size;
    buffer_append_text(out, "model");
    if (is_measured(&input->measured)) {
        pad(out, start, VALUE_WIDTH);
        buffer_append_text(out, "measured");
    }
    buffer_append_text(out, "\n");
}

static void append_checkpoint_rows(const struct predict_input *input,
                                   const struct predict_output *output, struct buffer *out)
{
    const struct predict_measured *measured = &input->measured;
    const struct predict_point *point = &output->configured;
    append_row(out, "checkpoint, full snapshots", append_seconds, output->duration_full_s,
               input->incremental ? 0 : measured->duration_s);
    if (input->incremental) {
        append_row(out, "checkpoint, incremental", append_seconds, output->duration_incremental_s,
                   measured->duration_s);
    }
    append_row(out, "checkpoint, nothing overlapping", append_seconds, output->duration_max_sum_s,
               0);
    append_row(out, "start to start of checkpoints", append_seconds, point->period_s,
               measured->period_s);
    append_row(out, "stop of the work in each", append_seconds, output->stop_s, measured->stop_s);
    double measured_overhead = 0;
    if (measured->stop_s > 0 && measured->period_s > 0) {
        measured_overhead = fmin(1, model_overhead(1, measured->stop_s, measured->period_s));
    }
    append_row(out, "share of time stopped", append_percent, point->overhead, measured_overhead);
}

static void append_failure_rows(const struct predict_input *input,
                                const struct predict_output *output, struct buffer *out)
{
    const struct predict_measured *measured = &input->measured;
    const struct predict_point *point = &output->configured;
    append_row(out, "downtime of a failure", append_seconds, output->downtime_s,
               measured->downtime_s);
    append_row(out, "recovery, mean", append_seconds, point->recovery_s.mean,
               measured->recovery_s.mean);
    append_row(out, "recovery, worst", append_seconds, point->recovery_s.worst,
               measured->recovery_s.worst);
    append_row(out, "records replayed, mean", append_number, point->replayed_records.mean,
               measured->replayed_records.mean);
    append_row(out, "records replayed, worst", append_number, point->replayed_records.worst,
               measured->replayed_records.worst);
    append_row(out, "records waiting, worst", append_number, point->peak_lag_records, 0);
    append_row(out, "share of useful work", append_percent, point->utilisation, 0);
}

static void append_interval_rows(const struct predict_output *output, struct buffer *out)
{
    buffer_append_text(out, "Intervals\n");
    append_row(out, "Young 1974", append_seconds, output->young_s, 0);
    append_row(out, "Daly 2006, higher order", append_seconds, output->daly_s, 0);
    append_row(out, "most useful work", append_seconds, output->optimum_s, 0);
}

static void append_decision(struct buffer *out, bool decides)
{
    buffer_append_text(out, decides ? " This decides.\n" : "\n");
}

static void append_work_reason(const struct predict_input *input,
                               const struct predict_output *output, struct buffer *out)
{
    buffer_append_text(out, "  - Useful work: ");
    if (input->failure_rate == 0) {
        buffer_append_text(out, "without failures no interval is too long.");
    } else if (output->optimum_s == 0) {
        buffer_append_text(out, "checkpoints do not stop the work, so none comes too soon.");
    } else {
        buffer_append_text(out, "there is most of it at ");
        append_seconds(out, output->optimum_s);
        buffer_append_text(out, ", with a failure every ");
        append_seconds(out, 1 / input->failure_rate);
        buffer_append_text(out, " on average.");
    }
    append_decision(out, output->bound == PREDICT_BY_UTILISATION);
}

static bool never_catches_up(const struct predict_input *input)
{
    return input->input_rate > 0 && input->capacity <= input->input_rate;
}

static void append_capacity_warning(const struct predict_input *input, struct buffer *out)
{
    buffer_append_text(out, "  - Recovery: the capacity of ");
    append_number(out, input->capacity);
    buffer_append_text(out, " records/s is not above the input of ");
    append_number(out, input->input_rate);
    buffer_append_text(out, ": after a failure the job never catches up, at any interval.\n");
}

static void append_limit_reason(const struct predict_input *input,
                                const struct predict_output *output, struct buffer *out)
{
    if (input->recovery_limit_s == 0) {
        buffer_append_text(out, "  - Recovery: no limit is set.\n");
        return;
    }
    buffer_append_text(out, "  - Recovery: the limit of ");
    append_seconds(out, input->recovery_limit_s);
    if (output->limit_s == 0) {
        buffer_append_text(out, " cannot be kept: even at the shortest interval the worst takes ");
        append_seconds(out, output->recommended.recovery_s.worst);
        buffer_append_text(out, ".");
    } else if (isinf(output->limit_s)) {
        buffer_append_text(out, " is kept at any interval.");
    } else {
        buffer_append_text(out, " is kept up to ");
        append_seconds(out, output->limit_s);
        buffer_append_text(out, ".");
    }
    append_decision(out,
                    output->bound == PREDICT_BY_LIMIT || output->bound == PREDICT_LIMIT_BROKEN);
}

static void append_duration_reason(const struct predict_input *input,
                                   const struct predict_output *output, struct buffer *out)
{
    if (output->bound == PREDICT_STORE_TOO_SLOW) {
        buffer_append_text(out, "  - Duration: the tasks change more bytes than the store takes, so"
                                " that each checkpoint takes longer than the one before.");
    } else {
        buffer_append_text(out, "  - Duration: a checkpoint");
        if (input->min_pause_s > 0) {
            buffer_append_text(out, " and the pause after it");
        }
        buffer_append_text(out, " must be over before the next: no interval below ");
        append_seconds(out, output->shortest_s);
        buffer_append_text(out, " is kept.");
    }
    append_decision(out, output->bound == PREDICT_BY_DURATION ||
                             output->bound == PREDICT_STORE_TOO_SLOW);
}

/* Recoveries are shown beside the models, but decide nothing: their checkpoints had any age. */
static void append_measured_reason(const struct predict_input *input,
                                   const struct predict_output *output, struct buffer *out)
{
    const struct predict_measured *measured = &input->measured;
    if (measured->stop_s > 0) {
        buffer_append_text(out, "  - The stop of the work is the measured one.\n");
    }
    if (measured->downtime_s > 0) {
        buffer_append_text(out, "  - The downtime is the measured one.\n");
    }
    if (output->scale != 1) {
        buffer_append_format(out, "  - Checkpoints take %.3g times as long as the law says.\n",
                             output->scale);
    }
}

static void append_consequence(const struct predict_output *output, struct buffer *out)
{
    const struct predict_point *point = &output->recommended;
    buffer_append_text(out, "  - Then: a checkpoint of ");
    append_seconds(out, point->duration_s);
    buffer_append_text(out, ", recovery ");
    append_seconds(out, point->recovery_s.mean);
    buffer_append_text(out, " (worst ");
    append_seconds(out, point->recovery_s.worst);
    buffer_append_text(out, "), useful work ");
    append_percent(out, point->utilisation);
    buffer_append_text(out, ".\n");
}

void predict_append_interval(const struct predict_output *output, struct buffer *out)
{
    double seconds = output->recommended_s;
    CHECK(isfinite(seconds));
    CHECK(seconds >= 0);
    if (seconds == 0) {
        buffer_append_text(out, "0s");
        return;
    }
    bool up = output->bound == PREDICT_BY_DURATION || output->bound == PREDICT_LIMIT_BROKEN;
    /* Three significant digits, but no finer than a nanosecond and no coarser than a second. */
    double decimals = fmin(9, fmax(0, 2 - floor(log10(seconds))));
    double shifted = seconds * pow(10, decimals);
    double whole = up ? ceil(shifted * (1 - ROUNDING)) : floor(shifted * (1 + ROUNDING));
    int places = (int)decimals;
    while (places > 0 && fmod(whole, 10) == 0) {
        whole /= 10;
        places--;
    }
    buffer_append_format(out, "%.*fs", places, whole / pow(10, places));
}

static void append_recommendation(const struct predict_input *input,
                                  const struct predict_output *output, struct buffer *out)
{
    if (output->bound == PREDICT_STORE_TOO_SLOW) {
        buffer_append_text(out, "No checkpoint interval works\n");
    } else if (output->bound == PREDICT_NO_REASON) {
        buffer_append_text(out, "Any checkpoint interval will do\n");
    } else {
        buffer_append_text(out, "Recommended checkpoint interval: ");
        predict_append_interval(output, out);
        buffer_append_text(out, "\n");
    }
    append_work_reason(input, output, out);
    if (never_catches_up(input)) {
        append_capacity_warning(input, out);
    } else if (output->bound != PREDICT_STORE_TOO_SLOW) {
        append_limit_reason(input, output, out);
    }
    append_duration_reason(input, output, out);
    if (isfinite(output->recommended_s)) {
        append_consequence(output, out);
    }
    append_measured_reason(input, output, out);
}

void predict_append(const struct predict_input *input, const struct predict_output *output,
                    struct buffer *out)
{
    append_heading(out, input);
    append_checkpoint_rows(input, output, out);
    append_failure_rows(input, output, out);
    append_interval_rows(output, out);
    append_recommendation(input, output, out);
}
