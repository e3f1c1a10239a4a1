#include "reports/summary_private.h"

#include "model/base/check.h"

static void add_lag(struct summary *summary, struct summary_source *source)
{
    struct summary_private *p = summary->private;
    if (!source->at_end && source->lag_ns > p->lag_peak_ns) {
        p->lag_peak_ns = source->lag_ns;
    }
}

/* Keeps the first point and the later one of each two that follow, and from now on twice the
 * distance between them. A lag never moves to an earlier time: that would be before its cause. */
static void thin_progress(struct summary *summary)
{
    struct summary_private *p = summary->private;
    struct progress_point *points = summary->progress;
    size_t count = summary->progress_count;
    CHECK(count >= 4);
    uint64_t span_ns = points[count - 1].time_ns - points[0].time_ns;
    size_t kept = 1;
    for (size_t i = 2; i < count; i += 2) {
        uint64_t dropped_lag_ns = points[i - 1].lag_ns;
        points[kept] = points[i];
        if (dropped_lag_ns > points[kept].lag_ns) {
            points[kept].lag_ns = dropped_lag_ns;
        }
        kept++;
    }
    if (count % 2 == 0) {
        points[kept++] = points[count - 1];
    }
    summary->progress_count = kept;
    p->spacing_ns = span_ns / kept + 1;
}

static void add_progress_point(struct summary *summary)
{
    struct summary_private *p = summary->private;
    CHECK(summary->progress_count < SUMMARY_PROGRESS_POINTS_MAX);
    summary_each_source(summary, add_lag);
    summary->progress = arena_grow(summary->arena, summary->progress, &summary->progress_capacity,
                                   summary->progress_count + 1, sizeof(*summary->progress));
    summary->progress[summary->progress_count++] = (struct progress_point){
        .time_ns = p->progress_ns, .records = p->records, .lag_ns = p->lag_peak_ns
    };
    p->lag_peak_ns = 0;
}

void summary_progress_sample(struct summary *summary)
{
    struct summary_private *p = summary->private;
    if (summary->progress_count == SUMMARY_PROGRESS_POINTS_MAX) {
        thin_progress(summary);
    }
    size_t count = summary->progress_count;
    if (count == 0 || p->progress_ns - summary->progress[count - 1].time_ns >= p->spacing_ns) {
        add_progress_point(summary);
    }
}

void summary_progress_end(struct summary *summary)
{
    size_t count = summary->progress_count;
    if (count > 0 && summary->progress[count - 1].time_ns < summary->private->progress_ns) {
        if (count == SUMMARY_PROGRESS_POINTS_MAX) {
            thin_progress(summary);
        }
        add_progress_point(summary);
    }
}
