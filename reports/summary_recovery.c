#include "reports/summary_private.h"

#include "model/base/check.h"

void summary_each_source(struct summary *summary, summary_source_function function)
{
    struct summary_private *p = summary->private;
    for (uint32_t vertex = 0; vertex < p->vertex_count; vertex++) {
        for (uint32_t i = 0; p->sources[vertex] != NULL && i < p->parallelism; i++) {
            if (p->sources[vertex][i].known) {
                function(summary, &p->sources[vertex][i]);
            }
        }
    }
}

static struct recovery_summary *last_recovery(struct summary *summary)
{
    return summary->recovery_count == 0 ? NULL : &summary->recoveries[summary->recovery_count - 1];
}

/* The recovery that waits for job.running. */
static struct recovery_summary *down_recovery(struct summary *summary)
{
    struct recovery_summary *recovery = last_recovery(summary);
    return recovery != NULL && recovery->running_ns == 0 ? recovery : NULL;
}

static bool has_not_caught_up(struct summary *summary)
{
    struct recovery_summary *recovery = last_recovery(summary);
    return recovery != NULL && recovery->caught_up_ns == 0;
}

/* ---- catching up ------------------------------------------------------------------------------
 */

static void set_behind(struct summary *summary, struct summary_source *source, bool behind)
{
    struct summary_private *p = summary->private;
    if (source->behind == behind) {
        return;
    }
    source->behind = behind;
    if (behind) {
        p->behind_count++;
    } else {
        CHECK(p->behind_count > 0);
        p->behind_count--;
    }
}

static void set_caught_up(struct summary *summary, uint64_t time_ns)
{
    for (size_t i = summary->recovery_count; i > 0; i--) {
        if (summary->recoveries[i - 1].caught_up_ns != 0) {
            break;
        }
        summary->recoveries[i - 1].caught_up_ns = time_ns;
    }
}

static void try_caught_up(struct summary *summary, uint64_t time_ns)
{
    if (summary->private->records < summary->private->records_lost) {
        return;
    }
    if (summary->private->behind_count == 0 && has_not_caught_up(summary) &&
        down_recovery(summary) == NULL) {
        set_caught_up(summary, time_ns);
    }
}

static bool is_behind(const struct summary_private *p, const struct summary_source *source)
{
    if (source->finished) {
        return false;
    }
    if (source->attempt <= p->attempt_failed) {
        return true;
    }
    if (source->at_end) {
        return false;
    }
    uint64_t lag_allowed_ns = source->lag_before_ns > SUMMARY_LAG_TOLERATED_NS
                                  ? source->lag_before_ns
                                  : SUMMARY_LAG_TOLERATED_NS;
    return source->records < source->records_max || source->lag_ns > lag_allowed_ns;
}

/* ---- sources ----------------------------------------------------------------------------------
 */

static void hear_attempt(struct summary_private *p, const struct fact *fact)
{
    if (fact->attempt > p->attempt) {
        p->attempt = fact->attempt;
    }
}

static struct summary_source *source_of(struct summary *summary, const struct fact *fact)
{
    struct summary_private *p = summary->private;
    CHECK(fact->vertex < p->vertex_count);
    CHECK(fact->subtask < p->parallelism);
    struct summary_source **sources = &p->sources[fact->vertex];
    if (*sources == NULL) {
        *sources = arena_alloc(summary->arena, p->parallelism, sizeof(**sources));
    }
    return &(*sources)[fact->subtask];
}

/* A source's first report in an attempt says from where its records are emitted again. */
static void count_replayed(struct summary *summary, struct summary_source *source,
                           uint64_t records_restored)
{
    struct recovery_summary *recovery = last_recovery(summary);
    struct summary_private *p = summary->private;
    if (recovery != NULL && p->records_lost > 0) {
        p->records_restored += records_restored;
        recovery->records_replayed =
            p->records_lost > p->records_restored ? p->records_lost - p->records_restored : 0;
        return;
    }
    if (recovery == NULL || !source->known) {
        return;
    }
    CHECK(recovery->records_replayed >= source->records_replayed);
    recovery->records_replayed -= source->records_replayed;
    source->records_replayed =
        source->records_lost_at > records_restored ? source->records_lost_at - records_restored : 0;
    recovery->records_replayed += source->records_replayed;
}

void summary_on_source_progress(struct summary *summary, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    struct summary_private *p = summary->private;
    struct summary_source *source = source_of(summary, fact);
    hear_attempt(p, fact);
    if (fact->attempt < p->attempt) {
        return; /* of a subtask that does not know yet that it was replaced */
    }
    CHECK(fact->attempt >= source->attempt);
    uint64_t records = fact->values[0];
    if (fact->attempt > source->attempt) {
        if (fact->attempt > p->attempt_opened) {
            count_replayed(summary, source, records);
        }
        source->attempt = fact->attempt;
        source->at_end = false;
    }
    if (fact->attempt <= p->attempt_opened) {
        source->records_lost_at = records;
    }
    p->records = p->records - source->records + records;
    p->progress_ns = event->time_ns;
    source->known = true;
    source->records = records;
    source->lag_ns = fact->values[1];
    if (records > source->records_max) {
        source->records_max = records;
    }
    if (source->lag_ns > p->lag_peak_ns) {
        p->lag_peak_ns = source->lag_ns;
    }
    if (has_not_caught_up(summary)) {
        set_behind(summary, source, is_behind(p, source));
        try_caught_up(summary, event->time_ns);
    }
    summary_progress_sample(summary);
}

static void on_end_of_data(struct summary *summary, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    struct summary_private *p = summary->private;
    CHECK(fact->vertex < p->vertex_count);
    if (p->sources[fact->vertex] == NULL) {
        return;
    }
    struct summary_source *source = source_of(summary, fact);
    if (!source->known || fact->attempt < p->attempt) {
        return;
    }
    source->attempt = fact->attempt;
    source->at_end = true;
    source->finished = source->finished || fact->kind == FACT_TASK_FINISHED;
    if (has_not_caught_up(summary)) {
        set_behind(summary, source, is_behind(p, source));
        try_caught_up(summary, event->time_ns);
    }
}

/* ---- failures ---------------------------------------------------------------------------------
 */

static void keep_lag(struct summary *summary, struct summary_source *source)
{
    (void)summary;
    source->lag_before_ns = source->lag_ns;
}

void summary_on_fault(struct summary *summary, uint64_t time_ns, uint64_t until_ns,
                      const char *text, bool breaks)
{
    struct summary_private *p = summary->private;
    CHECK(text != NULL);
    if (!breaks || p->ended) {
        return;
    }
    if (p->fault_pending && time_ns < p->fault_until_ns) {
        return; /* what is detected next is the first one's effect */
    }
    p->fault_pending = true;
    p->fault_until_ns = until_ns;
    p->fault_ns = time_ns;
    p->fault_text = arena_text(summary->arena, text);
    if (!has_not_caught_up(summary)) {
        summary_each_source(summary, keep_lag);
    }
}

static void mark_failed(struct summary *summary, struct summary_source *source)
{
    set_behind(summary, source, is_behind(summary->private, source));
}

static void mark_opened(struct summary *summary, struct summary_source *source)
{
    (void)summary;
    source->records_lost_at = source->records;
    source->records_replayed = 0;
}

static void open_recovery(struct summary *summary, const struct fact_event *event)
{
    struct summary_private *p = summary->private;
    CHECK(down_recovery(summary) == NULL);
    if (!p->fault_pending && !has_not_caught_up(summary)) {
        summary_each_source(summary, keep_lag);
    }
    struct recovery_summary recovery = { .failed_ns = event->time_ns,
                                         .detected_ns = event->time_ns };
    recovery.cause = summary_text(summary, event->fact.text);
    if (p->fault_pending) {
        recovery.failed_ns = p->fault_ns;
        recovery.cause = p->fault_text;
    } else if (p->task_failure_pending) {
        recovery.failed_ns = p->task_failure_ns;
        recovery.cause = recovery.cause[0] == '\0' ? p->task_failure_text : recovery.cause;
    }
    /* Clocks of actors differ within a handler: a cause may be stamped after its effect. */
    if (recovery.failed_ns > recovery.detected_ns) {
        recovery.failed_ns = recovery.detected_ns;
    }
    summary->recoveries =
        arena_grow(summary->arena, summary->recoveries, &summary->recovery_capacity,
                   summary->recovery_count + 1, sizeof(*summary->recoveries));
    summary->recoveries[summary->recovery_count++] = recovery;
    p->attempt_opened = p->attempt;
    p->records_lost = 0;
    summary_each_source(summary, mark_opened);
}

/* The subtasks that report from now on are others, whatever their numbers. */
static void on_deployed(struct summary *summary, const struct fact *fact)
{
    struct summary_private *p = summary->private;
    uint64_t before = p->deployed;
    p->deployed = fact->values[0];
    if (before == 0 || before == p->deployed) {
        return;
    }
    p->records_lost = down_recovery(summary) != NULL ? p->records : 0;
    p->records_restored = 0;
    p->records = 0;
    p->behind_count = 0;
    for (uint32_t vertex = 0; vertex < p->vertex_count; vertex++) {
        for (uint32_t i = 0; p->sources[vertex] != NULL && i < p->parallelism; i++) {
            struct summary_source *source = &p->sources[vertex][i];
            if (source->finished) {
                p->records_lost = 0; /* what it had read is in no sum any more */
            }
            *source = (struct summary_source){ .attempt = p->attempt_failed,
                                               .lag_before_ns = source->lag_before_ns };
        }
    }
}

static void on_failure(struct summary *summary, const struct fact_event *event)
{
    struct summary_private *p = summary->private;
    if (down_recovery(summary) == NULL) {
        open_recovery(summary, event);
    }
    p->fault_pending = false;
    p->task_failure_pending = false;
    p->attempt_failed = p->attempt;
    summary_each_source(summary, mark_failed);
}

static void on_job_manager(struct summary *summary, const struct fact_event *event)
{
    struct summary_private *p = summary->private;
    uint64_t epoch = event->fact.values[0];
    bool took_over = p->epoch != 0 && epoch > p->epoch;
    p->epoch = epoch > p->epoch ? epoch : p->epoch;
    if (took_over && (p->has_run || down_recovery(summary) != NULL)) {
        on_failure(summary, event);
        struct recovery_summary *recovery = last_recovery(summary);
        if (recovery->cause[0] == '\0') {
            recovery->cause = "a JobManager took over";
        }
    } else {
        p->fault_pending = false;
    }
}

static void on_task_failed(struct summary *summary, const struct fact_event *event)
{
    struct summary_private *p = summary->private;
    if (!p->task_failure_pending && event->fact.attempt >= p->attempt) {
        p->task_failure_pending = true;
        p->task_failure_ns = event->time_ns;
        p->task_failure_text = summary_text(summary, event->fact.text);
    }
}

static void on_running(struct summary *summary, uint64_t time_ns)
{
    struct summary_private *p = summary->private;
    struct recovery_summary *recovery = down_recovery(summary);
    p->has_run = true;
    p->task_failure_pending = false;
    if (recovery != NULL) {
        recovery->running_ns = time_ns;
        try_caught_up(summary, time_ns);
    }
}

void summary_recovery_on_fact(struct summary *summary, const struct fact_event *event)
{
    struct summary_private *p = summary->private;
    const struct fact *fact = &event->fact;
    struct recovery_summary *down = down_recovery(summary);
    if (p->ended) {
        return;
    }
    switch (fact->kind) {
    case FACT_JOB_DEPLOYED:
        hear_attempt(p, fact);
        on_deployed(summary, fact);
        break;
    case FACT_TASK_STARTED:
    case FACT_TASK_RESTORED: hear_attempt(p, fact); break;
    case FACT_JOB_MANAGER_STARTED: on_job_manager(summary, event); break;
    case FACT_RESCALE_STARTED:
    case FACT_FAILURE_DETECTED: on_failure(summary, event); break;
    case FACT_TASK_FAILED: on_task_failed(summary, event); break;
    case FACT_TASK_END_OF_DATA:
    case FACT_TASK_FINISHED: on_end_of_data(summary, event); break;
    case FACT_JOB_CANCELLED:
        if (down != NULL) {
            down->cancelled_ns = event->time_ns;
        }
        break;
    case FACT_RESTORE_CHOSEN:
        if (down != NULL) {
            down->chosen_ns = event->time_ns;
            down->restored_from = fact->checkpoint;
        }
        break;
    case FACT_JOB_RUNNING:
        hear_attempt(p, fact);
        on_running(summary, event->time_ns);
        break;
    case FACT_JOB_FINISHED:
        set_caught_up(summary, event->time_ns);
        p->ended = true;
        break;
    case FACT_JOB_FAILED: p->ended = true; break;
    default: break;
    }
}
