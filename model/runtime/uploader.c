#include "model/runtime/uploader.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/hash.h"
#include "model/checkpoint/store_files.h"
#include "model/runtime/messages.h"

/* One file being written. Several checkpoints may be under way at once. */
struct upload {
    struct upload *next;
    uint64_t checkpoint; /* 0: none, it is a draft */
    uint32_t part;       /* number in the checkpoint; of a draft, of it */
    uint32_t draft;      /* it lies in the file of this draft; 0: in its own */
    bool is_synced;      /* what was written of the draft */
    file_id file;
    uint64_t size_bytes;
    uint64_t wait_ns;   /* stood in line at the store */
    enum status status; /* the first error */
    struct hash_stream hash;
};

struct uploader {
    struct host *host;
    struct uploader_argument argument;
    struct upload *uploads;
};

void uploader_path(char path[STORE_PATH_SIZE], const struct uploader_argument *argument,
                   uint64_t checkpoint, uint32_t part)
{
    char name[STORE_PATH_SIZE];
    int length = part == 0 ? snprintf(name, sizeof name, "%s-%u", argument->vertex,
                                      argument->subtask)
                           : snprintf(name, sizeof name, "%s-%u.%u", argument->vertex,
                                      argument->subtask, part);
    CHECK(length > 0 && (size_t)length < sizeof name);
    if (argument->shared) {
        store_shared_file(path, checkpoint, name);
    } else {
        store_file(path, checkpoint, name);
    }
}

/* The path of draft number `draft`: its name is VERTEX-SUBTASK.DRAFT. */
static void uploader_draft_path(char path[STORE_PATH_SIZE],
                                const struct uploader_argument *argument, uint32_t draft)
{
    char name[STORE_PATH_SIZE];
    CHECK(draft > 0);
    int length =
        snprintf(name, sizeof name, "%s-%u.%u", argument->vertex, argument->subtask, draft);
    CHECK(length > 0 && (size_t)length < sizeof name);
    store_draft_file(path, argument->attempt, name);
}

static void *uploader_start(struct host *host, struct bytes argument)
{
    struct uploader *uploader = arena_alloc(host->arena, 1, sizeof *uploader);
    uploader->host = host;
    CHECK(argument.size == sizeof uploader->argument);
    memcpy(&uploader->argument, argument.data, argument.size);
    return uploader;
}

static struct upload *begin(struct uploader *uploader, uint64_t checkpoint, uint32_t part)
{
    struct upload *upload = arena_alloc(uploader->host->arena, 1, sizeof *upload);
    *upload = (struct upload){ .next = uploader->uploads,
                               .checkpoint = checkpoint,
                               .part = part,
                               .draft = checkpoint == 0 ? part : 0 };
    uploader->uploads = upload;
    hash_stream_init(&upload->hash, uploader->host->arena);
    char path[STORE_PATH_SIZE];
    if (upload->draft != 0) {
        uploader_draft_path(path, &uploader->argument, upload->draft);
    } else {
        uploader_path(path, &uploader->argument, checkpoint, part);
    }
    upload->status =
        host_file_open(uploader->host, HOST_SHARED, path, HOST_TRUNCATE, &upload->file);
    return upload;
}

static struct upload *find(struct uploader *uploader, uint64_t checkpoint, uint32_t part)
{
    struct upload *upload = uploader->uploads;
    while (upload != NULL && (upload->checkpoint != checkpoint || upload->part != part)) {
        upload = upload->next;
    }
    return upload;
}

/* A draft that became nothing, or not durably, goes; at the latest with its attempt. */
static void remove_draft(struct uploader *uploader, const struct upload *upload)
{
    char path[STORE_PATH_SIZE];
    uploader_draft_path(path, &uploader->argument, upload->draft);
    enum status status = host_remove(uploader->host, HOST_SHARED, path);
    (void)status;
}

/* Closes and forgets; returns the checksum of what was written. */
static uint64_t end(struct uploader *uploader, struct upload *upload)
{
    struct upload **link = &uploader->uploads;
    while (*link != upload) {
        link = &(*link)->next;
    }
    *link = upload->next;
    if (upload->file != 0) {
        host_file_close(uploader->host, upload->file);
    }
    if (upload->draft != 0) {
        remove_draft(uploader, upload);
    }
    uint64_t checksum = hash_stream_finish(&upload->hash);
    arena_free(uploader->host->arena, upload);
    return checksum;
}

static void answer(struct uploader *uploader, const struct message *message,
                   const struct upload *upload, uint64_t checksum)
{
    struct upload_result result = { .checkpoint = upload->checkpoint,
                                    .part = upload->part,
                                    .status = upload->status,
                                    .size_bytes = upload->size_bytes,
                                    .checksum = checksum,
                                    .wait_ns = upload->wait_ns };
    host_send(uploader->host, message->from,
              upload_result_encode(uploader->host, message->attempt, &result));
}

static void on_chunk(struct uploader *uploader, const struct message *message)
{
    uint64_t checkpoint = message_number(message);
    struct upload *upload = find(uploader, checkpoint, message->channel);
    bool is_first_error = false;
    if (upload == NULL) {
        upload = begin(uploader, checkpoint, message->channel);
        is_first_error = upload->status != STATUS_OK;
    }
    struct bytes chunk = upload_chunk_bytes(message);
    if (upload->status == STATUS_OK) {
        uint64_t waited_ns = host_store_wait_ns(uploader->host);
        upload->status =
            host_file_write(uploader->host, upload->file, upload->size_bytes, chunk);
        upload->wait_ns += host_store_wait_ns(uploader->host) - waited_ns;
        upload->size_bytes += chunk.size;
        upload->is_synced = false;
        hash_stream_add(&upload->hash, chunk);
        is_first_error = upload->status != STATUS_OK;
    }
    if (is_first_error && checkpoint == 0) {
        answer(uploader, message, upload, 0);
    }
    host_send(uploader->host, message->from,
              message_of_number(uploader->host, MESSAGE_UPLOAD_ACCEPTED, message->attempt,
                                checkpoint));
}

/* A draft becomes the part that it was adopted as. */
static enum status adopt(struct uploader *uploader, struct upload *upload)
{
    char path[STORE_PATH_SIZE];
    char draft[STORE_PATH_SIZE];
    uploader_path(path, &uploader->argument, upload->checkpoint, upload->part);
    uploader_draft_path(draft, &uploader->argument, upload->draft);
    enum status status = store_files_adopt(uploader->host, draft, path);
    if (status == STATUS_OK) {
        upload->draft = 0;
    }
    return status;
}

/* Makes durable what there is of the file; not the name of a draft, which is not to last. */
static enum status make_durable(struct uploader *uploader, struct upload *upload)
{
    enum status status = STATUS_OK;
    if (upload->draft == 0) {
        char path[STORE_PATH_SIZE];
        uploader_path(path, &uploader->argument, upload->checkpoint, upload->part);
        return store_files_seal(uploader->host, path, upload->file);
    }
    if (!upload->is_synced) {
        status = host_file_sync(uploader->host, upload->file);
        upload->is_synced = status == STATUS_OK;
    }
    return status == STATUS_OK && upload->checkpoint != 0 ? adopt(uploader, upload) : status;
}

static void on_end(struct uploader *uploader, const struct message *message)
{
    struct upload *upload = find(uploader, message_number(message), message->channel);
    CHECK(upload != NULL);
    if (upload->checkpoint == 0 && upload->status != STATUS_OK) {
        return; /* that was answered */
    }
    if (upload->status == STATUS_OK) {
        uint64_t waited_ns = host_store_wait_ns(uploader->host);
        upload->status = make_durable(uploader, upload);
        upload->wait_ns += host_store_wait_ns(uploader->host) - waited_ns;
    }
    if (upload->checkpoint == 0) {
        answer(uploader, message, upload, 0);
        return;
    }
    struct upload ended = *upload;
    uint64_t checksum = end(uploader, upload);
    answer(uploader, message, &ended, checksum);
}

static void on_adopt(struct uploader *uploader, const struct message *message)
{
    struct decoder decoder;
    decoder_init(&decoder, message_bytes(message));
    uint64_t checkpoint = decode_u64(&decoder);
    uint32_t draft = decode_u32(&decoder);
    struct upload *upload = find(uploader, 0, draft);
    CHECK(!decoder.failed);
    CHECK(upload != NULL);
    CHECK(checkpoint > 0);
    upload->checkpoint = checkpoint;
    upload->part = message->channel;
    upload->wait_ns = 0; /* what it waited before was not for the checkpoint */
}

/* All of a checkpoint; or one draft. */
static void abandon(struct uploader *uploader, uint64_t checkpoint, uint32_t draft)
{
    struct upload *upload = uploader->uploads;
    while (upload != NULL) {
        struct upload *next = upload->next;
        if (upload->checkpoint == checkpoint && (checkpoint != 0 || upload->part == draft)) {
            (void)end(uploader, upload);
        }
        upload = next;
    }
}

static void uploader_message(void *self, struct message *message)
{
    struct uploader *uploader = self;
    switch (message->kind) {
    case MESSAGE_UPLOAD_CHUNK:
        on_chunk(uploader, message);
        break;
    case MESSAGE_UPLOAD_END:
        on_end(uploader, message);
        break;
    case MESSAGE_UPLOAD_ADOPT: on_adopt(uploader, message); break;
    case MESSAGE_UPLOAD_ABANDON:
        abandon(uploader, message_number(message), message->channel);
        break;
    default:
        CHECK_UNREACHABLE("a message for an uploader");
    }
    host_message_free(uploader->host, message);
}

static void uploader_timer(void *self, timer_id timer, uint64_t tag)
{
    (void)self;
    (void)timer;
    (void)tag;
    CHECK_UNREACHABLE("an uploader sets no timers");
}

const struct actor_ops uploader_actor = {
    .name = "uploader",
    .on_start = uploader_start,
    .on_message = uploader_message,
    .on_timer = uploader_timer,
};
