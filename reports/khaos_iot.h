/* khaos_iot.h - recovery times that others measured on Apache Flink, to compare with.
 *
 * From the public data of Khaos (Geldenhuys et al. 2021, "Khaos: Dynamically Optimizing
 * Checkpointing for Dependable Distributed Stream Processing", arXiv 2109.02340;
 * github.com/dos-group/khaos, IoT job). Failures were injected about 3 s before the next
 * checkpoint; recovery was told by an anomaly detector, in steps of many seconds. */
#ifndef FAULTLINE_REPORTS_KHAOS_IOT_H
#define FAULTLINE_REPORTS_KHAOS_IOT_H

#include <stddef.h>

struct khaos_point {
    double interval_s;
    double rate;       /* records per second */
    double latency_ms; /* before the failure */
    double recovery_s;
};

extern const struct khaos_point khaos_iot[];
extern const size_t khaos_iot_count;

/* The job's capacity in records per second, as fits the measurements; a point with a longer
 * recovery than this many seconds is of a job that hardly kept up before the failure. */
#define KHAOS_IOT_CAPACITY    36750.0
#define KHAOS_IOT_SATURATED_S 1000.0

#endif
