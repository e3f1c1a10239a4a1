/* operator_bed.h - one operator opened alone, for tests: records and watermarks in, and what it
 * emits as text.
 *
 * The context is that of subtask 0 of 1 with 128 key groups and a heap backend. Keys are 64-bit
 * integers. */
#ifndef FAULTLINE_TESTS_OPERATOR_BED_H
#define FAULTLINE_TESTS_OPERATOR_BED_H

#include "model/stream/operator.h"

struct operator_bed {
    struct host host; /* first */
    struct arena arena;
    uint64_t now_ns;  /* the clock */
    uint64_t charged; /* records */
    struct operator_context context;
    struct collector out;
    struct buffer emitted; /* "VALUE@TIMESTAMP " for each record, "@-": none */
    struct collector late;
    struct buffer late_emitted; /* of any side output */
    const struct operator_ops *ops;
    void *instance;
};

/* Opens the operator. `bed` must not move afterwards. */
void operator_bed_open(struct operator_bed *bed, const struct operator_ops *ops,
                       const void *parameters);
void operator_bed_free(struct operator_bed *bed);

/* A record of the text `value` for `key`, on the first or the second side. */
void operator_bed_record(struct operator_bed *bed, int64_t key, const char *value,
                         int64_t timestamp_ms);
void operator_bed_record2(struct operator_bed *bed, int64_t key, const char *value,
                          int64_t timestamp_ms);

void operator_bed_watermark(struct operator_bed *bed, int64_t watermark_ms);

/* Sets the clock, and calls the operator if it wanted to be called by then. */
void operator_bed_clock(struct operator_bed *bed, uint64_t now_ms);

/* Closes the operator and opens it anew from a snapshot of it and its backend. */
void operator_bed_restart(struct operator_bed *bed, const void *parameters);

/* What was emitted since the last call, and to side outputs. Borrowed until the next call. */
const char *operator_bed_take(struct operator_bed *bed);
const char *operator_bed_take_late(struct operator_bed *bed);

#endif
