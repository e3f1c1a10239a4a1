/* Two-phase commit. The records of one checkpoint interval form a transaction: a hidden file
 *
 *   output/SUBTASK/.pending-ATTEMPT-N
 *
 * that a snapshot makes durable (pre-commit) and names in its state, and that gets its visible name
 *
 *   output/SUBTASK/chk-ID
 *
 * once checkpoint ID is known to be complete (commit). In a job with several sinks, SUBTASK stands
 * behind the sink's own directory: output/NAME/SUBTASK. What can go wrong in between:
 *
 * T1  Crash before the checkpoint completes: no state names the file; the next attempt's restore
 *     deletes it, and its records are read again. It deletes files of older attempts only: the
 *     restore may be that of a zombie, which must not touch what the newer attempt has made.
 * T2  Crash after it completes, before or during the commit: the state restored names the file, and
 *     restore commits it - again, perhaps: a commit whose file is gone but whose visible name
 *     exists has been done before.
 *     If neither is there, what had been promised to be durable is lost: the checkpoint that names
 *     it cannot be restored.
 * T3  A checkpoint that is aborted leaves its transaction pending: the next one that completes
 *     commits it too, under its own id. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/text.h"
#include "model/stream/operator.h"

#define OUTPUT_ROOT "output"
#define PENDING_PREFIX ".pending-"

enum {
    PATH_SIZE = 96,
    WRITE_BYTES = 64 * 1024, /* collected before a write */
    CLEAR_AWAY_TRIES = 5,
};

struct transaction {
    uint64_t checkpoint; /* that pre-committed it */
    char path[PATH_SIZE];
    uint64_t size_bytes;
};

struct file_sink {
    struct operator_context *context;
    char directory[PATH_SIZE];
    struct buffer collected; /* not yet written */
    file_id file;            /* of the open transaction; 0: it has not written yet */
    char path[PATH_SIZE];    /* of the open transaction */
    uint64_t written_bytes;
    uint64_t transactions_begun;
    bool restoring;
    bool lost_one; /* while restoring: a transaction is gone, pending and visible file both */
    struct transaction *pending; /* pre-committed, oldest first */
    size_t pending_count;
    size_t pending_capacity;
};

__attribute__((format(printf, 2, 3))) static void format_path(char path[PATH_SIZE],
                                                              const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path, PATH_SIZE, format, arguments);
    va_end(arguments);
    CHECK(length > 0 && length < PATH_SIZE);
}

static bool check(struct file_sink *sink, enum status status, const char *what)
{
    return operator_check(sink->context, status, what);
}

/* A directory that is there already may not be durable: whoever made it may have died before the
 * sync. So it is synced in any case. */
static bool make_durable_dir(struct file_sink *sink, const char *parent, const char *path)
{
    struct host *host = sink->context->host;
    enum status status = host_make_dir(host, HOST_SHARED, path);
    return (status == STATUS_EXISTS || check(sink, status, path)) &&
           check(sink, host_sync_dir(host, HOST_SHARED, parent), parent);
}

/* The directory of the sink's subtasks; `name` is NULL if it is the only sink. */
static void format_root(char root[PATH_SIZE], const char *name)
{
    format_path(root, OUTPUT_ROOT "%s%s", name != NULL ? "/" : "", name != NULL ? name : "");
}

static void *file_sink_open(struct operator_context *context, const void *parameters,
                            struct collector *out)
{
    const char *name = parameters;
    CHECK(out == NULL); /* a sink is the end of its chain */
    struct file_sink *sink = arena_alloc(context->host->arena, 1, sizeof *sink);
    sink->context = context;
    buffer_init(&sink->collected, context->host->arena);
    char root[PATH_SIZE];
    format_root(root, name);
    format_path(sink->directory, "%s/%u", root, context->subtask);
    if (make_durable_dir(sink, "", OUTPUT_ROOT) &&
        (name == NULL || make_durable_dir(sink, OUTPUT_ROOT, root))) {
        (void)make_durable_dir(sink, root, sink->directory);
    }
    return sink;
}

static void write_collected(struct file_sink *sink)
{
    struct host *host = sink->context->host;
    if (sink->file == 0) {
        format_path(sink->path, "%s/" PENDING_PREFIX "%llu-%llu", sink->directory,
                    (unsigned long long)sink->context->attempt,
                    (unsigned long long)++sink->transactions_begun);
        if (!check(sink, host_file_open(host, HOST_SHARED, sink->path, HOST_TRUNCATE, &sink->file),
                   sink->path)) {
            return;
        }
    }
    if (check(sink, host_file_write(host, sink->file, sink->written_bytes,
                                    buffer_bytes(&sink->collected)),
              sink->path)) {
        sink->written_bytes += sink->collected.size;
        buffer_reset(&sink->collected);
    }
}

static void file_sink_process(void *self, const struct record *record)
{
    struct file_sink *sink = self;
    size_t size = record->value.size;
    uint8_t *at = buffer_extend(&sink->collected, size + 1);
    bytes_put(at, record->value.data, size);
    at[size] = '\n';
    if (sink->collected.size >= WRITE_BYTES) {
        write_collected(sink);
    }
}

/* Makes the open transaction durable, content and name, and pending for `checkpoint`. */
static void pre_commit(struct file_sink *sink, uint64_t checkpoint)
{
    struct host *host = sink->context->host;
    if (sink->collected.size > 0) {
        write_collected(sink);
    }
    if (sink->file == 0 || sink->context->failure.size > 0) {
        return; /* nothing was written since the last one, or writing failed */
    }
    if (!check(sink, host_file_sync(host, sink->file), sink->path) ||
        !check(sink, host_sync_dir(host, HOST_SHARED, sink->directory), sink->directory)) {
        return;
    }
    host_file_close(host, sink->file);
    sink->pending = arena_grow(host->arena, sink->pending, &sink->pending_capacity,
                               sink->pending_count + 1, sizeof *sink->pending);
    struct transaction *transaction = &sink->pending[sink->pending_count++];
    *transaction = (struct transaction){ .checkpoint = checkpoint,
                                         .size_bytes = sink->written_bytes };
    memcpy(transaction->path, sink->path, PATH_SIZE);
    sink->file = 0;
    sink->written_bytes = 0;
}

static void file_sink_snapshot(void *self, uint64_t checkpoint, struct buffer *out)
{
    struct file_sink *sink = self;
    pre_commit(sink, checkpoint);
    encode_u32(out, (uint32_t)sink->pending_count);
    for (size_t i = 0; i < sink->pending_count; i++) {
        encode_u64(out, sink->pending[i].checkpoint);
        encode_u64(out, sink->pending[i].size_bytes);
        encode_bytes(out, bytes_of_text(sink->pending[i].path));
    }
}

static void note_name(void *context, const char *name)
{
    struct buffer *names = context;
    buffer_append(names, (struct bytes){ .data = (const uint8_t *)name, .size = strlen(name) + 1 });
}

/* Errors: NOT_FOUND. */
static enum status find_file(struct host *host, const char *path)
{
    file_id file;
    enum status status = host_file_open(host, HOST_SHARED, path, HOST_READ, &file);
    if (status == STATUS_OK) {
        host_file_close(host, file);
    }
    return status;
}

/* Gives one transaction its visible name (T2). */
static bool commit_one(struct file_sink *sink, const struct transaction *transaction,
                       char visible[PATH_SIZE])
{
    struct host *host = sink->context->host;
    format_path(visible, "%s/chk-%llu", sink->directory,
                (unsigned long long)transaction->checkpoint);
    enum status status = host_rename(host, HOST_SHARED, transaction->path, visible);
    if (status == STATUS_NOT_FOUND) {
        status = find_file(host, visible);
        if (status == STATUS_OK) {
            host_mark(host, MARK_TRANSACTION_COMMITTED_BEFORE);
            return false; /* committed before */
        }
        if (status == STATUS_NOT_FOUND && sink->restoring) {
            sink->lost_one = true;
            return false;
        }
        if (status == STATUS_NOT_FOUND) {
            operator_fail(sink->context, true, "a pre-committed transaction has disappeared");
            return false;
        }
    }
    return check(sink, status, transaction->path);
}

/* Commits every pending transaction of checkpoints <= `checkpoint`: all names first, then one
 * directory sync makes them durable, then they are reported. Behind one that is lost none is
 * committed: what is visible has no hole. */
static void commit_up_to(struct file_sink *sink, uint64_t checkpoint)
{
    struct operator_context *context = sink->context;
    size_t count = 0;
    while (count < sink->pending_count && sink->pending[count].checkpoint <= checkpoint) {
        count++;
    }
    if (count == 0) {
        return;
    }
    char(*visible)[PATH_SIZE] = arena_alloc(context->host->arena, count, sizeof *visible);
    bool *renamed = arena_alloc(context->host->arena, count, sizeof *renamed);
    for (size_t i = 0; i < count && context->failure.size == 0 && !sink->lost_one; i++) {
        renamed[i] = commit_one(sink, &sink->pending[i], visible[i]);
    }
    if (context->failure.size == 0 &&
        check(sink, host_sync_dir(context->host, HOST_SHARED, sink->directory),
              sink->directory)) {
        for (size_t i = 0; i < count; i++) {
            if (renamed[i]) {
                host_trace(context->host,
                           &(struct fact){ .kind = FACT_SINK_COMMITTED,
                                           .vertex = context->vertex,
                                           .subtask = context->subtask,
                                           .attempt = context->attempt,
                                           .checkpoint = sink->pending[i].checkpoint,
                                           .values = { sink->pending[i].size_bytes },
                                           .text = bytes_of_text(visible[i]) });
            }
        }
        memmove(sink->pending, sink->pending + count,
                (sink->pending_count - count) * sizeof *sink->pending);
        sink->pending_count -= count;
    }
    arena_free(context->host->arena, visible);
    arena_free(context->host->arena, renamed);
}

static void file_sink_notify_complete(void *self, uint64_t checkpoint)
{
    commit_up_to(self, checkpoint);
}

/* Does `name` belong to an open or pre-committed transaction of an attempt below `attempt`? */
static bool is_pending_below(const char *name, uint64_t attempt)
{
    size_t prefix = strlen(PENDING_PREFIX);
    if (strncmp(name, PENDING_PREFIX, prefix) != 0) {
        return false;
    }
    size_t digits = strspn(name + prefix, "0123456789");
    int64_t of_attempt;
    struct bytes text = { .data = (const uint8_t *)name + prefix, .size = digits };
    return !text_parse_i64(text, &of_attempt) || (uint64_t)of_attempt < attempt;
}

/* Deletes the hidden files in `directory` of attempts below `attempt`. */
static enum status delete_pending(struct host *host, const char *directory, uint64_t attempt)
{
    struct buffer names;
    buffer_init(&names, host->arena);
    enum status status = host_list(host, HOST_SHARED, directory, note_name, &names);
    for (size_t at = 0; status == STATUS_OK && at < names.size;) {
        const char *name = (const char *)names.data + at;
        at += strlen(name) + 1;
        if (is_pending_below(name, attempt)) {
            char path[PATH_SIZE];
            format_path(path, "%s/%s", directory, name);
            host_mark(host, MARK_TRANSACTION_ROLLED_BACK);
            status = host_remove(host, HOST_SHARED, path);
            status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
        }
    }
    buffer_free(&names);
    return status;
}

static enum status file_sink_restore(void *self, struct bytes state)
{
    struct file_sink *sink = self;
    struct decoder decoder;
    decoder_init(&decoder, state);
    uint32_t count = state.size == 0 ? 0 : decode_u32(&decoder);
    for (uint32_t i = 0; i < count && !decoder.failed; i++) {
        struct transaction transaction = { .checkpoint = decode_u64(&decoder) };
        transaction.size_bytes = decode_u64(&decoder);
        struct bytes path = decode_bytes(&decoder);
        if (path.size == 0 || path.size >= PATH_SIZE) {
            return STATUS_CORRUPT;
        }
        memcpy(transaction.path, path.data, path.size);
        sink->pending = arena_grow(sink->context->host->arena, sink->pending,
                                   &sink->pending_capacity, sink->pending_count + 1,
                                   sizeof *sink->pending);
        sink->pending[sink->pending_count++] = transaction;
    }
    if (decoder_finish(&decoder) != STATUS_OK) {
        return STATUS_CORRUPT;
    }
    sink->restoring = true;
    commit_up_to(sink, UINT64_MAX);
    sink->restoring = false;
    if (sink->lost_one) {
        return STATUS_CORRUPT;
    }
    if (sink->context->failure.size > 0) {
        return STATUS_OK; /* the failure says it all */
    }
    enum status status =
        delete_pending(sink->context->host, sink->directory, sink->context->attempt);
    /* What cannot be deleted says nothing against the checkpoint: only the subtask fails. */
    return check(sink, status, sink->directory) || status != STATUS_HALTED ? STATUS_OK : status;
}

static void file_sink_clear_away(struct host *host, const void *parameters, uint32_t parallelism)
{
    char root[PATH_SIZE];
    format_root(root, parameters);
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        char directory[PATH_SIZE];
        format_path(directory, "%s/%u", root, subtask);
        /* A leftover that cannot be deleted even so does no harm: no restore will look at it. */
        enum status status = STATUS_IO;
        for (uint32_t i = 0; i < CLEAR_AWAY_TRIES && status == STATUS_IO; i++) {
            status = delete_pending(host, directory, UINT64_MAX);
        }
    }
}

const struct operator_ops file_sink_operator = {
    .open = file_sink_open,
    .process = file_sink_process,
    .snapshot = file_sink_snapshot,
    .restore = file_sink_restore,
    .notify_complete = file_sink_notify_complete,
    .clear_away = file_sink_clear_away,
    .is_sink = true,
};
