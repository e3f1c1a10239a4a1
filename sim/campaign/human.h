/* human.h - numbers as people like to read them: 63,540, 1.23 s, 45 ms, 84.1 KiB. */
#ifndef FAULTLINE_SIM_HUMAN_H
#define FAULTLINE_SIM_HUMAN_H

#include <stdint.h>

#include "model/base/bytes.h"

/* Each appends to `out`. A whole number, with thousands separators. */
void human_count(struct buffer *out, uint64_t count);

/* The same with a noun, which takes an s unless there is exactly one: "1 key", "2,000 keys". */
void human_count_of(struct buffer *out, uint64_t count, const char *noun);

/* Three significant digits, rounded: "1.23 s", "45 ms", "0 s"; from a minute on "2 min 5 s", from
 * an hour on "3 h 12 min"; "5 min" for exactly five. */
void human_duration(struct buffer *out, uint64_t duration_ns);

/* A moment of simulated time, rounded down: "3.004 s". */
void human_time(struct buffer *out, uint64_t time_ns);

/* Three significant digits, rounded: "12 B", "84.1 KiB". */
void human_size(struct buffer *out, uint64_t size_bytes);

#endif
