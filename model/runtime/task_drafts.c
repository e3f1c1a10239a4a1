#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/runtime/task_snapshot.h"

/* The draft that a step can be done of; BACKEND_DRAFT_COUNT: there is none. */
static enum backend_draft find_work(const struct task_snapshots *snapshots)
{
    enum backend_draft kind = DRAFT_STATE;
    if (snapshots->backend == NULL || snapshots->backend->ops->draft_is_due == NULL ||
        snapshots->drafts.chunks_outstanding >= TASK_SNAPSHOT_CHUNKS_MAX) {
        return BACKEND_DRAFT_COUNT;
    }
    backend_set_time(snapshots->backend, host_now_ns(snapshots->host));
    while (kind < BACKEND_DRAFT_COUNT && !backend_draft_is_due(snapshots->backend, kind)) {
        kind++;
    }
    return kind;
}

bool task_drafts_has_work(const struct task_snapshots *snapshots)
{
    return find_work(snapshots) != BACKEND_DRAFT_COUNT;
}

/* Forgets the draft, which nobody wants any more. */
static void drop(struct task_snapshots *snapshots, struct task_draft *draft)
{
    if (draft->number != 0 && !draft->is_held) {
        task_snapshots_send(
            snapshots, draft->number,
            message_of_number(snapshots->host, MESSAGE_UPLOAD_ABANDON, snapshots->attempt, 0));
    }
    buffer_reset(&draft->held);
    draft->number = 0;
    draft->size_bytes = 0;
}

static void begin(struct task_snapshots *snapshots, enum backend_draft kind)
{
    struct task_draft *draft = &snapshots->drafts.items[kind];
    drop(snapshots, draft);
    CHECK(snapshots->drafts.numbers < UINT32_MAX);
    draft->number = ++snapshots->drafts.numbers;
    if (kind == DRAFT_STATE) {
        task_snapshots_report(snapshots, FACT_MATERIALIZATION_BEGUN, 0, 0, 0);
    }
}

/* All there is of the draft is safe. */
static void on_kept(struct task_snapshots *snapshots, enum backend_draft kind, uint64_t bytes)
{
    backend_draft_kept(snapshots->backend, kind);
    if (kind == DRAFT_STATE) {
        snapshots->drafts.failures = 0;
        task_snapshots_report(snapshots, FACT_MATERIALIZATION_COMPLETED, 0, bytes, 0);
    } else {
        task_snapshots_report(snapshots, FACT_LOG_APPENDED, 0, bytes, 0);
    }
}

/* Sends a piece of the draft; at the end so far, it is to be made durable. */
static void upload(struct task_snapshots *snapshots, uint32_t number, struct bytes piece,
                   bool is_end)
{
    snapshots->drafts.chunks_outstanding++;
    task_snapshots_send(snapshots, number,
                        upload_chunk_encode(snapshots->host, snapshots->attempt, 0, piece));
    if (is_end) {
        task_snapshots_send(
            snapshots, number,
            message_of_number(snapshots->host, MESSAGE_UPLOAD_END, snapshots->attempt, 0));
    }
}

/* Can the whole draft stay here, of which `size_bytes` were written by its first step? */
static bool can_be_held(const struct task_snapshots *snapshots, enum backend_draft kind,
                        uint64_t size_bytes, bool is_end)
{
    return store_kind_carries(snapshots->store) ||
           (kind == DRAFT_STATE && is_end && size_bytes < snapshots->inline_threshold_bytes);
}

void task_drafts_step(struct task_snapshots *snapshots)
{
    enum backend_draft kind = find_work(snapshots);
    CHECK(kind < BACKEND_DRAFT_COUNT);
    struct task_draft *draft = &snapshots->drafts.items[kind];
    struct buffer *chunk = &snapshots->chunk;
    buffer_reset(chunk);
    enum backend_draft_step step =
        backend_draft_step(snapshots->backend, kind, chunk, TASK_SNAPSHOT_STEP_BYTES);
    if (backend_failure(snapshots->backend) != STATUS_OK) {
        return; /* B9: the subtask is about to fail */
    }
    struct bytes piece = buffer_bytes(chunk);
    bool is_end = !backend_draft_is_due(snapshots->backend, kind);
    host_charge(snapshots->host, HOST_WORK_SNAPSHOT_BYTES, piece.size);
    if (step == DRAFT_BEGUN) {
        begin(snapshots, kind);
        draft->is_held = can_be_held(snapshots, kind, piece.size, is_end);
    }
    CHECK(draft->number != 0);
    draft->size_bytes += piece.size;
    if (!draft->is_held) {
        upload(snapshots, draft->number, piece, is_end);
    } else {
        buffer_append(&draft->held, piece);
        if (is_end) {
            on_kept(snapshots, kind, draft->size_bytes);
        }
    }
}

/* The store did not take the draft. It is tried again (L4, L5), but not for ever. */
static void on_lost(struct task_snapshots *snapshots, enum backend_draft kind, const char *why)
{
    struct task_drafts *drafts = &snapshots->drafts;
    drop(snapshots, &drafts->items[kind]);
    backend_draft_lost(snapshots->backend, kind);
    if (kind == DRAFT_LOG) {
        host_mark(snapshots->host, MARK_LOG_DRAFT_LOST);
        return;
    }
    drafts->failures++;
    host_trace(snapshots->host, &(struct fact){ .kind = FACT_MATERIALIZATION_FAILED,
                                                .vertex = snapshots->vertex,
                                                .subtask = snapshots->subtask,
                                                .attempt = snapshots->attempt,
                                                .values = { drafts->failures, 0 },
                                                .text = bytes_of_text(why) });
    if (drafts->failures > snapshots->draft_failures_max) {
        buffer_append_format(snapshots->failure,
                             "the state of %s[%u] could not be materialised %u times in a row: %s",
                             snapshots->vertex_name, snapshots->subtask, drafts->failures, why);
    }
}

void task_drafts_on_upload(struct task_snapshots *snapshots, const struct message *message)
{
    struct task_drafts *drafts = &snapshots->drafts;
    if (message->kind == MESSAGE_UPLOAD_ACCEPTED) {
        CHECK(drafts->chunks_outstanding > 0);
        drafts->chunks_outstanding--;
        return;
    }
    struct upload_result result = upload_result_decode(message);
    for (enum backend_draft kind = 0; kind < BACKEND_DRAFT_COUNT; kind++) {
        if (drafts->items[kind].number != result.part) {
            continue; /* it was dropped, or taken */
        }
        if (result.status != STATUS_OK) {
            on_lost(snapshots, kind, status_text(result.status));
        } else {
            on_kept(snapshots, kind, result.size_bytes);
        }
    }
}
