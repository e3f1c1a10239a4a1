/* window.h - windows over event time, one accumulator for each key and window.
 *
 * N1  A window fires when the watermark passes its last millisecond; the result has that
 *     millisecond as its timestamp.
 * N2  It is kept for lateness_ms more. A record that comes for it meanwhile fires it again.
 * N3  A record all whose windows are gone is late: it goes to the side output late_tag.
 * N4  Sessions: each record opens a window of gap_ms; windows of a key that overlap or touch are
 *     merged into one, before the record is added.
 *
 * Source: Flink's WindowOperator with EventTimeTrigger. */
#ifndef FAULTLINE_STREAM_WINDOW_H
#define FAULTLINE_STREAM_WINDOW_H

#include "model/stream/aggregate.h"

enum window_kind { WINDOW_TUMBLING, WINDOW_SLIDING, WINDOW_SESSION };

struct window_parameters {
    enum window_kind kind;
    int64_t size_ms;                           /* TUMBLING, SLIDING */
    int64_t slide_ms;                          /* SLIDING: from one start to the next */
    int64_t offset_ms;                         /* TUMBLING, SLIDING: of the starts */
    int64_t gap_ms;                            /* SESSION: a pause that ends a session */
    int64_t lateness_ms;                       /* allowed lateness */
    const char *late_tag;                      /* NULL: late records are dropped */
    const struct aggregate_function *function; /* SESSION: with merge */
};

/* The start of the window of `size_ms` that `timestamp_ms` lies in. */
int64_t window_start_ms(int64_t timestamp_ms, int64_t offset_ms, int64_t size_ms);

#endif
