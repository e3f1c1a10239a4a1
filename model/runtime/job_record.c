#include "model/runtime/job_record.h"

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/hash.h"

#define RECORD_DIR "job"
#define RECORD_PATH RECORD_DIR "/record"
#define RECORD_TEMPORARY RECORD_DIR "/record.tmp"

enum { RECORD_MAGIC = 0x524b4c46 /* "FLKR" */, PIECE_BYTES = 256, CHECKSUM_BYTES = 8 };

/* A directory that is there already may not be durable: whoever made it may have died before the
 * sync. So it is synced in any case. */
static enum status make_directory(struct host *host)
{
    enum status status = host_make_dir(host, HOST_SHARED, RECORD_DIR);
    if (status == STATUS_OK || status == STATUS_EXISTS) {
        status = host_sync_dir(host, HOST_SHARED, "");
    }
    return status;
}

/* Only a long list of checkpoints takes more than one piece. */
static enum status read_all(struct host *host, file_id file, struct buffer *bytes)
{
    enum status status;
    size_t got;
    do {
        uint64_t offset = bytes->size;
        status = host_file_read(host, file, offset, buffer_extend(bytes, PIECE_BYTES), PIECE_BYTES,
                                &got);
        bytes->size = (size_t)offset + (status == STATUS_OK ? got : 0);
    } while (status == STATUS_OK && got == PIECE_BYTES);
    return status;
}

/* What is left before the checksum: nothing, for nearly every job. */
static void decode_given_up(struct host *host, struct decoder *decoder, struct job_record *record)
{
    while (!decoder->failed && decoder->size - decoder->position > CHECKSUM_BYTES) {
        id_list_add(&record->given_up, host->arena, decode_u64(decoder));
    }
}

static enum status decode(struct host *host, struct bytes bytes, struct job_record *record)
{
    struct decoder decoder;
    decoder_init(&decoder, bytes);
    uint32_t magic = decode_u32(&decoder);
    record->epoch = decode_u64(&decoder);
    record->attempt = decode_u64(&decoder);
    record->next_checkpoint = decode_u64(&decoder);
    record->newest_completed = decode_u64(&decoder);
    record->state = (enum job_state)decode_u8(&decoder);
    record->parallelism = decode_u32(&decoder);
    record->max_parallelism = decode_u32(&decoder);
    decode_given_up(host, &decoder, record);
    uint64_t expected = hash_bytes((struct bytes){ .data = bytes.data, .size = decoder.position });
    uint64_t checksum = decode_u64(&decoder);
    if (decoder_finish(&decoder) != STATUS_OK || magic != RECORD_MAGIC || checksum != expected) {
        return STATUS_CORRUPT;
    }
    return STATUS_OK;
}

enum status job_record_load(struct host *host, struct job_record *record)
{
    *record = (struct job_record){ .next_checkpoint = 1 };
    enum status status = make_directory(host);
    if (status != STATUS_OK) {
        return status;
    }
    file_id file;
    status = host_file_open(host, HOST_SHARED, RECORD_PATH, HOST_READ, &file);
    if (status == STATUS_NOT_FOUND) {
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct buffer bytes;
    buffer_init(&bytes, host->arena);
    status = read_all(host, file, &bytes);
    host_file_close(host, file);
    if (status == STATUS_OK) {
        status = decode(host, buffer_bytes(&bytes), record);
    }
    buffer_free(&bytes);
    return status;
}

static enum status write_temporary(struct host *host, struct bytes bytes)
{
    file_id file;
    enum status status =
        host_file_open(host, HOST_SHARED, RECORD_TEMPORARY, HOST_TRUNCATE, &file);
    if (status != STATUS_OK) {
        return status;
    }
    status = host_file_write(host, file, 0, bytes);
    if (status == STATUS_OK) {
        status = host_file_sync(host, file);
    }
    host_file_close(host, file);
    return status;
}

enum status job_record_store(struct host *host, const struct job_record *record)
{
    CHECK(record->next_checkpoint > 0);
    struct buffer bytes;
    buffer_init(&bytes, host->arena);
    encode_u32(&bytes, RECORD_MAGIC);
    encode_u64(&bytes, record->epoch);
    encode_u64(&bytes, record->attempt);
    encode_u64(&bytes, record->next_checkpoint);
    encode_u64(&bytes, record->newest_completed);
    encode_u8(&bytes, (uint8_t)record->state);
    encode_u32(&bytes, record->parallelism);
    encode_u32(&bytes, record->max_parallelism);
    for (size_t i = 0; i < record->given_up.count; i++) {
        encode_u64(&bytes, record->given_up.ids[i]);
    }
    encode_u64(&bytes, hash_bytes(buffer_bytes(&bytes)));
    enum status status = write_temporary(host, buffer_bytes(&bytes));
    if (status == STATUS_OK) {
        status = host_rename(host, HOST_SHARED, RECORD_TEMPORARY, RECORD_PATH);
    }
    if (status == STATUS_OK) {
        status = host_sync_dir(host, HOST_SHARED, RECORD_DIR);
    }
    buffer_free(&bytes);
    return status;
}
