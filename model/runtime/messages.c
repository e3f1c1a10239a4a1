#include "model/runtime/messages.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/checkpoint/carried.h"

enum { TRIGGER_BYTES = 3 * sizeof(uint64_t) };

struct message *message_of_kind(struct host *host, enum message_kind kind, uint64_t attempt)
{
    struct message *message = host_message_new(host, 0);
    message->kind = kind;
    message->attempt = attempt;
    return message;
}

struct message *message_of_number(struct host *host, enum message_kind kind, uint64_t attempt,
                                  uint64_t number)
{
    struct message *message = host_message_new(host, sizeof number);
    message->kind = kind;
    message->attempt = attempt;
    message->size = sizeof number;
    store_u64(message->data, number);
    return message;
}

uint64_t message_number(const struct message *message)
{
    CHECK(message->size >= sizeof(uint64_t));
    return load_u64(message->data);
}

struct message *message_of_buffer(struct host *host, enum message_kind kind, uint64_t attempt,
                                  const struct buffer *data)
{
    CHECK(data->size <= UINT32_MAX);
    struct message *message = host_message_new(host, (uint32_t)data->size);
    message->kind = kind;
    message->attempt = attempt;
    message->size = (uint32_t)data->size;
    if (data->size > 0) {
        memcpy(message->data, data->data, data->size);
    }
    return message;
}

struct bytes message_bytes(const struct message *message)
{
    return (struct bytes){ .data = message->data, .size = message->size };
}

/* Turns `data` into a message and frees it. */
static struct message *finish(struct host *host, enum message_kind kind, uint64_t attempt,
                              uint32_t channel, struct buffer *data)
{
    struct message *message = message_of_buffer(host, kind, attempt, data);
    message->channel = channel;
    buffer_free(data);
    return message;
}

struct message *registration_encode(struct host *host, const struct registration *registration)
{
    struct buffer data;
    buffer_init(&data, host->arena);
    encode_u32(&data, registration->slots);
    encode_u32(&data, registration->session);
    return finish(host, MESSAGE_REGISTER, 0, 0, &data);
}

enum status registration_decode(const struct message *message, struct registration *registration)
{
    CHECK(message->kind == MESSAGE_REGISTER);
    struct decoder decoder;
    decoder_init(&decoder, message_bytes(message));
    registration->slots = decode_u32(&decoder);
    registration->session = decode_u32(&decoder);
    return decoder_finish(&decoder);
}

struct message *trigger_encode(struct host *host, enum message_kind kind, uint64_t attempt,
                               const struct trigger *trigger)
{
    struct message *message = host_message_new(host, TRIGGER_BYTES);
    message->kind = kind;
    message->attempt = attempt;
    message->size = TRIGGER_BYTES;
    store_u64(message->data, trigger->checkpoint);
    store_u64(message->data + sizeof(uint64_t), trigger->triggered_ns);
    store_u64(message->data + 2 * sizeof(uint64_t), trigger->base);
    return message;
}

struct trigger trigger_decode(const struct message *message)
{
    CHECK(message->size == TRIGGER_BYTES);
    return (struct trigger){ .checkpoint = load_u64(message->data),
                             .triggered_ns = load_u64(message->data + sizeof(uint64_t)),
                             .base = load_u64(message->data + 2 * sizeof(uint64_t)) };
}

enum { WATERMARK_BYTES = sizeof(int64_t) + 1 };

struct message *watermark_encode(struct host *host, uint64_t attempt, struct watermark watermark)
{
    struct message *message = host_message_new(host, WATERMARK_BYTES);
    message->kind = MESSAGE_WATERMARK;
    message->attempt = attempt;
    message->size = WATERMARK_BYTES;
    store_u64(message->data, (uint64_t)watermark.ms);
    message->data[sizeof(int64_t)] = watermark.is_idle;
    return message;
}

struct watermark watermark_decode(const struct message *message)
{
    CHECK(message->size == WATERMARK_BYTES);
    return (struct watermark){ .ms = (int64_t)load_u64(message->data),
                               .is_idle = message->data[sizeof(int64_t)] != 0 };
}

/* What is left of a message are the parts that it carries. */
static enum status take_carried(const struct decoder *decoder, struct bytes *carried)
{
    struct decoder parts = *decoder;
    struct bytes path;
    struct bytes part;
    *carried = (struct bytes){ .data = decoder->data + decoder->position,
                               .size = decoder->size - decoder->position };
    while (carried_next(&parts, &path, &part)) {
    }
    return decoder_finish(&parts);
}

struct message *acknowledgement_encode(struct host *host, uint64_t attempt, uint32_t task,
                                       const struct acknowledgement *acknowledgement)
{
    struct buffer data;
    buffer_init(&data, host->arena);
    encode_u64(&data, acknowledgement->checkpoint);
    encode_u8(&data, acknowledgement->after_end);
    encode_u64(&data, acknowledgement->written_bytes);
    subtask_state_encode(&data, &acknowledgement->state);
    buffer_append(&data, acknowledgement->carried);
    return finish(host, MESSAGE_ACK, attempt, task, &data);
}

enum status acknowledgement_decode(const struct message *message,
                                   struct acknowledgement *acknowledgement)
{
    CHECK(message->kind == MESSAGE_ACK);
    struct decoder decoder;
    decoder_init(&decoder, message_bytes(message));
    acknowledgement->checkpoint = decode_u64(&decoder);
    acknowledgement->after_end = decode_u8(&decoder) != 0;
    acknowledgement->written_bytes = decode_u64(&decoder);
    subtask_state_decode(&decoder, &acknowledgement->state);
    return take_carried(&decoder, &acknowledgement->carried);
}

struct message *failure_encode(struct host *host, enum message_kind kind, uint64_t attempt,
                               uint32_t task, const struct failure *failure)
{
    struct buffer data;
    buffer_init(&data, host->arena);
    encode_u64(&data, failure->checkpoint);
    encode_u8(&data, failure->is_final);
    encode_u8(&data, failure->superseded);
    encode_bytes(&data, failure->why);
    return finish(host, kind, attempt, task, &data);
}

enum status failure_decode(const struct message *message, struct failure *failure)
{
    struct decoder decoder;
    decoder_init(&decoder, message_bytes(message));
    failure->checkpoint = decode_u64(&decoder);
    failure->is_final = decode_u8(&decoder) != 0;
    failure->superseded = decode_u8(&decoder) != 0;
    failure->why = decode_bytes(&decoder);
    return decoder_finish(&decoder);
}

struct message *upload_chunk_encode(struct host *host, uint64_t attempt, uint64_t checkpoint,
                                    struct bytes chunk)
{
    CHECK(chunk.size > 0 && chunk.size <= UINT32_MAX - sizeof checkpoint);
    struct message *message = host_message_new(host, (uint32_t)(sizeof checkpoint + chunk.size));
    message->kind = MESSAGE_UPLOAD_CHUNK;
    message->attempt = attempt;
    message->size = (uint32_t)(sizeof checkpoint + chunk.size);
    store_u64(message->data, checkpoint);
    memcpy(message->data + sizeof checkpoint, chunk.data, chunk.size);
    return message;
}

struct bytes upload_chunk_bytes(const struct message *message)
{
    CHECK(message->size > sizeof(uint64_t));
    return (struct bytes){ .data = message->data + sizeof(uint64_t),
                           .size = message->size - sizeof(uint64_t) };
}

struct message *upload_result_encode(struct host *host, uint64_t attempt,
                                     const struct upload_result *result)
{
    struct buffer data;
    buffer_init(&data, host->arena);
    encode_u64(&data, result->checkpoint);
    encode_u64(&data, result->size_bytes);
    encode_u64(&data, result->checksum);
    encode_u64(&data, result->wait_ns);
    encode_u8(&data, (uint8_t)result->status);
    return finish(host, MESSAGE_UPLOAD_DONE, attempt, result->part, &data);
}

struct upload_result upload_result_decode(const struct message *message)
{
    struct decoder decoder;
    decoder_init(&decoder, message_bytes(message));
    struct upload_result result = { .checkpoint = decode_u64(&decoder), .part = message->channel };
    result.size_bytes = decode_u64(&decoder);
    result.checksum = decode_u64(&decoder);
    result.wait_ns = decode_u64(&decoder);
    result.status = (enum status)decode_u8(&decoder);
    CHECK(decoder_finish(&decoder) == STATUS_OK);
    return result;
}

void rescale_request_encode(struct buffer *out, const struct rescale_request *request)
{
    encode_u32(out, request->parallelism);
    encode_u32(out, request->max_parallelism);
}

enum status rescale_request_decode(const struct message *message, struct rescale_request *request)
{
    CHECK(message->kind == MESSAGE_RESCALE);
    struct decoder decoder;
    decoder_init(&decoder, message_bytes(message));
    request->parallelism = decode_u32(&decoder);
    request->max_parallelism = decode_u32(&decoder);
    return decoder_finish(&decoder);
}

struct message *deployment_encode(struct host *host, const struct deployment *deployment)
{
    struct buffer data;
    buffer_init(&data, host->arena);
    encode_u32(&data, deployment->parallelism);
    encode_u32(&data, deployment->max_parallelism);
    encode_u64(&data, deployment->checkpoint);
    encode_u64(&data, deployment->job_manager);
    encode_u32(&data, deployment->task_count);
    for (uint32_t i = 0; i < deployment->task_count; i++) {
        encode_u64(&data, deployment->addresses[i]);
    }
    encode_u32(&data, deployment->subtask_count);
    for (uint32_t i = 0; i < deployment->subtask_count; i++) {
        const struct deployed_subtask *subtask = &deployment->subtasks[i];
        encode_u32(&data, subtask->vertex);
        encode_u32(&data, subtask->subtask);
        encode_u32(&data, subtask->actor_index);
        assigned_state_encode(&data, &subtask->state);
    }
    buffer_append(&data, deployment->carried);
    return finish(host, MESSAGE_DEPLOY, deployment->attempt, 0, &data);
}

enum status deployment_decode(const struct message *message, struct arena *arena,
                              struct deployment *deployment)
{
    CHECK(message->kind == MESSAGE_DEPLOY);
    struct decoder decoder;
    decoder_init(&decoder, message_bytes(message));
    *deployment = (struct deployment){ .attempt = message->attempt };
    deployment->parallelism = decode_u32(&decoder);
    deployment->max_parallelism = decode_u32(&decoder);
    deployment->checkpoint = decode_u64(&decoder);
    deployment->job_manager = decode_u64(&decoder);
    deployment->task_count = decode_u32(&decoder);
    if (deployment->task_count > message->size / sizeof(actor_id)) {
        return STATUS_CORRUPT;
    }
    deployment->addresses = arena_alloc(arena, deployment->task_count, sizeof(actor_id));
    for (uint32_t i = 0; i < deployment->task_count; i++) {
        deployment->addresses[i] = decode_u64(&decoder);
    }
    deployment->subtask_count = decode_u32(&decoder);
    if (deployment->subtask_count > deployment->task_count) {
        return STATUS_CORRUPT;
    }
    deployment->subtasks =
        arena_alloc(arena, deployment->subtask_count, sizeof *deployment->subtasks);
    for (uint32_t i = 0; i < deployment->subtask_count; i++) {
        struct deployed_subtask *subtask = &deployment->subtasks[i];
        subtask->vertex = decode_u32(&decoder);
        subtask->subtask = decode_u32(&decoder);
        subtask->actor_index = decode_u32(&decoder);
        assigned_state_decode(&decoder, arena, &subtask->state);
    }
    return take_carried(&decoder, &deployment->carried);
}
