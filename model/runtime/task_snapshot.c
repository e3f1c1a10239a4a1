#include "model/runtime/task_snapshot.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/hash.h"
#include "model/checkpoint/carried.h"
#include "model/checkpoint/store.h"
#include "model/runtime/uploader.h"

/* Handles whose locations are copies of their own. */
struct part_list {
    struct state_handle *items;
    size_t capacity;
    uint32_t count;
};

struct known_snapshot {
    struct known_snapshot *next;
    uint64_t checkpoint;
    struct part_list parts;
};

struct task_snapshot {
    struct task_snapshot *next;
    uint64_t checkpoint;
    bool after_end;
    struct buffer operators;
    struct backend_snapshot *frozen; /* NULL: serialised, or no keyed state */
    struct part_list parts;          /* those kept, then the new ones that are serialised; without
                                      * a location while the uploader has them */
    uint32_t kept_count;
    uint64_t part_bytes;          /* serialised of the part in hand */
    struct buffer part;           /* what the uploader has not got of them */
    bool uploading;               /* it has the others, if there are any */
    struct buffer carried;        /* parts for the acknowledgement to carry */
    uint32_t uploads_outstanding; /* parts that it has all of */
    uint32_t chunks_outstanding;
    uint64_t taken_ns;
    uint64_t store_wait_ns;
};

void task_snapshots_init(struct task_snapshots *snapshots)
{
    buffer_init(&snapshots->chunk, snapshots->host->arena);
    buffer_init(&snapshots->spare, snapshots->host->arena);
    for (int i = 0; i < BACKEND_DRAFT_COUNT; i++) {
        buffer_init(&snapshots->drafts.items[i].held, snapshots->host->arena);
    }
}

void task_snapshots_report(struct task_snapshots *snapshots, enum fact_kind kind,
                           uint64_t checkpoint, uint64_t value0, uint64_t value1)
{
    host_trace(snapshots->host, &(struct fact){ .kind = kind,
                                                .vertex = snapshots->vertex,
                                                .subtask = snapshots->subtask,
                                                .attempt = snapshots->attempt,
                                                .checkpoint = checkpoint,
                                                .values = { value0, value1 } });
}

static void add_part(struct arena *arena, struct part_list *parts, struct state_handle part)
{
    parts->items = arena_grow(arena, parts->items, &parts->capacity, (size_t)parts->count + 1,
                              sizeof *parts->items);
    part.location = bytes_copy(arena, part.location);
    parts->items[parts->count++] = part;
}

static void free_parts(struct arena *arena, struct part_list *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        arena_free(arena, (void *)(uintptr_t)parts->items[i].location.data);
    }
    arena_free(arena, parts->items);
    *parts = (struct part_list){ 0 };
}

static uint64_t parts_bytes(const struct part_list *parts, uint32_t first)
{
    uint64_t bytes = 0;
    for (uint32_t i = first; i < parts->count; i++) {
        bytes += parts->items[i].size_bytes;
    }
    return bytes;
}

/* ---- what can be built on -------------------------------------------------------------------- */

/* Takes `parts`. */
static void remember(struct task_snapshots *snapshots, uint64_t checkpoint,
                     const struct part_list *parts)
{
    struct known_snapshot **link = &snapshots->known;
    while (*link != NULL && (*link)->checkpoint < checkpoint) {
        link = &(*link)->next;
    }
    CHECK(*link == NULL || (*link)->checkpoint != checkpoint);
    struct known_snapshot *known = arena_alloc(snapshots->host->arena, 1, sizeof *known);
    *known = (struct known_snapshot){ .next = *link, .checkpoint = checkpoint, .parts = *parts };
    *link = known;
}

/* Forgets the known snapshots first..last. */
static void forget_known(struct task_snapshots *snapshots, uint64_t first, uint64_t last)
{
    struct known_snapshot **link = &snapshots->known;
    while (*link != NULL) {
        struct known_snapshot *known = *link;
        if (known->checkpoint < first || known->checkpoint > last) {
            link = &known->next;
            continue;
        }
        *link = known->next;
        free_parts(snapshots->host->arena, &known->parts);
        arena_free(snapshots->host->arena, known);
    }
}

static const struct known_snapshot *find_known(const struct task_snapshots *snapshots,
                                               uint64_t checkpoint)
{
    const struct known_snapshot *known = snapshots->known;
    while (known != NULL && known->checkpoint != checkpoint) {
        known = known->next;
    }
    return known;
}

void task_snapshots_restored(struct task_snapshots *snapshots, uint64_t checkpoint,
                             const struct keyed_state *keyed)
{
    struct part_list parts = { 0 };
    struct decoder decoder;
    if (!snapshots->incremental) {
        return;
    }
    keyed_state_begin(keyed, &decoder);
    for (uint32_t i = 0; i < keyed->part_count; i++) {
        struct state_handle part;
        keyed_state_next(&decoder, &part);
        add_part(snapshots->host->arena, &parts, part);
    }
    remember(snapshots, checkpoint, &parts);
}

/* ---- the snapshots under way ----------------------------------------------------------------- */

static void forget(struct task_snapshots *snapshots, struct task_snapshot *snapshot)
{
    struct task_snapshot **link = &snapshots->oldest;
    while (*link != snapshot) {
        link = &(*link)->next;
    }
    *link = snapshot->next;
    if (snapshot->frozen != NULL) {
        backend_snapshot_end(snapshot->frozen);
    }
    buffer_free(&snapshot->operators);
    buffer_free(&snapshot->carried);
    buffer_free(&snapshots->spare);
    snapshots->spare = snapshot->part;
    free_parts(snapshots->host->arena, &snapshot->parts);
    arena_free(snapshots->host->arena, snapshot);
}

/* Nothing will be built on the checkpoint. */
static void lose(struct task_snapshots *snapshots, uint64_t checkpoint)
{
    if (snapshots->backend != NULL) {
        backend_snapshot_lost(snapshots->backend, checkpoint);
    }
}

static struct keyed_state encode_parts(const struct part_list *parts, struct buffer *encoded)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        state_handle_encode(encoded, &parts->items[i]);
    }
    return (struct keyed_state){ .part_count = parts->count,
                                 .size_bytes = parts_bytes(parts, 0),
                                 .parts = buffer_bytes(encoded) };
}

/* K3: the state is safe; tells the JobManager. */
static void acknowledge(struct task_snapshots *snapshots, struct task_snapshot *snapshot)
{
    uint64_t checkpoint = snapshot->checkpoint;
    uint64_t store_wait_ns = snapshot->store_wait_ns;
    struct buffer encoded;
    buffer_init(&encoded, snapshots->host->arena);
    struct acknowledgement acknowledgement = {
        .checkpoint = checkpoint,
        .after_end = snapshot->after_end,
        .written_bytes =
            snapshot->operators.size + parts_bytes(&snapshot->parts, snapshot->kept_count),
        .state = { .operators = buffer_bytes(&snapshot->operators),
                   .keyed = encode_parts(&snapshot->parts, &encoded) },
        .carried = buffer_bytes(&snapshot->carried),
    };
    uint64_t bytes = snapshot->operators.size + acknowledgement.state.keyed.size_bytes;
    task_snapshots_report(snapshots, FACT_SNAPSHOT_WRITTEN, checkpoint,
                          acknowledgement.written_bytes,
                          host_now_ns(snapshots->host) - snapshot->taken_ns);
    host_send(snapshots->host, snapshots->job_manager,
              acknowledgement_encode(snapshots->host, snapshots->attempt, snapshots->task,
                                     &acknowledgement));
    buffer_free(&encoded);
    if (snapshots->incremental && snapshots->backend != NULL) {
        remember(snapshots, checkpoint, &snapshot->parts);
        snapshot->parts = (struct part_list){ 0 };
    }
    forget(snapshots, snapshot);
    task_snapshots_report(snapshots, FACT_TASK_ACKED, checkpoint, bytes, store_wait_ns);
}

static void acknowledge_if_complete(struct task_snapshots *snapshots,
                                    struct task_snapshot *snapshot)
{
    if (snapshot->frozen == NULL && snapshot->uploads_outstanding == 0) {
        acknowledge(snapshots, snapshot);
    }
}

static void decline(struct task_snapshots *snapshots, struct task_snapshot *snapshot,
                    const char *why)
{
    struct failure failure = { .checkpoint = snapshot->checkpoint, .why = bytes_of_text(why) };
    host_send(snapshots->host, snapshots->job_manager,
              failure_encode(snapshots->host, MESSAGE_DECLINE, snapshots->attempt,
                             snapshots->task, &failure));
    lose(snapshots, snapshot->checkpoint);
    forget(snapshots, snapshot);
}

/* Is the state too large to be carried? Then the checkpoint is declined. */
static bool decline_if_too_large(struct task_snapshots *snapshots, struct task_snapshot *snapshot)
{
    uint64_t bytes = snapshot->operators.size + snapshot->part_bytes +
                     parts_bytes(&snapshot->parts, snapshot->kept_count);
    if (bytes <= snapshots->carried_max_bytes) {
        return false;
    }
    char *why = arena_format(snapshots->host->arena,
                             "the state of %s[%u] has %llu bytes or more, and the checkpoint "
                             "store %s takes %llu of a subtask%s",
                             snapshots->vertex_name, snapshots->subtask, (unsigned long long)bytes,
                             store_kind_name(snapshots->store),
                             (unsigned long long)snapshots->carried_max_bytes,
                             snapshots->store == STORE_MEMORY
                                 ? ": checkpoint.store_state_max, or another store, would let it in"
                                 : "");
    host_mark(snapshots->host, MARK_STATE_TOO_LARGE);
    decline(snapshots, snapshot, why);
    arena_free(snapshots->host->arena, why);
    return true;
}

/* ---- parts and drafts ------------------------------------------------------------------------ */

static struct uploader_argument uploader_argument(const struct task_snapshots *snapshots)
{
    return (struct uploader_argument){ .vertex = snapshots->vertex_name,
                                       .subtask = snapshots->subtask,
                                       .shared = snapshots->incremental,
                                       .attempt = snapshots->attempt };
}

void task_snapshots_send(struct task_snapshots *snapshots, uint32_t part, struct message *message)
{
    if (snapshots->uploader == 0) {
        struct uploader_argument argument = uploader_argument(snapshots);
        snapshots->uploader =
            host_spawn(snapshots->host, snapshots->uploader_index, &uploader_actor,
                       (struct bytes){ .data = (const uint8_t *)&argument,
                                       .size = sizeof argument });
    }
    message->channel = part;
    host_send(snapshots->host, snapshots->uploader, message);
}

static void stop_uploads(struct task_snapshots *snapshots, uint64_t checkpoint)
{
    task_snapshots_send(
        snapshots, 0,
        message_of_number(snapshots->host, MESSAGE_UPLOAD_ABANDON, snapshots->attempt, checkpoint));
}

/* The uploader has all of the part in hand. */
static void end_upload(struct task_snapshots *snapshots, struct task_snapshot *snapshot)
{
    task_snapshots_send(snapshots, snapshot->parts.count - snapshot->kept_count,
                        message_of_number(snapshots->host, MESSAGE_UPLOAD_END, snapshots->attempt,
                                          snapshot->checkpoint));
    add_part(snapshots->host->arena, &snapshot->parts,
             (struct state_handle){ .kind = HANDLE_FILE, .size_bytes = snapshot->part_bytes });
    snapshot->uploads_outstanding++;
    snapshot->uploading = false;
}

/* Sends the first `size_bytes` of what waits of the part in hand. */
static void upload(struct task_snapshots *snapshots, struct task_snapshot *snapshot,
                   size_t size_bytes)
{
    struct buffer *part = &snapshot->part;
    if (size_bytes == 0) {
        return;
    }
    snapshot->uploading = true;
    snapshot->chunks_outstanding++;
    task_snapshots_send(snapshots, snapshot->parts.count - snapshot->kept_count,
                        upload_chunk_encode(snapshots->host, snapshots->attempt,
                                            snapshot->checkpoint,
                                            (struct bytes){ .data = part->data,
                                                            .size = size_bytes }));
    memmove(part->data, part->data + size_bytes, part->size - size_bytes);
    part->size -= size_bytes;
}

/* The acknowledgement will carry the part in hand. */
static void carry(struct task_snapshots *snapshots, struct task_snapshot *snapshot)
{
    char path[STORE_PATH_SIZE];
    struct uploader_argument argument = uploader_argument(snapshots);
    uploader_path(path, &argument, snapshot->checkpoint,
                  snapshot->parts.count - snapshot->kept_count);
    struct bytes part = buffer_bytes(&snapshot->part);
    carried_add(&snapshot->carried, bytes_of_text(path), part);
    add_part(snapshots->host->arena, &snapshot->parts,
             (struct state_handle){ .kind = HANDLE_FILE,
                                    .size_bytes = part.size,
                                    .checksum = hash_bytes(part),
                                    .location = bytes_of_text(path) });
}

/* The manifest will hold the part in hand. */
static void add_inline(struct task_snapshots *snapshots, struct task_snapshot *snapshot)
{
    struct bytes part = buffer_bytes(&snapshot->part);
    add_part(snapshots->host->arena, &snapshot->parts,
             (struct state_handle){ .kind = HANDLE_INLINE,
                                    .size_bytes = part.size,
                                    .checksum = hash_bytes(part),
                                    .location = part });
}

/* All of the part in hand is serialised. */
static void end_part(struct task_snapshots *snapshots, struct task_snapshot *snapshot)
{
    if (!snapshot->uploading && snapshot->part_bytes < snapshots->inline_threshold_bytes) {
        add_inline(snapshots, snapshot);
    } else if (store_kind_carries(snapshots->store)) {
        carry(snapshots, snapshot);
    } else {
        upload(snapshots, snapshot, snapshot->part.size);
        end_upload(snapshots, snapshot);
    }
    buffer_reset(&snapshot->part);
    snapshot->part_bytes = 0;
}

/* Hands over the draft, which is, or begins, the next new part. */
static void adopt(struct task_snapshots *snapshots, struct task_snapshot *snapshot,
                  const struct task_draft *draft)
{
    struct buffer order;
    buffer_init(&order, snapshots->host->arena);
    encode_u64(&order, snapshot->checkpoint);
    encode_u32(&order, draft->number);
    task_snapshots_send(
        snapshots, snapshot->parts.count - snapshot->kept_count,
        message_of_buffer(snapshots->host, MESSAGE_UPLOAD_ADOPT, snapshots->attempt, &order));
    buffer_free(&order);
    snapshot->uploading = true;
    snapshot->part_bytes = draft->size_bytes;
}

/* Takes over what was written ahead. Of the log the snapshot will write the rest. */
static void take_draft(struct task_snapshots *snapshots, struct task_snapshot *snapshot,
                       enum backend_draft kind)
{
    struct task_draft *draft = &snapshots->drafts.items[kind];
    CHECK(draft->number != 0);
    if (!draft->is_held) {
        adopt(snapshots, snapshot, draft);
    } else {
        CHECK(kind == DRAFT_STATE);
        buffer_append(&snapshot->part, buffer_bytes(&draft->held));
        snapshot->part_bytes = draft->size_bytes;
    }
    if (kind == DRAFT_STATE) {
        end_part(snapshots, snapshot);
    }
    buffer_reset(&draft->held);
    draft->number = 0;
    draft->size_bytes = 0;
}

/* Freezes the keyed state, and takes over what is kept of the base. */
static void freeze(struct task_snapshots *snapshots, struct task_snapshot *snapshot, uint64_t base)
{
    const struct known_snapshot *known = base == 0 ? NULL : find_known(snapshots, base);
    backend_set_time(snapshots->backend, host_now_ns(snapshots->host));
    snapshot->frozen =
        backend_snapshot_begin(snapshots->backend, snapshot->checkpoint, known == NULL ? 0 : base);
    for (uint32_t i = 0; known != NULL && i < known->parts.count; i++) {
        if (backend_snapshot_keeps(snapshot->frozen, i)) {
            add_part(snapshots->host->arena, &snapshot->parts, known->parts.items[i]);
        }
    }
    snapshot->kept_count = snapshot->parts.count;
    for (enum backend_draft kind = 0; kind < BACKEND_DRAFT_COUNT; kind++) {
        if (backend_snapshot_takes(snapshot->frozen, kind)) {
            take_draft(snapshots, snapshot, kind);
        }
    }
}

void task_snapshots_begin(struct task_snapshots *snapshots, uint64_t checkpoint, uint64_t base,
                          struct buffer *operators, bool after_end)
{
    CHECK(base < checkpoint);
    struct task_snapshot *snapshot = arena_alloc(snapshots->host->arena, 1, sizeof *snapshot);
    *snapshot = (struct task_snapshot){ .checkpoint = checkpoint,
                                        .after_end = after_end,
                                        .operators = *operators,
                                        .taken_ns = host_now_ns(snapshots->host) };
    buffer_init(&snapshot->carried, snapshots->host->arena);
    snapshot->part = snapshots->spare;
    buffer_init(&snapshots->spare, snapshots->host->arena);
    buffer_reset(&snapshot->part);
    struct task_snapshot **link = &snapshots->oldest;
    while (*link != NULL) {
        CHECK((*link)->checkpoint < checkpoint);
        link = &(*link)->next;
    }
    *link = snapshot;
    if (base > 0) {
        forget_known(snapshots, 0, base - 1);
    }
    if (snapshots->backend == NULL) {
        if (!decline_if_too_large(snapshots, snapshot)) {
            acknowledge(snapshots, snapshot);
        }
    } else {
        freeze(snapshots, snapshot, base);
    }
}

static struct task_snapshot *find_work(const struct task_snapshots *snapshots)
{
    struct task_snapshot *snapshot = snapshots->oldest;
    while (snapshot != NULL &&
           (snapshot->frozen == NULL || snapshot->chunks_outstanding >= TASK_SNAPSHOT_CHUNKS_MAX)) {
        snapshot = snapshot->next;
    }
    return snapshot;
}

bool task_snapshots_has_work(const struct task_snapshots *snapshots)
{
    return find_work(snapshots) != NULL || task_drafts_has_work(snapshots);
}

void task_snapshots_step(struct task_snapshots *snapshots)
{
    struct task_snapshot *snapshot = find_work(snapshots);
    if (snapshot == NULL) {
        task_drafts_step(snapshots);
        return;
    }
    struct buffer *part = &snapshot->part;
    size_t before = part->size;
    enum backend_step left =
        backend_snapshot_step(snapshot->frozen, part, TASK_SNAPSHOT_STEP_BYTES);
    if (backend_failure(snapshots->backend) != STATUS_OK) {
        return; /* B9: the subtask is about to fail */
    }
    host_charge(snapshots->host, HOST_WORK_SNAPSHOT_BYTES, part->size - before);
    snapshot->part_bytes += part->size - before;
    if (left == BACKEND_DONE) {
        backend_snapshot_end(snapshot->frozen);
        snapshot->frozen = NULL;
    }
    if (left != BACKEND_MORE && snapshot->part_bytes > 0) {
        end_part(snapshots, snapshot);
    } else if (!store_kind_carries(snapshots->store)) {
        upload(snapshots, snapshot, part->size - part->size % TASK_SNAPSHOT_PIECE_BYTES);
    }
    if (!decline_if_too_large(snapshots, snapshot)) {
        acknowledge_if_complete(snapshots, snapshot);
    }
}

static struct task_snapshot *find(const struct task_snapshots *snapshots, uint64_t checkpoint)
{
    struct task_snapshot *snapshot = snapshots->oldest;
    while (snapshot != NULL && snapshot->checkpoint != checkpoint) {
        snapshot = snapshot->next;
    }
    return snapshot;
}

void task_snapshots_on_upload(struct task_snapshots *snapshots, const struct message *message)
{
    if (message_number(message) == 0) {
        task_drafts_on_upload(snapshots, message);
        return;
    }
    struct task_snapshot *snapshot = find(snapshots, message_number(message));
    if (snapshot == NULL) {
        return; /* abandoned meanwhile */
    }
    if (message->kind == MESSAGE_UPLOAD_ACCEPTED) {
        CHECK(snapshot->chunks_outstanding > 0);
        snapshot->chunks_outstanding--;
        return;
    }
    CHECK(message->kind == MESSAGE_UPLOAD_DONE);
    struct upload_result result = upload_result_decode(message);
    if (result.status != STATUS_OK) {
        if (snapshot->uploading) {
            stop_uploads(snapshots, result.checkpoint);
        }
        decline(snapshots, snapshot, status_text(result.status));
        return;
    }
    CHECK(result.part < snapshot->parts.count - snapshot->kept_count);
    struct state_handle *part = &snapshot->parts.items[snapshot->kept_count + result.part];
    CHECK(part->kind == HANDLE_FILE);
    CHECK(part->location.size == 0);
    CHECK(result.size_bytes == part->size_bytes);
    char path[STORE_PATH_SIZE];
    struct uploader_argument argument = uploader_argument(snapshots);
    uploader_path(path, &argument, result.checkpoint, result.part);
    arena_free(snapshots->host->arena, (void *)(uintptr_t)part->location.data);
    part->location = bytes_copy(snapshots->host->arena, bytes_of_text(path));
    part->checksum = result.checksum;
    snapshot->uploads_outstanding--;
    snapshot->store_wait_ns += result.wait_ns;
    acknowledge_if_complete(snapshots, snapshot);
}

void task_snapshots_abandon(struct task_snapshots *snapshots, uint64_t checkpoint)
{
    forget_known(snapshots, checkpoint, checkpoint);
    lose(snapshots, checkpoint);
    struct task_snapshot *snapshot = find(snapshots, checkpoint);
    if (snapshot == NULL) {
        return;
    }
    if (snapshots->uploader != 0 && (snapshot->uploading || snapshot->uploads_outstanding > 0)) {
        stop_uploads(snapshots, checkpoint);
    }
    forget(snapshots, snapshot);
}
