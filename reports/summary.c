#include "reports/summary.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "reports/summary_private.h"

enum { TABLE_SIZE_MIN = 32 };

void summary_init(struct summary *summary, struct arena *arena, uint32_t vertex_count,
                  uint32_t parallelism)
{
    CHECK(vertex_count > 0);
    CHECK(parallelism > 0);
    *summary = (struct summary){ .arena = arena, .failure = "" };
    struct summary_private *p = arena_alloc(arena, 1, sizeof(*p));
    p->vertex_count = vertex_count;
    p->parallelism = parallelism;
    p->sources = arena_alloc(arena, vertex_count, sizeof(*p->sources));
    summary->private = p;
}

const char *summary_text(struct summary *summary, struct bytes text)
{
    if (text.size == 0) {
        return "";
    }
    char *copy = arena_alloc_raw(summary->arena, text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* ---- checkpoints by id ------------------------------------------------------------------------
 */

static void table_insert(struct summary_private *p, uint64_t id, size_t index)
{
    CHECK(p->table_size > 0);
    CHECK(index < UINT32_MAX);
    size_t at = (size_t)hash_mix(id) & (p->table_size - 1);
    while (p->table[at] != 0) {
        at = (at + 1) & (p->table_size - 1);
    }
    p->table[at] = (uint32_t)index + 1;
}

static void table_grow(struct summary *summary)
{
    struct summary_private *p = summary->private;
    arena_free(summary->arena, p->table);
    p->table_size = p->table_size == 0 ? TABLE_SIZE_MIN : p->table_size * 2;
    p->table = arena_alloc(summary->arena, p->table_size, sizeof(*p->table));
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        table_insert(p, summary->checkpoints[i].id, i);
    }
}

/* Nearly every fact is about the checkpoint of the fact before it. */
static struct checkpoint_summary *find_checkpoint(struct summary *summary, uint64_t id)
{
    struct summary_private *p = summary->private;
    if (summary->checkpoint_count == 0) {
        return NULL;
    }
    CHECK(p->last_found < summary->checkpoint_count);
    if (summary->checkpoints[p->last_found].id == id) {
        return &summary->checkpoints[p->last_found];
    }
    size_t at = (size_t)hash_mix(id) & (p->table_size - 1);
    for (; p->table[at] != 0; at = (at + 1) & (p->table_size - 1)) {
        if (summary->checkpoints[p->table[at] - 1].id == id) {
            p->last_found = p->table[at] - 1;
            return &summary->checkpoints[p->last_found];
        }
    }
    return NULL;
}

static struct checkpoint_summary *add_checkpoint(struct summary *summary, uint64_t id)
{
    struct summary_private *p = summary->private;
    size_t index = summary->checkpoint_count;
    summary->checkpoints =
        arena_grow(summary->arena, summary->checkpoints, &summary->checkpoint_capacity, index + 1,
                   sizeof(*summary->checkpoints));
    p->rows = arena_grow(summary->arena, p->rows, &p->rows_capacity, index + 1, sizeof(*p->rows));
    p->rows[index] = NULL;
    summary->checkpoints[index] = (struct checkpoint_summary){ .id = id, .reason = "" };
    summary->checkpoint_count = index + 1;
    if (summary->checkpoint_count * 2 > p->table_size) {
        table_grow(summary);
    } else {
        table_insert(p, id, index);
    }
    p->last_found = index;
    return &summary->checkpoints[index];
}

/* The subtask's row, made if it is new; NULL: of no known checkpoint, or there are too many. */
static struct task_checkpoint_summary *task_row(struct summary *summary, const struct fact *fact)
{
    struct summary_private *p = summary->private;
    CHECK(fact->vertex < p->vertex_count);
    CHECK(fact->subtask < p->parallelism);
    if (find_checkpoint(summary, fact->checkpoint) == NULL) {
        return NULL;
    }
    size_t total = (size_t)p->vertex_count * p->parallelism;
    uint32_t **rows = &p->rows[p->last_found];
    if (*rows == NULL) {
        if ((p->row_blocks + 1) * total > SUMMARY_TASK_ROWS_MAX) {
            summary->tasks_truncated = true;
            return NULL;
        }
        p->row_blocks++;
        *rows = arena_alloc(summary->arena, total, sizeof(**rows));
    }
    uint32_t *row = &(*rows)[(size_t)fact->vertex * p->parallelism + fact->subtask];
    if (*row == 0) {
        summary->tasks = arena_grow(summary->arena, summary->tasks, &summary->task_capacity,
                                    summary->task_count + 1, sizeof(*summary->tasks));
        summary->tasks[summary->task_count++] = (struct task_checkpoint_summary){
            .checkpoint = fact->checkpoint, .vertex = fact->vertex, .subtask = fact->subtask
        };
        *row = (uint32_t)summary->task_count;
    }
    return &summary->tasks[*row - 1];
}

/* ---- the life of a checkpoint -----------------------------------------------------------------
 */

static void set_fate(struct summary *summary, struct checkpoint_summary *checkpoint,
                     enum checkpoint_fate fate, uint64_t time_ns)
{
    CHECK(fate != CHECKPOINT_PENDING);
    if (checkpoint->fate == fate) {
        return;
    }
    if (checkpoint->fate == CHECKPOINT_DONE) {
        summary->completed--;
    } else if (checkpoint->fate == CHECKPOINT_GIVEN_UP) {
        summary->failed--;
    }
    checkpoint->fate = fate;
    checkpoint->ended_ns = time_ns;
    checkpoint->reason = "";
    if (fate == CHECKPOINT_DONE) {
        summary->completed++;
    } else {
        summary->failed++;
    }
    CHECK(summary->completed + summary->failed <= summary->triggered);
}

static void on_triggered(struct summary *summary, const struct fact_event *event)
{
    /* An id that is used twice is the oracle's to report; here its first use stays. */
    if (find_checkpoint(summary, event->fact.checkpoint) != NULL) {
        return;
    }
    struct checkpoint_summary *checkpoint = add_checkpoint(summary, event->fact.checkpoint);
    checkpoint->attempt = event->fact.attempt;
    checkpoint->triggered_ns = event->time_ns;
    summary->triggered++;
}

static void on_coordinator_fact(struct summary *summary, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    struct checkpoint_summary *checkpoint = find_checkpoint(summary, fact->checkpoint);
    if (checkpoint == NULL) {
        return;
    }
    switch (fact->kind) {
    case FACT_ACK_RECEIVED:
        checkpoint->acks++;
        checkpoint->bytes += fact->values[0];
        break;
    case FACT_CHECKPOINT_ALL_ACKED: checkpoint->all_acked_ns = event->time_ns; break;
    case FACT_CHECKPOINT_COMPLETED:
        set_fate(summary, checkpoint, CHECKPOINT_DONE, event->time_ns);
        checkpoint->bytes = fact->values[0];
        break;
    case FACT_CHECKPOINT_ABORTED:
        if (checkpoint->fate == CHECKPOINT_PENDING) {
            set_fate(summary, checkpoint, CHECKPOINT_GIVEN_UP, event->time_ns);
            checkpoint->reason = summary_text(summary, fact->text);
        }
        break;
    case FACT_RESTORE_CHOSEN:
        /* Its coordinator died after the manifest was durable and before it could say so. */
        if (checkpoint->fate != CHECKPOINT_DONE) {
            set_fate(summary, checkpoint, CHECKPOINT_DONE, event->time_ns);
        }
        break;
    default: CHECK(false);
    }
}

static void on_task_fact(struct summary *summary, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    struct task_checkpoint_summary *row = task_row(summary, fact);
    if (row == NULL) {
        return;
    }
    switch (fact->kind) {
    case FACT_TASK_ALIGNED:
        row->start_delay_ns = fact->values[0];
        row->alignment_ns = fact->values[1];
        break;
    case FACT_SNAPSHOT_TAKEN: row->sync_ns = fact->values[0]; break;
    case FACT_SNAPSHOT_WRITTEN:
        row->bytes = fact->values[0];
        row->written_bytes = fact->values[0];
        row->async_ns = fact->values[1];
        break;
    case FACT_TASK_ACKED:
        row->bytes = fact->values[0];
        row->store_wait_ns = fact->values[1];
        row->acked_ns = event->time_ns;
        break;
    default: CHECK(false);
    }
}

/* Whatever the former JobManager had pending, nobody completes any more. */
static void on_job_manager(struct summary *summary, const struct fact_event *event)
{
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        struct checkpoint_summary *checkpoint = &summary->checkpoints[i];
        if (checkpoint->fate == CHECKPOINT_PENDING) {
            set_fate(summary, checkpoint, CHECKPOINT_GIVEN_UP, event->time_ns);
            checkpoint->reason = "the JobManager was lost";
        }
    }
}

void summary_on_fact(struct summary *summary, const struct fact_event *event)
{
    switch (event->fact.kind) {
    case FACT_SOURCE_PROGRESS: summary_on_source_progress(summary, event); break;
    case FACT_CHECKPOINT_TRIGGERED: on_triggered(summary, event); break;
    case FACT_ACK_RECEIVED:
    case FACT_CHECKPOINT_ALL_ACKED:
    case FACT_CHECKPOINT_COMPLETED:
    case FACT_CHECKPOINT_ABORTED: on_coordinator_fact(summary, event); break;
    case FACT_TASK_ALIGNED:
    case FACT_SNAPSHOT_TAKEN:
    case FACT_SNAPSHOT_WRITTEN:
    case FACT_TASK_ACKED: on_task_fact(summary, event); break;
    case FACT_RECORD_SKIPPED: summary->records_skipped++; break;
    case FACT_JOB_FAILED:
        summary->failure = summary_text(summary, event->fact.text);
        summary_recovery_on_fact(summary, event);
        break;
    case FACT_JOB_MANAGER_STARTED:
        on_job_manager(summary, event);
        summary_recovery_on_fact(summary, event);
        break;
    case FACT_RESTORE_CHOSEN:
        on_coordinator_fact(summary, event);
        summary_recovery_on_fact(summary, event);
        break;
    case FACT_JOB_DEPLOYED:
    case FACT_TASK_STARTED:
    case FACT_TASK_RESTORED:
    case FACT_JOB_RUNNING:
    case FACT_TASK_END_OF_DATA:
    case FACT_TASK_FINISHED:
    case FACT_TASK_FAILED:
    case FACT_FAILURE_DETECTED:
    case FACT_RESCALE_STARTED:
    case FACT_JOB_CANCELLED:
    case FACT_JOB_FINISHED: summary_recovery_on_fact(summary, event); break;
    default: break;
    }
}

void summary_on_end(struct summary *summary, uint64_t end_ns)
{
    CHECK(summary->end_ns == 0);
    summary->end_ns = end_ns;
    summary->private->ended = true;
    summary_progress_end(summary);
}
