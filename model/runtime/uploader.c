#include "model/runtime/uploader.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/checkpoint/store_files.h"
#include "model/runtime/messages.h"

/* One file being written. Several checkpoints may be under way at once. */
struct upload {
    struct upload *next;
    uint64_t checkpoint;
    uint32_t part;
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
    *upload = (struct upload){ .next = uploader->uploads, .checkpoint = checkpoint, .part = part };
    uploader->uploads = upload;
    hash_stream_init(&upload->hash, uploader->host->arena);
    char path[STORE_PATH_SIZE];
    uploader_path(path, &uploader->argument, checkpoint, part);
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
    uint64_t checksum = hash_stream_finish(&upload->hash);
    arena_free(uploader->host->arena, upload);
    return checksum;
}

static void on_chunk(struct uploader *uploader, const struct message *message)
{
    uint64_t checkpoint = message_number(message);
    struct upload *upload = find(uploader, checkpoint, message->channel);
    if (upload == NULL) {
        upload = begin(uploader, checkpoint, message->channel);
    }
    struct bytes chunk = { .data = message->data + sizeof checkpoint,
                           .size = message->size - sizeof checkpoint };
    if (upload->status == STATUS_OK) {
        uint64_t waited_ns = host_store_wait_ns(uploader->host);
        upload->status =
            host_file_write(uploader->host, upload->file, upload->size_bytes, chunk);
        upload->wait_ns += host_store_wait_ns(uploader->host) - waited_ns;
        upload->size_bytes += chunk.size;
        hash_stream_add(&upload->hash, chunk);
    }
    host_send(uploader->host, message->from,
              message_of_number(uploader->host, MESSAGE_UPLOAD_ACCEPTED, message->attempt,
                                checkpoint));
}

static void on_end(struct uploader *uploader, const struct message *message)
{
    uint64_t checkpoint = message_number(message);
    struct upload *upload = find(uploader, checkpoint, message->channel);
    CHECK(upload != NULL);
    if (upload->status == STATUS_OK) {
        char path[STORE_PATH_SIZE];
        uint64_t waited_ns = host_store_wait_ns(uploader->host);
        uploader_path(path, &uploader->argument, checkpoint, upload->part);
        upload->status = store_files_seal(uploader->host, path, upload->file);
        upload->wait_ns += host_store_wait_ns(uploader->host) - waited_ns;
    }
    struct upload_result result = { .checkpoint = checkpoint,
                                    .part = upload->part,
                                    .status = upload->status,
                                    .size_bytes = upload->size_bytes,
                                    .wait_ns = upload->wait_ns };
    result.checksum = end(uploader, upload);
    host_send(uploader->host, message->from,
              upload_result_encode(uploader->host, message->attempt, &result));
}

static void abandon(struct uploader *uploader, uint64_t checkpoint)
{
    struct upload *upload = uploader->uploads;
    while (upload != NULL) {
        struct upload *next = upload->next;
        if (upload->checkpoint == checkpoint) {
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
    case MESSAGE_UPLOAD_ABANDON:
        abandon(uploader, message_number(message));
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
