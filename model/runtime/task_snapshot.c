#include "model/runtime/task_snapshot.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/hash.h"
#include "model/checkpoint/store.h"
#include "model/runtime/uploader.h"

enum {
    STEP_BYTES = 64 * 1024,     /* serialised between two looks at the input */
    CHUNKS_OUTSTANDING_MAX = 2, /* with the uploader */
};

struct task_snapshot {
    struct task_snapshot *next;
    uint64_t checkpoint;
    bool after_end;
    struct buffer operators;
    struct backend_snapshot *frozen; /* NULL: serialised, or no keyed state */
    bool uploading;                  /* the uploader has the file */
    uint32_t chunks_outstanding;
    uint64_t keyed_bytes;
    uint64_t taken_ns;
};

static void report(struct task_snapshots *snapshots, enum fact_kind kind, uint64_t checkpoint,
                   uint64_t value0, uint64_t value1)
{
    host_trace(snapshots->host, &(struct fact){ .kind = kind,
                                                .vertex = snapshots->vertex,
                                                .subtask = snapshots->subtask,
                                                .attempt = snapshots->attempt,
                                                .checkpoint = checkpoint,
                                                .values = { value0, value1 } });
}

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
    arena_free(snapshots->host->arena, snapshot);
}

/* K3: the state is safe; tells the JobManager. */
static void acknowledge(struct task_snapshots *snapshots, struct task_snapshot *snapshot,
                        const struct state_handle *keyed)
{
    uint64_t bytes = snapshot->operators.size + keyed->size_bytes;
    uint64_t checkpoint = snapshot->checkpoint;
    report(snapshots, FACT_SNAPSHOT_WRITTEN, checkpoint, bytes,
           host_now_ns(snapshots->host) - snapshot->taken_ns);
    struct acknowledgement acknowledgement = {
        .checkpoint = checkpoint,
        .after_end = snapshot->after_end,
        .state = { .operators = buffer_bytes(&snapshot->operators), .keyed = *keyed },
    };
    host_send(snapshots->host, snapshots->job_manager,
              acknowledgement_encode(snapshots->host, snapshots->attempt, snapshots->task,
                                     &acknowledgement));
    forget(snapshots, snapshot);
    report(snapshots, FACT_TASK_ACKED, checkpoint, bytes, 0);
}

static void decline(struct task_snapshots *snapshots, struct task_snapshot *snapshot,
                    enum status why)
{
    struct failure failure = { .checkpoint = snapshot->checkpoint,
                               .why = bytes_of_text(status_text(why)) };
    host_send(snapshots->host, snapshots->job_manager,
              failure_encode(snapshots->host, MESSAGE_DECLINE, snapshots->attempt,
                             snapshots->task, &failure));
    forget(snapshots, snapshot);
}

void task_snapshots_begin(struct task_snapshots *snapshots, uint64_t checkpoint,
                          struct buffer *operators, bool after_end)
{
    struct task_snapshot *snapshot = arena_alloc(snapshots->host->arena, 1, sizeof *snapshot);
    *snapshot = (struct task_snapshot){ .checkpoint = checkpoint,
                                        .after_end = after_end,
                                        .operators = *operators,
                                        .taken_ns = host_now_ns(snapshots->host) };
    struct task_snapshot **link = &snapshots->oldest;
    while (*link != NULL) {
        CHECK((*link)->checkpoint < checkpoint);
        link = &(*link)->next;
    }
    *link = snapshot;
    if (snapshots->backend == NULL) {
        acknowledge(snapshots, snapshot, &(struct state_handle){ .kind = HANDLE_NONE });
    } else {
        snapshot->frozen = backend_snapshot_begin(snapshots->backend);
    }
}

static struct task_snapshot *find_work(const struct task_snapshots *snapshots)
{
    struct task_snapshot *snapshot = snapshots->oldest;
    while (snapshot != NULL && (snapshot->frozen == NULL ||
                                snapshot->chunks_outstanding >= CHUNKS_OUTSTANDING_MAX)) {
        snapshot = snapshot->next;
    }
    return snapshot;
}

bool task_snapshots_has_work(const struct task_snapshots *snapshots)
{
    return find_work(snapshots) != NULL;
}

static void send_to_uploader(struct task_snapshots *snapshots, struct message *message)
{
    if (snapshots->uploader == 0) {
        struct uploader_argument argument = { .vertex = snapshots->vertex_name,
                                              .subtask = snapshots->subtask };
        snapshots->uploader =
            host_spawn(snapshots->host, snapshots->uploader_index, &uploader_actor,
                       (struct bytes){ .data = (const uint8_t *)&argument,
                                       .size = sizeof argument });
    }
    host_send(snapshots->host, snapshots->uploader, message);
}

void task_snapshots_step(struct task_snapshots *snapshots)
{
    struct task_snapshot *snapshot = find_work(snapshots);
    CHECK(snapshot != NULL);
    struct buffer chunk;
    buffer_init(&chunk, snapshots->host->arena);
    encode_u64(&chunk, snapshot->checkpoint);
    bool more = backend_snapshot_step(snapshot->frozen, &chunk, STEP_BYTES);
    struct bytes state = { .data = chunk.data + sizeof(uint64_t),
                           .size = chunk.size - sizeof(uint64_t) };
    host_charge(snapshots->host, HOST_WORK_SNAPSHOT_BYTES, state.size);
    snapshot->keyed_bytes += state.size;
    if (!more) {
        backend_snapshot_end(snapshot->frozen);
        snapshot->frozen = NULL;
    }
    if (!more && !snapshot->uploading && state.size < snapshots->inline_threshold_bytes) {
        struct state_handle handle = { .kind = HANDLE_INLINE,
                                       .size_bytes = state.size,
                                       .checksum = hash_bytes(state),
                                       .location = state };
        acknowledge(snapshots, snapshot, &handle);
    } else {
        snapshot->uploading = true;
        snapshot->chunks_outstanding++;
        uint64_t checkpoint = snapshot->checkpoint;
        send_to_uploader(snapshots, message_of_buffer(snapshots->host, MESSAGE_UPLOAD_CHUNK,
                                                      snapshots->attempt, &chunk));
        if (!more) {
            send_to_uploader(snapshots, message_of_number(snapshots->host, MESSAGE_UPLOAD_END,
                                                          snapshots->attempt, checkpoint));
        }
    }
    buffer_free(&chunk);
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
        decline(snapshots, snapshot, result.status);
        return;
    }
    CHECK(result.size_bytes == snapshot->keyed_bytes);
    char name[UPLOADER_NAME_SIZE];
    char path[STORE_PATH_SIZE];
    uploader_file_name(name, snapshots->vertex_name, snapshots->subtask);
    store_file(path, result.checkpoint, name);
    struct state_handle handle = { .kind = HANDLE_FILE,
                                   .size_bytes = result.size_bytes,
                                   .checksum = result.checksum,
                                   .location = bytes_of_text(path) };
    acknowledge(snapshots, snapshot, &handle);
}

void task_snapshots_abandon(struct task_snapshots *snapshots, uint64_t checkpoint)
{
    struct task_snapshot *snapshot = find(snapshots, checkpoint);
    if (snapshot == NULL) {
        return;
    }
    if (snapshot->uploading) {
        send_to_uploader(snapshots, message_of_number(snapshots->host, MESSAGE_UPLOAD_ABANDON,
                                                      snapshots->attempt, checkpoint));
    }
    forget(snapshots, snapshot);
}
